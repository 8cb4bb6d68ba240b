"""Several sources on the township: structure asked for, separation, and every published pair by plain pandapower."""

from __future__ import annotations

import copy
import itertools
import json
import math
from dataclasses import dataclass
from typing import Any

import pandapower as pp
import pytest

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.document.write import canonical_json
from scheme.model import ConnectionPoint, FurtherSource, Route, Scheme, Variant, Verification
from scheme.policy.loader import load_policy
from scheme.request import parse_request
from scheme.rules.supply_structure import find_structure_demand, plan_structure, resize_single
from tests.scheme.test_generate import AS_OF, answer, request_text, split

NAMES = ("mv_10kv_dual_source", "mv_10kv_important_second", "dual_circuit", "special")
OPTIONS = {"trafo_loading": "power", "numba": False, "calculate_voltage_angles": True}


def changed(name: str, **changes: Any) -> str:
    content = json.loads(request_text(name))
    for path, value in changes.items():
        *folders, key = path.split("__")
        place = content
        for folder in folders:
            place = place.setdefault(folder, {})
        place[key] = value
    return json.dumps(content)


REQUESTS = {
    "mv_10kv_dual_source": lambda: request_text("mv_10kv_dual_source"),
    "mv_10kv_important_second": lambda: request_text("mv_10kv_important_second"),
    # Two feeders of substation S1 pass here; both points hang on its one main transformer.
    "dual_circuit": lambda: changed("mv_10kv_single", sources="dual_circuit"),
    # Three sources of which two come from different substations: dedicated lines must join in.
    "special": lambda: changed("mv_10kv_single", applicant__importance="special"),
}


@pytest.fixture(scope="module")
def answers(township: Snapshot) -> dict[str, Scheme]:
    return {name: answer(REQUESTS[name](), township) for name in NAMES}


@dataclass(frozen=True, kw_only=True)
class Promised:
    """One source as the scheme publishes it."""

    connection_point: ConnectionPoint
    route: Route
    alone: Verification
    alone_kva: float
    normal: Verification | None
    normal_kva: float


def promised(scheme: Scheme, variant: Variant) -> list[Promised]:
    """Read the sources of a variant; what the first one carries in normal operation is what the others leave."""
    assert scheme.supply is not None
    further = variant.further_sources
    rest_kva = scheme.supply.capacity_kva - sum(source.normal_kva for source in further)
    first = Promised(
        connection_point=variant.connection_point,
        route=variant.route,
        alone=variant.verification,
        alone_kva=scheme.supply.sources[0].capacity_kva,
        normal=variant.normal_verification,
        normal_kva=rest_kva,
    )
    return [first] + [
        Promised(
            connection_point=source.connection_point,
            route=source.route,
            alone=source.verification,
            alone_kva=source.required_share_kva,
            normal=source.normal_verification,
            normal_kva=source.normal_kva,
        )
        for source in further
    ]


def loaded_net(snapshot: Snapshot) -> Any:
    """A copy of the net with the projects in flight at their full capacity."""
    net = copy.deepcopy(snapshot.net)
    for _, row in snapshot.in_flight.iterrows():
        p_mw = row.capacity_kva * row.power_factor / 1e3
        pp.create_load(net, int(row.bus), p_mw, math.sqrt((row.capacity_kva / 1e3) ** 2 - p_mw**2))
    return net


def add_source(net: Any, snapshot: Snapshot, source: Promised, capacity_kva: float, power_factor: float) -> int:
    """Connect a load over the published route; return its bus."""
    if source.connection_point.kind == "line_tee":
        bus = split(net, snapshot, source)  # type: ignore[arg-type]
    else:
        bus = int(snapshot.nodes.index[snapshot.nodes.element_id == source.connection_point.element_source_id][0])
    kind = load_catalogue().get_line_type(source.route.line_type_id)
    customer = int(pp.create_bus(net, vn_kv=source.connection_point.u_nominal_kv))
    pp.create_line_from_parameters(
        net,
        bus,
        customer,
        length_km=source.route.length_m / 1e3,
        r_ohm_per_km=kind.r20_ohm_per_km,
        x_ohm_per_km=kind.x_ohm_per_km,
        c_nf_per_km=kind.c_nf_per_km,
        max_i_ka=kind.rating_a / 1e3,
    )
    s_mva = capacity_kva / 1e3
    pp.create_load(net, customer, s_mva * power_factor, s_mva * math.sqrt(1.0 - power_factor**2))
    return customer


