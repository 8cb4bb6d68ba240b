"""The job ``check`` (导入预检): what an uploaded network holds and would change; nothing becomes current."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from api.jobs.records import Steps
from scheme.ledger.records import VA_PER_KVA

if TYPE_CHECKING:
    from api.jobs.workbench import Workbench
    from gridmodel.differences import Difference
    from gridmodel.snapshot import Snapshot
    from scheme.admission.settlement import Forecast

_STAGES = ("读入并检查电网数据", "与现行断面比对", "核对在途占用", "保存预检结果")
_SEVERITIES = ("error", "warning", "info")


def check_network(bench: Workbench, steps: Steps, upload_id: str) -> Mapping[str, Any]:
    """Return the counts of what was found; the rows are kept beside the upload, which stays."""

    def read_and_compare() -> dict[str, Any]:
        from api.uploads import read_upload
        from gridmodel.differences import find_differences
        from scheme.jobs.checks import keep_check
        from scheme.jobs.uploads import get_upload

        store = bench.services.store
        upload = get_upload(store, upload_id, owner_id=steps.actor.subject_id)
        after = read_upload(upload.content, upload.name)
        _report(steps, 1)
        current_sha256 = store.find_current_sha256()
        differences = () if current_sha256 is None else find_differences(store.get_snapshot(current_sha256), after)
        _report(steps, 2)
        forecast = bench.admission.settle(after, actor=steps.actor).foresee()
        _report(steps, 3)
        summary = _summary(after, differences, forecast, current_sha256)
        rows = {
            "findings": _ranked(after),
            "changes": [asdict(difference) for difference in differences],
            "holds": _lost_rows(forecast),
        }
        keep_check(store, upload_id, {"summary": summary, **rows})
        return summary

    _report(steps, 0)
    summary = steps.run("check", read_and_compare)
    steps.report(len(_STAGES), len(_STAGES), "预检完成")
    return summary


def _report(steps: Steps, stage: int) -> None:
    steps.report(stage, len(_STAGES), _STAGES[stage])


def _ranked(after: Snapshot) -> list[dict[str, object]]:
    """Return the findings, errors first, in the order of the data."""
    ranked = sorted(after.findings, key=lambda finding: _SEVERITIES.index(finding.severity))
    return [finding.as_dict() for finding in ranked]


def _summary(
    after: Snapshot, differences: Sequence[Difference], forecast: Forecast, current_sha256: str | None
) -> dict[str, Any]:
    found = Counter((finding.severity, finding.table, finding.code) for finding in after.findings)
    kinds = sorted(found.items(), key=lambda item: (_SEVERITIES.index(item[0][0]), item[0][1:]))
    changes = Counter((difference.table, difference.fate) for difference in differences)
    columns = Counter((difference.table, cell.column) for difference in differences for cell in difference.columns)
    return {
        "source_name": after.source_name,
        "source_format": after.source_format,
        "compared_with_sha256": current_sha256,
        "node_count": len(after.nodes),
        "nodes_by_status": {str(name): int(n) for name, n in sorted(Counter(after.nodes["status"]).items())},
        "counts": [asdict(count) for count in after.counts],
        "finding_kinds": [
            {"severity": severity, "table": table, "code": code, "count": count}
            for (severity, table, code), count in kinds
        ],
        "change_kinds": [{"table": table, "fate": fate, "count": count} for (table, fate), count in changes.items()],
        "change_columns": [{"table": table, "column": name, "count": n} for (table, name), n in columns.items()],
        "mapped_source_count": forecast.mapped,
        "lost_source_count": len(forecast.lost),
    }


def _lost_rows(forecast: Forecast) -> list[dict[str, Any]]:
    return [
        {
            "hold_id": hold.hold_id,
            "scheme_id": hold.scheme_id,
            "request_id": hold.request_id,
            "state": hold.state,
            "source_no": source.source_no,
            "node_element_id": source.node_element_id,
            "share_kva": source.share_va / VA_PER_KVA,
        }
        for hold, source in forecast.lost
    ]
