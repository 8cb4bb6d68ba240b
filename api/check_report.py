"""A checked upload as tables for people (预检报告)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scheme.publication.spreadsheet import Cell, Sheet

_FINDINGS = {
    "severity": "级别",
    "code": "问题代码",
    "file": "文件",
    "table": "数据表",
    "row": "行",
    "column": "列",
    "value": "值",
    "expected": "应为",
    "consequence": "后果",
    "disposition": "处置",
    "element_id": "元件",
}
_CHANGES = ("数据表", "元件", "名称", "变化", "列", "原值", "新值")
_HOLDS = {
    "hold_id": "占用",
    "scheme_id": "方案",
    "request_id": "申请",
    "state": "状态",
    "source_no": "电源序号",
    "node_element_id": "原节点",
    "share_kva": "容量 kVA",
}


def report_sheets(content: Mapping[str, Any]) -> tuple[Sheet, ...]:
    """Return findings, changes (a row for each cell) and holds without a place."""
    return (
        _sheet("数据问题", _FINDINGS, content["findings"]),
        Sheet(title="与现行断面的差异", columns=_CHANGES, rows=tuple(_change_rows(content["changes"]))),
        _sheet("将失去位置的占用", _HOLDS, content["holds"]),
    )


def _sheet(title: str, columns: Mapping[str, str], rows: list[Mapping[str, Any]]) -> Sheet:
    cells = tuple(tuple(row[name] for name in columns) for row in rows)
    return Sheet(title=title, columns=tuple(columns.values()), rows=cells)


def _change_rows(changes: list[Mapping[str, Any]]) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for change in changes:
        head = (change["table"], change["element_id"], change["name"], change["fate"])
        cells = change["columns"] or ({"column": None, "old": None, "new": None},)
        rows += [(*head, cell["column"], cell["old"], cell["new"]) for cell in cells]
    return rows
