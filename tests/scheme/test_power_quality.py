"""Points judged beyond loading and voltage; expected values by hand and by plain pandapower, as each test says."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pandapower as pp
import pytest

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.connection import ConnectionStudy
from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.model import Rejected
from scheme.model_quality import PowerQuality, QualityCheck
from scheme.power_quality.settings import fault_settings
from scheme.power_quality.study import PowerQualityStudy
from scheme.request import SupplyRequest, parse_request
from scheme.routes import WantedSupply
from scheme.variants import VariantDraft
from tests.connection.grids import Grid
from tests.connection.test_candidates import find, policy
from tests.scheme.test_generate import answer, request_text, split

SUPPLY = {"voltage_class": "mv", "p_kw": 600.0, "q_kvar": 200.0, "capacity_kva": 800.0}


def request(
    *, category: str = "industrial_commercial", special: list[str] | None = None, **demand: Any
) -> SupplyRequest:
    content = {
        "request_id": "case",
        "applicant": {"name": "某客户", "category": category},
        "business": "new",
        "location": {"lon_deg": 115.1, "lat_deg": 33.4, "datum": "CGCS2000"},
        "demand": {"installed_kw": 600.0} | demand,
        "received_on": "2024-03-01",
        "circumstances": {} if special is None else {"special_loads": special},
    }
    return parse_request(json.dumps(content))


def connect(grid: Grid, asked: SupplyRequest, **supply: Any) -> tuple[tuple[VariantDraft, ...], tuple[Rejected, ...]]:
    view, snapshot, wanted = policy(), grid.snapshot(), SUPPLY | supply
    study = ConnectionStudy(snapshot, in_flight_coincidence_ratio=1.0, **fault_settings(view))
    quality = PowerQualityStudy(
        asked, supply=WantedSupply(**wanted), study=study, policy=view, catalogue=load_catalogue()
    )
    return find(grid, supply=wanted, snapshot=snapshot, view=view, study=study, quality=quality)


def check(draft: VariantDraft, code: str) -> QualityCheck:
    assert draft.power_quality is not None
    [found] = [row for row in draft.power_quality.checks if row.code == code]
    return found


def ring_main_units(s_sc_mva: float, *lengths_km: float) -> tuple[Grid, list[int]]:
    """A 10 kV source and ring-main units one behind the other, 100 m, 200 m ... from the customer."""
    grid = Grid()
    last = grid.bus("node", 10.0, 0, 900, feeder_id="F1")
    grid.source(last, s_sc_max_mva=s_sc_mva)
    buses = []
    for number, length_km in enumerate(lengths_km, start=1):
        bus = grid.bus("ring_main_unit", 10.0, 100 * number, 0, feeder_id="F1", spare_bays=3.0)
        grid.line(last, bus, length_km, laying="cable")
        buses.append(bus)
        last = bus
    return grid, buses


def ik3_ka(s_sc_mva: float, length_km: float) -> float:
    """1.1 times 10 kV over the source's impedance, R/X 0.1, and 0.2 + j0.35 ohm/km."""
    z = 1.1 * 10.0**2 / s_sc_mva
    x = z / math.sqrt(1.01)
    return 1.1 * 10.0 / math.sqrt(3.0) / abs(complex(0.1 * x, x) + length_km * complex(0.2, 0.35))


def test_a_bay_that_cannot_break_the_short_circuit_is_refused_and_the_next_one_taken() -> None:
    """28.3 kA at the first unit, 20 kA its rating; 15.6 kA at the second, half a kilometre on."""
    grid, (near, far) = ring_main_units(500.0, 0.02, 0.5)
    variants, rejected = connect(grid, request())
    assert [row.connection_point.element_source_id for row in variants] == [f"N{far}"]
    assert [(row.connection_point.element_source_id, row.reasons[0].code) for row in rejected] == [
        (f"N{near}", "short_circuit_point_exceeded")
    ]
    assert f"{ik3_ka(500.0, 0.02):.4f}" in rejected[0].reasons[0].text
    assert check(variants[0], "short_circuit_point").value == pytest.approx(ik3_ka(500.0, 0.52), abs=1e-4)
    assert variants[0].verification.ik3_ka == pytest.approx(ik3_ka(500.0, 0.52), abs=1e-4)


def test_a_cable_too_thin_for_the_short_circuit_is_laid_thicker() -> None:
    """15.6 kA for 0.6 s: 70 mm2 copper stands 10.0 / sqrt(0.6) = 12.9 kA, 95 mm2 13.6 / sqrt(0.6) = 17.6 kA."""
    grid, _ = ring_main_units(500.0, 0.52)
    (first, *_), _ = connect(grid, request())
    assert first.route.line_type_id == "YJV22-8.7/15 3x95"
    assert any(row.type_id == "YJV22-8.7/15 3x95" for row in first.bill_of_materials)
    found = check(first, "cable_withstand")
    assert found.verdict == "ok"
    assert found.limit == pytest.approx(13.6 / math.sqrt(0.6), abs=1e-4)
    weak, _ = ring_main_units(200.0, 0.52)
    assert connect(weak, request())[0][0].route.line_type_id == "YJV22-8.7/15 3x70"


