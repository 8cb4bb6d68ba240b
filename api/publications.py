"""The public map's use cases over one service: freeze grid and ledger, draft, scan, release, withdraw, show."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from gridmodel.errors import InputError
from scheme.publication.records import Publication, PublicationStateError

if TYPE_CHECKING:
    from api.capacity_tables import CapacityTables
    from api.live_grid import LiveState
    from api.services import Services
    from scheme.ledger.records import Actor
    from scheme.publication.document import Basis
    from scheme.publication.drafting import FrozenGrid
    from scheme.publication.public_store import PublicFile, PublicStore

Progress = Callable[[int, int], None]
_ID_BYTES = 16


class Publications:
    """Publications of one service.

    Args:
        services: The internal side.
        tables: Its capacity tables.
        public_url: Database of the public side; by default the file beside an SQLite store.

    Raises:
        InputError: Both sides have the same database, or the URL names none.
    """

    def __init__(self, services: Services, tables: CapacityTables, public_url: str | None = None) -> None:
        from scheme.publication.public_store import PublicStore, check_apart, default_public_url
        from scheme.publication.register import Register

        own_url = services.store.address.render_as_string(hide_password=False)
        url = public_url or default_public_url(own_url)
        if url is not None:
            check_apart(own_url, url)
        self._services, self._tables = services, tables
        self._public: PublicStore | None = None if url is None else PublicStore(url)
        self.register = Register(services.store)

    @property
    def public(self) -> PublicStore:
        """The public side.

        Raises:
            InputError: No database is named for it.
        """
        if self._public is None:
            raise InputError(
                "the public side needs a database of its own", field="GRIDSCHEME_PUBLIC_DB", allowed="a database URL"
            )
        return self._public

    def close(self) -> None:
        """Close the public side."""
        if self._public is not None:
            self._public.close()

    def freeze(self) -> FrozenGrid:
        """Return grid and ledger as they stand, with the capacity table of just that moment.

        Raises:
            NoSnapshotError: Nothing has been imported.
            PublicationStateError: A promise has no place in the grid; a person decides first.
        """
        from scheme.publication.drafting import FrozenGrid

        live = self._services.get_live()
        if live.unplaced:
            raise PublicationStateError(
                "promises without a place in the current grid would be missing from the figures",
                holds=", ".join(live.unplaced[:5]),
            )
        return FrozenGrid(snapshot=live.snapshot, table=self._tables.get_for(live), basis=_basis(live))

    def draft(
        self,
        actor: Actor,
        *,
        negative_list: Collection[str] | None = None,
        publication_id: str | None = None,
        progress: Progress | None = None,
    ) -> Publication:
        """Make a draft of the grid as it stands; see :func:`scheme.publication.drafting.draft`.

        Args:
            actor: Who makes it.
            negative_list: Transformers and feeders on the negative list; ``None``: no list is given.
            publication_id: A job's own, so that it makes one draft however often it is taken up; random by default.
            progress: Told after each step.
        """
        from scheme.publication.drafting import draft
        from scheme.publication.grid import SECRET_BYTES

        return draft(
            self.register,
            self.freeze(),
            self._services.load_policy(),
            publication_id=publication_id or f"pub_{secrets.token_hex(_ID_BYTES)}",
            key=secrets.token_bytes(SECRET_BYTES),
            actor=actor,
            negative_list=negative_list,
            progress=progress,
        )

    def has(self, publication_id: str) -> bool:
        """Return whether there is such a publication."""
        return any(made.publication_id == publication_id for made in self.register.list_all())

    def scan(self, publication_id: str, actor: Actor) -> Publication:
        """Look for leaks in a draft, on the grid it was made of; see :func:`scheme.publication.drafting.scan`."""
        from scheme.publication.drafting import scan

        kept = self.register.get(publication_id)
        live = self._services.get_live_at(kept.basis.snapshot_sha256, ledger_seq=kept.basis.ledger_seq)
        policy = self._services.parts.load_policy(kept.profile, date.fromisoformat(kept.as_of))
        texts = self._ledger_texts(kept.basis.ledger_seq)
        return scan(self.register, publication_id, live.snapshot, policy, actor=actor, further_texts=texts)

    def is_reproduced(self, publication_id: str) -> bool:
        """Return whether the frozen pair a publication names gives its very bytes again.

        The day of the service must be that of the draft: commitments in force and rules hang on it.

        Raises:
            NotFoundError: No such publication, or the store does not hold its snapshot any more.
            PublicationStateError: It is another day.
        """
        from scheme.publication.drafting import FrozenGrid, remake

        kept, policy = self.register.get(publication_id), self._services.load_policy()
        if (policy.as_of.isoformat(), policy.profile) != (kept.as_of, kept.profile):
            raise PublicationStateError(
                "a draft is made again under its own day and profile", allowed=f"{kept.as_of}, {kept.profile}"
            )
        live = self._services.get_live_at(kept.basis.snapshot_sha256, ledger_seq=kept.basis.ledger_seq)
        frozen = FrozenGrid(snapshot=live.snapshot, table=self._tables.get_for(live), basis=_basis(live))
        return remake(self.register, publication_id, frozen, policy) == self.register.get_content(publication_id)

    def release(self, publication_id: str, *, content_sha256: str, actor: Actor) -> Publication:
        """Put a scanned draft into public; see :func:`scheme.publication.releasing.release`."""
        from scheme.publication.releasing import release

        policy = self._services.load_policy()
        return release(self.register, self.public, publication_id, policy, content_sha256=content_sha256, actor=actor)

    def withdraw(self, publication_id: str, *, reason: str, actor: Actor) -> Publication:
        """Take a publication out of public; see :func:`scheme.publication.releasing.withdraw`."""
        from scheme.publication.releasing import withdraw

        return withdraw(self.register, self.public, publication_id, reason=reason, actor=actor)

    def mirror(self) -> None:
        """Look at the public side before it is used, and mend what a crash left between the two.

        Raises:
            InputError: The public side's database holds something else.
            StoreError: A side does not answer.
        """
        from scheme.publication.releasing import mirror

        if self._public is not None:
            self._public.check()
            mirror(self.register, self._public)

    def find_public(self) -> PublicFile | None:
        """Return what is in public, read from the public side alone."""
        return None if self._public is None else self._public.find_current()

    def _ledger_texts(self, seq: int) -> set[str]:
        """Return what identifies promises, requests and customers."""
        from scheme.ledger.reader import live_at

        with self._services.store.read() as connection:
            holds = live_at(connection, seq)
        return {text for hold in holds for text in (hold.hold_id, hold.scheme_id, hold.request_id, hold.owner_id)}


def _basis(live: LiveState) -> Basis:
    from scheme.publication.document import Basis

    return Basis(snapshot_sha256=live.snapshot.sha256, ledger_seq=live.head.seq, ledger_sha256=live.head.sha256)


def describe_publication(made: Publication) -> dict[str, Any]:
    """Return a publication as the API and the command line tell it."""
    plain = asdict(made)
    report = plain.pop("report")
    if report is not None:
        report["is_clean"] = made.report is not None and made.report.is_clean
    return {**plain, "report": report}
