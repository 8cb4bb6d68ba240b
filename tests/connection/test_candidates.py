"""Small grids whose right answer can be seen on paper; see each test."""

import dataclasses
import math
from datetime import date
from typing import Any

import pandas as pd
import pytest

from gridmodel.capacity.limits import Limits, VoltageBand
from gridmodel.catalogue.loader import load_catalogue
from gridmodel.geometry import distance_m
from gridmodel.snapshot import Snapshot
from gridmodel.trial_route import TrialRoute
from scheme.candidates import find_variants
from scheme.model import Rejected
from scheme.policy.loader import load_policy
from scheme.policy.parameter import PolicyView
from scheme.routes import WantedSupply
from scheme.variants import VariantDraft
from tests.connection.grids import LAT0, LON0, Grid, place

LIMITS = Limits(
    voltage_bands=(
        VoltageBand(u_nominal_kv_min=6.0, u_nominal_kv_max=20.0, u_pu_min=0.93, u_pu_max=1.07),
        VoltageBand(u_nominal_kv_min=0.0, u_nominal_kv_max=1.0, u_pu_min=0.8835, u_pu_max=1.0165),
    )
)


def policy(profile: str = "shenqiu-2022") -> PolicyView:
    return load_policy(profile, date(2024, 3, 1))


def find(
    grid: Grid, *, at: tuple[float, float] = (0.0, 0.0), capacity: dict[int, float] | None = None, **more: Any
) -> tuple[tuple[VariantDraft, ...], tuple[Rejected, ...]]:
    supply = {"voltage_class": "mv", "p_kw": 600.0, "q_kvar": 200.0, "capacity_kva": 800.0} | more.pop("supply", {})
    snapshot: Snapshot = more.pop("snapshot", None) or grid.snapshot()
    table = None
    if capacity is not None:
        table = pd.DataFrame({"open_kva": pd.Series(capacity, dtype=float)})
    return find_variants(
        place(*at),
        supply=WantedSupply(**supply),
        snapshot=snapshot,
        capacity=table,
        policy=more.pop("view", None) or policy(),
        catalogue=load_catalogue(),
        limits=LIMITS,
        utility_segments=more.pop("utility_segments", frozenset({"point"})),
        **more,
    )


def feeder(grid: Grid, name: str, *nodes: tuple[str, float, float], laying: str = "overhead", **more: Any) -> list[int]:
    """Source at (0, 8000) m with a feeder through the nodes given as (kind, east, north)."""
    head = grid.bus("node", 10.0, 0, 8000, feeder_id=name)
    grid.source(head, vm_pu=1.02)
    buses, last = [], head
    for kind, east, north in nodes:
        bus = grid.bus(kind, 10.0, east, north, feeder_id=name, **more)
        grid.line(last, bus, 1.0, laying="cable" if last == head else laying)
        buses.append(bus)
        last = bus
    return buses


def test_nearest_pole_carries_the_customer() -> None:
    grid = Grid()
    near, far = feeder(grid, "F1", ("pole", 100, 0), ("pole", 100, -400))
    variants, _ = find(grid)
    first = variants[0]
    assert first.connection_point.element_source_id == f"N{near}"
    assert first.connection_point.kind == "pole"
    assert first.distance_m == pytest.approx(100.0, abs=0.2)
    assert first.route.length_m == pytest.approx(130.0, abs=0.3)  # detour 1.3
    assert first.feeder == "F1"
    assert first.verification.is_within_limits
    assert all(variant.connection_point.element_source_id != f"N{far}" for variant in variants)


def test_nearest_node_without_capacity_is_refused_and_the_next_feeder_taken() -> None:
    grid = Grid()
    (near,) = feeder(grid, "F1", ("pole", 100, 0))
    (next_one,) = feeder(grid, "F2", ("pole", -300, 0))
    variants, rejected = find(grid, capacity={near: 500.0, next_one: 2000.0})
    assert [v.connection_point.element_source_id for v in variants] == [f"N{next_one}"]
    assert [(r.connection_point.element_source_id, r.reasons[0].code) for r in rejected] == [
        (f"N{near}", "open_capacity_exceeded")
    ]
    assert "500" in rejected[0].reasons[0].text


