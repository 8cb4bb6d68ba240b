"""Results of a batch as files: a table for people, points for a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scheme.publication.spreadsheet import Sheet

_COLUMNS = {
    "request_id": "申请编号",
    "name": "客户名称",
    "verdict": "结论",
    "voltage": "供电电压",
    "capacity_kva": "容量 kVA",
    "feeder": "馈线(首选方案)",
    "point": "接入点(首选方案)",
    "cost_typical_cny10k": "估算 万元(首选方案)",
    "lon_deg": "经度 °(CGCS2000)",
    "lat_deg": "纬度 °(CGCS2000)",
    "scheme_id": "方案编号",
}
_VERDICTS = {"answered": "可供电", "transition": "过渡供电,后续改造", "joint_work": "转专业联动", None: "未受理"}
_NOTE = "逐项独立计算:各项目均按其他项目不接入计算,未计相互影响;容量不可相加。"


def batch_sheets(rows: Sequence[Mapping[str, Any]]) -> tuple[Sheet, ...]:
    """Return the rows, and what they are not."""
    cells = tuple(
        (*(_VERDICTS[row[name]] if name == "verdict" else row[name] for name in _COLUMNS), _reasons(row))
        for row in rows
    )
    return (
        Sheet(title="批量方案", columns=(*_COLUMNS.values(), "理由"), rows=cells),
        Sheet(title="说明", columns=("说明",), rows=((_NOTE,),)),
    )


def batch_features(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the rows as GeoJSON (RFC 7946)."""
    return {"type": "FeatureCollection", "note": _NOTE, "features": [_feature(row) for row in rows]}


def _feature(row: Mapping[str, Any]) -> dict[str, Any]:
    place = (row["lon_deg"], row["lat_deg"])
    properties = {name: row[name] for name in _COLUMNS if name not in ("lon_deg", "lat_deg")}
    return {
        "type": "Feature",
        "geometry": None if None in place else {"type": "Point", "coordinates": list(place)},
        "properties": {**properties, "reasons": _reasons(row)},
    }


def _reasons(row: Mapping[str, Any]) -> str | None:
    if row["error"] is not None:
        return str(row["error"]["title"])
    return ";".join(reason["text"] for reason in row["reasons"]) or None
