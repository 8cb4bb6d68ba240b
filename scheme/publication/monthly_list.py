"""The monthly list at the counter (月度公开清单): bays, loads of feeders and areas by name, negative list.

A channel of its own, for the profile whose paper demands it; nothing of it goes into the map, and nothing of the map
into it. Loads are the measured maxima of the imported data; what was not measured is said so and never a 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from gridmodel.errors import InputError
from scheme.policy.parameter import PolicyView
from scheme.publication.negative_list import Restriction
from scheme.publication.spreadsheet import Cell, Sheet
from scheme.rules.disclosure import list_disclosure

if TYPE_CHECKING:
    from gridmodel.snapshot import Snapshot

NOT_MEASURED = "未测"
NOT_KNOWN = "未知"
NOT_SUPPLIED = "供电企业未提供清单"
_HEAD_TITLE = "说明"


def build_monthly_list(
    snapshot: Snapshot, policy: PolicyView, *, negative_list: Sequence[Restriction] | None
) -> tuple[Sheet, ...]:
    """Return the tables the profile publishes every month, the first of them saying what they are.

    Args:
        snapshot: The imported grid.
        policy: Reads ``disclosure.items``.
        negative_list: As the utility supplied it; ``None``: it did not.

    Raises:
        InputError: The profile publishes nothing by month, or a row of the list names nothing in the grid.
    """
    items = {item.item: item for item in list_disclosure("public", policy) if item.refresh_months is not None}
    builders: Mapping[str, Callable[[], tuple[tuple[str, ...], list[tuple[Cell, ...]]]]] = {
        "substation_bays": lambda: _bays(snapshot),
        "feeder_load": lambda: _feeders(snapshot),
        "transformer_area_load": lambda: _areas(snapshot),
        "negative_list": lambda: _restrictions(snapshot, negative_list),
    }
    wanted = [name for name in builders if name in items]
    if not wanted:
        raise InputError(
            "the rule profile publishes no monthly list",
            field="--profile",
            value=policy.profile,
            allowed="a profile whose disclosure.items names one",
        )
    sheets = [_head(snapshot, policy)]
    for name in wanted:
        columns, rows = builders[name]()
        sheets.append(Sheet(title=items[name].text, columns=columns, rows=tuple(rows)))
    return tuple(sheets)


def _head(snapshot: Snapshot, policy: PolicyView) -> Sheet:
    source = policy.get("disclosure.items")
    rows: tuple[tuple[Cell, ...], ...] = (
        ("数据月份", f"{policy.as_of:%Y-%m}"),
        ("依据", source.clause),
        ("数据来源", snapshot.source_name),
        ("电网断面", snapshot.sha256),
        ("用途", "营业厅公开及内部使用;与公开地图分开,不得合并发布"),
        ("负荷口径", f"导入数据中的实测最大值;“{NOT_MEASURED}”“{NOT_KNOWN}”均不等于零"),
    )
    return Sheet(title=_HEAD_TITLE, columns=("项目", "内容"), rows=rows)


def _bays(snapshot: Snapshot) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    busbars = snapshot.nodes[snapshot.nodes.kind == "substation_busbar"]
    rows: list[tuple[Cell, ...]] = [
        (_text(item.substation_id), _text(item.name), _number(item.spare_bays, 0, NOT_KNOWN))
        for item in busbars.itertuples()
    ]
    return ("变电站", "母线", "备用间隔(个)"), sorted(rows, key=_by_name)


def _feeders(snapshot: Snapshot) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    rows: list[tuple[Cell, ...]] = [
        (
            _text(item.name),
            _text(item.substation_id),
            _number(item.measured_max_a, 1, NOT_MEASURED),
            _number(item.rating_a, 0, NOT_KNOWN),
            _percent(item.measured_max_a, item.rating_a),
            _text(item.measured_on),
        )
        for item in snapshot.feeders.itertuples()
    ]
    columns = ("10千伏线路", "变电站", "最大负荷电流(安)", "允许电流(安)", "负载率(%)", "测量日期")
    return columns, sorted(rows, key=_by_name)


def _areas(snapshot: Snapshot) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    names = snapshot.feeders["name"].to_dict()
    public = snapshot.transformers[snapshot.transformers.role == "public"]
    rows: list[tuple[Cell, ...]] = [
        (
            _text(item.name),
            _text(names.get(item.feeder_id)),
            _number(item.sn_kva, 0, NOT_KNOWN),
            _number(item.measured_max_kva, 1, NOT_MEASURED),
            _percent(item.measured_max_kva, item.sn_kva),
            _text(item.measured_on),
        )
        for item in public.itertuples()
    ]
    columns = ("台区", "10千伏线路", "配变容量(千伏安)", "最大负荷(千伏安)", "负载率(%)", "测量日期")
    return columns, sorted(rows, key=lambda row: (str(row[1]), str(row[0])))


def _restrictions(
    snapshot: Snapshot, negative_list: Sequence[Restriction] | None
) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    columns = ("名称", "类别", "原因")
    if negative_list is None:
        return columns, [(NOT_SUPPLIED, None, None)]
    feeders = snapshot.feeders["name"].to_dict()
    transformers = dict(zip(snapshot.transformers.element_id, snapshot.transformers.name, strict=True))
    rows: list[tuple[Cell, ...]] = []
    for number, item in enumerate(negative_list, start=1):
        if item.element_id in feeders:
            rows.append((_text(feeders[item.element_id]), "10千伏线路", item.reason))
        elif item.element_id in transformers:
            rows.append((_text(transformers[item.element_id]), "台区", item.reason))
        else:
            raise InputError("no such transformer or feeder", row=number, field="element_id", value=item.element_id)
    return columns, rows


def _text(value: object) -> Cell:
    return value if isinstance(value, str) else None


def _number(value: object, decimals: int, missing: str) -> Cell:
    """Return a rounded number, or the words for one that is missing."""
    number = float(value) if isinstance(value, int | float) else math.nan
    if not math.isfinite(number):
        return missing
    return round(number, decimals) if decimals else round(number)


def _percent(part: object, whole: object) -> Cell:
    is_known = all(isinstance(value, int | float) and math.isfinite(value) for value in (part, whole))
    if not is_known or not float(whole) > 0.0:  # type: ignore[arg-type]
        return NOT_KNOWN
    return round(100.0 * float(part) / float(whole), 1)  # type: ignore[arg-type]


def _by_name(row: Sequence[Cell]) -> tuple[str, ...]:
    return tuple(str(cell) for cell in row[:2])
