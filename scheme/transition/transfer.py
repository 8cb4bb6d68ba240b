"""Moving load to another feeder (转供): close a tie, open a section on the way up, so that the grid stays radial."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gridmodel.capacity.sections import Tie, ties_of
from gridmodel.net import Net
from gridmodel.reinforcement import close_switches, copy_grid, find_line_switch, open_line
from gridmodel.snapshot import Snapshot
from gridmodel.topology import LOW_VOLTAGE_KV_MAX, SupplyTopology
from scheme.kept_grid import KeptByGrid
from scheme.model import Measure
from scheme.points import Candidate
from scheme.transition.bench import Bench, Outcome, PlannedMeasure, Way

_KVA_PER_MVA = 1e3
_LOSS_RATIO = 0.1
"""How far the estimate may be off: losses, reactive power and phase angles."""


class TransferMap:
    """Ties and feeders of one imported grid."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.topology = SupplyTopology(snapshot.net)
        feeders = self.topology.feeders()
        self.ties = ties_of(snapshot.net, feeders)
        self._feeder = feeders.feeder.to_dict()
        self._main = {
            int(bus): None if main is None else f"{table}:{main}"
            for bus, table, main in zip(feeders.index, feeders.main_table, feeders.main_element, strict=True)
        }

    def ways_out(self, bus: int, *, is_main_overloaded: bool) -> list[tuple[Tie, int]]:
        """Return the ties that can take load off the feeder (or main transformer) of ``bus``, with their near end.

        Ties of the own feeder come first. Where the main transformer is the limit, both ends must hang on different
        ones.
        """
        feeder, main = self._feeder.get(bus), self._main.get(bus)
        found: list[tuple[int, Tie, int]] = []
        for tie in self.ties:
            for near, feeder_near, main_near, main_far in (
                (tie.bus_a, tie.feeder_a, tie.main_a, tie.main_b),
                (tie.bus_b, tie.feeder_b, tie.main_b, tie.main_a),
            ):
                is_own = feeder is not None and feeder_near == feeder
                is_same_main = main is not None and main_near == main
                if is_main_overloaded and not (is_same_main and main_far != main):
                    continue
                if is_own or is_main_overloaded:
                    found.append((0 if is_own else 1, tie, near))
        return [(tie, near) for _, tie, near in sorted(found, key=lambda item: (item[0], item[1].tie, item[2]))]


transfer_map = KeptByGrid(TransferMap)
"""Ties of the grid asked for last."""


def transformers_above(snapshot: Snapshot, candidate: Candidate) -> set[int]:
    """Return the transformers between a point of the imported grid and its source."""
    return set(transfer_map(snapshot).topology.path(next(iter(candidate.capacity_buses))).trafos)


def transfers(bench: Bench, way: Way, outcome: Outcome) -> Iterator[Way]:
    """Yield the ways with one tie closed and one line opened that could help, bounded by the policy."""
    grid_map, net = transfer_map(bench.snapshot), way.grid.net
    overloaded = {found.element for found in outcome.violations if found.table == "trafo"}
    is_main = any(trafo in net.trafo.index and net.trafo.vn_lv_kv[trafo] > LOW_VOLTAGE_KV_MAX for trafo in overloaded)
    start = next(iter(way.candidate.capacity_buses))
    ties = grid_map.ways_out(start, is_main_overloaded=is_main)
    estimate = TransferEstimate(bench, grid_map, start, outcome)
    for tie, near in ties[: bench.rules.ties_max]:
        for line, upper in _openings(grid_map, net, near, bench.rules.openings_max):
            if estimate.may_help(tie, near, line, upper):
                yield _transferred(bench, way, tie, near, line, upper)


