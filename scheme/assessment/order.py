"""The queue of the reserve projects: who takes capacity before whom, by policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gridmodel.errors import InputError
from scheme.assessment.project import Project
from scheme.policy.parameter import PolicyView


def put_in_order(
    projects: Sequence[Project], policy: PolicyView, *, first_ids: Sequence[str] = ()
) -> tuple[Project, ...]:
    """Return the projects in the order of the queue; it does not depend on the order given.

    Args:
        projects: Each id once.
        policy: Reads ``reserve.queue_order`` and ``reserve.works_stages``.
        first_ids: Projects that come before all others, in this order.

    Raises:
        InputError: A project stands twice, ``first_ids`` names none of them, a stage is not one of the policy, or the
            policy names an unknown key.
    """
    ids = [project.project_id for project in projects]
    if len(set(ids)) < len(ids):
        twice = next(project_id for project_id in ids if ids.count(project_id) > 1)
        raise InputError("a project stands twice", field="project_id", value=twice, allowed="every id once")
    for project_id in first_ids:
        if project_id not in ids:
            raise InputError("no such project", field="first_ids", value=project_id, allowed="ids of the projects")
    keys = _keys(policy)
    ahead = {project_id: place for place, project_id in enumerate(first_ids)}

    def key(project: Project) -> tuple[Any, ...]:
        place = ahead.get(project.project_id, len(ahead))
        return (place, *(of(project) for of in keys), project.project_id)

    return tuple(sorted(projects, key=key))


def _falling(likelihood_ratio: float | None, factor: float) -> tuple[bool, float]:
    """Return the key that puts larger products first and those nobody knows last."""
    return likelihood_ratio is None, -(likelihood_ratio or 0.0) * factor


def _keys(policy: PolicyView) -> list[Callable[[Project], Any]]:
    stages = policy.texts("reserve.works_stages")

    def stage(project: Project) -> int:
        if project.works_stage is None:
            return len(stages)
        if project.works_stage not in stages:
            raise InputError(
                "unknown stage of the customer's works",
                field="works_stage",
                value=project.works_stage,
                allowed=", ".join(stages),
            )
        return stages.index(project.works_stage)

    known: dict[str, Callable[[Project], Any]] = {
        "received_on": lambda project: project.received_on,
        "works_stage": stage,
        "likelihood": lambda project: _falling(project.likelihood_ratio, 1.0),
        "weighted_kva": lambda project: _falling(project.likelihood_ratio, project.demand_kva),
    }
    found = []
    for name in policy.texts("reserve.queue_order"):
        if name not in known:
            raise InputError(
                "unknown key of the queue", field="reserve.queue_order", value=name, allowed=", ".join(known)
            )
        found.append(known[name])
    return found
