"""Dates counted by hand: fixtures/cases/dates holds for every case which days are worked and which are skipped.

Calendars by the yearly notices on holidays (节假日安排), 2021 to 2026.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import networkx
import numpy as np
import pytest

from gridmodel.errors import InputError
from scheme.critical_path import Activity, solve
from scheme.policy.loader import load_policy
from scheme.policy.parameter import PolicySet, PolicyValue, PolicyView
from scheme.schedule import plan_timeline
from scheme.workdays import add_workdays
from tests.conftest import FIXTURES
from tests.policy.rule_cases import build_request, matches, run_case

FOLDER = FIXTURES / "cases" / "dates"
MONDAY = date(2026, 6, 8)


def read(name: str) -> list[Any]:
    cases: list[Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in cases]


COUNTED = [case for name in ("spring_festival", "national_day", "other_days") for case in read(name)]


def test_there_are_forty_counted_cases_and_more_plans() -> None:
    assert len(COUNTED) >= 40
    assert len(read("plans")) >= 15


@pytest.mark.parametrize("case", COUNTED)
def test_limit_ends_on_the_day_counted_by_hand(case: dict[str, Any]) -> None:
    start, end = date.fromisoformat(case["start"]), date.fromisoformat(case["ends_on"])
    assert add_workdays(start, case["workdays"]) == (end, False)


@pytest.mark.parametrize("case", COUNTED)
def test_hand_count_names_every_day_once(case: dict[str, Any]) -> None:
    """The case itself is looked at: each day after the start is worked or skipped, and the last one is worked."""
    start, end = date.fromisoformat(case["start"]), date.fromisoformat(case["ends_on"])
    worked = [date.fromisoformat(day) for day in case["worked"]]
    skipped = [
        date.fromisoformat(run["from"]) + timedelta(days=n)
        for run in case["skipped"]
        for n in range((date.fromisoformat(run["to"]) - date.fromisoformat(run["from"])).days + 1)
    ]
    assert sorted(worked + skipped) == [start + timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert len(worked) == case["workdays"]
    assert worked[-1] == end
    assert [day.isoformat() for day in worked if day.weekday() >= 5] == case["made_up"]


@pytest.mark.parametrize("case", read("plans"))
def test_plan_comes_out_as_counted_by_hand(case: dict[str, Any]) -> None:
    found, _ = run_case("plan", case | {"as_of": "2026-12-14"}, load_policy(case["profile"], MONDAY).policies)
    assert matches(case["expected"], found), found


# Monday 8 June 2026; the week has no holiday.
def test_of_two_chains_the_longer_is_critical_and_the_other_has_slack() -> None:
    network = solve(
        [
            Activity(code="a", duration=0),
            Activity(code="b", duration=1, predecessors=("a",)),
            Activity(code="c", duration=3, predecessors=("a",)),
            Activity(code="d", duration=1, predecessors=("b", "c")),
        ],
        MONDAY,
    )
    assert network.ends_on == date(2026, 6, 12)
    assert network.critical_path == ("a", "c", "d")
    assert {item.activity.code: item.slack_workdays for item in network.activities} == {"a": 0, "b": 2, "c": 0, "d": 0}


def test_activity_that_leads_nowhere_has_slack_up_to_the_end() -> None:
    network = solve([Activity(code="a", duration=1), Activity(code="b", duration=4)], MONDAY)
    assert [item.slack_workdays for item in network.activities] == [3, 0]
    assert network.critical_path == ("b",)


def test_calendar_days_end_on_a_weekend_only_when_they_may() -> None:
    five_days = [Activity(code="a", duration=5, unit="day")]
    assert solve(five_days, MONDAY).ends_on == date(2026, 6, 15)  # Saturday 13, so Monday
    assert solve(five_days, MONDAY, days_roll=False).ends_on == date(2026, 6, 13)


def test_slack_before_calendar_days_is_counted_in_working_days() -> None:
    """From Tuesday 9 four days end on Saturday 13, so Monday 15; from Wednesday 10, Thursday 11 too: slack 2."""
    network = solve(
        [Activity(code="a", duration=1), Activity(code="b", duration=4, unit="day", predecessors=("a",))], MONDAY
    )
    assert network.ends_on == date(2026, 6, 15)
    assert [item.slack_workdays for item in network.activities] == [2, 0]


def test_first_day_may_count_but_only_once() -> None:
    chain = [Activity(code="a", duration=1), Activity(code="b", duration=2, predecessors=("a",))]
    assert solve(chain, MONDAY).ends_on == date(2026, 6, 11)
    assert solve(chain, MONDAY, start_is_day_zero=False).ends_on == date(2026, 6, 10)


def test_window_is_the_next_day_whole_cycles_away_from_its_anchor() -> None:
    """Cycles of 14 days around Wednesday 3 June: the next window after Monday 8 is Wednesday 17."""
    chain = [
        Activity(code="a", duration=1),
        Activity(code="b", duration=14, unit="day", predecessors=("a",), window_anchor=date(2026, 6, 3)),
    ]
    network = solve(chain, MONDAY)
    assert network.ends_on == date(2026, 6, 17)
    assert [item.slack_workdays for item in network.activities] == [6, 0]  # until the window itself
    assert solve(chain, date(2026, 6, 2)).ends_on == date(2026, 6, 3)  # ready on the day of the window


def test_chain_after_the_last_open_activity_is_told() -> None:
    network = solve(
        [
            Activity(code="a", duration=None),
            Activity(code="b", duration=None, predecessors=("a",)),
            Activity(code="c", duration=5, predecessors=("b",)),
            Activity(code="d", duration=7, unit="day", predecessors=("c",)),
            Activity(code="e", duration=None, predecessors=()),
            Activity(code="f", duration=2, predecessors=("e", "d")),
        ],
        MONDAY,
    )
    assert network.ends_on is None
    assert network.waits_for == ("b", "e")
    assert network.critical_path == ("b", "c", "d", "f")
    assert (network.tail_workdays, network.tail_days) == (7, 7)
    assert [item.slack_workdays for item in network.activities] == [None] * 6


@pytest.mark.parametrize("seed", range(20))
def test_random_networks_agree_with_networkx(seed: int) -> None:
    """In working days alone: the end is the longest path, slack is that path less the longest one through the step."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(3, 12))
    durations = [int(d) for d in rng.integers(0, 9, size)]
    before = [tuple(str(p) for p in range(n) if rng.random() < 0.35) for n in range(size)]
    network = solve([Activity(code=str(n), duration=durations[n], predecessors=before[n]) for n in range(size)], MONDAY)
    graph: Any = networkx.DiGraph()
    graph.add_nodes_from(["start", "end"])
    for n in range(size):
        graph.add_edge("start", str(n), days=0)
        graph.add_edge(str(n), "end", days=durations[n])
        for p in before[n]:
            graph.add_edge(p, str(n), days=durations[int(p)])

    def longest(source: str, target: str) -> int:
        paths = networkx.all_simple_edge_paths(graph, source, target)
        return max(sum(int(graph.edges[edge]["days"]) for edge in path) for path in paths)

    whole = longest("start", "end")
    assert network.ends_on == add_workdays(MONDAY, whole)[0]
    for item in network.activities:
        code = item.activity.code
        assert item.slack_workdays == whole - longest("start", code) - longest(code, "end")
    assert sum(durations[int(code)] for code in network.critical_path) == whole