def test_overloaded_path_is_found_by_load_flow_where_the_table_is_silent() -> None:
    # 0.02 kA * 0.8 * sqrt(3) * 10.2 kV = 283 kVA < 632 kVA.
    grid = Grid()
    head, near = grid.bus("node", 10.0, 0, 8000), grid.bus("pole", 10.0, 100, 0, feeder_id="F1")
    grid.source(head)
    grid.line(head, near, 1.0, laying="cable", max_i_ka=0.02)
    variants, rejected = find(grid)
    assert not variants
    assert rejected[0].reasons[0].code == "line_loading"
    assert "L0" in rejected[0].reasons[0].text


def test_line_is_thick_enough_for_the_voltage_too() -> None:
    # 12 kW on one phase over 1.3 * 200 m: U1 - U2 = 2 Z I (resistive).
    grid = Grid()
    head, high = grid.bus("node", 10.0, 0, 400), grid.bus("station", 10.0, 0, 210)
    board = grid.bus("lv_board", 0.4, 0, 200, area_id="A")
    grid.source(head)
    grid.line(head, high, 0.2)
    grid.trafo(high, board, 400.0, "public", area_id="A")
    supply = {"voltage_class": "lv", "is_single_phase": True, "p_kw": 12.0, "q_kvar": 0.0, "capacity_kva": 12.0}
    variants, rejected = find(grid, supply=supply)
    assert not rejected
    chosen = load_catalogue().get_line_type(variants[0].route.line_type_id)
    assert variants[0].verification.u_pu_customer > 0.8835
    thinner = [
        kind
        for kind in load_catalogue().find_line_types(laying="cable", u_nominal_kv_class="lv", series=chosen.series)
        if 25 <= kind.section_mm2 < chosen.section_mm2
    ]
    assert thinner
    u1 = variants[0].verification.voltage_profile[-2]["u_pu_before"] * 400.0 / math.sqrt(3.0)
    for kind in thinner:
        assert kind.rating_a > 52.0 / 0.8833 / 0.8  # any of them carries the current
        z_ohm = 2 * 0.26 * kind.r20_ohm_per_km
        u2 = (u1 + math.sqrt(max(u1**2 - 4 * z_ohm * 12000.0, 0.0))) / 2
        assert u2 / (400.0 / math.sqrt(3.0)) < 0.8835 + 1e-3


def test_customer_too_far_for_any_line_is_refused_with_the_voltage_reached() -> None:
    grid = Grid()
    head, high = grid.bus("node", 10.0, 0, 500), grid.bus("station", 10.0, 0, 360)
    board = grid.bus("lv_board", 0.4, 0, 350, area_id="A")
    grid.source(head, vm_pu=0.935)
    grid.line(head, high, 0.2)
    grid.trafo(high, board, 400.0, "public", area_id="A")
    supply = {"voltage_class": "lv", "is_single_phase": True, "p_kw": 80.0, "q_kvar": 0.0, "capacity_kva": 80.0}
    variants, rejected = find(grid, supply=supply)
    assert not variants
    assert rejected[0].reasons[0].code == "voltage_low"
    assert "目录中最大的接入线路" in rejected[0].reasons[0].text


def test_candidates_that_overload_their_transformer_for_certain_cost_no_load_flow() -> None:
    grid = Grid()
    high, board = grid.bus("station", 10.0, 0, 30), grid.bus("lv_board", 0.4, 0, 20, area_id="A")
    grid.source(high)
    grid.trafo(high, board, 100.0, "public", area_id="A")
    pole = board
    for number in range(1, 9):
        pole, before = grid.bus("lv_pole", 0.4, 10.0 * number, 20, area_id="A"), pole
        grid.line(before, pole, 0.01, max_i_ka=0.6)
    grid.load(pole, 50.0)
    steps: list[tuple[int, int]] = []
    supply = {"voltage_class": "lv", "p_kw": 60.0, "q_kvar": 20.0, "capacity_kva": 66.0}
    variants, rejected = find(grid, supply=supply, progress=lambda done, bound: steps.append((done, bound)))
    assert not variants
    assert not steps
    assert [r.connection_point.kind for r in rejected] == ["lv_board", "lv_pole"]  # each for its group
    assert {r.reasons[0].code for r in rejected} == {"transformer_loading"}
    assert all("至少1.1" in r.reasons[0].text for r in rejected)  # hypot(110, 20) / 100 and the losses of 50 kW


