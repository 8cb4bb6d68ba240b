"""``gridscheme import``: make new data the current snapshot, live holds mapped onto it in the same transaction."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from api.options import Format, Shared, Source, command
from gridmodel.errors import InputError

if TYPE_CHECKING:
    from scheme.admission.settlement import Outcome

_REFUSED = 1
_CONTAINED_HELP = "新数据已包含该日(含)以前送电的负荷,对应占用随之核销;不给出时继续计入"
Contained = Annotated[str | None, typer.Option("--contains-energised-until", metavar="DATE", help=_CONTAINED_HELP)]


def add_import(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "import")(import_source)


def import_source(
    shared: Shared, source: Source, source_format: Format = "auto", contains_energised_until: Contained = None
) -> int:
    """读入电网数据,经质量检查后存为断面,在途占用转到新断面;要么全部成功,要么不改动存储。"""
    from api.admission import Admission
    from api.report import has_error_findings, show_snapshot, snapshot_summary, write_json
    from gridmodel.readers.select import read_source
    from scheme.ledger import Actor

    until = _day(contains_energised_until)
    services = shared.open_services()
    actor = Actor(subject_id="gridscheme import", role="operator", request_id="gridscheme import")
    imported = read_source(source, source_format=source_format)
    done = Admission(services).activate(imported, actor=actor, contains_energised_until=until)
    snapshot = done.snapshot
    if shared.json:
        holds = {"mapped": done.outcome.mapped, "orphans": done.outcome.orphans, "closed": done.outcome.closed}
        write_json({"snapshot_sha256": snapshot.sha256, "holds": holds, **snapshot_summary(snapshot)})
    else:
        show_snapshot(snapshot)
        sys.stdout.write(f"已存为当前断面 {snapshot.sha256}\n{_holds_text(done.outcome)}")
    return _REFUSED if has_error_findings(snapshot) else 0


def _day(text: str | None) -> date | None:
    allowed = "a date as YYYY-MM-DD"
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise InputError("not a date", field="--contains-energised-until", value=text, allowed=allowed) from error


def _holds_text(outcome: Outcome) -> str:
    """Return what became of the live holds; nothing where there were none."""
    if not (outcome.mapped or outcome.orphans or outcome.closed):
        return ""
    text = f"在途占用:转到新断面 {outcome.mapped} 处,随送电核销 {len(outcome.closed)} 笔\n"
    if outcome.orphans:
        text += f"新断面无处可记、待人工处理 {len(outcome.orphans)} 笔(gridscheme orphans)\n"
    return text