def test_without_source_data_the_checks_say_what_must_be_supplied() -> None:
    grid, _ = ring_main_units(float("nan"), 0.5)
    (first, *_), _ = connect(grid, request())
    for code in ("short_circuit_point", "short_circuit_customer", "cable_withstand"):
        found = check(first, code)
        assert (found.verdict, found.value) == ("not_known", None)
        assert "最大运行方式三相短路容量" in found.note
    assert first.power_quality is not None
    assert first.power_quality.data_needed == (
        "上级电源最大运行方式三相短路容量及R/X",
        "最大电动机功率、起动方式及起动电流倍数、每小时起动次数",
    )


def test_a_motor_too_big_to_start_directly_must_start_softly() -> None:
    """3 km of 0.2 + j0.35 ohm/km and 400 kW: 3.58 MVA at the start make some 4.2 %, half of it 2.1 %; limit 3 %."""
    grid, _ = ring_main_units(500.0, 3.0)
    (first, *_), _ = connect(grid, request(largest_motor_kw=400.0))
    found = check(first, "motor_step")
    z = 3.0 * complex(0.2, 0.35)
    start_mva = 7.0 * 400.0 / 0.92 / 0.85 / 1e3
    drop = start_mva / 10.0**2 * (z.real * 0.3 + z.imag * math.sqrt(1 - 0.09))
    assert found.value == pytest.approx(drop, rel=0.08)  # a first-order estimate: the motor draws less at less voltage
    assert (found.verdict, found.limit) == ("exceeded", 0.03)
    assert first.power_quality is not None
    assert first.power_quality.conditions == ("最大电动机应采用软起动器，起动电流不超过额定电流的3.5倍",)


def test_nothing_helps_a_motor_the_grid_is_too_weak_for() -> None:
    """12 km are 2.4 + j4.2 ohm; 3 MW by frequency converter still take 4.6 MVA at the start: some 20 %."""
    grid, _ = ring_main_units(500.0, 12.0)
    variants, rejected = connect(grid, request(installed_kw=3000.0, largest_motor_kw=3000.0))
    assert not variants
    assert rejected[0].reasons[0].code == "motor_step_exceeded"


def test_disturbing_loads_are_screened_only_where_the_request_names_them() -> None:
    grid, _ = ring_main_units(500.0, 0.5)
    codes = {
        "nonlinear": {"harmonics"}, "impact": {"flicker"}, "unbalanced": {"unbalanced_load"},
    }  # fmt: skip
    plain = connect(grid, request())[0][0].power_quality
    assert plain is not None
    named = {row.code for row in plain.checks}
    for load, expected in codes.items():
        found = connect(grid, request(special=[load]))[0][0].power_quality
        assert found is not None
        assert {row.code for row in found.checks} - named == expected


def test_screening_takes_the_least_short_circuit_power_where_it_is_known() -> None:
    """Least: 1.0 x 10 kV, 300 MVA, R/X 0.2, line at 90 degrees; sqrt(3) x 10 kV x Ik is the power 800 kVA counts by."""
    grid, _ = ring_main_units(500.0, 0.5)
    (first, *_), _ = connect(grid, request(special=["impact"]))
    by_max = check(first, "flicker")
    assert by_max.value == pytest.approx(0.8 / (math.sqrt(3) * 10.0 * ik3_ka(500.0, 0.5)), abs=1e-6)
    grid.net.ext_grid["s_sc_min_mva"], grid.net.ext_grid["rx_min"] = 300.0, 0.2
    (first, *_), _ = connect(grid, request(special=["impact"]))
    z = 10.0**2 / 300.0
    x = z / math.sqrt(1.04)
    z_min = complex(0.2 * x, x) + 0.5 * complex(0.2 * (1 + 0.004 * 70), 0.35)
    assert check(first, "flicker").value == pytest.approx(0.8 / (10.0**2 / abs(z_min)), abs=1e-6)
    assert check(first, "flicker").verdict == "needs_study"


