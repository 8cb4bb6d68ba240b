"""Works (工程内容) and bill of materials (物料清单) of a connection, from the typical designs in policy data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gridmodel.catalogue.loader import Catalogue
from gridmodel.catalogue.records import LineType
from scheme.model import Material, PointKind, Segment, Work
from scheme.policy.parameter import PolicyView
from scheme.stock import merge_materials


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedWork:
    """A work and the unit cost it is priced by."""

    work: Work
    price_code: str | None
    """``None``: no unit cost; it is named in ``not_priced``."""
    needs_price: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteLine:
    """The line built between the connection point and the customer."""

    line_type: LineType
    length_m: float
    parallel: int
    wires: int
    """Wires or cables bought per circuit."""
    span_m: float | None
    """Distance of new poles; ``None`` where none are set."""


def compile_works(
    kind: PointKind,
    route: RouteLine,
    *,
    is_single_phase: bool,
    notes: tuple[str, ...],
    utility_segments: frozenset[Segment],
    policy: PolicyView,
    catalogue: Catalogue,
) -> tuple[tuple[PricedWork, ...], tuple[Material, ...]]:
    """Return works with their price codes, and the materials.

    Args:
        kind: Kind of connection point.
        route: The line to be built.
        is_single_phase: Selects the meter box.
        notes: Codes of checks on site that the data made necessary.
        utility_segments: Segments the utility builds, by the investment boundary (投资界面).
        policy: Gives ``works.typical_designs``, ``works.design_materials``, ``works.line_prices``,
            ``works.line_materials`` and ``works.texts``.
        catalogue: Names the poles.
    """
    phases = "single" if is_single_phase else "three"
    rows = [row for row in policy.rows("works.typical_designs") if row["kind"] == kind]
    rows = [row for row in rows if row["phases"] in ("any", phases)]
    texts = policy.get("works.texts").value

    def side(segment: Segment) -> Literal["utility", "customer"]:
        return "utility" if segment in utility_segments else "customer"

    if route.parallel > 1:  # every circuit leaves by a switch of its own
        rows = [
            {**row, "quantity": row["quantity"] * route.parallel} if row["segment"] == "point" else row for row in rows
        ]
    works = [_designed(row, side(row["segment"])) for row in rows]
    works.insert(sum(row["segment"] == "point" for row in rows), _route_work(route, texts, side("route"), policy))
    works += [_check(code, str(texts[code])) for code in notes]
    materials = [_material(row, side(row["segment"])) for row in rows if row["material"] is not None]
    for row in rows:
        materials += _accessories(row, side(row["segment"]), policy)
    materials += _route_materials(route, texts, side("route"), policy, catalogue)
    return tuple(works), merge_materials(materials)


def _designed(row: Mapping[str, Any], side: Literal["utility", "customer"]) -> PricedWork:
    work = Work(code=row["code"], text=row["text"], quantity=float(row["quantity"]), unit=row["unit"], side=side)
    return PricedWork(work=work, price_code=row["price_code"])


def _check(code: str, text: str) -> PricedWork:
    return PricedWork(
        work=Work(code=code, text=text, quantity=1.0, unit="项", side="utility"), price_code=None, needs_price=False
    )


def _route_work(
    route: RouteLine, texts: Mapping[str, Any], side: Literal["utility", "customer"], policy: PolicyView
) -> PricedWork:
    kind = route.line_type
    prices = (
        row["price_code"]
        for row in policy.rows("works.line_prices")
        if row["series"] == kind.series and kind.section_mm2 <= row["section_mm2_max"]
    )
    work = Work(
        code="route_line",
        text=str(texts[f"route_{kind.laying}"]).format(label=kind.label),
        quantity=round(route.length_m * route.parallel / 1e3, 4),
        unit="km",
        side=side,
    )
    return PricedWork(work=work, price_code=next(prices, None))


def _material(row: Mapping[str, Any], side: Literal["utility", "customer"]) -> Material:
    return Material(
        type_id=row["price_code"] or row["code"],
        name=row["material"],
        quantity=float(row["quantity"]),
        unit=row["unit"],
        side=side,
    )


def _accessories(
    designed: Mapping[str, Any], side: Literal["utility", "customer"], policy: PolicyView
) -> list[Material]:
    """Return what belongs to a work of a typical design beside its main piece."""
    return [
        Material(
            type_id=row["type_id"],
            name=row["name"],
            quantity=float(row["quantity"]) * float(designed["quantity"]),
            unit=row["unit"],
            side=side,
        )
        for row in policy.rows("works.design_materials")
        if (row["kind"], row["work"]) == (designed["kind"], designed["code"])
    ]


def _route_materials(
    route: RouteLine,
    texts: Mapping[str, Any],
    side: Literal["utility", "customer"],
    policy: PolicyView,
    catalogue: Catalogue,
) -> list[Material]:
    kind = route.line_type
    length_km = round(route.length_m * route.parallel * route.wires / 1e3, 4)
    name = str(texts[f"material_{kind.laying}"])
    materials = [Material(type_id=kind.type_id, name=name, quantity=length_km, unit="km", side=side, model=kind.label)]
    poles = 0 if route.span_m is None else math.ceil(route.length_m / route.span_m)
    if poles:
        code = str(texts[f"pole_code_{kind.u_class}"])
        name = catalogue.get_unit_cost(code).item_zh
        materials.append(
            Material(type_id=code, name=name, quantity=float(poles), unit=str(texts["pole_unit"]), side=side)
        )
    pieces = {"end": 2 * route.parallel, "pole": poles}
    for row in policy.rows("works.line_materials"):
        quantity = float(row["quantity"]) * pieces[row["per"]]
        if (row["u_class"], row["laying"]) == (kind.u_class, kind.laying) and quantity > 0.0:
            extra = Material(type_id=row["type_id"], name=row["name"], quantity=quantity, unit=row["unit"], side=side)
            materials.append(extra)
    return materials
