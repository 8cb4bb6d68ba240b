"""A project of the library as the assessment takes it: one place in CGCS2000, one demand in kVA, now and by year."""

from __future__ import annotations

from collections.abc import Sequence

from gridmodel.errors import InputError
from scheme.assessment.project import Project as AssessedProject
from scheme.library.conversion import as_request
from scheme.library.entry import YearDemand
from scheme.library.records import Project
from scheme.policy.parameter import PolicyView
from scheme.rules.voltage_level import decide_supply


def as_assessed(project: Project, policy: PolicyView, *, transformer_sizes_kva: Sequence[float]) -> AssessedProject:
    """Return what is assessed of a project.

    Args:
        project: One of which nothing is missing.
        policy: Sizes a demand of which only the equipment is known, as the answer of a request would.
        transformer_sizes_kva: Ratings on the market (catalogue).

    Raises:
        InputError: The place or the demand is not known.
    """
    entry = project.entry
    request = as_request(project, policy, received_on=entry.received_on)
    if project.lon_deg is None or project.lat_deg is None:
        raise InputError("the project has no place yet", field="location")
    demand_kva = request.demand.capacity_kva
    if demand_kva is None:
        decision = decide_supply(request, policy, transformer_sizes_kva=transformer_sizes_kva)
        if decision.capacity_kva is None:
            allowed = "capacity_kva, since the policy sizes none of this equipment"
            raise InputError("the project's capacity is not known", field="demand.capacity_kva", allowed=allowed)
        demand_kva = decision.capacity_kva
    kva_per_kw = demand_kva / request.demand.installed_kw
    return AssessedProject(
        project_id=project.project_id,
        source_system=entry.source_system,
        name=entry.name,
        category=entry.category,
        lon_deg=project.lon_deg,
        lat_deg=project.lat_deg,
        demand_kva=demand_kva,
        demand_by_year_kva={one.year: _kva(one, kva_per_kw) for one in entry.demand.by_year},
        power_factor=entry.demand.power_factor,
        installed_kw=request.demand.installed_kw,
        is_single_phase=entry.demand.single_phase,
        works_stage=entry.works_stage,
        works_finish_on=entry.works_finish_on,
        likelihood_ratio=entry.likelihood_ratio,
        received_on=entry.received_on,
        needed_on=entry.needed_on,
        voltage=entry.voltage,
        sources=entry.sources,
        importance=entry.importance,
        business=entry.business,
        circumstances=entry.circumstances.model_dump(mode="json", exclude_none=True),
    )


def _kva(demand: YearDemand, kva_per_kw: float) -> float:
    """Return the capacity of a year; where only its equipment is known, in the proportion of today."""
    if demand.capacity_kva is not None:
        return demand.capacity_kva
    assert demand.installed_kw is not None, "one of the two is given"
    return demand.installed_kw * kva_per_kw
