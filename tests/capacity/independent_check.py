"""A second reading of the contract, sharing no code with the product.

Supply path by walking every simple path, violations from pandapower's own result columns, plain ``runpp``. Slow on
purpose; used on small nets and on samples of large ones.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections import defaultdict

import pandapower as pp

from gridmodel import Limits

NOISE = 1e-9
PATHS_MAX = 20000


class Net:
    """Neighbours by element, read from the element tables as pandapower's user guide describes them."""

    def __init__(self, net):
        self.sources = set(net.ext_grid.bus[net.ext_grid.in_service])
        self.sources |= set(net.gen.bus[net.gen.in_service.astype(bool) & net.gen.slack.astype(bool)])
        self.live = set(net.bus.index[net.bus.in_service])
        self.sources &= self.live
        self.near = defaultdict(list)
        opened = {(s.et, s.element) for s in net.switch.itertuples() if not s.closed}
        for line in net.line.itertuples():
            if line.in_service and ("l", line.Index) not in opened:
                self._join("line", line.Index, line.from_bus, line.to_bus)
        for trafo in net.trafo.itertuples():
            if trafo.in_service and ("t", trafo.Index) not in opened:
                self._join("trafo", trafo.Index, trafo.hv_bus, trafo.lv_bus, trafo.vn_lv_kv > 1.0)
        for element in net.impedance.itertuples():
            if element.in_service:
                self._join("impedance", element.Index, element.from_bus, element.to_bus)
        for switch in net.switch.itertuples():
            if switch.et == "b" and switch.closed:
                self._join("switch", switch.Index, switch.bus, switch.element)
        self._join_three_windings(net)

    def _join_three_windings(self, net):
        opened_windings = {(s.element, s.bus) for s in net.switch.itertuples() if s.et == "t3" and not s.closed}
        for t3 in net.trafo3w.itertuples():
            if t3.in_service:
                star = f"star of {t3.Index}"
                self.live.add(star)
                for bus, is_main in ((t3.hv_bus, False), (t3.mv_bus, t3.vn_mv_kv > 1), (t3.lv_bus, t3.vn_mv_kv > 1)):
                    if (t3.Index, bus) not in opened_windings:
                        self._join("trafo3w", t3.Index, star, bus, is_main)

    def _join(self, table, index, upper, lower, is_main=False):
        if upper in self.live and lower in self.live and upper != lower:
            self.near[lower].append((upper, (table, index), is_main))
            self.near[upper].append((lower, (table, index), False))

    def paths(self, bus):
        """Every simple path from ``bus`` to a source, cut at its first main transformer: [(element, bus), ...]."""
        stack = [(bus, [(None, bus)], {bus}, None)]
        count = 0
        while stack:
            vertex, path, seen, cut = stack.pop()
            if vertex in self.sources:
                count += 1
                assert count < PATHS_MAX, "too meshed for this check"
                yield path[:cut] if cut else path
                continue
            for other, element, is_main in self.near[vertex]:
                if other not in seen:
                    # the main transformer itself belongs to the path, the bus above it does not
                    step = (element, None if is_main else other)
                    stack.append((other, [*path, step], seen | {other}, cut or (len(path) + 1 if is_main else None)))

    def supply_path(self, bus):
        """(elements and buses on the path as (table, index), is supplied)."""
        members, is_supplied = set(), False
        for path in self.paths(bus):
            is_supplied = True
            for element, vertex in path:
                if element is not None:
                    members.add(element)
                if vertex is not None and not isinstance(vertex, str):
                    members.add(("bus", vertex))
        return members, is_supplied


def solve(net):
    """Plain Newton load flow; False when there is no solution."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pp.runpp(
                net, calculate_voltage_angles=True, trafo_model="t", trafo_loading="power", tolerance_mva=1e-8,
                max_iteration=50, numba=False,
            )  # fmt: skip
        except (pp.LoadflowNotConverged, UserWarning):  # the latter: contradictory set points
            return False
    return True


def readings(net, limits: Limits):
    """{(kind, table, element): (value, limit, sign)} of a solved net, by pandapower's own loading columns."""
    found = {}
    for index, percent in net.res_line.loading_percent.items():
        found["line_loading", "line", index] = (percent / 100, limits.line_loading_ratio_max, 1)
    for index, percent in net.res_trafo.loading_percent.items():
        is_main = net.trafo.vn_lv_kv[index] > 1.0
        limit = limits.main_transformer_loading_ratio_max if is_main else limits.transformer_loading_ratio_max
        found["transformer_loading", "trafo", index] = (percent / 100, limit, 1)
    for index, percent in net.res_trafo3w.loading_percent.items():
        is_main = net.trafo3w.vn_mv_kv[index] > 1.0
        limit = limits.main_transformer_loading_ratio_max if is_main else limits.transformer_loading_ratio_max
        found["transformer_loading", "trafo3w", index] = (percent / 100, limit, 1)
    for index, u_pu in net.res_bus.vm_pu.items():
        for band in limits.voltage_bands:
            if band.u_nominal_kv_min <= net.bus.vn_kv[index] <= band.u_nominal_kv_max:
                found["voltage_low", "bus", index] = (u_pu, band.u_pu_min, -1)
                found["voltage_high", "bus", index] = (u_pu, band.u_pu_max, 1)
                break
    return found


