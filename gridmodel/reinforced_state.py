"""Whether a changed grid with a new customer keeps every limit, compared with the imported grid without the customer.

Attribution is that of :mod:`gridmodel.capacity.violations`: on the customer's supply path every violation counts, off
it those that the change or the customer brings. All islands the change touches are solved, before and after, so that a
feeder that takes over load is judged as well as the one that gives it away.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
import pandas as pd

from gridmodel.capacity.limits import Limits
from gridmodel.capacity.violations import Violation, attributed_violations
from gridmodel.connection import TrialConnection
from gridmodel.errors import ConvergenceError
from gridmodel.islands import Islands
from gridmodel.net import Net, run_load_flow
from gridmodel.snapshot import Snapshot
from gridmodel.trial_net import add_customer, add_in_flight, split_line

_ITERATIONS_MAX = 15
"""Newton finds what keeps limits in a few steps; what it does not find in these is no state to build for."""


class ReinforcedState:
    """Judges many changed grids against one imported grid."""

    def __init__(self, snapshot: Snapshot, *, in_flight_coincidence_ratio: float) -> None:
        self._snapshot, self._ratio = snapshot, in_flight_coincidence_ratio
        self._before: dict[tuple[int, ...], Net | None] = {}

    @cached_property
    def _islands(self) -> Islands:
        return Islands(self._snapshot.net)

    def find_violations(
        self,
        changed: Snapshot,
        trial: TrialConnection,
        *,
        touched: Iterable[int],
        limits: Limits,
        islands: Islands | None = None,
    ) -> tuple[Violation, ...] | None:
        """Return what counts against the change and the customer; empty when nothing does.

        Args:
            changed: The grid with the measures.
            trial: The customer, at a bus or line of ``changed``.
            touched: Buses of the imported grid at which something was changed.
            limits: Operating limits.
            islands: Those of ``changed``, where the caller has them already.

        Returns:
            ``None`` where the load flow has no solution or a bus that had supply loses it.
        """
        nodes = self._snapshot.net.bus.index
        labels = tuple(sorted({self._islands.label(bus) for bus in touched if bus in nodes}))
        before = self._solved_before(labels)
        if before is None:
            return None
        islands = islands or Islands(changed.net)
        imported = self._islands.labels
        held = islands.labels[imported.index[imported.isin(labels)]]  # not the far ends of open lines
        wanted = {*held.tolist(), islands.label(_anchor(changed.net, trial))}
        after = islands.cut(*sorted(int(label) for label in wanted))
        add_in_flight(after, changed, self._ratio)
        customer_bus = _connect(after, trial)
        if not _solve(after) or not np.isfinite(after.res_bus.vm_pu[customer_bus]):
            return None
        fed = before.res_bus.index[before.res_bus.vm_pu.notna()]
        if after.res_bus.vm_pu.reindex(fed).isna().any():
            return None
        return attributed_violations(before, after, bus=customer_bus, limits=limits)

    def _solved_before(self, labels: tuple[int, ...]) -> Net | None:
        if labels not in self._before:
            net = self._islands.cut(*labels)
            add_in_flight(net, self._snapshot, self._ratio)
            self._before[labels] = net if _solve(net) else None
        return self._before[labels]


def _anchor(net: Net, trial: TrialConnection) -> int:
    return trial.bus if trial.bus is not None else int(net.line.from_bus[trial.line])


def _connect(net: Net, trial: TrialConnection) -> int:
    """Connect the customer to a net without results, in place; return the customer's bus."""
    bus = trial.bus
    if bus is None:
        assert trial.line is not None
        assert trial.fraction_along is not None
        bus, _ = split_line(net, trial.line, trial.fraction_along)
    net.res_bus = pd.DataFrame({"vm_pu": 1.0}, index=net.bus.index)  # a start for the customer's bus
    customer_bus, _ = add_customer(net, bus, trial.route, p_kw=trial.p_kw, q_kvar=trial.q_kvar)
    return customer_bus


def _solve(net: Net) -> bool:
    try:
        run_load_flow(net, iterations_max=_ITERATIONS_MAX)
    except ConvergenceError:
        return False
    return True
