"""Whole answers on the township: verdicts, an independent load flow of what was promised, replay, refusals."""

from __future__ import annotations

import copy
import itertools
import json
import math
from datetime import date
from typing import Any

import pandapower as pp
import pytest

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.errors import InputError
from gridmodel.geometry import distance_m
from gridmodel.snapshot import Snapshot
from scheme.document.write import canonical_json
from scheme.generate import generate_scheme
from scheme.model import Scheme, Variant
from scheme.policy.loader import load_policy
from scheme.request import parse_request
from tests.conftest import FIXTURES

AS_OF = date(2026, 11, 22)
PROFILES = ("shenqiu-2022", "xinyang-2021")


def request_text(name: str) -> str:
    return (FIXTURES / "requests" / f"{name}.json").read_text(encoding="utf-8")


def answer(text: str, snapshot: Snapshot, *, profile: str = "shenqiu-2022", as_of: date = AS_OF) -> Scheme:
    return generate_scheme(
        parse_request(text),
        snapshot=snapshot,
        policy=load_policy(profile, as_of),
        catalogue=load_catalogue(),
        capacity=None,
        as_of=as_of,
        version="test",
    )


@pytest.fixture(scope="module")
def answers(township: Snapshot) -> dict[str, Scheme]:
    names = ("lv_resident", "lv_industrial_commercial", "mv_10kv_single", "mv_10kv_no_capacity")
    return {name: answer(request_text(name), township) for name in names}


# Voltage by the rules: 8 kW <= 12 kW single phase; 120 kW <= 160 kW for industry and commerce; 630 kVA above.
@pytest.mark.parametrize(
    ("name", "voltage", "phases"),
    [
        ("lv_resident", "220V", "单相"),
        ("lv_industrial_commercial", "380V", "三相四线"),
        ("mv_10kv_single", "10kV", "三相"),
    ],
)
def test_requests_the_grid_can_carry_are_answered_at_the_voltage_of_the_rules(
    answers: dict[str, Scheme], name: str, voltage: str, phases: str
) -> None:
    scheme = answers[name]
    assert scheme.verdict == "answered"
    assert scheme.supply is not None
    assert (scheme.supply.voltage, scheme.supply.phases) == (voltage, phases)


def test_a_demand_beyond_the_grid_goes_to_joint_work_with_a_reason_for_each_candidate(
    answers: dict[str, Scheme],
) -> None:
    scheme = answers["mv_10kv_no_capacity"]
    assert scheme.verdict == "joint_work"
    assert scheme.supply is None
    assert scheme.variants == ()
    codes = [reason.code for reason in scheme.reasons]
    assert codes == ["no_feasible_connection_point", "transition_needs_planning"]
    assert scheme.rejected
    assert all(rejected.reasons for rejected in scheme.rejected)


def test_joint_work_tells_the_departments_what_to_do_and_what_would_be_enough(answers: dict[str, Scheme]) -> None:
    """10,000 kVA beside some 5 MVA on 8 MVA: no switching helps, a main transformer of (5.5 + 9.5) / 0.8 MVA would."""
    scheme = answers["mv_10kv_no_capacity"]
    assert scheme.transition is not None
    assert [stage.capacity_kva for stage in scheme.transition.stages] == [0.0, 10000.0]
    assert [m.code for m in scheme.transition.stages[-1].measures] == ["larger_main_transformer"]
    assert {task.department for task in scheme.tasks} >= {"营销", "发展", "设备", "调控"}
    assert all("客户" not in task.department for task in scheme.tasks)


