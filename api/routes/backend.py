"""What the calls are answered from."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from api.admission import Admission
from api.capacity_tables import CapacityTables
from api.grid_views import GridViews
from api.hour_views import HourViews
from api.jobs.durable import DurableJobs
from api.routes.writes import Writes
from api.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One store, its calculations, and what is counted of the exchanges."""

    services: Services
    tables: CapacityTables
    grid: GridViews
    hours: HourViews
    admission: Admission
    writes: Writes
    jobs: DurableJobs
    metrics: CollectorRegistry
