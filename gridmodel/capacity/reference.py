"""The reference: one plain pandapower load flow per question, an ordinary load or generator row in a copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.constraints import Constraints, Flags, Floats, measure
from gridmodel.capacity.direction import Direction
from gridmodel.errors import ConvergenceError
from gridmodel.net import Net, copy_net, pandapower, run_load_flow

_KW_PER_MW = 1e3


class ReferenceEvaluator:
    """Values of a net's limits with one extra load or static generator, by pandapower."""

    name = "pandapower"

    def __init__(self, net: Net, constraints: Constraints, *, rows: Integers, direction: Direction = "load") -> None:
        """Copy ``net``; ``rows`` are the positions of the limits wanted."""
        self._net, self.direction = copy_net(net), direction
        self._constraints, self._rows = constraints, rows

    def values(self, buses: Integers, p_kw: Floats, tan_phi: float) -> tuple[Floats, Flags]:
        """Return the limits' values per bus; see :meth:`gridmodel.capacity.batch.BatchEvaluator.values`."""
        values = np.full((len(buses), len(self._rows)), np.nan)
        has_solution = np.zeros(len(buses), dtype=bool)
        for row, (bus, p) in enumerate(zip(buses.tolist(), p_kw.tolist(), strict=True)):
            solved = self._values_of_one(bus, p, tan_phi)
            if solved is not None:
                values[row], has_solution[row] = solved, True
        return values, has_solution

    def _values_of_one(self, bus: int, p_kw: float, tan_phi: float) -> Floats | None:
        with add_connection(self._net, bus, p_kw=p_kw, tan_phi=tan_phi, direction=self.direction):
            try:
                run_load_flow(self._net)
            except ConvergenceError:
                return None
        return measure(self._net, self._constraints)[self._rows]


@contextmanager
def add_connection(net: Net, bus: int, *, p_kw: float, tan_phi: float, direction: Direction) -> Iterator[None]:
    """Have an extra load or static generator in ``net`` for a while; results found meanwhile are kept."""
    table = "load" if direction == "load" else "sgen"
    create = pandapower().create_load if table == "load" else pandapower().create_sgen
    p_mw = p_kw / _KW_PER_MW
    extra = create(net, bus, p_mw=p_mw, q_mvar=p_mw * tan_phi)
    try:
        yield
    finally:
        net[table] = net[table].drop(index=extra)
