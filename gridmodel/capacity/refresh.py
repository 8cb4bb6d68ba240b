"""Keeps the node table (三个数) of a snapshot current: after a change only the parts concerned are solved again.

A table is kept in pieces, one for each part of the snapshot (:mod:`gridmodel.parts`); a piece is named after its
smallest bus. See ``decisions/0010-refresh.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmodel.changes import Change, apply_changes
from gridmodel.parts import Parts
from gridmodel.snapshot import Snapshot

Calculation = Callable[[Snapshot], pd.DataFrame]
"""Gives the node table of a snapshot: :func:`gridmodel.capacity.nodes.node_capacity` with its settings."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Refreshed:
    """What a change made new."""

    pieces: Mapping[int, pd.DataFrame]
    """The rows of the parts solved again, by name."""
    gone: frozenset[int]
    """Names of the pieces these came in place of."""


class FreshTable:
    """The node table of one snapshot, kept current while the snapshot changes.

    Args:
        parts: The parts of the snapshot before any change.
        calculate: Gives the node table of a snapshot; it is asked for whole parts only.
    """

    def __init__(self, parts: Parts, calculate: Calculation) -> None:
        self.parts = parts
        self._calculate = calculate

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot as it is now."""
        return self.parts.snapshot

    def apply(self, changes: Iterable[Change]) -> Refreshed:
        """Change the snapshot and solve again what is concerned; where an error is raised, nothing has changed.

        Raises:
            InputError: A change is wrong; see :func:`gridmodel.changes.apply_changes`.
            EngineDisagreementError: The reference load flow does not confirm a value.
        """
        return self.move(*apply_changes(self.snapshot, changes))

    def move(self, changed: Snapshot, touched: NDArray[np.int64]) -> Refreshed:
        """Go over to a snapshot that came out of the present one by changes at the buses ``touched``."""
        before, after = self.parts, self.parts.after(changed, touched)
        # where a switch opened, or a commitment ended, one part may have become several: all of them are concerned
        old = [before.nodes(number) for number in before.numbers_of(touched)]
        numbers = after.numbers_of(np.concatenate([touched, *old]))
        nodes = [after.nodes(number) for number in numbers]
        pieces = {int(own.min()): self._calculate(after.get(at)) for at, own in zip(numbers, nodes, strict=True)}
        gone = before.numbers_of(np.concatenate([touched[:0], *nodes]))
        self.parts = after
        return Refreshed(pieces=pieces, gone=frozenset(int(before.nodes(number).min()) for number in gone))


def piece_sizes(parts: Parts) -> dict[int, int]:
    """Return the number of nodes of each piece, by name."""
    return {int(own.min()): len(own) for own in map(parts.nodes, parts.numbers)}


def split_rows(table: pd.DataFrame, parts: Parts) -> dict[int, pd.DataFrame]:
    """Return the pieces of a table of all nodes, by name."""
    return {int(own.min()): table.loc[own] for own in map(parts.nodes, parts.numbers)}


def join_rows(snapshot: Snapshot, pieces: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of some pieces in the order of the snapshot."""
    rows = pd.concat(list(pieces))
    return rows.iloc[np.argsort(snapshot.nodes.index.get_indexer(rows.index), kind="stable")]
