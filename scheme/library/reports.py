"""What an import found, as a table to keep or to send back."""

from __future__ import annotations

from collections.abc import Sequence

from gridmodel.errors import InputError
from gridmodel.findings import Finding
from scheme.library.columns import TABLE
from scheme.publication.spreadsheet import Sheet, to_csv

_COLUMNS = ("文件", "行", "列", "值", "问题", "应为", "后果", "项目编号")


def findings_sheet(findings: Sequence[Finding]) -> Sheet:
    """Return the findings, one a row."""
    rows = tuple(
        (
            finding.file,
            finding.row,
            finding.column,
            finding.value,
            finding.code,
            finding.expected,
            finding.consequence,
            finding.element_id,
        )
        for finding in findings
    )
    return Sheet(title="储备项目导入问题清单", columns=_COLUMNS, rows=rows)


def findings_csv(findings: Sequence[Finding]) -> bytes:
    """Return the findings as CSV; texts stay texts."""
    return to_csv([findings_sheet(findings)])


def unreadable(file: str, error: InputError) -> Finding:
    """Return what refuses a whole file."""
    context = error.context
    return Finding(
        code="file_unreadable",
        severity="error",
        disposition="quarantined",
        file=file,
        table=TABLE,
        row=context["row"] if isinstance(context["row"], int) else None,
        column=None if context["field"] is None else str(context["field"]),
        value=None if context["value"] is None else str(context["value"]),
        expected=str(context["allowed"] or error.problem),
        consequence="整个文件未入库",
    )
