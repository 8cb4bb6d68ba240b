"""Transition schemes on grids small enough for paper; final states rebuilt by plain pandapower from the record."""

from __future__ import annotations

import math

import pandapower as pp
import pytest

from gridmodel.snapshot import Snapshot
from scheme.model import Scheme, TransitionStage
from tests.request_replay.check import find_problems
from tests.request_replay.grid import OPTIONS, PlainGrid
from tests.request_replay.rebuild import rebuild
from tests.request_replay.states import offered_states
from tests.transition.grids import ask, thin_line, two_feeders, village

MV = {"installed_kw": 1800.0, "capacity_kva": 2000.0}
LV = {"installed_kw": 45.0, "single_phase": False}


@pytest.fixture(scope="module")
def lv() -> tuple[Snapshot, Scheme]:
    grid = village()
    return grid, ask(grid, **LV)


@pytest.fixture(scope="module")
def mv() -> tuple[Snapshot, Scheme]:
    grid = two_feeders()
    return grid, ask(grid, **MV)


def stages(scheme: Scheme) -> tuple[TransitionStage, ...]:
    assert scheme.transition is not None
    return scheme.transition.stages


def apparent_percent(net: pp.pandapowerNet, trafo: int) -> float:
    result = net.res_trafo.loc[trafo]
    return (
        100.0
        * max(math.hypot(result.p_hv_mw, result.q_hv_mvar), math.hypot(result.p_lv_mw, result.q_lv_mvar))
        / (net.trafo.sn_mva[trafo])
    )


def test_an_overloaded_area_gets_the_next_size_that_is_large_enough(lv: tuple[Snapshot, Scheme]) -> None:
    """60 kW and 45 kW + j14.8 kvar are 106 kVA; over 0.8 that is 133 kVA, so 160 kVA after 100 and 125 kVA."""
    _, scheme = lv
    assert scheme.verdict == "transition"
    [measure] = stages(scheme)[-1].measures
    assert (measure.code, measure.sn_kva, measure.element_ids) == ("larger_transformer", 160.0, ("T0",))
    # Priced as an area of up to 200 kVA, TR-200: 9, 12, 17 (10,000 CNY); its duration is given by nobody.
    cost = stages(scheme)[-1].cost
    assert cost is not None
    assert (cost.total_low_cny10k, cost.total_typical_cny10k, cost.total_high_cny10k) == (9.0, 12.0, 17.0)
    assert stages(scheme)[-1].duration_workdays is None


def test_the_first_stage_is_the_largest_whole_step_the_grid_carries_now(lv: tuple[Snapshot, Scheme]) -> None:
    """Plain pandapower: the transformer keeps 80 % with the capacity of the first stage, not with 1 kVA more."""
    grid, scheme = lv
    first = stages(scheme)[0]
    loadings = []
    for more_kva in (0.0, 1.0):
        net = rebuild(PlainGrid(grid), next(offered_states(scheme)), scheme).net
        net.load.loc[net.load.index[-1], ["p_mw", "q_mvar"]] *= (first.capacity_kva + more_kva) / first.capacity_kva
        pp.runpp(net, **OPTIONS)
        loadings.append(apparent_percent(net, 0))
    assert loadings[0] <= 80.0 < loadings[1]


def test_what_follows_describes_the_whole_demand_at_the_last_stage(lv: tuple[Snapshot, Scheme]) -> None:
    _, scheme = lv
    assert scheme.supply is not None
    assert scheme.supply.capacity_kva == pytest.approx(45.0 / 0.95)
    assert [stage.capacity_kva for stage in stages(scheme)] == [19.0, pytest.approx(45.0 / 0.95)]
    assert scheme.variants[0].connection_point == stages(scheme)[-1].connection_point
    assert "larger_transformer" in {work.code for work in scheme.variants[0].works}
    assert scheme.validity is not None
    # The first stage builds the connection, so the last one pays for the transformer alone.
    assert scheme.variants[0].cost.total_typical_cny10k >= 12.0


def test_load_is_moved_over_the_tie_before_anything_is_built(mv: tuple[Snapshot, Scheme]) -> None:
    """3 MW + 1.5 MW + 2 MVA exceed 80 % of 400 A (5.5 MVA); without the section's 1.5 MW they do not."""
    grid, scheme = mv
    last = stages(scheme)[-1]
    assert [measure.code for measure in last.measures] == ["load_transfer"]
    assert last.measures[0].element_ids == ("L3", "L1")
    assert last.cost is not None
    assert last.cost.total_typical_cny10k == 0.0
    assert find_problems(PlainGrid(grid), scheme) == []


