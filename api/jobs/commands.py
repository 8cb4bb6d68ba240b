"""``gridscheme worker``: do the jobs of a store."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from api.options import Shared, command
from gridmodel.errors import InputError

_NAME_LENGTH_MAX = 40


def add_worker(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "worker")
    def worker(
        shared: Shared,
        name: Annotated[str, typer.Option(help="本进程名称;各进程须不同名,崩溃后以同名重启即继续")] = "worker",
        until_stdin_ends: Annotated[bool, typer.Option("--until-stdin-ends", hidden=True)] = False,
    ) -> int:
        """执行后台任务(导入、容量计算、批量方案、储备项目评估、发布),直至中断。"""
        from api.jobs.durable import jobs_url, run_worker
        from api.jobs.process import ends_with_parent, only_one
        from api.jobs.workbench import open_workbench
        from api.report import note
        from api.settings import load_settings
        from api.sweeping import Sweeping

        if not (name.isascii() and name.replace("-", "").isalnum() and len(name) <= _NAME_LENGTH_MAX):
            raise InputError(
                "not a name of a worker", field="--name", value=name, allowed=f"at most {_NAME_LENGTH_MAX} of a-z 0-9 -"
            )
        services, settings = shared.open_services(), load_settings(policy=shared.find_policy_folder())
        url = jobs_url(services.store)
        is_over = ends_with_parent(sys.stdin.buffer) if until_stdin_ends else lambda: False
        with only_one(url, name), Sweeping(services).running():
            note(f"后台任务进程 {name} 已启动 (Ctrl-C 结束)")
            try:
                bench = open_workbench(services, settings.public_db, settings=settings)
                run_worker(bench, url, name=name, is_over=is_over)
            except KeyboardInterrupt:
                return 0
        return 0