def test_point_along_a_line_is_nearer_than_any_pole() -> None:
    # Section from (-600, 50) to (600, 50): the foot is its middle, 50 m away; both poles are 602 m away.
    grid = Grid()
    feeder(grid, "F1", ("pole", -600, 50), ("pole", 600, 50))
    variants, _ = find(grid)
    tee = variants[0]
    assert tee.connection_point.kind == "line_tee"
    assert tee.connection_point.element_source_id == "L1"
    assert tee.fraction_along == pytest.approx(0.5, abs=1e-4)
    assert tee.distance_m == pytest.approx(50.0, abs=0.2)
    assert tee.verification.element_ids[0] == "L1"


def test_no_tee_on_a_cable() -> None:
    grid = Grid()
    feeder(grid, "F1", ("pole", -600, 50), ("pole", 600, 50), laying="cable")
    variants, _ = find(grid)
    assert [v.connection_point.kind for v in variants] == ["pole"]


def test_nearer_in_degrees_but_farther_in_metres_loses() -> None:
    # 0.00105 deg of longitude are 98 m, 0.00100 deg of latitude 111 m at 33 N.
    grid = Grid()
    (east,) = feeder(grid, "F1", ("pole", 0, 0))
    (north,) = feeder(grid, "F2", ("pole", 0, 0))
    grid.nodes[east] |= {"lon_deg": LON0 + 0.00105, "lat_deg": LAT0}
    grid.nodes[north] |= {"lon_deg": LON0, "lat_deg": LAT0 + 0.00100}
    variants, _ = find(grid)
    assert [v.connection_point.element_source_id for v in variants] == [f"N{east}", f"N{north}"]
    assert variants[0].distance_m < variants[1].distance_m
    assert variants[0].distance_m == pytest.approx(float(distance_m(LON0, LAT0, LON0 + 0.00105, LAT0)), abs=0.06)


@pytest.mark.parametrize(
    ("spare", "code"), [(0, "no_spare_bay"), (1, "no_spare_bay"), (float("nan"), "spare_bays_not_known")]
)
def test_ring_main_unit_without_spare_bays_is_refused(spare: float, code: str) -> None:
    grid = Grid()
    feeder(grid, "F1", ("ring_main_unit", 100, 0), spare_bays=spare)
    variants, rejected = find(grid)
    assert not variants
    assert rejected[0].reasons[0].code == code


def test_ring_main_unit_with_spare_bays_is_taken_by_cable() -> None:
    grid = Grid()
    feeder(grid, "F1", ("ring_main_unit", 100, 0), spare_bays=2.0)
    variants, _ = find(grid)
    assert variants[0].connection_point.kind == "ring_main_bay"
    assert variants[0].connection_point.spare_bays == 2
    assert variants[0].route.laying == "cable"
    assert variants[0].connection_mode == "环网柜间隔接入"


def test_pandapower_node_is_taken_with_a_check_of_its_spare_bays() -> None:
    grid = Grid()
    feeder(grid, "F1", ("station", 100, 0), laying="cable")
    variants, _ = find(grid, snapshot=dataclasses.replace(grid.snapshot(), source_format="pandapower"))
    assert variants[0].connection_point.kind == "ring_main_bay"
    assert "check_spare_bay" in [work.code for work in variants[0].works]


def test_node_that_is_not_assessable_is_refused_with_its_finding() -> None:
    grid = Grid()
    feeder(grid, "F1", ("pole", 100, 0), status="not_assessable", reason="线路缺额定电流")
    variants, rejected = find(grid)
    assert not variants
    assert rejected[0].reasons[0].code == "not_assessable"
    assert "线路缺额定电流" in rejected[0].reasons[0].text


