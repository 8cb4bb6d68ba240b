"""All placements of an assessment built at once by plain pandapower; nothing of what admitted them is used."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import pandapower as pp

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.snapshot import Snapshot
from scheme.assessment.records import Assessment, Placement
from tests.request_replay.check import LOADING_PERCENT_MAX, U_PU_MAX, U_PU_MIN, VOLTAGE_KV_MAX
from tests.request_replay.grid import OPTIONS, with_in_flight

CATALOGUE = load_catalogue()
LOW_BUS_PER_SYSTEM = 0.38 / 0.4


def problems_of(snapshot: Snapshot, assessment: Assessment, *, numba: bool = False) -> list[str]:
    """Return the limits broken with all projects connected that the grid without them keeps."""
    before = with_in_flight(snapshot)
    after = build(before, assessment)
    for net in (before, after):
        pp.runpp(net, **{**OPTIONS, "numba": numba})
    broken = set(_broken(before))
    return [text for text in _broken(after) if text not in broken]


def build(net: Any, assessment: Assessment) -> Any:
    """Return a copy of a net with every placement of the queue."""
    grown = copy.deepcopy(net)
    tees: dict[int, list[tuple[float, Placement]]] = {}
    for result in assessment.projects:
        placement = result.queue.placement
        if placement is None:
            continue
        if placement.line is None:
            assert placement.bus is not None
            _connect(grown, placement.bus, placement)
        else:
            assert placement.fraction_along is not None
            tees.setdefault(placement.line, []).append((placement.fraction_along, placement))
    for line, own in tees.items():
        # from the far end on, so that what is left of the line keeps its own beginning
        left = 1.0
        for fraction, placement in sorted(own, key=lambda item: -item[0]):
            bus = _split(grown, line, fraction / left)
            _connect(grown, bus, placement)
            left = fraction
    return grown


def _connect(net: Any, bus: int, placement: Placement) -> None:
    kind = CATALOGUE.get_line_type(placement.line_type_id)
    stretch = 6.0 if placement.is_single_phase else 1.0
    end = pp.create_bus(net, float(net.bus.vn_kv[bus]))
    pp.create_line_from_parameters(
        net, bus, end, placement.route_length_m / 1e3, kind.r20_ohm_per_km * stretch, kind.x_ohm_per_km * stretch,
        kind.c_nf_per_km, kind.rating_a / 1e3 / (3.0 if placement.is_single_phase else 1.0),
        parallel=placement.circuits,
    )  # fmt: skip
    p_kw = placement.p_kw
    pp.create_load(net, end, p_kw / 1e3, math.sqrt(placement.capacity_kva**2 - p_kw**2) / 1e3)


def _split(net: Any, line: int, fraction: float) -> int:
    row = net.line.loc[line].copy()
    bus = int(pp.create_bus(net, float(net.bus.vn_kv[row.from_bus])))
    other = int(net.line.index.max()) + 1
    net.line.loc[other] = row
    net.line.loc[other, "from_bus"] = bus
    net.line.loc[other, "length_km"] = row.length_km * (1.0 - fraction)
    at_end = (net.switch.et == "l") & (net.switch.element == line) & (net.switch.bus == row.to_bus)
    net.switch.loc[at_end, "element"] = other
    net.line.loc[line, "to_bus"] = bus
    net.line.loc[line, "length_km"] = row.length_km * fraction
    return bus


def _broken(net: Any) -> Iterator[str]:
    for table in ("line", "trafo"):
        percent = net[f"res_{table}"].loading_percent
        yield from (f"{table}:{index}" for index in percent.index[percent > LOADING_PERCENT_MAX + 1e-6])
    for bus, u_pu in net.res_bus.vm_pu.items():
        u_kv = float(net.bus.vn_kv[bus])
        scale = LOW_BUS_PER_SYSTEM if u_kv < 1.0 else 1.0
        is_kept = U_PU_MIN * scale - 1e-9 <= u_pu <= U_PU_MAX * scale + 1e-9
        if u_kv <= VOLTAGE_KV_MAX and math.isfinite(u_pu) and not is_kept:
            yield f"bus:{bus}"