def assert_holds(before: Any, after: Any, snapshot: Snapshot, sources: list[Promised], customers: list[int]) -> None:
    """Limits of the rules typed in here: 80 % on the supply paths, +-7 % of 10 kV and 380 V, nothing new elsewhere."""
    frames = {"bus": snapshot.nodes, "line": snapshot.lines, "trafo": snapshot.transformers}
    named = {name for source in sources for name in source.alone.element_ids}
    path = {
        (table, int(index)) for table, frame in frames.items() for index in frame.index[frame.element_id.isin(named)]
    }
    for table in ("line", "trafo"):
        result = after[f"res_{table}"].loading_percent
        on_path = [index for index in result.index if (table, index) in path]
        assert (result.loc[on_path] <= 80.0 + 1e-6).all()
        shared = before[f"res_{table}"].index.intersection(result.index)
        was = before[f"res_{table}"].loading_percent[shared]
        assert not ((result[shared] > 80.0) & (was <= 80.0) & (result[shared] - was >= 1.0)).any()
    routes = after.line.index[after.line.to_bus.isin(customers)]
    assert (after.res_line.loading_percent[routes] <= 80.0).all()
    buses = [index for index in snapshot.nodes.index if ("bus", int(index)) in path] + customers
    low = after.bus.vn_kv[buses].map(lambda kv: 0.93 * 0.38 / 0.4 if kv < 1.0 else 0.93)
    assert (after.res_bus.vm_pu[buses] >= low - 1e-9).all()


@pytest.mark.parametrize("name", NAMES)
def test_with_all_other_sources_out_each_holds_every_limit(
    answers: dict[str, Scheme], township: Snapshot, name: str
) -> None:
    scheme = answers[name]
    assert scheme.supply is not None
    assert scheme.supply.required_share_kva is not None
    before = loaded_net(township)
    pp.runpp(before, **OPTIONS)
    seen: set[tuple[str, float]] = set()
    for variant in scheme.variants:
        for source in promised(scheme, variant):
            assert source.alone_kva >= scheme.supply.required_share_kva - 1e-6
            key = (source.connection_point.element_source_id, source.alone_kva)
            if key in seen:
                continue
            seen.add(key)
            after = loaded_net(township)
            customer = add_source(after, township, source, source.alone_kva, scheme.supply.power_factor)
            pp.runpp(after, **OPTIONS)
            assert_holds(before, after, township, [source], [customer])
            assert source.alone.u_pu_customer == pytest.approx(after.res_bus.vm_pu[customer], abs=2e-6)
    assert seen


@pytest.mark.parametrize("name", NAMES)
def test_with_all_sources_in_service_every_limit_holds(
    answers: dict[str, Scheme], township: Snapshot, name: str
) -> None:
    scheme = answers[name]
    assert scheme.supply is not None
    before = loaded_net(township)
    pp.runpp(before, **OPTIONS)
    for variant in scheme.variants:
        sources = [source for source in promised(scheme, variant) if source.normal_kva > 0.0]
        assert sum(source.normal_kva for source in sources) == pytest.approx(scheme.supply.capacity_kva)
        after = loaded_net(township)
        customers = [
            add_source(after, township, source, source.normal_kva, scheme.supply.power_factor) for source in sources
        ]
        pp.runpp(after, **OPTIONS)
        assert_holds(before, after, township, sources, customers)
        for source, customer in zip(sources, customers, strict=True):
            assert source.normal is not None
            assert source.normal.u_pu_customer == pytest.approx(after.res_bus.vm_pu[customer], abs=2e-6)


def walk(net: Any) -> dict[int, Any]:
    """How each bus of the radial net is reached from its source: kind and index of the last branch, bus above."""
    opened = {(row.et, int(row.element)) for row in net.switch.itertuples() if not row.closed}
    lines = [("l", int(r.Index), int(r.from_bus), int(r.to_bus)) for r in net.line.itertuples()]
    trafos = [("t", int(r.Index), int(r.hv_bus), int(r.lv_bus)) for r in net.trafo.itertuples()]
    neighbours: dict[int, list[tuple[str, int, int]]] = {}
    for kind, index, a, b in [*lines, *trafos]:
        if (kind, index) not in opened:
            neighbours.setdefault(a, []).append((kind, index, b))
            neighbours.setdefault(b, []).append((kind, index, a))
    upward: dict[int, Any] = {int(bus): None for bus in net.ext_grid.bus}
    queue = list(upward)
    while queue:
        here = queue.pop()
        for kind, index, other in neighbours.get(here, ()):
            if other not in upward:
                upward[other] = (kind, index, here)
                queue.append(other)
    return upward


def feeding(net: Any, upward: dict[int, Any], bus: int) -> tuple[set[int], set[int]]:
    """Lines and main transformers between a bus and its source."""
    lines, mains = set(), set()
    step = upward[bus]
    while step is not None:
        kind, index, above = step
        lines |= {index} if kind == "l" else set()
        mains |= {index} if kind == "t" and net.trafo.vn_lv_kv[index] > 1.0 else set()
        step = upward[above]
    return lines, mains


