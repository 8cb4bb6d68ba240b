"""Connecting lines as printed texts: how they are laid, how long, how many circuits, what they cross."""

from __future__ import annotations

from scheme.document.tables import Row
from scheme.document.wording import CROSSINGS, LAYING, NOT_APPLICABLE, SECTION_KINDS, number
from scheme.model import Route, Variant


def route_text(route: Route) -> str:
    """Return laying and length of a connecting line."""
    circuits = f"，{route.circuits}回" if route.circuits > 1 else ""
    return f"{LAYING[route.laying]}{number(route.length_m, 0)} m{circuits}" + ("（估算）" if route.is_estimated else "")


def laying_text(route: Route) -> str:
    """Return how a line is laid, section by section where it changes."""
    if len({section.kind for section in route.sections}) < 2:
        return SECTION_KINDS[route.sections[0].kind] if route.sections else LAYING[route.laying]
    return "、".join(f"{SECTION_KINDS[section.kind]}{number(section.length_m, 0)} m" for section in route.sections)


def list_crossings(best: Variant | None) -> list[Row]:
    """Return what the lines of every source cross and the permits this needs."""
    routes = [best.route, *(source.route for source in best.further_sources)] if best else []
    return [
        {
            "source": f"电源{place}",
            "name": item.name,
            "kind": CROSSINGS[item.kind],
            "permit": item.permit_name,
            "note": "按估算路径判断，以查勘为准" if item.is_estimated else NOT_APPLICABLE,
        }
        for place, route in enumerate(routes, start=1)
        for item in route.crossing_permits
    ]
