"""The base case of a capacity calculation: solved, with islands that have no solution taken out and named.

Where every island is radial, sweeps on pandapower's own tables solve it; otherwise, and where they find no solution,
pandapower's Newton method does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridmodel.capacity.arrays import Integers, Terms, build_terms, extract_arrays, island_of_limits
from gridmodel.capacity.constraints import (
    SOLUTION_NOISE,
    Constraints,
    Flags,
    Floats,
    build_constraints,
    measure,
    ratings,
)
from gridmodel.capacity.direction import Direction, never_counts
from gridmodel.capacity.flow import Flow, measure_flow, solve_radial
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.path.tree import plant_forest
from gridmodel.capacity.suspect import suspect_cause
from gridmodel.errors import ConvergenceError
from gridmodel.islands import Islands
from gridmodel.net import Net, clear_results, copy_net, run_load_flow, solved_voltages
from gridmodel.topology import SupplyPath, SupplyTopology

BASE_TOLERANCE_MVA = 1e-11


@dataclass(frozen=True, eq=False, kw_only=True)
class BaseCase:
    """A net without any extra load, solved, and all that follows from it alone."""

    original: Net
    """The net as it was given; only read."""
    constraints: Constraints
    flow: Flow | None
    """None when no bus has a voltage."""
    terms: Terms | None
    """How loadings follow from the branch ends of ``flow``."""
    values: Floats
    """What the base case measures against each limit."""
    unsolved: dict[int, str]
    """Buses of islands whose base case has no solution, and why."""
    unrated: dict[str, set[int]]
    """Elements in service without a rating, per table."""
    solved: Net | None
    """The copy that pandapower solved; None where it was not needed."""

    @cached_property
    def net(self) -> Net:
        """A copy solved by pandapower, without the islands that have no solution; costs a load flow when first read."""
        if self.solved is not None:
            return self.solved
        work = copy_net(self.original)
        solve_closely(work)
        return work

    @cached_property
    def topology(self) -> SupplyTopology:
        """Supply paths of the net as it was given; built when first asked for."""
        return SupplyTopology(self.original)

    @cached_property
    def island_of_limit(self) -> Integers:
        """Island of each limit, shape (limits,)."""
        return island_of_limits(self.original, self.live_flow.arrays, self.constraints)

    def is_broken(self, direction: Direction) -> Flags:
        """Return which limits the base case breaks that may stop a load, or generation. Shape (limits,)."""
        with np.errstate(invalid="ignore"):
            excess = self.constraints.excess(self.values) > SOLUTION_NOISE
        return np.asarray(excess & ~never_counts(self.constraints, excess, direction))

    @property
    def engine(self) -> str:
        """What solved it."""
        return "path" if self.solved is None else "pandapower"

    @property
    def live_flow(self) -> Flow:
        """The flow of a net of which something is alive."""
        if self.flow is None:
            raise ValueError("no bus has a voltage")
        return self.flow

    def u_pu_of(self, buses: Integers) -> Floats:
        """Return the voltage of each bus without extra load (pu); NaN where it has none."""
        return np.full(len(buses), np.nan) if self.flow is None else self.flow.u_pu_of(buses)

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
    """Return the solved base case of ``net``, which is not changed."""
    constraints = build_constraints(net, limits)
    flow, solved, unsolved = _radial_flow(net), None, dict[int, str]()
    terms: Terms | None = None
    if flow is not None:
        terms = build_terms(net, flow.arrays, constraints)
        values = measure_flow(flow, terms, constraints)
    else:
        solved = copy_net(net)
        unsolved = _switch_off_unsolved(solved, net)
        values = measure(solved, constraints)
        if solved.res_bus.vm_pu.notna().any():
            arrays = extract_arrays(solved)
            # of sources alone pandapower keeps no solution, nor is there one to be had
            voltage = arrays.u_source if arrays.is_source.all() else solved_voltages(solved)
            flow = Flow(arrays=arrays, forest=plant_forest(arrays), voltage=voltage)
            terms = build_terms(net, arrays, constraints)
    return BaseCase(
        original=net,
        constraints=constraints,
        flow=flow,
        terms=terms,
        values=values,
        unsolved=unsolved,
        unrated={t: set(net[t].index[np.isnan(ratings(net, t))].tolist()) for t in ("line", "trafo", "trafo3w")},
        solved=solved,
    )


def _radial_flow(net: Net) -> Flow | None:
    """Return the flow of a net whose islands are all radial and solved by sweeps; else None."""
    try:
        arrays = extract_arrays(net)
    except ConvergenceError:
        return None
    forest = plant_forest(arrays)
    voltage = solve_radial(arrays, forest)
    return None if voltage is None else Flow(arrays=arrays, forest=forest, voltage=voltage)


def solve_closely(work: Net) -> None:
    """Solve to the last digits where rounding allows it; pandapower's tolerance is per unit, coarse on a large base."""
    try:
        run_load_flow(work, tolerance_mva=BASE_TOLERANCE_MVA)
    except ConvergenceError:
        run_load_flow(work)


def _switch_off_unsolved(work: Net, original: Net) -> dict[int, str]:
    """Solve ``work``; when that fails, solve its islands one by one and take out of service what has no solution.

    Islands are split at ideal sources: a feeder that has no solution does not concern its neighbours, only the source
    above. An island without a source is switched off too, but it is unsupplied, not unsolved.
    """
    try:
        solve_closely(work)
    except ConvergenceError:
        pass
    else:
        return {}
    islands, was_in_service = Islands(original, split_at_sources=True), work.bus.in_service.copy()
    labels, is_source = islands.labels, islands.is_source
    joined = Islands(original).labels
    alive: list[int] = labels.index[is_source].tolist()
    sources, unsolved = list(alive), dict[int, str]()
    for number in np.setdiff1d(islands.supplied, labels[is_source]).tolist():
        part = labels.index[labels == number].tolist()
        work.bus["in_service"] = was_in_service & work.bus.index.isin([*part, *sources])
        try:
            solve_closely(work)
            alive += part
        except ConvergenceError:
            reason = f"base case of the island has no solution; suspected cause: {suspect_cause(work)}"
            above = joined.index[is_source & (joined == joined[part[0]])]
            unsolved |= dict.fromkeys([*part, *above.tolist()], reason)
    work.bus["in_service"] = was_in_service & work.bus.index.isin(alive)
    if work.bus.in_service.any():
        solve_closely(work)
    else:
        clear_results(work)
    return unsolved
