"""The base case of a capacity calculation: solved, with islands that have no solution taken out and named."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridmodel.capacity.constraints import (
    SOLUTION_NOISE,
    Constraints,
    Flags,
    Floats,
    build_constraints,
    measure,
    ratings,
)
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.suspect import suspect_cause
from gridmodel.errors import ConvergenceError
from gridmodel.net import Net, copy_net, pandapower, run_load_flow
from gridmodel.topology import SupplyPath, SupplyTopology, connected_parts

BASE_TOLERANCE_MVA = 1e-11


@dataclass(frozen=True, eq=False, kw_only=True)
class BaseCase:
    """A working copy of the net, solved, and all that follows from it alone."""

    net: Net
    original: Net
    """The net as it was given; only read."""
    constraints: Constraints
    values: Floats
    """What the base case measures against each limit."""
    unsolved: dict[int, str]
    """Buses of islands whose base case has no solution, and why."""
    unrated: dict[str, set[int]]
    """Elements in service without a rating, per table."""

    @cached_property
    def topology(self) -> SupplyTopology:
        """Supply paths of the net as it was given; built when first asked for."""
        return SupplyTopology(self.original)

    @cached_property
    def is_broken(self) -> Flags:
        """Which limits the base case breaks, over-voltages left out: they never stop a load. Shape (limits,)."""
        with np.errstate(invalid="ignore"):
            excess = self.constraints.excess(self.values) > SOLUTION_NOISE
        return np.asarray(excess & (self.constraints.kinds != "voltage_high"))

    @property
    def is_alive(self) -> bool:
        """Whether any bus has a voltage."""
        return bool(self.net.res_bus.vm_pu.notna().any())

    def reason_not_assessable(self, path: SupplyPath) -> str:
        """Return why the capacity behind ``path`` cannot be assessed; empty when it can."""
        if path.bus in self.unsolved:
            return self.unsolved[path.bus]
        members = {"line": path.lines, "trafo": path.trafos, "trafo3w": path.trafo3ws}
        for table, elements in members.items():
            missing = sorted(self.unrated[table].intersection(elements))
            if missing:
                return f"rating missing: {table} {', '.join(map(str, missing[:3]))}"
        return ""


def solve_base_case(net: Net, limits: Limits) -> BaseCase:
    """Return the solved base case of a copy of ``net``; an island without solution is switched off in the copy."""
    work = copy_net(net)
    unsolved = _switch_off_unsolved(work, net)
    constraints = build_constraints(work, limits)
    unrated = {
        table: set(work[table].index[np.isnan(ratings(work, table))].tolist()) for table in ("line", "trafo", "trafo3w")
    }
    return BaseCase(
        net=work,
        original=net,
        constraints=constraints,
        values=measure(work, constraints),
        unsolved=unsolved,
        unrated=unrated,
    )


def _solve(work: Net) -> None:
    """Solve to the last digits where rounding allows it; pandapower's tolerance is per unit, coarse on a large base."""
    try:
        run_load_flow(work, tolerance_mva=BASE_TOLERANCE_MVA)
    except ConvergenceError:
        run_load_flow(work)


def _switch_off_unsolved(work: Net, original: Net) -> dict[int, str]:
    """Solve ``work``; when that fails, solve its parts one by one and take out of service what has no solution.

    A part without a source is switched off too, but it is unsupplied, not unsolved.
    """
    try:
        _solve(work)
    except ConvergenceError:
        pass
    else:
        return {}
    supplied, was_in_service = SupplyTopology(original).supplied, work.bus.in_service.copy()
    alive: list[int] = []
    unsolved: dict[int, str] = {}
    for part in connected_parts(work):
        if supplied.isdisjoint(part):
            continue
        work.bus["in_service"] = was_in_service & work.bus.index.isin(part)
        try:
            _solve(work)
            alive += part
        except ConvergenceError:
            reason = f"base case of the island has no solution; suspected cause: {suspect_cause(work)}"
            unsolved |= dict.fromkeys(part, reason)
    work.bus["in_service"] = was_in_service & work.bus.index.isin(alive)
    if work.bus.in_service.any():
        _solve(work)
    else:
        pandapower().toolbox.clear_result_tables(work)
    return unsolved