def test_large_customer_is_not_teed_but_gets_a_substation_bay_when_nothing_else_carries() -> None:
    grid = Grid()
    high, busbar = grid.bus("source", 110.0, 0, 3000), grid.bus("substation_busbar", 10.0, 0, 3000, spare_bays=2.0)
    grid.source(high, vm_pu=1.03)
    grid.trafo(high, busbar, 20_000.0, "main")
    pole = grid.bus("pole", 10.0, 100, 0, feeder_id="F1")
    grid.line(busbar, pole, 3.0, laying="cable")
    large = {"p_kw": 3600.0, "q_kvar": 1000.0, "capacity_kva": 4000.0}
    variants, rejected = find(grid, supply=large)
    assert [v.connection_point.kind for v in variants] == ["substation_bay"]
    assert [r.reasons[0].code for r in rejected] == ["tee_capacity_exceeded"]
    small, _ = find(grid)
    assert [v.connection_point.kind for v in small] == ["pole"]


@pytest.mark.parametrize(("capacity_kva", "circuits"), [(6200.0, 1), (6220.0, 2)])
def test_several_circuits_are_built_where_one_of_the_largest_cable_does_not_do(
    capacity_kva: float, circuits: int
) -> None:
    """3x400: 482 A x 0.8 at the lowest voltage of 9.3 kV are 6,211 kVA. Each circuit needs a bay of its own."""
    grid = Grid()
    high, busbar = grid.bus("source", 110.0, 0, 1000), grid.bus("substation_busbar", 10.0, 0, 1000, spare_bays=3.0)
    grid.source(high, vm_pu=1.03)
    grid.trafo(high, busbar, 50_000.0, "main")
    grid.line(busbar, grid.bus("node", 10.0, 20_000, 0), 1.0)
    large = {"p_kw": 0.95 * capacity_kva, "q_kvar": 0.3 * capacity_kva, "capacity_kva": capacity_kva}
    (variant,), _ = find(grid, supply=large)
    assert variant.route.circuits == circuits
    assert variant.connection_mode == "变电站间隔专线接入" + ("" if circuits == 1 else "（2回）")
    works = {work.code: work.quantity for work in variant.works}
    assert works["substation_bay"] == circuits
    assert works["route_line"] == pytest.approx(circuits * variant.route.length_m / 1e3)
    grid.nodes[busbar]["spare_bays"] = 2.0
    variants, rejected = find(grid, supply=large)
    if circuits == 2:
        assert [reason.text for refused in rejected for reason in refused.reasons] == [
            "备用间隔2个，少于2回出线要求的3个"
        ]
    else:
        assert len(variants) == 1


def test_a_pole_takes_one_circuit_only() -> None:
    """3,100 kVA over 1.95 km at 0.939 pu: one JKLYJ-10 1x300 ends below 0.93, a second one beside it would not."""
    grid = Grid()
    head, pole = grid.bus("node", 10.0, 0, 8000), grid.bus("pole", 10.0, 1500, 0, feeder_id="F1")
    grid.source(head, vm_pu=0.939)
    grid.line(head, pole, 0.01)
    supply = {"p_kw": 2945.0, "q_kvar": 968.0, "capacity_kva": 3100.0}
    variants, rejected = find(grid, supply=supply)
    assert not variants
    assert {refused.reasons[0].code for refused in rejected} == {"voltage_low"}
    assert all("目录中最大的接入线路" in refused.reasons[0].text for refused in rejected)
    kind = load_catalogue().get_line_type("JKLYJ-10 1x300")
    for circuits, holds in ((1, False), (2, True)):
        route = TrialRoute(line_type=kind, length_km=1.95, parallel=circuits)
        end_pu = route.end_voltage_pu(0.939, u_nominal_kv=10.0, p_kw=2945.0, q_kvar=968.0, f_hz=50.0)
        assert (end_pu >= 0.93) == holds


