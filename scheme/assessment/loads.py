"""What a transformer, a feeder or a main transformer carries now, and what it may carry, from the solved base case."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gridmodel.net import Net
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.elements import Element

_KVA_PER_MVA = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementLoad:
    """Load of one element with the commitments in flight (在途), and its limit."""

    p_kw: float
    q_kvar: float
    limit_kva: float
    """Rating times the permitted loading ratio, at nominal voltage."""

    def apparent_kva(self, *, growth_ratio: float = 1.0, p_kw: float = 0.0, q_kvar: float = 0.0) -> float:
        """Return the load times a growth, with further load."""
        return math.hypot(self.p_kw * growth_ratio + p_kw, self.q_kvar * growth_ratio + q_kvar)


def load_of(element: Element, grid: AssessedGrid) -> ElementLoad | None:
    """Return load and limit; ``None`` where the element has no rating, or its island no solution."""
    kind, element_id = element
    if kind == "feeder":
        return _feeder(element_id, grid)
    transformers = grid.snapshot.transformers
    found = transformers.index[transformers.element_id == element_id]
    if not len(found):
        return None
    trafo = int(found[0])
    row = grid.snapshot.net.trafo.loc[trafo]
    base = grid.study.get_base(int(row.lv_bus), in_flight=True)
    if base is None or trafo not in base.res_trafo.index:
        return None
    ratio = (
        grid.limits.main_transformer_loading_ratio_max
        if kind == "main_transformer"
        else grid.limits.transformer_loading_ratio_max
    )
    return _known(
        p_mw=float(base.res_trafo.p_hv_mw[trafo]),
        q_mvar=float(base.res_trafo.q_hv_mvar[trafo]),
        limit_kva=float(row.sn_mva * row.parallel) * _KVA_PER_MVA * ratio,
    )


def _feeder(feeder_id: str, grid: AssessedGrid) -> ElementLoad | None:
    """Return the load at the head of a feeder; its limit current is the feeder's own, or that of its first line."""
    feeders = grid.snapshot.feeders
    if feeder_id not in feeders.index:
        return None
    head = feeders.head_line[feeder_id]
    if head is None or head != head or head not in grid.snapshot.net.line.index:
        return None
    line = int(head)
    row = grid.snapshot.net.line.loc[line]
    ends = [int(row.from_bus), int(row.to_bus)]
    base = _solved(grid, ends)
    if base is None or line not in base.res_line.index:
        return None
    flows = base.res_line.loc[line]
    p_mw, q_mvar = max(
        (float(flows.p_from_mw), float(flows.q_from_mvar)), (float(flows.p_to_mw), float(flows.q_to_mvar))
    )
    line_a = float(row.max_i_ka * row.df * row.parallel) * 1e3
    own_a = float(feeders.rating_a[feeder_id])
    rating_a = min(line_a, own_a) if math.isfinite(own_a) else line_a
    u_kv = float(grid.snapshot.net.bus.vn_kv[ends[0]])
    limit_kva = math.sqrt(3.0) * u_kv * rating_a * grid.limits.line_loading_ratio_max
    return _known(p_mw=p_mw, q_mvar=q_mvar, limit_kva=limit_kva)


def _solved(grid: AssessedGrid, buses: list[int]) -> Net | None:
    for bus in buses:
        base = grid.study.get_base(bus, in_flight=True)
        if base is not None:
            return base
    return None


def _known(*, p_mw: float, q_mvar: float, limit_kva: float) -> ElementLoad | None:
    if not np.isfinite([p_mw, q_mvar, limit_kva]).all():
        return None
    return ElementLoad(p_kw=p_mw * _KVA_PER_MVA, q_kvar=q_mvar * _KVA_PER_MVA, limit_kva=limit_kva)
