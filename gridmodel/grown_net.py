"""Islands with customers connected one after another, lines and all: do all of them together break a limit?

Commitments in flight (在途) stand at their nodes; here every customer hangs at the end of its own line, tees split what
they tee off, and the limits of customers connected before count as those of the grid do. One load flow answers for one
more customer: on flat arrays where the limits are known from the start and the island is radial
(:mod:`gridmodel.capacity.graft`), by the reference otherwise, and whenever all are judged at the end.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace

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
class _Form:
    """An island with customers, as tables or as arrays; both number what is added alike."""

    grid: Net | Graft
    customers_count: int = 0
    """How many of the island's customers are connected to it."""
    pieces: dict[int, _Pieces] = field(default_factory=dict)
    owners: dict[tuple[str, int], str] = field(default_factory=dict)
    """Customer or imported line that elements which were added belong to."""

    def copied(self, grid: Net | Graft) -> _Form:
        """Return a copy that another customer may be connected to."""
        pieces = {line: _Pieces(tees=[*own.tees], parts=[*own.parts]) for line, own in self.pieces.items()}
        return replace(self, grid=grid, pieces=pieces, owners=dict(self.owners))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Island:
    """An island without customers; never changed."""

    before: Net
    """Solved."""
    graft: Graft | None = None
    """The same on arrays; ``None``: not to be had."""
    values: Floats | None = None
    """What the limits measure there."""


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
        self._bare: dict[int, _Island | None] = {}
        self._begin()

    def _begin(self) -> None:
        self._customers: dict[int, list[Customer]] = {}
        """Those connected, by island; tables and arrays are brought up to them when asked for."""
        self._tables: dict[int, _Form] = {}
        self._arrays: dict[int, _Form] = {}

    def fresh(self) -> GrownNet:
        """Return the same islands without customers; what is solved of them is kept."""
        other = copy.copy(self)
        other._begin()
        return other

    def find_violation(self, customer: Customer, *, limits: Limits) -> JointViolation | None:
        """Return the worst limit that one more customer newly breaks, anywhere; ``None``: all keep theirs.

        Raises:
            KeyError: The bus or line is not in the snapshot.
        """
        label = self._label(customer)
        island = self._island(label)
        if island is None:
            return _no_solution()
        if island.graft is not None and limits == self._quick_limits:
            form, grown = self._with_arrays(island.graft, label)
            graft = grown.copy()
            trial = form.copied(graft)
            self._connect(trial, customer, share=1.0)
            broken = _broken_on_arrays(graft, island)
            if broken is not None:
                return self._named(trial, broken[0]) if broken else None
        form, net = self._with_tables(island, label)
        net = copy_solved(net)
        trial = form.copied(net)
        self._connect(trial, customer, share=1.0)
        return self._judge(trial, net, island, limits)

    def connect(self, customer: Customer) -> None:
        """Connect a customer for good.

        Raises:
            KeyError: The bus or line is not in the snapshot.
        """
        self._customers.setdefault(self._label(customer), []).append(customer)

    def find_violations_now(self, *, limits: Limits) -> dict[str, tuple[JointViolation, ...]]:
        """Return what all customers connected break together, by a node of their island; sound islands are left out.

        Every island is solved afresh.
        """
        found: dict[str, tuple[JointViolation, ...]] = {}
        for label in self._customers:
            island, labels = self._island(label), self._islands.labels
            first = str(self._snapshot.nodes.element_id.get(int(labels.index[labels == label].min()), ""))
            if island is None:
                found[first] = (_no_solution(),)
                continue
            form, net = self._with_tables(island, label)
            if not _solve(net):
                found[first] = (_no_solution(),)
                continue
            broken = new_violations(island.before, net, limits=limits)
            if broken:
                found[first] = tuple(self._named(form, violation) for violation in broken)
        return found

    @property
    def islands_count(self) -> int:
        """How many islands have customers."""
        return len(self._customers)

    def _label(self, customer: Customer) -> int:
        return self._islands.label(self._anchor(customer.trial))

    def _island(self, label: int) -> _Island | None:
        if label not in self._bare:
            net = self._islands.cut(label)
            add_in_flight(net, self._snapshot, self._ratio)
            self._bare[label] = self._sound_island(net) if _solve(net) else None
        return self._bare[label]

    def _sound_island(self, net: Net) -> _Island:
        graft = None if self._quick_limits is None else graft_of(net, self._quick_limits)
        base = None if graft is None else graft.solve()
        if graft is None or base is None:
            return _Island(before=net)
        return _Island(before=net, graft=graft, values=base.values)

    def _with_arrays(self, bare: Graft, label: int) -> tuple[_Form, Graft]:
        """Return the island as arrays, with all its customers."""
        if label not in self._arrays:
            self._arrays[label] = _Form(grid=bare.copy())
        form = self._brought_up(self._arrays[label], label)
        assert isinstance(form.grid, Graft)
        return form, form.grid

    def _with_tables(self, island: _Island, label: int) -> tuple[_Form, Net]:
        """Return the island as tables, with all its customers."""
        if label not in self._tables:
            self._tables[label] = _Form(grid=copy_solved(island.before))
        form = self._brought_up(self._tables[label], label)
        assert not isinstance(form.grid, Graft)
        return form, form.grid

    def _brought_up(self, form: _Form, label: int) -> _Form:
        """Return the form with the customers connected since it was last asked for."""
        customers = self._customers.get(label, [])
        for customer in customers[form.customers_count :]:
            self._connect(form, customer, share=self._ratio)
        form.customers_count = len(customers)
        return form

    def _anchor(self, trial: TrialConnection) -> int:
        """Return a bus that tells the island: the bus itself, or the end of the line that has supply through it."""
        if trial.line is None:
            assert trial.bus is not None
            return trial.bus
        net = self._snapshot.net
        ends, switch = [int(net.line.at[trial.line, name]) for name in ("from_bus", "to_bus")], net.switch
        opened = (switch.et == "l") & (switch.element == trial.line) & ~switch.closed.astype(bool)
        return ends[1] if bool((opened & (switch.bus == ends[0])).any()) else ends[0]

    def _connect(self, form: _Form, customer: Customer, *, share: float) -> None:
        trial, grid = customer.trial, form.grid
        bus = trial.bus if trial.line is None else self._tee(form, trial, customer.customer_id)
        assert bus is not None
        power = {"p_kw": trial.p_kw * share, "q_kvar": trial.q_kvar * share}
        if isinstance(grid, Graft):
            end, route = grid.add_customer(bus, trial.route, **power)
        else:
            end, route = add_customer(grid, bus, trial.route, **power)
        form.owners[("bus", end)] = form.owners[("line", route)] = customer.customer_id

    def _tee(self, form: _Form, trial: TrialConnection, owner: str) -> int:
        """Return the bus of a tee, which is made where there is none yet."""
        assert trial.line is not None
        assert trial.fraction_along is not None
        line, at, grid = trial.line, trial.fraction_along, form.grid
        own = form.pieces.setdefault(line, _Pieces(parts=[(0.0, 1.0, line)]))
        for fraction, bus in own.tees:
            if abs(fraction - at) < _SAME_TEE:
                return bus
        place = next(place for place, (start, end, _) in enumerate(own.parts) if start < at < end)
        start, end, piece = own.parts[place]
        fraction = (at - start) / (end - start)
        bus, other = grid.split(piece, fraction) if isinstance(grid, Graft) else split_line(grid, piece, fraction)
        own.parts[place : place + 1] = [(start, at, piece), (at, end, other)]
        own.tees.append((at, bus))
        form.owners[("bus", bus)] = owner
        form.owners[("line", other)] = str(self._snapshot.lines.element_id[line])
        return bus

    def _judge(self, trial: _Form, net: Net, island: _Island, limits: Limits) -> JointViolation | None:
        if not _solve(net, init="results"):
            return _no_solution()
        found = new_violations(island.before, net, limits=limits)
        return self._named(trial, found[0]) if found else None

    def _named(self, form: _Form, violation: Violation) -> JointViolation:
        frames: dict[str, pd.DataFrame] = {
            "bus": self._snapshot.nodes,
            "line": self._snapshot.lines,
            "trafo": self._snapshot.transformers,
        }
        key, frame = (violation.table, violation.element), frames.get(violation.table)
        element_id = form.owners.get(key)
        if element_id is None:
            is_known = frame is not None and violation.element in frame.index
            element_id = (
                str(frame.element_id[violation.element]) if frame is not None and is_known else f"{key[0]}:{key[1]}"
            )
        return JointViolation(kind=violation.kind, element_id=element_id, value=violation.value, limit=violation.limit)


def _broken_on_arrays(trial: Graft, island: _Island) -> tuple[Violation, ...] | None:
    """Return what is newly broken; ``None`` where the sweeps find no solution and the reference must say."""
    assert island.values is not None
    found = trial.solve()
    if found is None:
        return None
    was = np.full(len(found.values), np.nan)
    was[: len(island.values)] = island.values
    return newly_broken(trial.constraints, was, found.values)


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