def test_dedicated_line_is_offered_from_its_threshold_but_not_where_it_is_the_last_resort() -> None:
    grid = Grid()
    high, busbar = grid.bus("source", 110.0, 0, 1000), grid.bus("substation_busbar", 10.0, 0, 1000, spare_bays=3.0)
    grid.source(high, vm_pu=1.03)
    grid.trafo(high, busbar, 50_000.0, "main")
    station = grid.bus("switching_station", 10.0, 100, 0, feeder_id="F1", spare_bays=3.0)
    grid.line(busbar, station, 1.0, laying="cable", max_i_ka=1.2, r_ohm_per_km=0.05, x_ohm_per_km=0.1)
    huge = {"p_kw": 7600.0, "q_kvar": 2000.0, "capacity_kva": 8500.0}
    kinds = {v.connection_point.kind for v in find(grid, supply=huge)[0]}
    assert kinds == {"substation_bay", "switching_station_bay"}
    kinds = {v.connection_point.kind for v in find(grid, supply=huge, view=policy("xinyang-2021"))[0]}
    assert kinds == {"switching_station_bay"}


def low_voltage(role: str = "public", trafo_kva: float = 400.0, board_north_m: float = 60.0) -> Grid:
    grid = Grid()
    station = grid.bus("station", 10.0, 0, board_north_m, feeder_id="F1")
    board = grid.bus("lv_board", 0.4, 0, board_north_m, feeder_id="F1", area_id="A1")
    pole = grid.bus("lv_pole", 0.4, 0, 30, feeder_id="F1", area_id="A1")
    grid.source(station, vm_pu=1.0)
    grid.trafo(station, board, trafo_kva, role)
    grid.line(board, pole, abs(board_north_m - 30) / 1e3, max_i_ka=0.25, r_ohm_per_km=0.25, x_ohm_per_km=0.3)
    return grid


LV = {"voltage_class": "lv", "p_kw": 30.0, "q_kvar": 10.0, "capacity_kva": 32.0}


def test_low_voltage_customer_takes_the_nearest_pole_then_the_board() -> None:
    variants, _ = find(low_voltage(), supply=LV)
    assert [v.connection_point.kind for v in variants] == ["lv_pole", "lv_board"]
    assert variants[0].transformer_area == "A1"
    assert variants[0].route.laying == "overhead"
    assert variants[0].verification.transformer_loading_ratio_max == pytest.approx(31.8 / 400, abs=0.003)


def test_house_connection_of_somebody_else_is_no_connection_point() -> None:
    grid = low_voltage()
    joint = grid.bus("lv_node", 0.4, 20, 0, feeder_id="F1", area_id="A1")
    house = grid.bus("lv_node", 0.4, 5, 0, feeder_id="F1", area_id="A1")
    grid.line(2, joint, 0.04, max_i_ka=0.25)
    grid.line(joint, house, 0.015, max_i_ka=0.25)
    grid.load(house, 4.0)
    variants, rejected = find(grid, supply=LV)
    named = {v.connection_point.element_source_id for v in variants} | {
        r.connection_point.element_source_id for r in rejected
    }
    assert f"N{joint}" in named
    assert f"N{house}" not in named


def test_small_transformer_is_the_reason() -> None:
    # 31.6 kVA on 30 kVA.
    variants, rejected = find(low_voltage(trafo_kva=30.0), supply=LV)
    assert not variants
    assert {r.reasons[0].code for r in rejected} == {"transformer_loading"}


@pytest.mark.parametrize(
    ("role", "code"), [("dedicated", "dedicated_transformer"), ("distribution", "owner_not_known")]
)
def test_transformer_that_is_not_public_is_refused(role: str, code: str) -> None:
    variants, rejected = find(low_voltage(role=role), supply=LV)
    assert not variants
    assert {r.reasons[0].code for r in rejected} == {code}


def test_low_voltage_path_longer_than_the_supply_radius_is_refused() -> None:
    # Transformer 520 m north of the pole, pole 30 m from the customer: 520 + 39 m > 500 m (class D).
    variants, rejected = find(low_voltage(board_north_m=550.0), supply=LV | {"p_kw": 3.0, "q_kvar": 1.0})
    assert not variants
    codes = {r.connection_point.kind: r.reasons[0].code for r in rejected}
    assert codes["lv_pole"] == "lv_supply_radius_exceeded"