def broken(readings_):
    return {key for key, (value, limit, sign) in readings_.items() if sign * (value - limit) > NOISE}


def counted(before, after, on_path, limits: Limits, direction="load"):
    """Attribution, word by word from the contract; generation mirrors it: low voltages never stop a generator."""
    existed, result = broken(before), set()
    for key in broken(after):
        kind, table, element = key
        if direction == "load" and kind == "voltage_high" and key in existed:
            continue
        if direction == "generation" and kind == "voltage_low":
            continue
        threshold = limits.off_path_voltage_effect_pu if table == "bus" else limits.off_path_loading_effect_ratio
        worse_by = after[key][2] * (after[key][0] - before[key][0])
        if (table, element) in on_path or (worse_by >= threshold if threshold > 0 else key not in existed):
            result.add(key)
    return result


def check_row(net, row, limits: Limits, power_factor: float, *, direction="load") -> None:
    """Assert that plain pandapower holds at the row's capacity and breaks one step above by the element named."""
    bus = int(row.name)
    on_path, is_supplied = Net(net).supply_path(bus)
    if row.status == "unsupplied":
        assert not is_supplied, f"bus {bus} has supply"
        assert math.isnan(row.capacity_kw)
        return
    assert is_supplied, f"bus {bus} has no supply"
    assert row.status == "assessed", f"bus {bus}: {row.reason}"
    base = copy.deepcopy(net)
    assert solve(base)
    before = readings(base, limits)
    named = (row.limit_kind, row.limit_table, row.limit_element)
    existing = {key for key in counted(before, before, on_path, limits, direction) if (key[1], key[2]) in on_path}
    if row.limit_kind == "existing_violation":
        assert row.capacity_kw == 0.0
        assert (row.limit_table, row.limit_element) in {key[1:] for key in existing}, f"bus {bus}: {named} {existing}"
        return
    assert not existing, f"bus {bus} has capacity in spite of {existing}"
    step_kw = 1.0 if net.bus.vn_kv[bus] <= 1.0 else 10.0
    at_value = loaded(net, bus, row.capacity_kw, power_factor, direction)
    assert at_value is not None, f"bus {bus}: no solution at {row.capacity_kw} kW"
    hurt = counted(before, readings(at_value, limits), on_path, limits, direction)
    assert not hurt, f"bus {bus}: {hurt} at {row.capacity_kw} kW"
    if row.limit_kind == "ceiling":
        return
    above = loaded(net, bus, row.capacity_kw + step_kw, power_factor, direction)
    if row.limit_kind == "convergence":
        assert above is None, f"bus {bus}: has a solution one step above {row.capacity_kw} kW"
        return
    assert above is not None, f"bus {bus}: no solution one step above, {named} was named"
    hurt = counted(before, readings(above, limits), on_path, limits, direction)
    assert named in hurt, f"bus {bus}: {named} does not break at {row.capacity_kw} + {step_kw} kW, but {hurt}"


def loaded(net, bus, p_kw, power_factor, direction="load"):
    """A solved copy with the extra load or the extra static generator, or None."""
    trial = copy.deepcopy(net)
    p_mw = p_kw / 1000.0
    create = {"load": pp.create_load, "generation": pp.create_sgen}[direction]
    create(trial, bus, p_mw=p_mw, q_mvar=p_mw * math.tan(math.acos(power_factor)))
    return trial if solve(trial) else None


def first_break(net, bus, limits: Limits, power_factor: float, *, direction, step_kw, upto_kw):
    """The contract by brute force: grow from 0 in steps, then halve the first step that breaks.

    Returns:
        Load or generation (kW) at which the first violation counts, to 0.05 kW, and all that count there; (inf, set())
        where ``upto_kw`` holds. A break without solution counts as ``("convergence", None, None)``.
    """
    on_path, _ = Net(net).supply_path(bus)
    base = copy.deepcopy(net)
    assert solve(base)
    before = readings(base, limits)

    def hurt(p_kw):
        trial = loaded(net, bus, p_kw, power_factor, direction)
        if trial is None:
            return {("convergence", None, None)}
        return counted(before, readings(trial, limits), on_path, limits, direction)

    low, high = 0.0, step_kw
    if hurt(0.0):
        return 0.0, hurt(0.0)
    while not hurt(high):
        low, high = high, high + step_kw
        if low >= upto_kw:
            return math.inf, set()
    while high - low > 0.05:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if hurt(middle) else (middle, high)
    return high, hurt(high)
