"""The bulk certificate: power-grid-model solves every published value and one step above it, island by island."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from gridmodel.capacity.arrays import NO_ISLAND, FlowArrays, Integers
from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.batch import BatchEvaluator
from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.direction import Direction
from gridmodel.capacity.judgement import Disagreement, judge, limits_of_islands, put_question
from gridmodel.capacity.rows import Rows

AT_SOURCE = "at an ideal source, where nothing that is connected moves a limit"
NO_BASE = "power-grid-model finds no solution without load"
COLLAPSE = "at the voltage collapse, which plain pandapower decides"

_CHUNK = 512
_CELLS_MAX = 2_000_000
"""Bound on buses times limits of one chunk; a dozen arrays of this size are alive at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkCertificate:
    """What power-grid-model was asked of all assessed nodes, and how far it was from the published values."""

    nodes_checked: int
    difference_kw_max: float | None
    """Largest distance from the load at which it breaks to the published bracket; None = nothing measured."""
    nodes_not_checked: int
    reasons: dict[str, int]
    """Why nodes were not checked, and how many."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BulkOutcome:
    """The certificate, what it refutes, and what it leaves to the reference."""

    certificate: BulkCertificate
    disagreements: tuple[Disagreement, ...]
    open_places: Integers
    """Places in the rows where only the reference may say whether there is a solution."""


def check_in_bulk(base: BaseCase, rows: Rows, *, tan_phi: float, direction: Direction = "load") -> BulkOutcome:
    """Check every assessed row with batches of load flows; nothing is raised, whatever they find.

    Args:
        base: The base case the rows were searched in.
        rows: Published rows.
        tan_phi: Reactive per active power.
        direction: What the rows connect.
    """
    at = np.flatnonzero(rows.status == "assessed").astype(np.int64)
    check = _BulkCheck(base, rows, tan_phi, direction)
    if len(at):
        arrays = base.live_flow.arrays
        node = arrays.node_of_bus[rows.bus[at]]
        island_of = np.where(node >= 0, arrays.island_of_node[node], NO_ISLAND)
        for island in np.unique(island_of).tolist():
            check.check_island(int(island), at[island_of == island])
    return check.outcome()


class _BulkCheck:
    def __init__(self, base: BaseCase, rows: Rows, tan_phi: float, direction: Direction) -> None:
        self._base, self._rows, self._tan_phi, self._direction = base, rows, tan_phi, direction
        self._reasons: Counter[str] = Counter()
        self._checked, self._difference_kw_max = 0, float("-inf")
        self._disagreements: list[Disagreement] = []
        self._open: list[Integers] = [np.zeros(0, dtype=np.int64)]

    def check_island(self, island: int, at: Integers) -> None:
        """Check the rows at some places, all of one island."""
        base, arrays = self._base, self._base.live_flow.arrays
        if island == NO_ISLAND or island in arrays.obstacles or base.terms is None:
            self._reasons[arrays.obstacles.get(island, AT_SOURCE)] += len(at)
            return
        limits = limits_of_islands(base, np.array([island]), _source_nodes(arrays, island))
        engine = BatchEvaluator(
            arrays, base.terms, base.constraints, island=island, rows=limits, direction=self._direction
        )
        seen, is_solved = engine.values(self._rows.bus[at[:1]], np.zeros(1), self._tan_phi)
        if not is_solved[0]:
            self._reasons[NO_BASE] += len(at)
            return
        size = max(1, min(_CHUNK, _CELLS_MAX // max(1, len(limits))))
        for first in range(0, len(at), size):
            self._check_chunk(engine, at[first : first + size], limits, seen[0])

    def _check_chunk(self, engine: BatchEvaluator, at: Integers, limits: Integers, seen: Floats) -> None:
        question, claims = put_question(
            self._base,
            self._rows,
            at,
            limits,
            topology=self._base.topology,
            tan_phi=self._tan_phi,
            direction=self._direction,
        )
        verdict = judge(engine, question, claims, seen, decides_collapse=False)
        left = int(verdict.is_open.sum())
        self._checked += len(at) - left
        self._reasons[COLLAPSE] += left
        self._open.append(at[verdict.is_open])
        self._disagreements += verdict.disagreements
        self._difference_kw_max = float(np.fmax.reduce(verdict.difference_kw, initial=self._difference_kw_max))

    def outcome(self) -> BulkOutcome:
        """Return what was found so far."""
        reasons = {reason: count for reason, count in sorted(self._reasons.items()) if count}
        return BulkOutcome(
            certificate=BulkCertificate(
                nodes_checked=self._checked,
                difference_kw_max=self._difference_kw_max if np.isfinite(self._difference_kw_max) else None,
                nodes_not_checked=sum(reasons.values()),
                reasons=reasons,
            ),
            disagreements=tuple(self._disagreements),
            open_places=np.concatenate(self._open),
        )


def _source_nodes(arrays: FlowArrays, island: int) -> Integers:
    """Return the ideal sources an island hangs on."""
    branches = np.flatnonzero(arrays.island_of_branch == island)
    ends = np.unique(np.concatenate([arrays.from_node[branches], arrays.to_node[branches]]))
    return np.asarray(ends[arrays.is_source[ends]], dtype=np.int64)