@pytest.mark.parametrize("name", ["lv_resident", "lv_industrial_commercial", "mv_10kv_single"])
def test_no_variant_breaks_a_limit_in_a_net_put_together_by_hand(
    answers: dict[str, Scheme], township: Snapshot, name: str
) -> None:
    """Plain pandapower on a copy of the net, limits of the rules typed in here: 80 % and +-7 % of 10 kV and 380 V."""
    scheme = answers[name]
    assert scheme.supply is not None
    for variant in scheme.variants[:2]:
        before, after, path = solve_with(township, scheme, variant)
        for table, column in (("line", "loading_percent"), ("trafo", "loading_percent")):
            result = after[f"res_{table}"][column]
            on_path = [index for index in result.index if (table, index) in path]
            assert (result.loc[on_path] <= 80.0 + 1e-6).all(), variant.connection_point
            shared = before[f"res_{table}"].index.intersection(result.index)
            newly = (result[shared] > 80.0) & (before[f"res_{table}"][column][shared] <= 80.0)
            grown = result[shared] - before[f"res_{table}"][column][shared] >= 1.0
            assert not (newly & grown).any()
        u_pu = after.res_bus.vm_pu[[index for index in after.bus.index if ("bus", index) in path]]
        low = after.bus.vn_kv[u_pu.index].map(lambda kv: 0.93 * 0.38 / 0.4 if kv < 1.0 else 0.93)
        assert (u_pu >= low - 1e-9).all()
        customer = after.res_bus.vm_pu[after.bus.index[after.bus.name == "customer"][0]]
        assert variant.verification.u_pu_customer == pytest.approx(customer, abs=2e-6)


def solve_with(snapshot: Snapshot, scheme: Scheme, variant: Variant) -> tuple[Any, Any, set[tuple[str, int]]]:
    """Return the net without and with the customer, and the elements of the supply path by the scheme's own ids."""
    assert scheme.supply is not None
    net = copy.deepcopy(snapshot.net)
    for _, row in snapshot.in_flight.iterrows():
        p_mw = row.capacity_kva * row.power_factor / 1e3
        pp.create_load(net, int(row.bus), p_mw, math.sqrt((row.capacity_kva / 1e3) ** 2 - p_mw**2))
    options = {"trafo_loading": "power", "numba": False, "calculate_voltage_angles": True}
    pp.runpp(net, **options)
    after = copy.deepcopy(net)
    point = variant.connection_point
    if point.kind == "line_tee":
        bus = split(after, snapshot, variant)
    else:
        bus = int(snapshot.nodes.index[snapshot.nodes.element_id == point.element_source_id][0])
    kind = load_catalogue().get_line_type(variant.route.line_type_id)
    single = scheme.supply.voltage == "220V"
    customer = pp.create_bus(after, vn_kv=point.u_nominal_kv, name="customer")
    pp.create_line_from_parameters(
        after,
        bus,
        customer,
        length_km=variant.route.length_m / 1e3,
        r_ohm_per_km=kind.r20_ohm_per_km * (6 if single else 1),
        x_ohm_per_km=kind.x_ohm_per_km * (6 if single else 1),
        c_nf_per_km=0.0 if single else kind.c_nf_per_km,
        max_i_ka=kind.rating_a / 1e3 / (3 if single else 1),
    )
    p_mw = scheme.supply.capacity_kva * scheme.supply.power_factor / 1e3
    q_mvar = math.sqrt((scheme.supply.capacity_kva / 1e3) ** 2 - p_mw**2)
    pp.create_load(after, customer, p_mw, q_mvar)
    pp.runpp(after, **options)
    named = set(variant.verification.element_ids)
    frames = {"bus": snapshot.nodes, "line": snapshot.lines, "trafo": snapshot.transformers}
    path = {
        (table, int(index)) for table, frame in frames.items() for index in frame.index[frame.element_id.isin(named)]
    }
    path |= {("bus", customer), ("line", int(after.line.index[-1]))}
    return net, after, path