def bus_of(snapshot: Snapshot, upward: dict[int, Any], point: ConnectionPoint) -> int:
    """The point's bus; a tee is fed through its line, whose lower end stands for it."""
    if point.kind != "line_tee":
        return int(snapshot.nodes.index[snapshot.nodes.element_id == point.element_source_id][0])
    line = int(snapshot.lines.index[snapshot.lines.element_id == point.element_source_id][0])
    ends = [int(snapshot.net.line.from_bus[line]), int(snapshot.net.line.to_bus[line])]
    return max(ends, key=lambda bus: len(feeding(snapshot.net, upward, bus)[0]))


@pytest.mark.parametrize("name", NAMES)
def test_no_two_sources_share_a_line_and_dual_sources_share_no_main_transformer(
    answers: dict[str, Scheme], township: Snapshot, name: str
) -> None:
    upward = walk(township.net)
    for variant in answers[name].variants:
        points = [variant.connection_point] + [source.connection_point for source in variant.further_sources]
        paths = [feeding(township.net, upward, bus_of(township, upward, point)) for point in points]
        for (lines_a, _), (lines_b, _) in itertools.combinations(paths, 2):
            assert not lines_a & lines_b
        if name in ("mv_10kv_dual_source", "mv_10kv_important_second", "special"):
            assert not paths[0][1] & paths[1][1]
            assert variant.substation != variant.further_sources[0].substation
            assert variant.busbar != variant.further_sources[0].busbar


@pytest.mark.parametrize(
    ("name", "count", "kind", "roles"),
    [
        ("mv_10kv_dual_source", 2, "双电源", ["主供电源（互为备用）"] * 2),
        ("mv_10kv_important_second", 2, "双电源", ["主供电源（互为备用）"] * 2),
        ("dual_circuit", 2, "双回路", ["主供电源", "备用电源"]),
        ("special", 3, "多电源", ["主供电源（互为备用）", "主供电源（互为备用）", "备用电源"]),
    ],
)
def test_every_source_stands_in_the_supply_with_role_and_kind(
    answers: dict[str, Scheme], name: str, count: int, kind: str, roles: list[str]
) -> None:
    scheme = answers[name]
    assert scheme.verdict == "answered"
    assert scheme.supply is not None
    sources = scheme.supply.sources
    assert [source.source_no for source in sources] == list(range(1, count + 1))
    assert [source.role for source in sources] == roles
    assert {source.kind for source in sources} == {kind}
    assert scheme.supply.interlock
    best = scheme.variants[0]
    assert [source.point for source in sources] == [
        best.connection_point.name,
        *(source.connection_point.name for source in best.further_sources),
    ]
    assert len(scheme.metering) == count


@pytest.mark.parametrize("name", NAMES)
def test_works_and_estimate_of_a_variant_are_those_of_all_its_sources(answers: dict[str, Scheme], name: str) -> None:
    for variant in answers[name].variants:
        items, further = variant.cost.items, variant.further_sources
        assert variant.cost.total_typical_cny10k == pytest.approx(sum(item.typical_cny10k for item in items))
        assert any(item.text.startswith("电源1：") for item in items)
        for source in further:
            label = f"电源{source.source_no}："
            own = [item for item in items if item.text.startswith(label)]
            assert source.cost.total_typical_cny10k == pytest.approx(sum(item.typical_cny10k for item in own))
            assert own
            assert set(source.works) == {work for work in variant.works if work.text.startswith(label)}


def test_low_voltage_areas_of_one_feeder_are_not_two_circuits(township: Snapshot) -> None:
    """All transformer areas within reach of the shop hang on feeder F11."""
    scheme = answer(changed("lv_industrial_commercial", sources="dual_circuit"), township)
    assert scheme.verdict == "joint_work"
    assert [reason.code for reason in scheme.reasons] == ["no_feasible_source_set"]
    assert {reason.code for refused in scheme.rejected_sets for reason in refused.reasons} == {"same_feeder"}


def test_the_high_reliability_fee_is_due_for_all_circuits_but_the_largest(answers: dict[str, Scheme]) -> None:
    """Both sources of the dual-source request carry all 630 kVA alone: 630 kVA are charged, at a rate nobody gave."""
    (fee,) = answers["mv_10kv_dual_source"].fees
    assert (fee.name, fee.quantity, fee.amount_cny) == ("高可靠性供电费", 630.0, None)
    assert "高可靠性供电费标准" in answers["mv_10kv_dual_source"].to_be_filled


