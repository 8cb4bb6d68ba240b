"""``gridscheme projects``: the reserve library from the command line: take files, list, an empty table to fill in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from api.options import Shared, command
from gridmodel.errors import InputError

if TYPE_CHECKING:
    from gridmodel.findings import Finding
    from scheme.ledger.records import Actor
    from scheme.library.records import Project

projects_app = typer.Typer(name="projects", help="业扩项目储备库:导入、收取、列出、模板。", add_completion=False)
EXIT_REFUSED_ROWS = 1
_FINDINGS_SHOWN_MAX = 20
_STAGES = {"reserve": "储备", "consultation": "咨询", "formal": "正式", "closed": "关闭"}
_MISSING = {"location": "位置", "demand": "用电需求"}


@command(projects_app, "import")
def import_file(
    shared: Shared,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="项目表(.csv、.xlsx、.geojson)")],
    all_or_nothing: Annotated[bool, typer.Option("--all-or-nothing", help="有一行不合格则整个文件不入库")] = False,
    findings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="问题清单写入此文件(.csv、.xlsx);默认只显示前几条")
    ] = None,
) -> int:
    """导入项目表:新项目入库,有变化的更新,逐行列出问题;有行未入库时退出状态为 1。"""
    from api.report import write_json
    from scheme.library.files import read_projects
    from scheme.library.importing import import_projects
    from scheme.library.reports import findings_sheet
    from scheme.publication.spreadsheet import write_sheets

    read = read_projects(file, _works_stages(shared))
    outcome = import_projects(shared.open_store(), read, actor=_actor("import"), is_all_or_nothing=all_or_nothing)
    assert outcome is not None, "no key was shown"
    if findings is not None:
        write_sheets([findings_sheet(outcome.findings)], findings)
    if shared.json:
        write_json(outcome.as_dict())
    else:
        sys.stdout.write(_counts_text(outcome.as_dict()) + _findings_text(outcome.findings))
    return EXIT_REFUSED_ROWS if outcome.refused else 0


@command(projects_app, "take")
def take_folder(
    shared: Shared,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="政府项目审批系统等投放文件的文件夹")],
) -> int:
    """收取文件夹中的全部项目表:每个文件只收一次,收后移入 taken 并附问题清单。"""
    from api.report import write_json
    from scheme.library.feed import FolderFeed, take_files

    takes = take_files(shared.open_store(), FolderFeed(folder), _works_stages(shared), actor=_actor("take"))
    if shared.json:
        write_json({"takes": [{"take_no": take.take_no, **take.report} for take in takes]})
    else:
        sys.stdout.write("".join(f"{take.take_no:06} {_counts_text(take.report)}" for take in takes) or "没有文件\n")
    refused = any(
        take.report["refused"] or any(f["severity"] == "error" for f in take.report["findings"]) for take in takes
    )
    return EXIT_REFUSED_ROWS if refused else 0


@command(projects_app, "list")
def list_library(
    shared: Shared,
    stage: Annotated[
        Literal["reserve", "consultation", "formal", "closed"] | None, typer.Option(help="只列出此阶段的项目")
    ] = None,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="名称、客户或编号中含此文字")] = None,
) -> int:
    """列出储备项目,先收到的在前。"""
    from api.project_views import ProjectLine
    from api.report import write_json
    from scheme.library.reading import ProjectFilter, list_projects

    with shared.open_store().read() as connection:
        found = list_projects(connection, ProjectFilter(stage=stage, text=text))
    if shared.json:
        write_json({"projects": [ProjectLine.of(project).model_dump(mode="json") for project in found]})
    else:
        sys.stdout.write("".join(map(_line, found)) + f"共 {len(found)} 个项目\n")
    return 0


@command(projects_app, "template")
def write_empty_table(
    shared: Shared, file: Annotated[Path, typer.Argument(metavar="FILE", help="新文件:.xlsx(含说明与示例)或 .csv")]
) -> int:
    """写出空白项目表。"""
    from api.report import write_json
    from scheme.library.template import write_template

    write_template(file, _works_stages(shared))
    if shared.json:
        write_json({"out": str(file)})
    else:
        sys.stdout.write(f"已写入 {file}\n")
    return 0


def _works_stages(shared: Shared) -> tuple[str, ...]:
    from scheme.library.entry import read_works_stages

    return read_works_stages(shared.parts().load_policy(shared.profile_name(), shared.clock()()))


def _actor(name: str) -> Actor:
    import getpass

    from scheme.ledger.records import Actor

    try:
        subject_id = getpass.getuser()
    except (KeyError, OSError) as error:
        raise InputError("the user of this machine has no name", field="USER", allowed="a user name") from error
    return Actor(subject_id=subject_id, role="planner", request_id=f"gridscheme projects {name}")


def _counts_text(outcome: dict[str, Any]) -> str:
    counts = "、".join(
        f"{name} {outcome[key]}"
        for key, name in (("created", "新增"), ("updated", "更新"), ("unchanged", "未变"), ("refused", "未入库"))
    )
    return f"{outcome['file']}:{outcome['rows']} 行;{counts}\n"


def _findings_text(findings: Sequence[Finding]) -> str:
    lines = []
    for finding in findings[:_FINDINGS_SHOWN_MAX]:
        value = "" if finding.value is None else f" 值 {finding.value!r}"
        place = f"  第 {finding.row} 行 {finding.column or ''}".rstrip()
        lines.append(f"{place}{value} {finding.code};应为 {finding.expected};{finding.consequence}\n")
    left = len(findings) - _FINDINGS_SHOWN_MAX
    return "".join(lines) + (f"  另有 {left} 条,见 --findings\n" if left > 0 else "")


def _line(project: Project) -> str:
    entry = project.entry
    missing = "".join(f" 缺{_MISSING[name]}" for name in project.missing)
    kva, kw = entry.demand.capacity_kva, entry.demand.installed_kw
    asked = f" {kva:g} kVA" if kva is not None else "" if kw is None else f" {kw:g} kW"
    return (
        f"{project.project_id} {_STAGES[project.stage]} {entry.received_on} {entry.source_system}/{entry.source_id}"
        f" {entry.name}{asked}{missing}\n"
    )
