"""Commitments put on a snapshot beside those it was imported with (在途): the grid as everything promised leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

import pandas as pd

from gridmodel.changes import IN_FLIGHT_TYPES
from gridmodel.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """Capacity promised at one node."""

    commitment_id: str
    bus: int
    capacity_kva: float
    power_factor: float


def with_commitments(snapshot: Snapshot, commitments: Sequence[Commitment]) -> Snapshot:
    """Return the snapshot with further commitments, in the order of their ids, after those it has.

    Everything but ``in_flight`` is shared with ``snapshot``, the digest too.
    """
    if not commitments:
        return snapshot
    own = snapshot.in_flight
    rows = sorted(commitments, key=attrgetter("commitment_id"))
    first = int(own.index.max()) + 1 if len(own) else 0
    index = pd.RangeIndex(first, first + len(rows))
    added = {
        name: pd.Series([getattr(row, name, None) for row in rows], index=index, dtype=kind)
        for name, kind in IN_FLIGHT_TYPES.items()
    }
    new = pd.DataFrame(added)
    if not len(own):
        return replace(snapshot, in_flight=new)
    new = new.reindex(columns=[*own.columns, *(name for name in new if name not in own)])
    joined = {
        name: pd.Series(
            [*own[name].tolist(), *new[name].tolist()],
            index=own.index.append(new.index),
            dtype=IN_FLIGHT_TYPES.get(str(name), "object"),
        )
        for name in new
    }
    return replace(snapshot, in_flight=pd.DataFrame(joined))