def test_a_way_is_kept_as_alternative_with_its_cost(mv: tuple[Snapshot, Scheme]) -> None:
    """The head is 3 km; a 400 mm2 cable carries it: 3 x 100 (CB10-400) and the connection of the first stage."""
    _, scheme = mv
    assert scheme.transition is not None
    found = {option.code: option for option in scheme.transition.alternatives}
    assert found["reconductoring"].measures[0].quantity == 3.0
    items = [item for item in found["reconductoring"].cost.items if item.code == "CB10-400"]
    assert [item.typical_cny10k for item in items] == [300.0]
    costs = [option.cost.total_typical_cny10k for option in scheme.transition.alternatives]
    assert costs == sorted(costs)


def test_without_a_tie_the_line_is_made_stronger() -> None:
    grid = two_feeders(has_tie=False)
    scheme = ask(grid, **MV)
    assert [measure.code for measure in stages(scheme)[-1].measures] == ["reconductoring"]
    assert find_problems(PlainGrid(grid), scheme) == []


def test_a_new_area_is_built_at_once_as_large_as_its_losses_ask() -> None:
    """38 kW at 0.95 are 40 kVA, 80 % of 50 kVA: with the losses more, so the next size, and nothing to be replaced."""
    scheme = ask(village(load_kw=79.0), installed_kw=38.0, single_phase=False)
    assert scheme.transition is not None
    ways = [stages(scheme)[-1].measures, *(option.measures for option in scheme.transition.alternatives)]
    built = {tuple((m.code, m.sn_kva) for m in way) for way in ways if way[0].code == "new_transformer_area"}
    assert built == {(("new_transformer_area", 63.0), ("new_line", None))}


def test_a_new_area_is_called_what_it_is_as_large_as_it_is_built() -> None:
    """The only low-voltage board is the works' own; 38 kW ask for the next size after 50 kVA, as above."""
    scheme = ask(thin_line(load_kw=100.0), installed_kw=38.0, single_phase=False)
    assert scheme.supply is not None
    [source] = scheme.supply.sources
    assert (source.transformer_area, source.point) == ("新增公用变压器台区63kVA", "新增公用变压器台区63kVA")


def test_a_line_is_replaced_whole_although_a_new_area_tees_off_it() -> None:
    """5 ohm/km bring the pole below 0.93 pu; its 2.4 km are one measure, under the line's own name."""
    grid = thin_line()
    scheme = ask(grid, installed_kw=95.0, single_phase=False)
    assert scheme.transition is not None
    ways = [stages(scheme)[-1].measures, *(option.measures for option in scheme.transition.alternatives)]
    found = [[m for m in way if m.code == "reconductoring"] for way in ways if way[0].code == "new_transformer_area"]
    assert found
    assert {(m.element_ids, m.quantity) for way in found for m in way} == {(("L0",), 2.4)}
    assert find_problems(PlainGrid(grid), scheme) == []


def test_the_check_finds_what_a_missing_measure_leaves(mv: tuple[Snapshot, Scheme]) -> None:
    """The rebuilt state without its measures is the one the plain search refused: the head above 80 %."""
    from dataclasses import replace

    grid, scheme = mv
    assert scheme.transition is not None
    bare = replace(stages(scheme)[-1], measures=())
    broken = replace(scheme, transition=replace(scheme.transition, stages=(bare,)))
    assert any(": line:0 " in problem for problem in find_problems(PlainGrid(grid), broken))


def test_departments_have_tasks_and_the_money_has_a_channel(mv: tuple[Snapshot, Scheme]) -> None:
    """Applied for on 20 November and needed on 30 June: more than three months, so the annual plan."""
    _, scheme = mv
    assert {"营销", "发展", "设备", "调控", "配网"} <= {task.department for task in scheme.tasks}
    assert scheme.transition is not None
    assert scheme.transition.funding == "纳入综合计划安排"
    assert "operate_tie" in {task.code for task in scheme.tasks}


def test_the_same_question_has_the_same_answer(lv: tuple[Snapshot, Scheme]) -> None:
    grid, scheme = lv
    assert ask(grid, **LV) == scheme


def test_an_area_that_is_full_offers_nothing_now_and_says_so() -> None:
    """79 kW on 100 kVA: nothing useful is left of 80 %; the first stage is empty, the works start at once."""
    scheme = ask(village(load_kw=79.0), **LV)
    first = stages(scheme)[0]
    assert (first.capacity_kva, first.connection_point, first.measures) == (0.0, None, ())
    assert "5kVA" in first.text
    assert stages(scheme)[-1].capacity_kva == pytest.approx(45.0 / 0.95)