def test_days_after_the_year_9999_are_refused() -> None:
    with pytest.raises(InputError, match="too late"):
        solve([Activity(code="a", duration=40, unit="day")], date(9999, 12, 1))


def with_values(profile: str, **values: object) -> PolicyView:
    """Return a profile in which a utility supplied values of its own."""
    view = load_policy(profile, MONDAY)
    parameters = dict(view.policies.parameters)
    for name, value in values.items():
        known = parameters[name.replace("__", ".")]
        own = PolicyValue(
            id=known.id, value=value, unit=known.unit, op=known.op, clause="own", document="own",
            profile=profile, effective_from=date(2025, 1, 1),
        )  # fmt: skip
        parameters[known.id] = replace(known, values=(*known.values, own))
    policies = PolicySet(parameters=parameters, profiles=view.policies.profiles, sha256="changed")
    return PolicyView(policies=policies, profile=profile, as_of=MONDAY)


def test_county_promises_once_the_utility_supplies_its_time_for_drawing_stock() -> None:
    """Stock 2, tee 4, process 16 from Monday 8 June: 22 working days, 19 June off: Thursday 9 July."""
    case = {
        "profile": "shenqiu-2022",
        "as_of": "2026-06-08",
        "input": {
            "category": "industrial_commercial", "installed_kw": 500, "is_low_voltage": False, "supply": {},
            "received_on": "2026-06-08", "works_modes": ["tee"], "point_kind": "pole",
        },
    }  # fmt: skip
    policies = with_values("shenqiu-2022", time_limit__stock_ready_workdays=2).policies
    assert run_case("plan", case, policies)[0]["promise_on"] == "2026-07-09"
    shipped, _ = run_case("plan", case, load_policy("shenqiu-2022", MONDAY).policies)
    assert shipped["promise_on"] is None
    assert shipped["missing"] == ["time_limit.stock_ready_workdays"]


