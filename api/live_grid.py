"""The grid as it is promised (在途断面): the current snapshot and every live hold of the ledger, kept in memory.

One read of the store says whether the snapshot or the ledger moved, by this process or another one; what moved is then
brought up. Nothing of it is stored: the ledger is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from gridmodel.errors import DomainError

if TYPE_CHECKING:
    from gridmodel.in_flight import Commitment
    from gridmodel.snapshot import Snapshot
    from scheme.admission.live_holds import PlacedHolds
    from scheme.ledger.records import Hold, LedgerHead
    from scheme.store import Store


class NoSnapshotError(DomainError):
    """Nothing has been imported yet."""

    code = "snapshot.missing"

    def __init__(self) -> None:
        super().__init__("no network has been imported into this store; run: gridscheme import SOURCE")


@dataclass(frozen=True, eq=False, kw_only=True)
class LiveState:
    """One moment of the grid; what has to be worked out of the holds is worked out when it is asked for."""

    imported: Snapshot
    """The snapshot with the imported commitments in force on ``day``."""
    holds: tuple[Hold, ...]
    """The live holds."""
    head: LedgerHead
    """Last entry of the ledger it stands for."""
    day: date
    bus_of: Mapping[str, int]
    """Bus of each node by imported identifier."""

    @property
    def commitments(self) -> tuple[Commitment, ...]:
        """The live holds as commitments in flight, one for each source point."""
        return self._placed.commitments

    @property
    def unplaced(self) -> tuple[str, ...]:
        """Holds on the orphan list, which stand at no node."""
        return self._placed.unplaced

    @cached_property
    def snapshot(self) -> Snapshot:
        """``imported`` with every live hold as a commitment in flight; it shares all else, the digest too."""
        from gridmodel.in_flight import with_commitments

        return with_commitments(self.imported, self.commitments)

    def without(self, hold_id: str) -> Snapshot:
        """Return the snapshot as it is once a hold has ended."""
        left = tuple(hold for hold in self.holds if hold.hold_id != hold_id)
        return replace(self, holds=left).snapshot

    @cached_property
    def _placed(self) -> PlacedHolds:
        from scheme.admission.live_holds import place_holds

        return place_holds(self.holds, self.bus_of)


class LiveGrid:
    """Keeps the newest :class:`LiveState` of one store.

    Args:
        store: Where snapshots and ledger are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._state: LiveState | None = None
        self._holds: dict[str, Hold] = {}
        """Live holds as of the state."""

    def get(self, day: date) -> LiveState:
        """Return the grid as it is promised now, imported commitments that ended before ``day`` left out.

        Raises:
            NoSnapshotError: Nothing has been imported.
        """
        from scheme.admission.live_holds import find_moved
        from scheme.ledger.reader import head, list_live
        from scheme.store.statements import current_sha256

        with self._lock:
            state = self._state
            with self._store.read() as connection:
                sha256 = current_sha256(connection)
                if sha256 is None:
                    raise NoSnapshotError
                at = head(connection)
                is_same_grid = state is not None and (state.imported.sha256, state.day) == (sha256, day)
                if state is not None and is_same_grid and state.head == at:
                    return state
                if state is not None and is_same_grid:
                    self._take(find_moved(connection, after_seq=state.head.seq))
                else:
                    self._holds = {hold.hold_id: hold for hold in list_live(connection)}
            if state is None or not is_same_grid:
                state = self._open(sha256, day)
            self._state = replace(state, holds=tuple(self._holds.values()), head=at)
            return self._state

    def at(self, sha256: str, day: date, *, seq: int) -> LiveState:
        """Return a grid as it was promised at an entry of the ledger; nothing of it is kept.

        Raises:
            NotFoundError: The store does not hold the snapshot.
        """
        from scheme.admission.live_holds import head_at
        from scheme.ledger.reader import live_at

        with self._store.read() as connection:
            holds, found = live_at(connection, seq), head_at(connection, seq)
        return replace(self._open(sha256, day), holds=tuple(holds), head=found)

    def _take(self, moved: Iterable[Hold]) -> None:
        from scheme.ledger.states import LIVE

        for hold in moved:
            self._holds.pop(hold.hold_id, None)
            if hold.state in LIVE:
                self._holds[hold.hold_id] = hold

    def _open(self, sha256: str, day: date) -> LiveState:
        from gridmodel.snapshot import build_lookups, in_force_on
        from scheme.admission.live_holds import buses_by_element
        from scheme.ledger.records import LedgerHead

        imported = in_force_on(self._store.get_snapshot(sha256), day)
        build_lookups(imported)
        return LiveState(
            imported=imported,
            holds=(),
            head=LedgerHead(seq=0, sha256=""),
            day=day,
            bus_of=buses_by_element(imported),
        )
