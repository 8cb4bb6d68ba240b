"""``gridscheme audit``, ``sweep``, ``alarms`` and ``orphans``: what an operator does with the capacity ledger."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from api.options import Shared, command
from gridmodel.errors import InputError

if TYPE_CHECKING:
    from scheme.ledger import Ledger
    from scheme.ledger.auditor import AuditReport
    from scheme.policy.parameter import PolicyView

_VERDICTS = {"kept": "成立　　", "broken": "不成立　", "not_here": "另行核对"}
_ALARMS = {
    "clock_forward": "时钟前跳,到期清理已停",
    "clock_backward": "时钟后退",
    "overcommitted": "占用超过限额",
    "orphan": "占用在现行断面无处可记",
    "energised_too_long": "送电后迟迟未入断面",
}


def add_ledger_commands(app: typer.Typer) -> None:
    """Register the commands."""
    command(app, "audit")(audit)
    command(app, "sweep")(sweep)
    command(app, "alarms")(alarms)
    command(app, "orphans")(orphans)


def audit(
    shared: Shared,
    physics: Annotated[bool, typer.Option("--physics", help="另将全部占用接入现行断面,逐岛作潮流计算")] = False,
) -> int:
    """核对容量台账:逐项重算;有不成立项时退出状态为 1。"""
    from api.physics_audit import audit_store, physics_text
    from api.report import write_json
    from scheme.ledger.auditor import audit as audit_ledger

    with shared.open_store().read() as connection:
        report = audit_ledger(connection)
    solved = audit_store(shared.open_services()) if physics else None
    if shared.json:
        write_json(report.as_plain() | ({} if solved is None else {"physics": solved.as_dict()}))
    else:
        sys.stdout.write(_audit_text(report) + ("" if solved is None else physics_text(solved)))
    return 0 if report.is_clean and (solved is None or solved.is_clean) else 1


def sweep(
    shared: Shared,
    clock_confirmed_by: Annotated[
        str | None, typer.Option(metavar="NAME", help="时钟前跳后,由此人确认时间无误,继续清理")
    ] = None,
) -> int:
    """到期清理:有效期已过的占用失效,容量释放。"""
    from api.report import write_json
    from scheme.ledger import Actor
    from scheme.ledger.clock import ClockLimits
    from scheme.ledger.sweeper import confirm_clock

    ledger = _open(shared)
    if clock_confirmed_by:
        confirm_clock(ledger, by=clock_confirmed_by)
    actor = Actor(subject_id=clock_confirmed_by or "sweeper", role="operator", request_id="gridscheme sweep")
    expired = ledger.sweep(actor=actor, clock_limits=ClockLimits.read(_policy(shared)))
    if shared.json:
        write_json({"expired": [hold.hold_id for hold in expired]})
    else:
        sys.stdout.write(f"失效 {len(expired)} 笔\n" + "".join(f"  {hold.hold_id}\n" for hold in expired))
    return 0


def alarms(shared: Shared) -> int:
    """列出容量台账待处理事项;有事项时退出状态为 1。"""
    from api.report import write_json
    from scheme.ledger.alarms import find_alarms

    ledger = _open(shared)
    policy = _policy(shared)
    with ledger.store.read() as connection:
        found = find_alarms(connection, policy, ledger.time_in(connection))
    if shared.json:
        rows = [{"kind": alarm.kind, "at": _instant(alarm.at), **alarm.content} for alarm in found]
        write_json({"alarms": rows})
    else:
        lines = [
            f"  {_ALARMS[alarm.kind]}  " + "  ".join(f"{name}={value}" for name, value in alarm.content.items()) + "\n"
            for alarm in found
        ]
        sys.stdout.write(f"待处理 {len(found)} 项\n" + "".join(lines))
    return 1 if found else 0


def orphans(
    shared: Shared,
    hold: Annotated[str | None, typer.Option(metavar="ID", help="要安置的占用")] = None,
    source: Annotated[int, typer.Option(metavar="N", help="电源序号")] = 1,
    node: Annotated[str | None, typer.Option(metavar="NODE", help="现行断面中的节点")] = None,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="决定人")] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="理由")] = None,
) -> int:
    """列出现行断面无处可记的占用;给出 --hold --node --by --reason 时安置其一。"""
    from api.report import write_json

    ledger = _open(shared)
    if hold is not None:
        _place(shared, ledger, hold, source, node, by, reason)
    rows = [
        {"hold": item.hold_id, "source": point.source_no, "node": point.node_element_id, "share_va": point.share_va}
        for item in ledger.list_orphans()
        for point in item.sources
        if point.is_orphan
    ]
    if shared.json:
        write_json({"orphans": rows})
    else:
        lines = [f"  {r['hold']}  电源 {r['source']}  原节点 {r['node']}  {r['share_va']} VA\n" for r in rows]
        sys.stdout.write(f"待定 {len(rows)} 项\n" + "".join(lines))
    return 1 if rows else 0


def _place(
    shared: Shared, ledger: Ledger, hold: str, source: int, node: str | None, by: str | None, reason: str | None
) -> None:
    from scheme.ledger import Actor
    from scheme.ledger.accounts import build_accounts

    for option, value in (("--node", node), ("--by", by), ("--reason", reason)):
        if not value:
            raise InputError("needed to place a hold", field=option)
    services = shared.open_services()
    book = build_accounts(services.get_snapshot(), services.load_policy())
    actor = Actor(subject_id=str(by), role="operator", request_id="gridscheme orphans")
    path = book.path_of(str(node))
    ledger.place_orphan(hold, source, node_element_id=str(node), path=path, actor=actor, reason=str(reason))


def _audit_text(report: AuditReport) -> str:
    lines = [f"容量台账核对,分录 {report.seq} 条,链尾 {report.sha256[:12]}"]
    for finding in report.findings:
        count = " " * 10 if finding.verdict == "not_here" else f"{finding.checked:>7} 项"
        lines.append(f"  {finding.invariant:<4}{_VERDICTS[finding.verdict]}{count}  {finding.title}")
        if finding.verdict != "kept":
            lines += [f"        {detail}" for detail in finding.details]
        if finding.broken > len(finding.details):
            lines.append(f"        共 {finding.broken} 处")
    return "\n".join(lines) + "\n"


def _open(shared: Shared) -> Ledger:
    from scheme.ledger import Ledger

    return Ledger(shared.open_store())


def _policy(shared: Shared) -> PolicyView:
    return shared.parts().load_policy(shared.profile_name(), shared.clock()())


def _instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
