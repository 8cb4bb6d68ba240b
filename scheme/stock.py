"""Stock view (物资库存视图): what lies where, what is ordered, and what of a bill of materials it covers.

A stock table is one CSV file (UTF-8 or GB18030) or the first sheet of an xlsx file with the columns of ``COLUMNS``, one
row for each lot. ``quantity`` of status ``in_stock`` is there; of ``ordered`` it arrives ``lead_time_days`` calendar
days after ``as_of``; an empty lead time means nobody knows. A material without a row is not known, never out of stock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Literal

from gridmodel.errors import InputError
from scheme.model import Material

StockStatus = Literal["in_stock", "ordered"]
DECIMALS = 4
"""Decimals a quantity in a record keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRow:
    """One lot."""

    row: int
    """Row of the table; the first below the header is 1."""
    type_id: str
    name: str
    model: str
    status: StockStatus
    quantity: float
    unit: str
    location: str
    """存储点."""
    lead_time_days: int | None
    order_progress: str
    """生产供货订单进度."""
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class StockTable:
    """All lots of one table, in its order."""

    file: str
    rows: tuple[StockRow, ...]

    @property
    def sha256(self) -> str:
        """Digest over the rows, not over the form of the file."""
        plain = [asdict(row) | {"as_of": row.as_of.isoformat()} for row in self.rows]
        return hashlib.sha256(json.dumps(plain, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

    def of(self, material: Material) -> tuple[StockRow, ...]:
        """Return the lots of a material.

        Raises:
            InputError: A lot counts in another unit than the bill of materials.
        """
        lots = tuple(row for row in self.rows if row.type_id == material.type_id)
        for lot in lots:
            if lot.unit != material.unit:
                raise InputError(
                    "counts in another unit than the bill of materials",
                    file=self.file,
                    row=lot.row,
                    field="unit",
                    value=lot.unit,
                    allowed=material.unit,
                )
        return lots


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialSupply:
    """When the utility's materials of a bill are at hand."""

    is_complete: bool
    """All in stock."""
    ready_on: date | None
    """Day the last of them arrives; ``None`` where all are in stock, or one is not known."""
    not_known: tuple[str, ...]
    """Names of materials nobody can date."""


def merge_materials(materials: Sequence[Material]) -> tuple[Material, ...]:
    """Return the bill with one line for each type, name, unit and side, in order of first use."""
    merged: dict[tuple[str, ...], Material] = {}
    for material in materials:
        key = (material.type_id, material.name, material.model, material.unit, material.side)
        known = merged.get(key)
        quantity = material.quantity + (known.quantity if known else 0.0)
        merged[key] = replace(known or material, quantity=round(quantity, DECIMALS))
    return tuple(merged.values())


def fill_stock(materials: Sequence[Material], stock: StockTable | None) -> tuple[Material, ...]:
    """Return the bill with the stock of what the utility supplies; lots go to the lines in order.

    Raises:
        InputError: A lot counts in another unit than the bill.
    """
    if stock is None:
        return tuple(materials)
    left = {lot.row: lot.quantity for lot in stock.rows}
    return tuple(m if m.side != "utility" else _filled(m, stock.of(m), left) for m in materials)


def summarize_supply(materials: Sequence[Material]) -> MaterialSupply:
    """Return when the utility's part of a filled bill is at hand."""
    own = [material for material in materials if material.side == "utility"]
    not_known = tuple(m.name for m in own if m.stock_status != "in_stock" and m.ready_on is None)
    arrivals = [date.fromisoformat(m.ready_on) for m in own if m.ready_on is not None]
    return MaterialSupply(
        is_complete=all(m.stock_status == "in_stock" for m in own),
        ready_on=None if not_known else max(arrivals, default=None),
        not_known=not_known,
    )


def _filled(material: Material, lots: Sequence[StockRow], left: dict[int, float]) -> Material:
    """Take the material from the lots, stock first, then orders as they arrive."""
    if not lots:
        return replace(material, stock_status="not_known")
    at_hand = [lot for lot in lots if lot.status == "in_stock"]
    ordered = [lot for lot in lots if lot.status == "ordered"]
    dated = sorted((lot for lot in ordered if lot.lead_time_days is not None), key=lambda x: (_arrives_on(x), x.row))
    available = round(sum(left[lot.row] for lot in at_hand), DECIMALS)
    missing, places = _take(material.quantity, at_hand, left)
    used: list[StockRow] = []
    for lot in dated:
        if left[lot.row] > 0.0 and missing > 0.0:
            missing, _ = _take(missing, [lot], left)
            used.append(lot)
    is_covered = missing <= 0.0
    undated = [lot for lot in ordered if lot.lead_time_days is None]
    if not is_covered:
        used += undated
    status: Literal["in_stock", "ordered", "short"] = "short"
    if is_covered or undated:
        status = "ordered" if used else "in_stock"
    return replace(
        material,
        stock_status=status,
        stock_quantity=available,
        stock_location="、".join(places),
        stock_order="、".join(dict.fromkeys(lot.order_progress for lot in used if lot.order_progress)),
        ready_on=_arrives_on(used[-1]).isoformat() if is_covered and used else None,
        stock_as_of=max(lot.as_of for lot in lots).isoformat(),
    )


def _take(wanted: float, lots: Sequence[StockRow], left: dict[int, float]) -> tuple[float, Mapping[str, None]]:
    """Return what is still wanted after the lots, and the places something was taken from."""
    places: dict[str, None] = {}
    for lot in lots:
        taken = min(wanted, left[lot.row])
        if taken > 0.0:
            left[lot.row] = round(left[lot.row] - taken, DECIMALS)
            wanted = round(wanted - taken, DECIMALS)
            places |= {lot.location: None} if lot.location else {}
    return wanted, places


def _arrives_on(lot: StockRow) -> date:
    assert lot.lead_time_days is not None
    return lot.as_of + timedelta(days=lot.lead_time_days)
