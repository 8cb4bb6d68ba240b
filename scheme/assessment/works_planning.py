"""Plans the works (配套工程) one project needs where the others are placed: plain rows in, a plain row out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gridmodel.in_flight import with_commitments
from scheme.assessment.asked import Asked, find_asked
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.grid_state import Placed, taken_bays
from scheme.assessment.project import project_from_dict
from scheme.transition.plan import TransitionPlan, plan_transition

Row = Mapping[str, Any]


def plan_works(grid: AssessedGrid, row: Row, placed: Sequence[Placed]) -> dict[str, Any]:
    """Return the measures of the cheapest verified way to all of the demand, as plain values.

    Args:
        grid: The grid without any project.
        row: ``project``; ``now_kva``, what it is given today.
        placed: All that are placed; the project's own part is put aside.
    """
    project = project_from_dict(row["project"])
    asked = find_asked(project, grid.snapshot, grid.policy, grid.catalogue)
    assert isinstance(asked, Asked)
    plan = _transition(asked, grid, [item for item in placed if item.project_id != project.project_id])
    stages = () if plan is None else plan.transition.stages
    last = stages[-1] if stages else None
    cost = None if last is None else last.cost
    found: dict[str, Any] = {
        "project_id": project.project_id,
        "is_complete": plan is not None and plan.transition.is_complete,
        "now_kva": stages[0].capacity_kva if stages else row["now_kva"],
        "element_source_id": last.connection_point.element_source_id if last and last.connection_point else None,
        "cost_cny10k": None if cost is None else cost.total_typical_cny10k,
        "not_priced": [] if cost is None else list(cost.not_priced),
        "funding": None if plan is None else plan.transition.funding,
        "measures": [],
        "text": None,
        "duration_workdays": None,
    }
    if found["is_complete"] and last is not None:
        found["measures"] = [asdict(measure) for measure in last.measures]
        found["text"] = "；".join(measure.text for measure in last.measures) or last.text
        found["duration_workdays"] = last.duration_workdays
    return found


def _transition(asked: Asked, grid: AssessedGrid, placed: Sequence[Placed]) -> TransitionPlan | None:
    snapshot = with_commitments(grid.snapshot, [item.commitment for item in placed])
    return plan_transition(
        asked.request,
        asked.place_deg,
        supply=asked.supply,
        snapshot=snapshot,
        policy=grid.policy,
        catalogue=grid.catalogue,
        limits=grid.limits,
        utility_segments=asked.utility_segments,
        study=grid.study.with_in_flight(snapshot),
        places=grid.places.with_taken_bays(taken_bays(placed)),
        rejected=(),
    )