def test_utility_may_name_a_day_its_outage_plan_begins() -> None:
    """16 working days from Monday 8 June end on Wednesday 1 July; a weekly plan from Monday 1 June comes on 6 July."""
    case = {
        "profile": "shenqiu-2022",
        "as_of": "2026-06-08",
        "input": {
            "category": "industrial_commercial", "installed_kw": 500, "is_low_voltage": False,
            "received_on": "2026-06-08", "point_kind": "ring_main_bay",
        },
    }  # fmt: skip
    policies = with_values("shenqiu-2022", outage__plan_anchor_on="2026-06-01").policies
    assert run_case("plan", case, policies)[0]["promise_on"] == "2026-07-06"
    with pytest.raises(InputError, match=r"outage\.plan_anchor_on"):
        run_case("plan", case, with_values("shenqiu-2022", outage__plan_anchor_on="Monday").policies)


def test_long_low_voltage_route_needs_an_approval_nobody_limits_once_the_length_is_set() -> None:
    given = {"category": "other", "installed_kw": 20, "is_low_voltage": True, "laying": "cable", "route_length_m": 201}
    case = {"profile": "shenqiu-2022", "as_of": "2026-06-08", "input": given}
    policies = with_values("shenqiu-2022", time_limit__lv_exempt_route_m_max=200).policies
    assert [permit["code"] for permit in run_case("permits", case, policies)[0]] == ["lv_works"]
    short = case | {"input": given | {"route_length_m": 200}}
    assert run_case("permits", short, policies)[0] == []
    found, _ = run_case("plan", case, policies)
    assert found["promise_after"] == ["permit_lv_works"]


def test_record_of_a_crossing_may_name_its_permit() -> None:
    from scheme.rules.permits import list_permits

    class Crossing:
        def __init__(self, permit: str | None) -> None:
            self.permit = permit

    permits = list_permits(
        load_policy("shenqiu-2022", MONDAY),
        is_low_voltage=True,
        laying="cable",
        crossings=[Crossing("railway"), Crossing(None)],
    )
    assert [permit.code for permit in permits] == ["railway"]


def test_planned_works_without_facts_need_neither_permit_nor_stock() -> None:
    given = {"category": "industrial_commercial", "installed_kw": 500, "received_on": "2026-06-08"}
    timeline = plan_timeline(
        build_request(given), load_policy("xinyang-2021", MONDAY), is_low_voltage=False, works_modes=("tee",)
    )
    assert [milestone.code for milestone in timeline.milestones] == ["acceptance", "supporting_works", "process"]
    assert timeline.promise_on == timeline.limit_on
