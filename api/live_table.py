"""The capacity table net of everything promised: that of the imported grid, the parts with live holds computed again.

A part that holds no live hold has the rows of the imported grid, and one with the same holds has the same rows: the
table is a function of the grid and its holds, whatever happened on the way there, so that answers can be replayed.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api.live_grid import LiveState

if TYPE_CHECKING:
    import pandas as pd

    from gridmodel.capacity.certificate import Confirm
    from gridmodel.in_flight import Commitment
    from gridmodel.snapshot import Snapshot

_Content = tuple[bytes, tuple["Commitment", ...]]
"""Nodes of a part and the live holds in it."""


@dataclass(frozen=True)
class _Brought:
    snapshot: Snapshot
    table: pd.DataFrame
    pieces: list[pd.DataFrame]


class LiveTable:
    """Keeps one table current while holds come and go.

    Args:
        imported: The grid without live holds.
        table: Its capacity table.
        calculate: Gives the table of a snapshot, ``node_capacity`` with its settings.
    """

    def __init__(self, imported: Snapshot, table: pd.DataFrame, calculate: Callable[..., pd.DataFrame]) -> None:
        from gridmodel.parts import Parts

        self._base, self._calculate = table, calculate
        self._parts = Parts(imported)
        self._rows: dict[_Content, pd.DataFrame] = {}
        self._lock = threading.Lock()
        self._last: _Brought | None = None
        self.parts_computed = 0
        """So far; what a change costs shows here."""

    def bring_up(self, live: LiveState, *, confirm: Confirm = "none") -> pd.DataFrame:
        """Return the table of a grid; only parts whose holds are others than last time are computed.

        Args:
            live: The grid.
            confirm: Which rows the reference load flow checks. What is brought up after a hold is not: the hold itself
                was, and the rows come from the engine whose table the reference has confirmed.
        """
        return self._bring_up(live, confirm).table

    def find_changed(self, live: LiveState) -> list[pd.DataFrame]:
        """Return the rows of each part of a grid that holds a live hold."""
        return self._bring_up(live, "none").pieces

    def _bring_up(self, live: LiveState, confirm: Confirm) -> _Brought:
        import numpy as np

        with self._lock:
            if self._last is not None and self._last.snapshot is live.snapshot:
                return self._last
            parts = self._parts.after(live.snapshot, np.zeros(0, dtype=np.int64))
            holds: dict[int, list[Commitment]] = defaultdict(list)
            buses = np.array([commitment.bus for commitment in live.commitments], dtype=np.int64)
            for commitment, number in zip(live.commitments, parts.number_of_each(buses).tolist(), strict=True):
                holds[number].append(commitment)
            rows: dict[_Content, pd.DataFrame] = {}
            for number, own in sorted(holds.items()):
                content = parts.nodes(number).tobytes(), tuple(own)
                if content not in self._rows:
                    self._rows[content] = self._calculate(parts.get(number), confirm=confirm)
                    self.parts_computed += 1
                rows[content] = self._rows[content]
            self._parts, self._rows = parts, rows
            self._last = _Brought(live.snapshot, _patched(self._base, rows), list(rows.values()))
            return self._last


def _patched(base: pd.DataFrame, rows: Mapping[Any, pd.DataFrame]) -> pd.DataFrame:
    """Return ``base`` with some rows replaced; columns keep their order, unknown stays None in texts."""
    import numpy as np
    import pandas as pd

    if not rows:
        return base.copy(deep=False)
    pieces = list(rows.values())
    places = base.index.get_indexer(pd.Index(np.concatenate([piece.index.to_numpy() for piece in pieces])))
    columns = {}
    for name in base.columns:
        values = base[name].to_numpy(copy=True)
        values[places] = np.concatenate([piece[name].to_numpy(dtype=values.dtype) for piece in pieces])
        columns[name] = pd.Series(values, index=base.index, dtype=values.dtype)
    table = pd.DataFrame(columns)
    table.attrs = dict(base.attrs)
    return table
