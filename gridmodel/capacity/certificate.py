"""The certificate: other load flows must hold at the value and break one step above it, by the element named.

Plain pandapower checks a sample, or all rows, each in the net of its electrical island; power-grid-model checks every
row on demand. See ``decisions/0011-certificates.md``.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.base_case import BaseCase, solve_closely
from gridmodel.capacity.bulk_certificate import BulkCertificate, check_in_bulk
from gridmodel.capacity.constraints import Floats, measure
from gridmodel.capacity.direction import Direction
from gridmodel.capacity.judgement import AGREEMENT, Disagreement, judge, limits_of_islands, put_question
from gridmodel.capacity.reference import ReferenceEvaluator
from gridmodel.capacity.rows import CONVERGENCE, EXISTING_VIOLATION, Rows
from gridmodel.errors import ConvergenceError, EngineDisagreementError
from gridmodel.islands import Islands
from gridmodel.net import Net
from gridmodel.topology import SupplyTopology

Confirm = Literal["sample", "bulk", "all", "none"]
SAMPLE_NODES = 20
"""How many nodes the reference checks when nothing else is asked for."""
_LISTED_MAX = 20
"""How many disagreements an error lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What the reference load flow was asked and how far it was from the published values."""

    confirm: Confirm
    nodes_checked: int
    """By plain pandapower."""
    difference_kw_max: float | None
    """Largest distance from the load at which the reference breaks to the published bracket; None = not measured."""
    base_difference_pu_max: float | None = None
    """Largest difference of a voltage without load between the search's sweeps and the reference, over the islands of
    the nodes checked; None = not measured, or the reference itself solved the base case."""
    bulk: BulkCertificate | None = None
    """What power-grid-model said of all nodes; None = not asked."""

    def as_dict(self) -> dict[str, object]:
        """Return a JSON-ready mapping."""
        return asdict(self)


def certify(
    base: BaseCase,
    rows: Rows,
    *,
    tan_phi: float,
    confirm: Confirm,
    nodes: int,
    seed: int,
    direction: Direction = "load",
) -> Certificate:
    """Check rows with other load flows and return what was seen.

    Args:
        base: The base case the rows were searched in.
        rows: Published rows.
        tan_phi: Reactive per active power.
        confirm: ``sample``: ``nodes`` rows by the reference; ``bulk``: the same and every row by power-grid-model;
            ``all``: every row by the reference; ``none``.
        nodes: Size of the sample.
        seed: Seed of the sample.
        direction: What the rows connect.

    Raises:
        EngineDisagreementError: A value does not hold, or does not break at value + step by the element named.
    """
    bulk, chosen = None, _choose(rows, confirm, nodes, seed)
    if confirm == "bulk":
        outcome = check_in_bulk(base, rows, tan_phi=tan_phi, direction=direction)
        _refuse_if_any(rows, outcome.disagreements)
        bulk, chosen = outcome.certificate, np.union1d(chosen, outcome.open_places)
    if not len(chosen):
        return Certificate(confirm=confirm, nodes_checked=0, difference_kw_max=None, bulk=bulk)
    reference = _ReferenceCheck(base, rows, tan_phi, direction)
    reference.check(chosen)
    _refuse_if_any(rows, reference.disagreements)
    return Certificate(
        confirm=confirm,
        nodes_checked=len(chosen),
        difference_kw_max=max(reference.difference_kw),
        base_difference_pu_max=max(reference.base_difference_pu, default=None),
        bulk=bulk,
    )


def _choose(rows: Rows, confirm: Confirm, nodes: int, seed: int) -> Integers:
    """Return the places the reference checks; an existing violation is a value of 0 with nothing to break above it."""
    if confirm == "none":
        return np.zeros(0, dtype=np.int64)
    places = np.flatnonzero((rows.status == "assessed") & (rows.kind != EXISTING_VIOLATION)).tolist()
    if confirm != "all" and len(places) > nodes:
        sampled = random.Random(seed).sample(places, nodes)  # noqa: S311 - not for secrets
        places = sorted({*sampled, *(place for place in places if rows.kind[place] == CONVERGENCE)})
    return np.array(places, dtype=np.int64)


class _ReferenceCheck:
    """Plain pandapower on the electrical island of each row, cut out of the net."""

    def __init__(self, base: BaseCase, rows: Rows, tan_phi: float, direction: Direction) -> None:
        self._base, self._rows, self._tan_phi, self._direction = base, rows, tan_phi, direction
        self._islands = Islands(base.original, split_at_sources=True)
        self.difference_kw: list[float] = []
        self.base_difference_pu: list[float] = []
        self.disagreements: list[Disagreement] = []

    def check(self, places: Integers) -> None:
        """Check the rows at some places."""
        label = np.array([self._islands.label(bus) for bus in self._rows.bus[places].tolist()])
        for one in np.unique(label).tolist():
            self._check_island(self._islands.cut(one), places[label == one])

    def _check_island(self, net: Net, at: Integers) -> None:
        base = self._base
        try:
            solve_closely(net)
        except ConvergenceError as error:
            what = f"the reference has no solution without load: {error.message}"
            self.disagreements += [Disagreement(bus=bus, what=what, p_kw=0.0) for bus in self._rows.bus[at].tolist()]
            return
        arrays, u_pu = base.live_flow.arrays, net.res_bus.vm_pu.dropna()
        buses = u_pu.index.to_numpy(dtype=np.int64)
        if base.solved is None:
            self._compare_base(buses, np.abs(base.u_pu_of(buses) - u_pu.to_numpy()))
        node = arrays.node_of_bus[buses]
        node = node[node >= 0]
        limits = limits_of_islands(base, arrays.island_of_node[node], node[arrays.is_source[node]])
        question, claims = put_question(
            base,
            self._rows,
            at,
            limits,
            topology=SupplyTopology(net),
            tan_phi=self._tan_phi,
            direction=self._direction,
        )
        engine = ReferenceEvaluator(net, question.constraints, rows=np.arange(len(limits)), direction=self._direction)
        seen = measure(net, question.constraints)
        verdict = judge(engine, question, claims, seen, decides_collapse=True)
        self.difference_kw += verdict.difference_kw.tolist()
        self.disagreements += verdict.disagreements

    def _compare_base(self, buses: Integers, gap_pu: Floats) -> None:
        """Note how far the voltages without load are apart."""
        self.base_difference_pu.append(float(gap_pu.max()))
        self.disagreements += [
            Disagreement(
                bus=int(buses[place]), what=f"voltage without load differs by {gap_pu[place]:.2g} pu", p_kw=0.0
            )
            for place in np.flatnonzero(~(gap_pu <= AGREEMENT)).tolist()  # NaN: only one of the two supplies the bus
        ]


def _refuse_if_any(rows: Rows, disagreements: Sequence[Disagreement]) -> None:
    """Raise for the first disagreement, with the others beside it."""
    if not disagreements:
        return
    first, count = disagreements[0], len(disagreements)
    more = f" and {count - 1} more buses" if count > 1 else ""
    raise EngineDisagreementError(
        f"bus {first.bus}: {first.what} ({first.p_kw:.1f} kW){more}",
        bus=first.bus,
        p_kw=first.p_kw,
        engine=next(iter(rows.engine[rows.bus == first.bus]), ""),
        disagreements=[asdict(one) for one in disagreements[:_LISTED_MAX]],
        disagreements_total=count,
    )