def test_a_request_for_less_than_the_grade_needs_is_answered_with_what_it_needs(answers: dict[str, Scheme]) -> None:
    """60 kW of class 1 and 120 kW of class 2 at 0.95: each source alone keeps 189.5 kVA; 80 kW x 1.2 = 96 kW."""
    scheme = answers["mv_10kv_important_second"]
    assert scheme.request["sources"] == "single"
    assert [reason.code for reason in scheme.reasons] == [
        "sources_raised_by_importance",
        "sources_raised_by_load_class",
    ]
    assert scheme.supply is not None
    assert scheme.supply.required_share_kva == pytest.approx(180.0 / 0.95, abs=1e-3)
    assert scheme.emergency_source is not None
    assert (scheme.emergency_source.is_required, scheme.emergency_source.capacity_kw_min) == (True, 96.0)


def test_pairs_that_carry_alone_but_are_not_far_enough_apart_keep_their_reason(township: Snapshot) -> None:
    """Within 2 km of the single-source customer every public line is fed by substation S1."""
    scheme = answer(changed("mv_10kv_single", sources="dual_source"), township)
    codes = {reason.code for refused in scheme.rejected_sets for reason in refused.reasons}
    assert {"same_feeder", "same_busbar"} <= codes
    best = scheme.variants[0]
    assert best.distance_m < 2000.0 < best.further_sources[0].distance_m
    assert (best.substation, best.further_sources[0].substation) == ("110kV 青溪变", "110kV 云禾变")


def test_a_share_no_point_carries_goes_to_joint_work_and_says_how_many_points_there_are(township: Snapshot) -> None:
    text = changed("mv_10kv_dual_source", demand__installed_kw=3000.0, demand__capacity_kva=4000.0)
    scheme = answer(text, township)
    assert scheme.verdict == "joint_work"
    assert [reason.code for reason in scheme.reasons] == ["no_feasible_source_set"]
    assert "0个" in scheme.reasons[0].text
    assert scheme.rejected


def test_a_demand_above_the_10_kv_range_names_the_voltage_and_who_does_what(township: Snapshot) -> None:
    text = changed("mv_10kv_dual_source", demand__installed_kw=11000.0, demand__capacity_kva=12000.0)
    scheme = answer(text, township)
    assert scheme.verdict == "joint_work"
    assert [reason.code for reason in scheme.reasons] == ["above_10kv_range"]
    assert scheme.higher_voltage is not None
    assert (scheme.higher_voltage.recommended_voltage, scheme.higher_voltage.capacity_kva) == ("35kV", 12000.0)
    assert {task.department for task in scheme.tasks} == {"发展", "调控", "设备", "营销"}
    assert all("{" not in task.text for task in scheme.tasks)


def test_the_same_dual_source_question_gives_the_same_bytes(answers: dict[str, Scheme], township: Snapshot) -> None:
    again = answer(request_text("mv_10kv_dual_source"), township)
    assert canonical_json(again.as_dict()) == canonical_json(answers["mv_10kv_dual_source"].as_dict())


def test_load_classes_beyond_the_installed_load_are_refused() -> None:
    with pytest.raises(InputError, match="class 1 and class 2"):
        parse_request(changed("mv_10kv_dual_source", circumstances={"load_class1_kw": 400.0, "load_class2_kw": 121.0}))


def test_single_sources_have_no_further_ones(township: Snapshot) -> None:
    scheme = answer(request_text("mv_10kv_single"), township)
    assert all(variant.further_sources == () for variant in scheme.variants)
    assert scheme.reasons == ()
    assert scheme.supply is not None
    assert (scheme.supply.interlock, scheme.supply.required_share_kva) == (None, None)


def further_of(scheme: Scheme) -> FurtherSource:
    return scheme.variants[0].further_sources[0]


def test_a_standby_source_carries_nothing_in_normal_operation(answers: dict[str, Scheme]) -> None:
    standby = further_of(answers["dual_circuit"])
    assert (standby.normal_kva, standby.normal_verification) == (0, None)
    assert standby.required_share_kva == 630.0


def test_a_single_source_of_which_only_a_part_is_promised_has_that_part_as_its_capacity() -> None:
    request = parse_request(changed("mv_10kv_dual_source", sources="single"))
    policy = load_policy("shenqiu-2022", AS_OF)
    demand = find_structure_demand(request, policy)
    whole = plan_structure(demand, request, policy, capacity_kva=630.0, power_factor=0.95)
    part = resize_single(whole, 400.0)
    assert part.required_share_kva == 400.0
    assert [(duty.normal_kva, duty.capacity_kva) for duty in part.duties] == [(400.0, 400.0)]
    assert [duty.role for duty in part.duties] == [duty.role for duty in whole.duties]
