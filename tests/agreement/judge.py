"""What plain pandapower says about one bus: the load at which limits break, found by adding a load and solving.

Flows start from the solved net without the load; one that fails, or ends at very low voltages, is tried again from
pandapower's own start, because Newton may miss the solution on the normal branch. The reading of the contract (supply
path, attribution) is ``independent_check``'s.
"""

from __future__ import annotations

import copy
import math
import warnings
from functools import cached_property
from typing import Any, Literal

import pandapower as pp

from gridmodel import Limits
from tests.capacity import independent_check

Key = tuple[str, str, int]
"""Kind, table, element of a limit."""
Readings = dict[Key, tuple[float, float, int]]
"""Value, limit and sign of every limit."""
Direction = Literal["load", "generation"]
ITERATIONS_MAX = 50
FAR_RATIO = 2.0
FAR_ITERATIONS_MAX = 12
"""Beyond twice the value that is judged, Newton gets so many iterations: what it solves there takes fewer than ten."""
LOADED = ("line", "trafo", "trafo3w")
NORMAL_PU = 0.5
"""A solution with a lower voltage than this may lie on the low-voltage branch."""
OPTIONS: dict[str, Any] = {
    "calculate_voltage_angles": True,
    "trafo_model": "t",
    "trafo_loading": "power",
    "tolerance_mva": 1e-8,
}


class PlainGrid:
    """One net with one extra load, or generator, that is moved about."""

    def __init__(
        self, net: Any, limits: Limits, power_factor: float, direction: Direction = "load", *, is_compiled: bool = False
    ) -> None:
        """Solve the net as it stands; ``net`` is not changed.

        With ``is_compiled`` pandapower compiles its loops first: it pays from some hundred flows on.
        """
        self._options = OPTIONS | {"numba": is_compiled}
        self.limits, self.direction = limits, direction
        self.base = copy.deepcopy(net)
        self.is_solved = independent_check.solve(self.base)
        self.tan_phi = math.tan(math.acos(power_factor))
        self.flows = 0
        if self.is_solved:
            self.before: Readings = independent_check.readings(self.base, limits)
            self._trial = copy.deepcopy(self.base)
            self._results = [name for name in self.base if name.startswith("res_") and len(self.base[name])]
            self._table = "load" if direction == "load" else "sgen"
            create = pp.create_load if direction == "load" else pp.create_sgen
            self._extra = create(self._trial, self._trial.bus.index[0], p_mw=0.0, q_mvar=0.0)

    @cached_property
    def _walks(self) -> Any:
        return independent_check.Net(self.base)

    def supply_path(self, bus: int) -> tuple[set[tuple[str, int]], bool]:
        """Return (elements on the supply path as (table, index), whether the bus is supplied)."""
        path: tuple[set[tuple[str, int]], bool] = self._walks.supply_path(bus)
        return path

    def existing(self, on_path: set[tuple[str, int]]) -> set[Key]:
        """Return the limits on the path that are broken without the load and count."""
        return {key for key in self._counted(self.before, on_path) if (key[1], key[2]) in on_path}

    def broken(
        self, bus: int, p_kw: float, on_path: set[tuple[str, int]], *, iterations_max: int = ITERATIONS_MAX
    ) -> set[Key] | None:
        """Return the limits that count against ``p_kw`` (kW) more at ``bus``; None where there is no solution."""
        self.flows += 1
        p_mw = p_kw / 1e3
        for column, value in (("bus", bus), ("p_mw", p_mw), ("q_mvar", p_mw * self.tan_phi)):
            self._trial[self._table].at[self._extra, column] = value
        if not self._solve(iterations_max):
            return None
        return self._counted(self._readings(), on_path)

    def _solve(self, iterations_max: int) -> bool:
        """Solve the trial; where one start leads to nothing or to the low-voltage branch, another one may do better."""
        u_pu_min = {}
        for init in ("results", "auto"):
            if self._runs(init, iterations_max):
                u_pu_min[init] = self._trial.res_bus.vm_pu.min()
                if u_pu_min[init] >= NORMAL_PU:
                    return True
        if not u_pu_min:
            return False
        best = max(u_pu_min, key=lambda init: float(u_pu_min[init]))
        return best == "auto" or self._runs(best, iterations_max)

    def _runs(self, init: str, iterations_max: int) -> bool:
        for name in self._results:  # open ends of lines start from the results of the lines
            self._trial[name] = self.base[name].copy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                pp.runpp(self._trial, init=init, max_iteration=iterations_max, **self._options)
            except (pp.LoadflowNotConverged, UserWarning, FloatingPointError):
                return False
        return True

    def _readings(self) -> Readings:
        """Return what ``independent_check.readings`` gives for the trial, without looking the limits up again."""
        values = {name: (self._trial[f"res_{name}"].loading_percent / 100.0).to_dict() for name in LOADED}
        values["bus"] = self._trial.res_bus.vm_pu.to_dict()
        return {key: (values[key[1]][key[2]], limit, sign) for key, (_, limit, sign) in self.before.items()}

    def _counted(self, after: Readings, on_path: set[tuple[str, int]]) -> set[Key]:
        found: set[Key] = independent_check.counted(self.before, after, on_path, self.limits, self.direction)
        return found


class Search:
    """The loads tried at one bus; each is solved once."""

    def __init__(self, grid: PlainGrid, bus: int, on_path: set[tuple[str, int]], value_kw: float) -> None:
        self._grid, self._bus, self._on_path = grid, bus, on_path
        self._far_kw = FAR_RATIO * max(value_kw, 1.0)
        self._known: dict[float, set[Key] | None] = {}

    def broken(self, p_kw: float) -> set[Key] | None:
        """Return the limits that count at ``p_kw``; None where there is no solution."""
        if p_kw not in self._known:
            iterations_max = FAR_ITERATIONS_MAX if p_kw > self._far_kw else ITERATIONS_MAX
            self._known[p_kw] = self._grid.broken(self._bus, p_kw, self._on_path, iterations_max=iterations_max)
        return self._known[p_kw]

    def holds(self, p_kw: float) -> bool:
        """Return whether there is a solution and nothing counts."""
        return self.broken(p_kw) == set()

    def bisect(self, lower_kw: float, upper_kw: float, *, width_kw: float) -> tuple[float, float]:
        """Return a bracket of at most ``width_kw`` whose lower end holds and whose upper end breaks.

        Where the upper end holds, both are the upper end; where the lower end breaks, both are the lower end.
        """
        if not self.holds(lower_kw):
            return lower_kw, lower_kw
        if self.holds(upper_kw):
            return upper_kw, upper_kw
        while upper_kw - lower_kw > width_kw:
            middle_kw = 0.5 * (lower_kw + upper_kw)
            lower_kw, upper_kw = (middle_kw, upper_kw) if self.holds(middle_kw) else (lower_kw, middle_kw)
        return lower_kw, upper_kw
