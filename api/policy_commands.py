"""``gridscheme policy``: check a utility's own policy folder, print which rule row is carried by what."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from api.options import Shared, command

policy_app = typer.Typer(name="policy", help="规则集:检查本单位政策目录,列出规则覆盖。", add_completion=False)


@command(policy_app, "check")
def check(
    shared: Shared,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="本单位政策目录(含 profile.yaml)")],
) -> int:
    """检查本单位政策目录,列出改定的参数和仍缺的参数。"""
    from dataclasses import asdict

    from api.report import write_json
    from scheme.policy.folder_report import describe_folder

    report = describe_folder(folder, shared.clock()())
    if shared.json:
        write_json(asdict(report))
        return 0
    lines = [f"规则集 {report.profile}({report.title}),继承 {report.inherits},日期 {report.as_of}"]
    lines += [f"改定 {len(report.overrides)} 项:"]
    for item in report.overrides:
        before = "无" if item.inherited_from is None else f"{_shown(item.inherited_value)}({item.inherited_from})"
        state = "" if item.is_in_force else ",未生效或已被替代"
        now = f"{_shown(item.value)} [{item.unit}],自 {item.effective_from}{state}"
        lines.append(f"  {item.id} {item.name} = {now},原值 {before}")
    lines += [f"仍缺 {len(report.missing)} 项,须由供电企业提供:"]
    lines += [f"  {item.id} {item.name} [{item.unit}]" for item in report.missing]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


@command(policy_app, "coverage")
def coverage(shared: Shared) -> int:
    """列出规则表 A 至 K 每一行对应的参数、规则和算例;有缺行时退出状态为 1。"""
    from dataclasses import asdict

    from api.report import write_json
    from scheme.policy.coverage import find_gaps, read_coverage
    from scheme.policy.loader import load_policy_set

    rows = read_coverage()
    gaps = find_gaps(rows, load_policy_set().parameters)
    if shared.json:
        write_json(
            {"rows": [{**asdict(row), "rules": row.rules} for row in rows], "gaps": [asdict(gap) for gap in gaps]}
        )
        return 1 if gaps else 0
    open_rows = {gap.row: gap.problem for gap in gaps}
    for row in rows:
        state = open_rows.get(row.row) or ("-" if row.reason else "ok")
        sys.stdout.write(f"{row.row}  [{state}]  {row.statement}\n")
        if row.reason:
            sys.stdout.write(f"       {row.reason}\n")
        else:
            sys.stdout.write(f"       {', '.join(row.parameter_ids)} | {', '.join(row.rules)} | {len(row.cases)} 例\n")
    for name in sorted(set(open_rows) - {row.row for row in rows}):
        sys.stdout.write(f"{name}  [{open_rows[name]}]\n")
    stated = [row for row in rows if not row.reason]
    covered = sum(row.row not in open_rows for row in stated)
    sys.stdout.write(
        f"有数值或条件的 {len(stated)} 行,已覆盖 {covered} 行;无数值或条件的 {len(rows) - len(stated)} 行\n"
    )
    return 1 if gaps else 0


def _shown(value: Any) -> str:
    text = str(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 60 else text[:57] + "..."
