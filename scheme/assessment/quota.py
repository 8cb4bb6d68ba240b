"""Forecast of materials by quarter (物资需求按季定额), from the bills of materials of the connections placed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from scheme.assessment.project import Project
from scheme.assessment.records import MaterialNeed, MaterialQuota, ProjectResult

_DIGITS = 4
_Key = tuple[str, str, str, str, str]


def find_quotas(projects: Sequence[Project], results: Sequence[ProjectResult]) -> tuple[MaterialQuota, ...]:
    """Return what the utility buys, by the quarter in which supply is needed; quarters rise, those not known come last.

    Args:
        projects: In the order of ``results``.
        results: Placements of the queue with their bills.
    """
    needs: dict[_Key, list[tuple[Project, MaterialNeed]]] = {}
    for project, result in zip(projects, results, strict=True):
        placement = result.queue.placement
        for need in () if placement is None else placement.materials:
            if need.side == "utility":
                quarter = "" if project.needed_on is None else quarter_of(project.needed_on)
                key = (quarter, need.type_id, need.name, need.model, need.unit)
                needs.setdefault(key, []).append((project, need))
    order = sorted(needs, key=lambda key: (not key[0], key))
    return tuple(_quota(key, needs[key]) for key in order)


def quarter_of(day: date) -> str:
    """Return the quarter of a day, as ``2027Q1``."""
    return f"{day.year}Q{(day.month + 2) // 3}"


def _quota(key: _Key, needs: Sequence[tuple[Project, MaterialNeed]]) -> MaterialQuota:
    quarter, type_id, name, model, unit = key
    weights = [project.likelihood_ratio for project, _ in needs]
    expected = None
    if None not in weights:
        expected = sum(need.quantity * (weight or 0.0) for (_, need), weight in zip(needs, weights, strict=True))
    return MaterialQuota(
        quarter=quarter or None,
        type_id=type_id,
        name=name,
        model=model,
        unit=unit,
        quantity=round(sum(need.quantity for _, need in needs), _DIGITS),
        expected_quantity=None if expected is None else round(expected, _DIGITS),
        project_ids=tuple(sorted({project.project_id for project, _ in needs})),
    )
