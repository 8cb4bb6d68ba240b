"""The station behind the connection (台区典型设计): on poles, in a box or in a room, with metering.

A 10 kV customer builds one of his own; the same designs serve the utility for a public transformer area (公变台区).
"""

from __future__ import annotations

from typing import Any, Literal

from scheme.model import Material, Segment, Work
from scheme.policy.parameter import PolicyView
from scheme.works import PricedWork

StationDesign = Literal["pole", "box", "room"]


def compile_station(
    design: StationDesign,
    *,
    transformer_kva: float,
    count: int,
    model: str,
    side: Literal["utility", "customer"],
    policy: PolicyView,
) -> tuple[tuple[PricedWork, ...], tuple[Material, ...]]:
    """Return works and materials of a station; a size no design covers has no unit cost.

    Args:
        design: Kind of station.
        transformer_kva: Rated power of each transformer (kVA).
        count: How many of them.
        model: 型号 of the transformers as printed.
        side: Who pays.
        policy: Reads ``works.station_designs``.
    """
    rows = [row for row in policy.rows("works.station_designs") if row["design"] == design]
    row = next((r for r in rows if r["kva_max"] is None or transformer_kva <= r["kva_max"]), rows[-1])
    is_covered = row["kva_max"] is None or transformer_kva <= row["kva_max"]
    quantity = transformer_kva * count if row["by"] == "kva" else float(count)
    label = model if count == 1 else f"{count}×{model}"
    work = Work(
        code=row["code"],
        text=str(row["text"]).format(label=label),
        quantity=quantity,
        unit=row["unit"],
        side=side,
    )
    priced = PricedWork(work=work, price_code=row["price_code"] if is_covered else None)
    pieces = float(count) if row["by"] == "transformer" else 1.0
    return (priced,), (_material(row, quantity=pieces, model=label, side=side),)


def compile_metering(
    mode: str, *, utility_segments: frozenset[Segment], policy: PolicyView
) -> tuple[tuple[PricedWork, ...], tuple[Material, ...]]:
    """Return the metering set of a 10 kV customer; the side is the investment boundary's.

    Args:
        mode: 计量方式 as the metering scheme words it.
        utility_segments: Segments the utility builds.
        policy: Reads ``works.metering_designs``.
    """
    side: Literal["utility", "customer"] = "utility" if "metering" in utility_segments else "customer"
    row = policy.row("works.metering_designs", "mode", mode)
    work = Work(code=row["code"], text=row["text"], quantity=1.0, unit=row["unit"], side=side)
    return (PricedWork(work=work, price_code=row["price_code"]),), (_material(row, quantity=1.0, model="", side=side),)


def _material(row: Any, *, quantity: float, model: str, side: Literal["utility", "customer"]) -> Material:
    unit = "套" if row["unit"] == "kVA" else row["unit"]
    code = row["price_code"] or row["code"]
    return Material(type_id=code, name=row["material"], quantity=quantity, unit=unit, side=side, model=model)
