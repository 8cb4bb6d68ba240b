"""Islands with customers connected one after another, lines and all: do all of them together break a limit?

Commitments in flight (在途) stand at their nodes; here every customer hangs at the end of its own line, tees split what
they tee off, and the limits of customers connected before count as those of the grid do. One load flow answers for one
more customer: on flat arrays where the limits are known from the start and the island is radial
(:mod:`gridmodel.capacity.graft`), by the reference otherwise, and whenever all are judged at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.graft import Graft, graft_of
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.violations import Violation, new_violations, newly_broken
from gridmodel.connection import TrialConnection
from gridmodel.errors import ConvergenceError
from gridmodel.islands import Islands
from gridmodel.net import Net, run_load_flow
from gridmodel.snapshot import Snapshot
from gridmodel.trial_net import add_customer, add_in_flight, copy_solved, split_line

_SAME_TEE = 1e-6
"""Tees that lie closer on a line, as a fraction of it, are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer and the connection that supplies it."""

    customer_id: str
    trial: TrialConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class JointViolation:
    """A limit that customers break together."""

    kind: str
    """As in :class:`gridmodel.capacity.violations.Violation`, or ``convergence``: no solution."""
    element_id: str
    """Imported element, or the customer whose end, line or tee it is."""
    value: float
    limit: float


@dataclass(slots=True, kw_only=True)
class _Pieces:
    """What has become of an imported line: tees as fraction along it and bus, pieces as (from, to, line)."""

    tees: list[tuple[float, int]] = field(default_factory=list)
    parts: list[tuple[float, float, int]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class _Island:
    before: Net
    net: Net | None
    """With all customers; ``None`` for a trial on arrays alone."""
    graft: Graft | None = None
    """The same on arrays."""
    values: Floats | None = None
    """What the limits measure without customers."""
    pieces: dict[int, _Pieces] = field(default_factory=dict)
    owners: dict[tuple[str, int], str] = field(default_factory=dict)
    """Customer or imported line that elements which were added belong to."""


class GrownNet:
    """Islands of one snapshot that customers are connected to.

    Args:
        snapshot: The grid with its commitments; not changed.
        in_flight_coincidence_ratio: Share of a commitment, and of a customer already connected, that is load at the
            peak.
        quick_limits: Limits to look for on arrays; ``None``: every load flow is that of the reference.
    """

    def __init__(
        self, snapshot: Snapshot, *, in_flight_coincidence_ratio: float, quick_limits: Limits | None = None
    ) -> None:
        self._snapshot, self._ratio, self._quick_limits = snapshot, in_flight_coincidence_ratio, quick_limits
        self._islands = Islands(snapshot.net, split_at_sources=True)
        self._grown: dict[int, _Island | None] = {}

    def find_violation(self, customer: Customer, *, limits: Limits) -> JointViolation | None:
        """Return the worst limit that one more customer newly breaks, anywhere; ``None``: all keep theirs.

        Raises:
            KeyError: The bus or line is not in the snapshot.
        """
        island = self._island(customer)
        if island is None:
            return _no_solution()
        if island.graft is not None and limits == self._quick_limits:
            trial = _trial(island, net=None, graft=island.graft.copy())
            self._connect(trial, customer, share=1.0)
            broken = _broken_on_arrays(trial)
            if broken is not None:
                return self._named(trial, broken[0]) if broken else None
        assert island.net is not None
        trial = _trial(island, net=copy_solved(island.net), graft=None)
        self._connect(trial, customer, share=1.0)
        return self._judge(trial, limits)

    def connect(self, customer: Customer) -> None:
        """Connect a customer for good.

        Raises:
            KeyError: The bus or line is not in the snapshot.
        """
        island = self._island(customer)
        if island is not None:
            self._connect(island, customer, share=self._ratio)

    def find_violations_now(self, *, limits: Limits) -> dict[str, tuple[JointViolation, ...]]:
        """Return what all customers connected break together, by a node of their island; sound islands are left out.

        Every island is solved afresh.
        """
        found: dict[str, tuple[JointViolation, ...]] = {}
        for island in self._grown.values():
            if island is None:
                continue
            first = str(self._snapshot.nodes.element_id.get(int(island.before.bus.index.min()), ""))
            assert island.net is not None
            if not _solve(island.net):
                found[first] = (_no_solution(),)
                continue
            broken = new_violations(island.before, island.net, limits=limits)
            if broken:
                found[first] = tuple(self._named(island, violation) for violation in broken)
        return found

    @property
    def islands_count(self) -> int:
        """How many islands have customers."""
        return len(self._grown)

    def _island(self, customer: Customer) -> _Island | None:
        label = self._islands.label(self._anchor(customer.trial))
        if label not in self._grown:
            net = self._islands.cut(label)
            add_in_flight(net, self._snapshot, self._ratio)
            self._grown[label] = self._sound_island(net) if _solve(net) else None
        return self._grown[label]

    def _sound_island(self, net: Net) -> _Island:
        graft = None if self._quick_limits is None else graft_of(net, self._quick_limits)
        base = None if graft is None else graft.solve()
        island = _Island(before=net, net=copy_solved(net))
        if base is not None:
            island.graft, island.values = graft, base.values
        return island

    def _anchor(self, trial: TrialConnection) -> int:
        """Return a bus that tells the island: the bus itself, or the end of the line that has supply through it."""
        if trial.line is None:
            assert trial.bus is not None
            return trial.bus
        net = self._snapshot.net
        ends, switch = [int(net.line.at[trial.line, name]) for name in ("from_bus", "to_bus")], net.switch
        opened = (switch.et == "l") & (switch.element == trial.line) & ~switch.closed.astype(bool)
        return ends[1] if bool((opened & (switch.bus == ends[0])).any()) else ends[0]

    def _connect(self, island: _Island, customer: Customer, *, share: float) -> None:
        trial = customer.trial
        bus = trial.bus if trial.line is None else self._tee(island, trial, customer.customer_id)
        assert bus is not None
        made, power = [], {"p_kw": trial.p_kw * share, "q_kvar": trial.q_kvar * share}
        if island.net is not None:
            made.append(add_customer(island.net, bus, trial.route, **power))
        if island.graft is not None:
            made.append(island.graft.add_customer(bus, trial.route, **power))
        assert len(set(made)) == 1, "tables and arrays number what is added alike"
        end, route = made[0]
        island.owners[("bus", end)] = island.owners[("line", route)] = customer.customer_id

    def _tee(self, island: _Island, trial: TrialConnection, owner: str) -> int:
        """Return the bus of a tee, which is made where there is none yet."""
        assert trial.line is not None
        assert trial.fraction_along is not None
        line, at = trial.line, trial.fraction_along
        own = island.pieces.setdefault(line, _Pieces(parts=[(0.0, 1.0, line)]))
        for fraction, bus in own.tees:
            if abs(fraction - at) < _SAME_TEE:
                return bus
        place = next(place for place, (start, end, _) in enumerate(own.parts) if start < at < end)
        start, end, piece = own.parts[place]
        fraction, made = (at - start) / (end - start), []
        if island.net is not None:
            made.append(split_line(island.net, piece, fraction))
        if island.graft is not None:
            made.append(island.graft.split(piece, fraction))
        assert len(set(made)) == 1, "tables and arrays number what is added alike"
        bus, other = made[0]
        own.parts[place : place + 1] = [(start, at, piece), (at, end, other)]
        own.tees.append((at, bus))
        island.owners[("bus", bus)] = owner
        island.owners[("line", other)] = str(self._snapshot.lines.element_id[line])
        return bus

    def _judge(self, island: _Island, limits: Limits) -> JointViolation | None:
        assert island.net is not None
        if not _solve(island.net, init="results"):
            return _no_solution()
        found = new_violations(island.before, island.net, limits=limits)
        return self._named(island, found[0]) if found else None

    def _named(self, island: _Island, violation: Violation) -> JointViolation:
        frames: dict[str, pd.DataFrame] = {
            "bus": self._snapshot.nodes,
            "line": self._snapshot.lines,
            "trafo": self._snapshot.transformers,
        }
        key, frame = (violation.table, violation.element), frames.get(violation.table)
        element_id = island.owners.get(key)
        if element_id is None:
            is_known = frame is not None and violation.element in frame.index
            element_id = (
                str(frame.element_id[violation.element]) if frame is not None and is_known else f"{key[0]}:{key[1]}"
            )
        return JointViolation(kind=violation.kind, element_id=element_id, value=violation.value, limit=violation.limit)


def _trial(island: _Island, *, net: Net | None, graft: Graft | None) -> _Island:
    """Return a copy of an island that another customer may be connected to."""
    return _Island(
        before=island.before,
        net=net,
        graft=graft,
        values=island.values,
        pieces={line: _Pieces(tees=[*own.tees], parts=[*own.parts]) for line, own in island.pieces.items()},
        owners=dict(island.owners),
    )


def _broken_on_arrays(island: _Island) -> tuple[Violation, ...] | None:
    """Return what is newly broken; ``None`` where the sweeps find no solution and the reference must say."""
    assert island.graft is not None
    assert island.values is not None
    found = island.graft.solve()
    if found is None:
        return None
    was = np.full(len(found.values), np.nan)
    was[: len(island.values)] = island.values
    return newly_broken(island.graft.constraints, was, found.values)


def _no_solution() -> JointViolation:
    return JointViolation(kind="convergence", element_id="", value=float("nan"), limit=float("nan"))


def _solve(net: Net, *, init: str = "auto") -> bool:
    """Solve, where results to start from do not lead to a solution afresh."""
    for start in dict.fromkeys((init, "auto")):
        try:
            run_load_flow(net, init=start)
        except ConvergenceError:
            continue
        return True
    return False
