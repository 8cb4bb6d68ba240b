"""Small grids whose right answers can be worked out on paper, and projects on them."""

from __future__ import annotations

from datetime import date
from typing import Any

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.snapshot import Snapshot
from scheme.assessment.engine import assess_projects
from scheme.assessment.project import Project
from scheme.assessment.records import Assessment
from scheme.policy.loader import load_policy
from scheme.policy.parameter import PolicyView
from tests.connection.grids import Grid, place

AS_OF = date(2026, 11, 22)
PROFILE = "shenqiu-2022"


def policy() -> PolicyView:
    return load_policy(PROFILE, AS_OF)


def project(project_id: str, *, kva: float, at: tuple[float, float] = (0.0, 0.0), **more: Any) -> Project:
    """An industrial project ``at`` (east, north) metres."""
    lon_deg, lat_deg = place(*at)
    values: dict[str, Any] = {
        "project_id": project_id,
        "name": f"项目{project_id}",
        "category": "industrial_commercial",
        "lon_deg": lon_deg,
        "lat_deg": lat_deg,
        "demand_kva": kva,
        "power_factor": 0.95,
        "received_on": date(2026, 1, 1),
    }
    return Project(**(values | more))


def assess(projects: list[Project], snapshot: Snapshot, **more: Any) -> Assessment:
    return assess_projects(
        projects,
        snapshot=snapshot,
        policy=policy(),
        catalogue=load_catalogue(),
        capacity=None,
        as_of=AS_OF,
        **more,
    )


def two_villages() -> Snapshot:
    """Two substations with a 10 kV pole line and one public transformer of 100 kVA each, 40 km apart.

    The first one's board is at the origin and carries 60 kW.
    """
    grid = Grid()
    for number, east_m in enumerate((0.0, 40_000.0), start=1):
        feeder = {"feeder_id": f"F{number}", "substation_id": f"S{number}"}
        area = f"T{number - 1}"
        busbar = grid.bus("substation_busbar", 10.0, east_m - 2000.0, 0.0, spare_bays=0.0, substation_id=f"S{number}")
        pole = grid.bus("pole", 10.0, east_m + 20.0, 20.0, **feeder)
        station = grid.bus("station", 10.0, east_m + 20.0, 10.0, **feeder, area_id=area)
        board = grid.bus("lv_board", 0.4, east_m + 20.0, 0.0, **feeder, area_id=area)
        grid.source(busbar)
        grid.line(busbar, pole, 2.0)
        grid.line(pole, station, 0.01)
        grid.trafo(station, board, 100.0, "public")
        grid.load(board, 60.0 if number == 1 else 30.0)
    return with_heads(grid.snapshot())


def long_line(*, load_kw: float = 300.0) -> Snapshot:
    """A 10 kV pole line of 12 km with two poles, 6 km apart, of 0.6 ohm/km: a voltage problem, not a current one."""
    grid = Grid()
    feeder = {"feeder_id": "F1", "substation_id": "S1"}
    busbar = grid.bus("substation_busbar", 10.0, -12_000.0, 0.0, spare_bays=0.0, substation_id="S1")
    near = grid.bus("pole", 10.0, -6_000.0, 0.0, **feeder)
    far = grid.bus("pole", 10.0, 0.0, 0.0, **feeder)
    grid.source(busbar)
    grid.line(busbar, near, 6.0, r_ohm_per_km=0.6)
    grid.line(near, far, 6.0, r_ohm_per_km=0.6)
    board = grid.bus("lv_board", 0.4, 0.0, 10.0, **feeder, area_id="T0")
    grid.trafo(far, board, 2500.0, "dedicated")
    grid.load(board, load_kw)
    return with_heads(grid.snapshot())


def with_heads(snapshot: Snapshot) -> Snapshot:
    """Name the first line of each feeder."""
    lines = snapshot.lines
    for feeder in snapshot.feeders.index:
        snapshot.feeders.loc[feeder, "head_line"] = int(lines.index[lines.feeder_id == feeder].min())
    return snapshot
