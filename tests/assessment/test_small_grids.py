"""Grids whose right answers can be worked out on paper or by one plain load flow."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandapower as pp
import pytest

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.errors import InputError
from scheme.assessment.comparison import compare
from scheme.assessment.groups import group_islands
from scheme.assessment.records import Answer, Assessment
from scheme.assessment.scenario import Scenario, Upgrade
from scheme.assessment.verify import verify_together
from scheme.errors import CancelledError
from tests.assessment.grids import assess, long_line, policy, project, two_villages, with_heads
from tests.assessment.plain import problems_of
from tests.connection.grids import Grid

EARLY, LATE = date(2026, 1, 1), date(2026, 2, 1)
FAR = (40_000.0, 0.0)


def queue(assessment: Assessment) -> dict[str, Answer]:
    return {result.project_id: result.queue for result in assessment.projects}


def verdicts(assessment: Assessment) -> dict[str, tuple[str, str]]:
    return {result.project_id: (result.alone.verdict, result.queue.verdict) for result in assessment.projects}


@pytest.fixture(scope="module")
def two_on_one() -> Assessment:
    """Room for 80 - 60.9 = 19.1 kVA on the first transformer, 80 - 30.6 on the second; each project asks 18."""
    return assess(
        [
            project("LATE", kva=18, received_on=LATE),
            project("EARLY", kva=18, received_on=EARLY),
            project("ELSEWHERE", kva=18, at=FAR, received_on=LATE),
        ],
        two_villages(),
    )


def test_of_two_projects_on_a_transformer_with_room_for_one_the_first_in_the_queue_is_served(
    two_on_one: Assessment,
) -> None:
    assert verdicts(two_on_one) == {"EARLY": ("yes", "yes"), "LATE": ("yes", "no"), "ELSEWHERE": ("yes", "yes")}
    late = two_on_one.projects[-1]
    assert late.project_id == "LATE"
    assert late.competitors == ("EARLY",)
    assert late.queue.now_kva == 0.0
    assert late.queue.limiter is not None
    assert (late.queue.limiter.kind, late.queue.limiter.element_id) == ("transformer_loading", "T0")


def test_islands_that_no_project_joins_are_groups_of_their_own(two_on_one: Assessment) -> None:
    groups = {result.project_id: result.group_no for result in two_on_one.projects}
    assert groups["EARLY"] == groups["LATE"] != groups["ELSEWHERE"]
    assert two_on_one.groups_count == 2


def test_the_conflict_names_who_is_served_who_is_not_and_the_sums(two_on_one: Assessment) -> None:
    """60 kW through 100 kVA with 1 % copper losses at 60 %, 0.5 kW iron: 60.9 kVA; 80 less that is open."""
    [conflict] = two_on_one.conflicts
    assert (conflict.element_kind, conflict.element_id) == ("transformer", "T0")
    assert (conflict.served, conflict.refused) == (("EARLY",), ("LATE",))
    assert conflict.asked_kva == 36.0
    assert conflict.open_kva == pytest.approx(80.0 - 60.0 - 0.5 - 0.36, abs=0.3)


def test_the_project_served_keeps_the_limit_and_both_would_not() -> None:
    """Plain pandapower: the transformer with one and with both loads at its board."""
    net = two_villages().net
    board = int(net.trafo.lv_bus[0])
    loading_percent = []
    for _ in range(2):
        pp.create_load(net, board, 0.018 * 0.95, 0.018 * (1 - 0.95**2) ** 0.5)
        pp.runpp(net, numba=False, trafo_loading="power")
        loading_percent.append(float(net.res_trafo.loading_percent[0]))
    assert loading_percent[0] < 80.0 < loading_percent[1]


def test_the_order_of_the_projects_given_changes_no_byte(two_on_one: Assessment) -> None:
    shuffled = [
        project("ELSEWHERE", kva=18, at=FAR, received_on=LATE),
        project("EARLY", kva=18, received_on=EARLY),
        project("LATE", kva=18, received_on=LATE),
    ]
    assert assess(shuffled, two_villages()).to_json() == two_on_one.to_json()


def test_a_planner_who_puts_the_later_project_first_has_it_served(two_on_one: Assessment) -> None:
    projects = [project("LATE", kva=18, received_on=LATE), project("EARLY", kva=18, received_on=EARLY)]
    found = assess(projects, two_villages(), scenario=Scenario(name="S", first_ids=("LATE",)))
    assert verdicts(found) == {"LATE": ("yes", "yes"), "EARLY": ("yes", "no")}


def test_without_its_competitor_a_project_is_served_as_it_is_alone() -> None:
    projects = [project("LATE", kva=18, received_on=LATE), project("EARLY", kva=18, received_on=EARLY)]
    found = assess(projects, two_villages(), scenario=Scenario(name="S", excluded_ids=("EARLY",)))
    assert verdicts(found) == {"LATE": ("yes", "yes")}
    assert found.conflicts == ()


def test_a_larger_transformer_ends_the_conflict_and_the_comparison_says_so(two_on_one: Assessment) -> None:
    series = policy().text("receiving.transformer_series")
    kind = next(kind for kind in load_catalogue().find_transformer_types(series=series) if kind.sn_kva == 200)
    upgrade = Upgrade(table="transformer", element_id="T0", type_id=kind.type_id)
    projects = [
        project("LATE", kva=18, received_on=LATE),
        project("EARLY", kva=18, received_on=EARLY),
        project("ELSEWHERE", kva=18, at=FAR, received_on=LATE),
    ]
    after = assess(projects, two_villages(), scenario=Scenario(name="增容", upgrades=(upgrade,)))
    found = compare(two_on_one, after)
    assert [(item.project_id, item.verdict_before, item.verdict_after) for item in found.projects] == [
        ("LATE", "no", "yes")
    ]
    assert found.conflicts_gone == (("transformer", "T0"),)
    assert (found.served_before_kva, found.served_after_kva) == (36.0, 54.0)
    assert [(item.element_id, item.runs_out_before, item.runs_out_after) for item in found.years] == [
        ("T0", 2026, None)
    ]


def test_projects_far_apart_on_one_line_compete_for_its_voltage() -> None:
    """12 km of line: each alone keeps 0.93 at the end, both together do not; no current is near its limit."""
    near, far = project("NEAR", kva=630, at=(-6000, 50)), project("FAR", kva=400, received_on=LATE, at=(0, 50))
    snapshot = long_line()
    found = assess([near, far], snapshot)
    answers = {result.project_id: result for result in found.projects}
    assert verdicts(found)["NEAR"] == ("yes", "yes")
    assert answers["FAR"].alone.verdict == "yes"
    assert answers["FAR"].queue.verdict in ("partly", "no")
    assert answers["FAR"].queue.limiter is not None
    assert answers["FAR"].queue.limiter.kind == "voltage_low"
    assert answers["FAR"].competitors == ("NEAR",)
    ends_pu = []
    for loads in ([(1, 630.0)], [(2, 400.0)], [(1, 630.0), (2, 400.0)]):
        net = long_line().net
        for bus, kva in loads:
            pp.create_load(net, bus, kva * 0.95 / 1e3, kva * (1 - 0.95**2) ** 0.5 / 1e3)
        pp.runpp(net, numba=False)
        ends_pu.append(float(net.res_bus.vm_pu[2]))
        assert net.res_line.loading_percent.max() < 40.0
    assert ends_pu[0] > 0.93 < ends_pu[1]
    assert ends_pu[2] < 0.93
    assert problems_of(snapshot, found) == []


def test_what_one_project_hardly_moves_off_its_path_may_not_newly_break_either() -> None:
    """The far end falls from 0.934 to 0.929, by less than 0.005: a scheme lets that pass, the queue does not."""
    snapshot = long_line(load_kw=840.0)
    ends_pu = []
    for kva in (0.0, 100.0):
        net = long_line(load_kw=840.0).net
        pp.create_load(net, 1, kva * 0.95 / 1e3, kva * (1 - 0.95**2) ** 0.5 / 1e3)
        pp.runpp(net, numba=False)
        ends_pu.append(float(net.res_bus.vm_pu[2]))
    assert ends_pu[0] > 0.93 > ends_pu[1] > ends_pu[0] - 0.005
    found = assess([project("A", kva=100, at=(-6000, 50), voltage="10kV")], snapshot)
    [result] = found.projects
    assert result.alone.verdict == "yes"
    assert result.queue.verdict in ("partly", "no")
    assert problems_of(snapshot, found) == []


def test_a_bay_is_given_once() -> None:
    """A ring-main unit with two spare bays, which a connection must find there, and nothing else near."""
    grid = Grid()
    busbar = grid.bus("substation_busbar", 10.0, -30_000.0, 0.0, spare_bays=0.0)
    unit = grid.bus("ring_main_unit", 10.0, 0.0, 0.0, feeder_id="F1", spare_bays=2.0)
    board = grid.bus("lv_board", 0.4, 0.0, 10.0, feeder_id="F1", area_id="T0")
    grid.source(busbar)
    grid.line(busbar, unit, 3.0, laying="cable")
    grid.trafo(unit, board, 1000.0, "dedicated")
    grid.load(board, 100.0)
    snapshot = with_heads(grid.snapshot())
    projects = [project(name, kva=400, at=(0, 50), voltage="10kV") for name in ("A", "B")]
    found = assess(projects, snapshot)
    assert verdicts(found) == {"A": ("yes", "yes"), "B": ("yes", "no")}
    limiter = queue(found)["B"].limiter
    assert limiter is not None
    assert limiter.kind == "no_spare_bay"


def test_two_tees_on_one_line_stand_together_as_plain_pandapower_says() -> None:
    snapshot = long_line(load_kw=50.0)
    projects = [project("A", kva=315, at=(-4000, 60)), project("B", kva=315, at=(-2000, 60), received_on=LATE)]
    found = assess(projects, snapshot)
    assert [result.queue.placement and result.queue.placement.point_kind for result in found.projects] == [
        "line_tee",
        "line_tee",
    ]
    check = verify_together(found, snapshot, policy=policy(), catalogue=load_catalogue())
    assert (check.projects_checked, check.islands_checked, check.holds) == (2, 1, True)
    assert problems_of(snapshot, found) == []


def test_the_check_of_all_together_finds_what_was_admitted_too_much(two_on_one: Assessment) -> None:
    """The placement of the second project alone put beside the first."""
    projects = tuple(replace(result, queue=result.alone) for result in two_on_one.projects)
    check = verify_together(
        replace(two_on_one, projects=projects), two_villages(), policy=policy(), catalogue=load_catalogue()
    )
    assert check.violations[0][1].element_id == "T0"
    assert problems_of(two_villages(), replace(two_on_one, projects=projects)) != []


def test_the_year_an_element_runs_out_is_that_of_the_sum_above_its_limit() -> None:
    """30.6 kVA growing by 10 % a year from 2027 on, 20 kVA from 2027 and 45 kVA from 2029; 80 kVA are permitted.

    2026: 30.6; 2027: 33.6 + 20 = 53.6; 2028: 37.0 + 20 = 57.0; 2029: 40.7 + 45 = 85.7.
    """
    growing = project(
        "A", kva=20, at=FAR, power_factor=1.0, needed_on=date(2027, 3, 1), demand_by_year_kva={2027: 20, 2029: 45}
    )
    scenario = Scenario(name="增长", growth_by_year_ratio={2027: 0.1, 2028: 0.1, 2029: 0.1})
    found = assess([growing], two_villages(), scenario=scenario)
    [element] = [item for item in found.years if item.element_kind == "transformer"]
    assert (element.element_id, element.limit_kva, element.runs_out_in) == ("T1", 80.0, 2029)
    loads = dict(element.load_by_year_kva)
    assert loads == pytest.approx({2026: 30.6, 2027: 53.6, 2028: 57.0, 2029: 85.7}, abs=0.1)


def test_demand_that_nobody_can_place_is_not_assessable_and_not_zero() -> None:
    found = assess(
        [
            project("OUTSIDE", kva=18, lon_deg=100.0, lat_deg=20.0),
            project("TOO LARGE", kva=80_000),
            project("TWO SOURCES", kva=400, sources="dual_source", voltage="10kV"),
        ],
        two_villages(),
    )
    codes = {result.project_id: result.queue.reason_code for result in found.projects}
    assert codes == {"OUTSIDE": "input", "TOO LARGE": "above_10kv_range", "TWO SOURCES": "several_sources"}
    assert {result.queue.verdict for result in found.projects} == {"not_assessable"}
    assert {result.queue.now_kva for result in found.projects} == {None}


def test_an_assessment_that_is_cancelled_ends_after_the_project_at_hand() -> None:
    seen: list[tuple[int, int]] = []
    projects = [project("A", kva=18), project("B", kva=18), project("C", kva=18)]
    with pytest.raises(CancelledError):
        assess(
            projects,
            two_villages(),
            progress=lambda done, total: seen.append((done, total)),
            cancelled=lambda: len(seen) >= 2,
        )
    assert seen == [(1, 6), (2, 6)]


def test_a_project_that_stands_twice_is_refused() -> None:
    with pytest.raises(InputError, match="stands twice"):
        assess([project("A", kva=18), project("A", kva=20)], two_villages())


def test_groups_are_joined_by_whoever_reaches_into_two_and_numbered_by_their_smallest_island() -> None:
    reach = {
        "A": frozenset({30}), "B": frozenset({20, 10}), "C": frozenset({30, 40}), "D": frozenset({20}),
        "E": frozenset[int](),
    }  # fmt: skip
    expected = {"A": 2, "B": 1, "C": 2, "D": 1, "E": 3}
    assert group_islands(reach) == expected
    assert group_islands(dict(reversed(reach.items()))) == expected
