"""Applications (用电申请) a customer has answered online: one site each, and only so many at a time.

Every answer about a site says something about the grid beside it. Who may ask about one place for one application, and
about few places in a month, cannot search a town for the equipment.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, insert, select

from gridmodel.errors import DomainError
from scheme.access.keys import BUSINESS_ZONE
from scheme.access.tables import APPLICATION

if TYPE_CHECKING:
    from scheme.disclosure.rules import ApplicationLimits
    from scheme.request import SupplyRequest
    from scheme.store import Store


class SiteFixedError(DomainError):
    """An application asks for another site than before."""

    code = "application.site_fixed"


class TooManyApplicationsError(DomainError):
    """The customer has as many applications as are answered online."""

    code = "application.too_many"


class Applications:
    """The applications of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def admit(self, subject_id: str, request: SupplyRequest, limits: ApplicationLimits) -> None:
        """Count a request of a customer; the same application may ask again for its own site.

        Args:
            subject_id: The customer.
            request: Names application and site.
            limits: How many applications are answered.

        Raises:
            SiteFixedError: The application was about another site.
            TooManyApplicationsError: One application too many within the period.
        """
        site = _site(request)
        with self._store.write() as connection:
            # One writer at a time for a customer: an index row is locked by nobody who only counts.
            _lock(connection, subject_id)
            own = APPLICATION.c.subject_id == subject_id
            known = connection.execute(
                select(APPLICATION.c.site).where(own, APPLICATION.c.request_id == request.request_id)
            ).scalar()
            if known is not None:
                if known != site:
                    raise SiteFixedError("an application is for one site; apply anew for another", field="location")
                return
            today = self._store.now(connection).astimezone(BUSINESS_ZONE).date()
            since = today - timedelta(days=limits.days - 1)
            counted = connection.execute(
                select(func.count()).select_from(APPLICATION).where(own, APPLICATION.c.opened_on >= since.isoformat())
            ).scalar_one()
            if not limits.allows(counted + 1):
                raise TooManyApplicationsError("no more applications are answered online now; ask the customer service")
            row = {"subject_id": subject_id, "request_id": request.request_id, "site": site}
            connection.execute(insert(APPLICATION).values(**row, opened_on=today.isoformat()))


def _lock(connection: Connection, subject_id: str) -> None:
    """Let applications of one customer wait for each other; SQLite has one writer anyhow."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("application"), func.hashtext(subject_id))))


def _site(request: SupplyRequest) -> str:
    place = request.location
    return json.dumps([place.lon_deg, place.lat_deg, place.datum])