def split(net: Any, snapshot: Snapshot, variant: Variant) -> int:
    """Split the tee's line where the ellipsoid says its nearest point to the tee lies; return the new bus."""
    point = variant.connection_point
    line = int(snapshot.lines.index[snapshot.lines.element_id == point.element_source_id][0])
    course = json.loads(net.line.geo[line])["coordinates"]
    lengths = [distance_m(*a, *b) for a, b in itertools.pairwise(course)]
    gone, best = 0.0, (math.inf, 0.0)
    for (a, b), length in zip(itertools.pairwise(course), lengths, strict=True):
        t = min(max(((point.lon_deg - a[0]) * (b[0] - a[0]) + (point.lat_deg - a[1]) * (b[1] - a[1]))
                    / ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2), 0.0), 1.0)  # fmt: skip
        off = distance_m(a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), point.lon_deg, point.lat_deg)
        best = min(best, (float(off), gone + t * float(length)))
        gone += float(length)
    fraction = best[1] / gone
    bus = pp.create_bus(net, vn_kv=point.u_nominal_kv)
    rest = net.line.loc[line].copy()
    net.line.loc[net.line.index.max() + 1] = rest
    other = int(net.line.index[-1])
    net.line.loc[other, "from_bus"] = bus
    net.line.loc[other, "length_km"] = rest.length_km * (1 - fraction)
    at_end = (net.switch.et == "l") & (net.switch.element == line) & (net.switch.bus == rest.to_bus)
    net.switch.loc[at_end, "element"] = other
    net.line.loc[line, "to_bus"] = bus
    net.line.loc[line, "length_km"] = rest.length_km * fraction
    return bus


def test_the_best_point_is_not_farther_than_the_largest_radius_and_variants_are_ranked(
    answers: dict[str, Scheme],
) -> None:
    for name in ("lv_resident", "mv_10kv_single"):
        variants = answers[name].variants
        assert [variant.rank for variant in variants] == list(range(1, len(variants) + 1))
        totals = [variant.score.total for variant in variants]
        assert totals == sorted(totals, reverse=True)
        for variant in variants:
            weighted = sum(variant.score.weights[part] * value for part, value in variant.score.parts.items())
            assert variant.score.total == pytest.approx(weighted, abs=1e-4)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_value_read_is_listed_with_its_clause(township: Snapshot, profile: str) -> None:
    scheme = answer(request_text("lv_resident"), township, profile=profile)
    ids = [read.id for read in scheme.policy_reads]
    assert ids == sorted(set(ids))
    assert {"supply.single_phase_kw_max", "loading.line_ratio_max", "validity.lv_months"} <= set(ids)
    assert all(read.clause and read.effective_from <= AS_OF.isoformat() for read in scheme.policy_reads)


def test_the_two_profiles_promise_their_own_time_limits(township: Snapshot) -> None:
    """Low voltage with supporting works: 5 working days by the county's rules, 3 by the city's, from Friday 20 Nov."""
    limits = [
        answer(request_text("lv_industrial_commercial"), township, profile=profile).timeline for profile in PROFILES
    ]
    assert [limit.limit_on for limit in limits if limit is not None] == ["2026-11-27", "2026-11-25"]


def test_the_same_question_gives_the_same_bytes(answers: dict[str, Scheme], township: Snapshot) -> None:
    again = answer(request_text("mv_10kv_single"), township)
    assert canonical_json(again.as_dict()) == canonical_json(answers["mv_10kv_single"].as_dict())


def test_another_date_of_decision_is_another_scheme(answers: dict[str, Scheme], township: Snapshot) -> None:
    later = answer(request_text("lv_resident"), township, as_of=date(2026, 11, 23))
    assert later.scheme_id != answers["lv_resident"].scheme_id
    assert later.validity is not None
    assert (later.validity.from_on, later.validity.to_on) == ("2026-11-23", "2027-02-23")


@pytest.mark.parametrize(
    ("name", "words"),
    [("bad_outside_area", "outside the service area"), ("bad_swapped_coordinates", "swapped")],
)
def test_a_place_that_is_not_served_is_refused(township: Snapshot, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        answer(request_text(name), township)


def test_a_request_from_the_future_is_refused(township: Snapshot) -> None:
    with pytest.raises(InputError, match="received_on"):
        answer(request_text("lv_resident"), township, as_of=date(2026, 11, 19))


@pytest.mark.parametrize("name", ["bad_no_datum", "bad_unknown_field"])
def test_a_request_that_breaks_the_contract_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        parse_request(request_text(name))
