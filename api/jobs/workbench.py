"""What jobs work on: the use cases of the service, opened in the worker's own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.admission import Admission
    from api.capacity_tables import CapacityTables
    from api.publications import Publications
    from api.services import Services
    from api.settings import Settings
    from scheme.assessment.workers import Workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """One store and what is done with it."""

    services: Services
    tables: CapacityTables
    admission: Admission
    publications: Publications

    settings: Settings

    @contextmanager
    def open_workers(self, assessment_id: str) -> Iterator[Workers]:
        """Yield who does the tasks of an assessment; what is done is kept in the store, so that nobody does it twice.

        Raises:
            InputError: The settings name both a cluster and processes of this machine.
            WorkersLostError: There is no scheduler, or it has no workers.
            WorkersDifferError: A machine of the cluster runs other software.
        """
        from api.spreading import spread
        from scheme.assessment.journal import Journalled
        from scheme.assessment_store.journal import StoreJournal

        told = self.settings
        with spread(told, workers=told.assessment_workers, scheduler=told.assessment_scheduler) as workers:
            yield Journalled(workers, StoreJournal(self.services.store, assessment_id))


def open_workbench(services: Services, public_db: str | None, *, settings: Settings | None = None) -> Workbench:
    """Return the use cases over ``services``.

    Args:
        services: Store and calculations.
        public_db: Database of what is published; the file beside an SQLite store by default.
        settings: Where assessments are worked out; those of the environment by default.
    """
    from api.admission import Admission
    from api.capacity_tables import CapacityTables
    from api.publications import Publications
    from api.settings import load_settings

    tables = CapacityTables(services)
    return Workbench(
        services=services,
        tables=tables,
        admission=Admission(services),
        publications=Publications(services, tables, public_db),
        settings=settings or load_settings(),
    )
