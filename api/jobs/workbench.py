"""What jobs work on: the use cases of the service, opened in the worker's own process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.admission import Admission
    from api.capacity_tables import CapacityTables
    from api.publications import Publications
    from api.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """One store and what is done with it."""

    services: Services
    tables: CapacityTables
    admission: Admission
    publications: Publications


def open_workbench(services: Services, public_db: str | None) -> Workbench:
    """Return the use cases over ``services``.

    Args:
        services: Store and calculations.
        public_db: Database of what is published; the file beside an SQLite store by default.
    """
    from api.admission import Admission
    from api.capacity_tables import CapacityTables
    from api.publications import Publications

    tables = CapacityTables(services)
    return Workbench(
        services=services,
        tables=tables,
        admission=Admission(services),
        publications=Publications(services, tables, public_db),
    )
