"""``gridscheme backup``, ``restore`` and ``migrate``: keeping the store, and bringing it on to this version."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.options import Shared, command

if TYPE_CHECKING:
    from api.backup import Backup


def add_backup_commands(app: typer.Typer) -> None:
    """Register the commands."""
    command(app, "backup")(backup)
    command(app, "restore")(restore)
    command(app, "migrate")(migrate)


def backup(
    shared: Shared, out: Annotated[Path, typer.Option(metavar="FILE", help="新文件;同时写出 FILE.sha256")]
) -> int:
    """备份存储(运行中亦可);作业队列与公开库不在其内。"""
    from api.backup import make_backup

    return _tell(shared, make_backup(shared.open_store(), out), "已备份到")


def restore(
    shared: Shared,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="备份文件,旁有 FILE.sha256")],
    replace: Annotated[bool, typer.Option("--replace", help="现有存储内容作废")] = False,
) -> int:
    """恢复备份:先核对摘要与容量台账;要么全部成功,要么不改动存储。"""
    from api.backup import restore_backup

    return _tell(shared, restore_backup(shared.open_store(), file, is_replacing=replace), "已恢复")


def migrate(shared: Shared) -> int:
    """把存储升级到本版本,要么全部成功,要么不改动存储;地图图层随之更新。"""
    from api.report import write_json
    from scheme.store.migrations import REVISIONS

    store = shared.open_store()
    store.upgrade()
    store.show_layers()
    if shared.json:
        write_json({"revision": REVISIONS[-1]})
    else:
        sys.stdout.write(f"存储为版本 {REVISIONS[-1]}\n")
    return 0


def _tell(shared: Shared, done: Backup, what: str) -> int:
    from dataclasses import asdict

    from api.report import write_json

    if shared.json:
        write_json(asdict(done))
    else:
        sys.stdout.write(f"{what} {done.file}\n摘要 {done.sha256}\n台账第 {done.ledger_seq} 笔 {done.ledger_sha256}\n")
    return 0