def test_line_type_is_the_smallest_that_carries_the_current_at_the_lowest_voltage() -> None:
    # 800 kVA / (sqrt(3) * 10 kV * 0.93) / 0.8 = 62 A: the least section of the policy (70 mm2) carries it.
    grid = Grid()
    feeder(grid, "F1", ("pole", 100, 0))
    small = find(grid)[0][0]
    assert small.route.line_type_id == "JKLYJ-10 1x70"
    # 3150 kVA / (sqrt(3) * 10 kV * 0.93) / 0.8 = 244.4 A.
    ratings = {t.type_id: t.rating_a for t in load_catalogue().find_line_types(laying="overhead", series="JKLYJ-10")}
    large = find(grid, supply={"p_kw": 2900.0, "q_kvar": 900.0, "capacity_kva": 3150.0})[0][0]
    assert ratings[large.route.line_type_id] == min(r for r in ratings.values() if r >= 244.4)


def test_cost_is_quantity_times_unit_cost_split_by_side() -> None:
    # Tee: breaker 6.5 (utility), 0.13 km branch at 21 = 2.73 (customer); typical values of the catalogue, in 万元.
    grid = Grid()
    near = feeder(grid, "F1", ("pole", 0, 0))[0]
    grid.nodes[near] |= {"lon_deg": LON0, "lat_deg": LAT0 + 100.0 / 110_901.0}
    cost = find(grid)[0][0].cost
    assert [(i.code, i.quantity) for i in cost.items] == [("SW-VCB", 1.0), ("OH10-70", pytest.approx(0.13, abs=1e-4))]
    assert cost.utility_typical_cny10k == 6.5
    assert cost.customer_typical_cny10k == pytest.approx(2.73, abs=0.01)
    assert cost.total_typical_cny10k == pytest.approx(cost.utility_typical_cny10k + cost.customer_typical_cny10k)
    paid = find(grid, utility_segments=frozenset({"point", "route"}))[0][0].cost
    assert paid.customer_typical_cny10k == 0.0


def test_work_without_unit_cost_is_named_and_materials_are_counted() -> None:
    variants, _ = find(low_voltage(), supply=LV)
    board = next(v for v in variants if v.connection_point.kind == "lv_board")
    assert board.cost.not_priced == ("低压柜出线开关",)
    grid = Grid()
    feeder(grid, "F1", ("pole", 100, 0))
    materials = {m.type_id: m.quantity for m in find(grid)[0][0].bill_of_materials}
    assert materials["JKLYJ-10 1x70"] == pytest.approx(3 * 0.13, abs=1e-3)  # three wires
    assert materials["POLE-15"] == 3.0  # 130 m at spans of 50 m


def test_equal_scores_are_settled_by_distance_then_element_id() -> None:
    grid = Grid()
    first, second = feeder(grid, "F1", ("pole", 100, 0))[0], feeder(grid, "F2", ("pole", 100, 0))[0]
    variants, _ = find(grid)
    assert variants[0].score.total == variants[1].score.total
    assert [v.connection_point.element_source_id for v in variants] == sorted([f"N{first}", f"N{second}"])


def test_score_is_the_weighted_sum_of_its_parts_and_weights_add_up_to_one() -> None:
    score = find(low_voltage(), supply=LV)[0][0].score
    assert sum(score.weights.values()) == pytest.approx(1.0)
    assert score.total == pytest.approx(sum(score.weights[k] * v for k, v in score.parts.items()), abs=1e-6)
    assert all(0.0 <= part <= 1.0 for part in score.parts.values())
    assert score.parts["distance"] == pytest.approx(1 - 30.0 / 500.0, abs=1e-3)


def test_search_stops_at_the_first_radius_with_enough_feasible_groups() -> None:
    grid = Grid()
    for number in range(4):
        feeder(grid, f"F{number}", ("pole", 100, 10 * number))
    feeder(grid, "FAR", ("pole", 400, 0))
    variants, _ = find(grid)
    assert {v.feeder for v in variants} == {"F0", "F1", "F2", "F3"}


def test_progress_counts_load_flows() -> None:
    grid = Grid()
    feeder(grid, "F1", ("pole", 100, 0))
    seen: list[tuple[int, int]] = []
    find(grid, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 40)]


def test_nothing_near_gives_no_variant_and_no_rejection() -> None:
    grid = Grid()
    feeder(grid, "F1", ("pole", 100, 0))
    assert find(grid, at=(50_000.0, 0.0)) == ((), ())
