"""Live holds (占用) as commitments in flight (在途): how the ledger enters every calculation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from sqlalchemy import Connection, select

from gridmodel.errors import NotFoundError
from gridmodel.in_flight import Commitment
from gridmodel.snapshot import Snapshot
from scheme.ledger.chain import GENESIS
from scheme.ledger.reader import find_holds
from scheme.ledger.records import VA_PER_KVA, Hold, LedgerHead
from scheme.ledger.states import LIVE
from scheme.ledger.tables import ENTRY, HOLD

HOLD_PREFIX = "hold:"
"""Before the hold id in the id of a commitment; imported commitments keep theirs."""
_IDS_PER_QUERY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedHolds:
    """Live holds on one grid."""

    commitments: tuple[Commitment, ...]
    unplaced: tuple[str, ...]
    """Holds with a source point the grid has no node for: on the orphan list, counted nowhere here."""


def place_holds(holds: Iterable[Hold], bus_of: Mapping[str, int]) -> PlacedHolds:
    """Return the live holds as commitments, one for each source point.

    Args:
        holds: Holds in any state; those that use no capacity are left out.
        bus_of: Bus of each node by imported identifier, :func:`buses_by_element`.
    """
    commitments: list[Commitment] = []
    unplaced: list[str] = []
    for hold in holds:
        if hold.state not in LIVE:
            continue
        for source in hold.sources:
            bus = None if source.is_orphan else bus_of.get(source.node_element_id)
            if bus is None:
                unplaced.append(hold.hold_id)
                continue
            commitments.append(
                Commitment(
                    commitment_id=f"{HOLD_PREFIX}{hold.hold_id}:{source.source_no}",
                    bus=bus,
                    capacity_kva=source.share_va / VA_PER_KVA,
                    power_factor=hold.power_factor,
                )
            )
    return PlacedHolds(
        commitments=tuple(sorted(commitments, key=attrgetter("commitment_id"))), unplaced=tuple(sorted(set(unplaced)))
    )


def buses_by_element(snapshot: Snapshot) -> dict[str, int]:
    """Return the bus of each node by imported identifier; identifiers that stand twice name none."""
    nodes = snapshot.nodes
    ids = nodes.element_id[~nodes.element_id.duplicated(keep=False)]
    return dict(zip(ids.astype(str).tolist(), ids.index.to_numpy(dtype=np.int64).tolist(), strict=True))


def find_moved(connection: Connection, *, after_seq: int) -> list[Hold]:
    """Return the holds that entries after one tell of, as they are now."""
    statement = select(ENTRY.c.hold_id).where(ENTRY.c.seq > after_seq, ENTRY.c.hold_id.is_not(None)).distinct()
    ids = sorted(connection.execute(statement).scalars())
    found: list[Hold] = []
    for first in range(0, len(ids), _IDS_PER_QUERY):
        found += find_holds(connection, HOLD.c.hold_id.in_(ids[first : first + _IDS_PER_QUERY]))
    return found


def head_at(connection: Connection, seq: int) -> LedgerHead:
    """Return an entry of the ledger as its head; 0 is the ledger before its first one.

    Raises:
        NotFoundError: The ledger has no such entry.
    """
    if seq == 0:
        return LedgerHead(seq=0, sha256=GENESIS)
    sha256 = connection.execute(select(ENTRY.c.sha256).where(ENTRY.c.seq == seq)).scalar()
    if sha256 is None:
        raise NotFoundError("the ledger has no such entry", ledger_seq=seq)
    return LedgerHead(seq=seq, sha256=sha256)
