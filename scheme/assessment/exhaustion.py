"""The year in which a transformer, a feeder or a main transformer runs out (设备容量耗尽年份).

Sum of powers, without losses of what is added: the present load times the growth, and every project that would be
connected below the element if it were alone, with its own figures for the year.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.elements import Element, name_of
from scheme.assessment.loads import ElementLoad, load_of
from scheme.assessment.project import Project
from scheme.assessment.records import ProjectResult, YearOfElement

_DIGITS = 3


def find_years(
    projects: Sequence[Project],
    results: Sequence[ProjectResult],
    grid: AssessedGrid,
    *,
    growth_by_year_ratio: Mapping[int, float],
    as_of: date,
) -> tuple[YearOfElement, ...]:
    """Return every element that a project would hang on, ordered by kind and identifier.

    Years go from that of ``as_of`` to the last one that a project or the growth tells of.

    Args:
        projects: In the order of ``results``.
        results: Gives the best point of each project alone.
        grid: Gives loads and limits.
        growth_by_year_ratio: Growth of the present load in a year over the year before.
        as_of: Day of the present load.
    """
    below: dict[Element, list[tuple[Project, float]]] = {}
    for project, result in zip(projects, results, strict=True):
        placement = result.alone.placement
        if placement is not None:
            for element in placement.elements:
                below.setdefault(element, []).append((project, placement.p_kw / placement.capacity_kva))
    years = _years(projects, growth_by_year_ratio, as_of.year)
    found = []
    for element in sorted(below):
        load = load_of(element, grid)
        if load is not None:
            found.append(_year(element, load, below[element], years, growth_by_year_ratio, grid))
    return tuple(found)


def _years(projects: Sequence[Project], growth: Mapping[int, float], first: int) -> range:
    named = [year for project in projects for year in project.demand_by_year_kva]
    named += [project.needed_on.year for project in projects if project.needed_on is not None]
    return range(first, max([first, *named, *growth]) + 1)


def _year(
    element: Element,
    load: ElementLoad,
    below: Sequence[tuple[Project, float]],
    years: range,
    growth: Mapping[int, float],
    grid: AssessedGrid,
) -> YearOfElement:
    ratio, by_year = 1.0, []
    for year in years:
        if year > years[0]:
            ratio *= 1.0 + growth.get(year, 0.0)
        asked = [(project.demand_in_kva(year), power_factor) for project, power_factor in below]
        by_year.append(
            (
                year,
                load.apparent_kva(
                    growth_ratio=ratio,
                    p_kw=sum(kva * power_factor for kva, power_factor in asked),
                    q_kvar=sum(kva * math.sqrt(1.0 - power_factor**2) for kva, power_factor in asked),
                ),
            )
        )
    return YearOfElement(
        element_kind=element[0],
        element_id=element[1],
        name=name_of(grid.snapshot, element),
        limit_kva=round(load.limit_kva, _DIGITS),
        load_kva=round(load.apparent_kva(), _DIGITS),
        load_by_year_kva=tuple((year, round(kva, _DIGITS)) for year, kva in by_year),
        runs_out_in=next((year for year, kva in by_year if kva > load.limit_kva), None),
        project_ids=tuple(sorted(project.project_id for project, _ in below)),
    )