class TransferEstimate:
    """What the flows of the imported grid say of a transfer, so that no load flow is spent on one that cannot help."""

    def __init__(self, bench: Bench, grid_map: TransferMap, start: int, outcome: Outcome) -> None:
        self._bench, self._map = bench, grid_map
        self._customer_path = grid_map.topology.path(start)
        self._violations = outcome.violations

    def may_help(self, tie: Tie, near: int, line: int, upper: int) -> bool:
        """Return whether the part moved is large enough for what it leaves, and small enough for what it goes to."""
        moved_mva, is_customer_moved = self._moved(near, line, upper)
        if math.isnan(moved_mva):
            return True
        if not is_customer_moved and not self._relieves(near, line, moved_mva):
            return False
        customer_mva = self._bench.supply.capacity_kva / _KVA_PER_MVA if is_customer_moved else 0.0
        return self._is_taken(tie, near, moved_mva + customer_mva)

    def _moved(self, near: int, line: int, upper: int) -> tuple[float, bool]:
        """Return what flows into the part behind ``line`` and whether the customer's point lies in it."""
        base = self._bench.study.get_base(near, in_flight=True)
        if base is None or line not in base.res_line.index:
            return math.nan, False
        side = "from" if int(base.line.from_bus[line]) == upper else "to"
        flow = base.res_line.loc[line]
        moved_mva = math.hypot(float(flow[f"p_{side}_mw"]), float(flow[f"q_{side}_mvar"]))
        return moved_mva, line in self._customer_path.lines

    def _relieves(self, near: int, line: int, moved_mva: float) -> bool:
        """Return whether what is moved no longer flows through something overloaded, in the amount needed."""
        path, net = self._map.topology.path(near), self._bench.snapshot.net
        above = set(path.lines[path.lines.index(line) :])
        for found in self._violations:
            if found.table == "bus":
                return True
            if found.table == "trafo" and found.element in path.trafos:
                needed_mva = (found.value - found.limit) * float(net.trafo.sn_mva[found.element])
                return moved_mva * (1.0 + _LOSS_RATIO) >= needed_mva
            if found.table == "line" and found.element in above:
                return True
        return not self._violations

    def _is_taken(self, tie: Tie, near: int, more_mva: float) -> bool:
        """Return whether the main transformer on the far side has room."""
        far = tie.bus_b if near == tie.bus_a else tie.bus_a
        taking = set(self._map.topology.path(far).trafos) - set(self._map.topology.path(near).trafos)
        base = self._bench.study.get_base(far, in_flight=True)
        for trafo in taking:
            if base is None or trafo not in base.res_trafo.index:
                continue
            flow, rating_mva = base.res_trafo.loc[trafo], float(base.trafo.sn_mva[trafo])
            now_mva = math.hypot(float(flow.p_lv_mw), float(flow.q_lv_mvar))
            limit_mva = self._bench.limits.main_transformer_loading_ratio_max * rating_mva
            if now_mva + more_mva > limit_mva * (1.0 + _LOSS_RATIO):
                return False
        return True


def _openings(grid_map: TransferMap, net: Net, near: int, wanted: int) -> list[tuple[int, int]]:
    """Return lines on the way up from the tie's near end, with their upper bus: those with switches first, spread."""
    path = grid_map.topology.path(near)
    lines = [line for line in path.lines if net.bus.vn_kv[net.line.from_bus[line]] > LOW_VOLTAGE_KV_MAX]
    switched = [line for line in lines if find_line_switch(net, line) is not None]
    place = {bus: position for position, bus in enumerate(path.buses)}
    found: list[tuple[int, int]] = []
    for line in dict.fromkeys([*_spread(switched, wanted), *_spread(lines, wanted)]):
        ends = [int(net.line.from_bus[line]), int(net.line.to_bus[line])]
        if all(bus in place for bus in ends) and len(found) < wanted:
            found.append((line, max(ends, key=lambda bus: place[bus])))
    return found


def _spread(items: list[int], wanted: int) -> list[int]:
    """Return at most ``wanted`` items, evenly spread, first and last among them."""
    if len(items) <= wanted or wanted < 2:
        return items[:wanted]
    return [items[round(k * (len(items) - 1) / (wanted - 1))] for k in range(wanted)]


def _transferred(bench: Bench, way: Way, tie: Tie, near: int, line: int, upper: int) -> Way:
    grid = copy_grid(way.grid)
    close_switches(grid.net, tie.switches)
    has_switch = open_line(grid.net, line, upper)
    tie_id = bench.element_id(way.grid, tie.table, tie.element)
    line_id = bench.element_id(way.grid, "line", line)
    measures = [
        PlannedMeasure(
            kind="load_transfer",
            measure=Measure(
                code="load_transfer",
                text=str(bench.texts["load_transfer"]).format(tie=tie_id, opening=line_id),
                element_ids=(tie_id, line_id),
                quantity=1.0,
                unit="次",
            ),
            price_code=None,
            needs_price=False,
        )
    ]
    if not has_switch:
        measures.append(
            PlannedMeasure(
                kind="load_transfer",
                measure=Measure(
                    code="section_switch",
                    text=str(bench.texts["section_switch"]).format(opening=line_id),
                    element_ids=(line_id,),
                    quantity=1.0,
                    unit="台",
                ),
                price_code=str(bench.policy.get("transition.price_codes").value["section_switch"]),
            )
        )
    own = {tie.bus_a, tie.bus_b, near, upper}
    return way.changed(grid, tuple(measures), frozenset(own))
