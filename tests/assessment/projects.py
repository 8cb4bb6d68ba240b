"""Seeded projects of a network: the mix of customers of the replayed requests."""

from __future__ import annotations

from datetime import date, timedelta

from gridmodel.snapshot import Snapshot
from scheme.assessment.project import Project
from tests.request_replay.networks import NETWORKS, Network, read_network
from tests.request_replay.sample import Sampler

STAGES = ("under_construction", "designed", "planned", None)


def draw_projects(network: str, numbers: range, *, seed: int) -> list[Project]:
    """Return the projects with these numbers; they depend on seed and number alone."""
    return draw_from(read_network(network), NETWORKS[network], numbers, seed=seed)


def draw_from(snapshot: Snapshot, network: Network, numbers: range, *, seed: int) -> list[Project]:
    """Return the projects with these numbers near the nodes of a grid."""
    sampler = Sampler(snapshot, network, seed=seed)
    return [_project(number, sampler) for number in numbers]


def _project(number: int, sampler: Sampler) -> Project:
    name, request = sampler.draw(number)
    demand, place = request.demand, request.location
    assert demand.power_factor is not None
    capacity_kva = demand.capacity_kva or round(demand.installed_kw / demand.power_factor, 3)
    needed_on = date(2027, 1, 31) + timedelta(days=30 * (number % 24))
    return Project(
        project_id=f"P{number:05d}",
        source_system="seeded",
        name=f"{name} {number}",
        category=request.applicant.category,
        importance=request.applicant.importance,
        business=request.business,
        lon_deg=place.lon_deg,
        lat_deg=place.lat_deg,
        demand_kva=capacity_kva,
        demand_by_year_kva={needed_on.year + 2: round(1.2 * capacity_kva, 3)},
        power_factor=demand.power_factor,
        installed_kw=demand.installed_kw,
        is_single_phase=demand.single_phase,
        works_stage=STAGES[number % len(STAGES)],
        likelihood_ratio=(number * 37 % 100) / 100.0,
        received_on=date(2026, 1, 1) + timedelta(days=number * 17 % 300),
        needed_on=needed_on,
        voltage=request.voltage,
        sources=request.sources,
        circumstances=request.circumstances.model_dump(mode="json", exclude_none=True),
    )