@pytest.mark.parametrize("name", ["lv_industrial_commercial", "mv_10kv_single"])
def test_currents_and_steps_of_an_answer_are_those_of_plain_pandapower(township: Snapshot, name: str) -> None:
    """The customer put into a copy of the net by pandapower's own functions: calc_sc at both ends, runpp twice."""
    scheme = answer(request_text(name), township)
    assert scheme.supply is not None
    for variant in scheme.variants[:2]:
        net, point = copy.deepcopy(township.net), variant.connection_point
        for _, row in township.in_flight.iterrows():
            p_mw = row.capacity_kva * row.power_factor / 1e3
            pp.create_load(net, int(row.bus), p_mw, math.sqrt((row.capacity_kva / 1e3) ** 2 - p_mw**2))
        bus = (
            split(net, township, variant)
            if point.kind == "line_tee"
            else int(township.nodes.index[township.nodes.element_id == point.element_source_id][0])
        )
        pp.runpp(net, trafo_loading="power", numba=False, calculate_voltage_angles=True)
        before = net.res_bus.vm_pu[bus]
        kind = load_catalogue().get_line_type(variant.route.line_type_id)
        end = pp.create_bus(net, vn_kv=point.u_nominal_kv)
        pp.create_line_from_parameters(
            net, bus, end, variant.route.length_m / 1e3, kind.r20_ohm_per_km, kind.x_ohm_per_km, kind.c_nf_per_km, 1.0
        )
        p_mw = scheme.supply.capacity_kva * scheme.supply.power_factor / 1e3
        pp.create_load(net, end, p_mw, math.sqrt((scheme.supply.capacity_kva / 1e3) ** 2 - p_mw**2))
        pp.runpp(net, trafo_loading="power", numba=False, calculate_voltage_angles=True)
        per_system = 0.4 / 0.38 if point.u_nominal_kv < 1.0 else 1.0
        quality = variant.power_quality
        assert quality is not None
        values = {row.code: row.value for row in quality.checks}
        assert values["load_step"] == pytest.approx((before - net.res_bus.vm_pu[bus]) * per_system, abs=2e-6)
        pp.shortcircuit.calc_sc(net, bus=[bus, end], case="max", topology="radial", inverse_y=False)
        assert values["short_circuit_point"] == pytest.approx(net.res_bus_sc.ikss_ka[bus], abs=2e-4)
        assert values["short_circuit_customer"] == pytest.approx(net.res_bus_sc.ikss_ka[end], abs=2e-4)


def test_a_single_phase_customer_is_asked_to_have_the_phases_measured(township: Snapshot) -> None:
    """The township's loads tell no phase: nothing is proposed, the customer's share is the same on every phase."""
    scheme = answer(request_text("lv_resident"), township)
    for variant in scheme.variants:
        quality = variant.power_quality
        assert isinstance(quality, PowerQuality)
        assert quality.proposed_phase is None
        assert [row.phase for row in quality.phases] == ["A", "B", "C"]
        shares = {row.added_unbalance_ratio for row in quality.phases}
        assert max(shares) - min(shares) < 1e-6
        assert any("现场测量" in text for text in quality.data_needed)


def test_the_phase_with_the_least_load_is_proposed_where_loads_tell_theirs(township: Snapshot) -> None:
    grid = Grid()
    source = grid.bus("source", 10.0, 0, 500)
    board = grid.bus("lv_board", 0.4, 0, 200, area_id="T0")
    pole = grid.bus("lv_pole", 0.4, 20, 0, area_id="T0")
    grid.source(source)
    grid.trafo(source, board, 200.0, "public")
    grid.net.trafo["shift_degree"] = 330.0
    grid.line(board, pole, 0.1, r_ohm_per_km=0.253, x_ohm_per_km=0.08)
    pp.create_asymmetric_load(grid.net, pole, p_a_mw=0.02, p_b_mw=0.005, p_c_mw=0.012)
    asked = request(category="resident", single_phase=True)
    (first, *_), _ = connect(
        grid, asked, voltage_class="lv", is_single_phase=True, p_kw=8.0, q_kvar=2.0, capacity_kva=8.25
    )
    assert first.power_quality is not None
    assert first.power_quality.proposed_phase == "B"
    assert [row.load_kw for row in first.power_quality.phases] == [20.0, 5.0, 12.0]
    assert {"phase_unbalance_customer", "phase_unbalance_total"} <= {row.code for row in first.power_quality.checks}


@pytest.mark.parametrize(
    "demand",
    [
        {"start_method": "direct"},
        {"starts_per_hour": 5.0},
        {"largest_motor_kw": 0.0},
        {"largest_motor_kw": 601.0},
        {"largest_motor_kw": 10.0, "start_method": "by hand"},
        {"harmonic_currents": [{"order": 5, "current_a": 1.0}, {"order": 5, "current_a": 2.0}]},
        {"harmonic_currents": [{"order": 26, "current_a": 1.0}]},
        {"harmonic_currents": []},
    ],
)
def test_facts_about_loads_that_contradict_themselves_are_refused(demand: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="demand"):
        request(**demand)


def test_every_source_of_several_is_judged_at_its_own_point(township: Snapshot) -> None:
    """The currents checked are those the load-flow verification of each source's own point found."""
    scheme = answer(request_text("mv_10kv_dual_source"), township)
    best = scheme.variants[0]
    for part in (best, *best.further_sources):
        assert part.power_quality is not None
        values = {row.code: row.value for row in part.power_quality.checks}
        assert values["short_circuit_point"] == part.verification.ik3_ka
    assert len(best.further_sources) == 1
