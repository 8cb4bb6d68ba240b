"""Some requests replayed, and the judge itself: that it finds what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pandapower as pp
import pytest

from scheme.model import Scheme
from scheme.request import parse_request
from tests.conftest import FIXTURES
from tests.connection.grids import Grid
from tests.request_replay.answer import Answer, answer_requests, ask
from tests.request_replay.check import find_problems, judge
from tests.request_replay.grid import PlainGrid
from tests.request_replay.networks import NETWORKS, read_network
from tests.request_replay.sample import Sampler

PROFILE = "shenqiu-2022"


@pytest.fixture(scope="module")
def grid() -> PlainGrid:
    return PlainGrid(read_network("township"))


@pytest.fixture(scope="module")
def dual_source() -> Scheme:
    request = parse_request((FIXTURES / "requests" / "mv_10kv_dual_source.json").read_bytes())
    return ask("township", request, profile=PROFILE)


@pytest.fixture(scope="module")
def answers() -> list[Answer]:
    return answer_requests("township", range(8), seed=1, profile=PROFILE)


def test_nothing_offered_in_the_township_breaks_a_limit(answers: list[Answer]) -> None:
    assert {answer.verdict for answer in answers} >= {"answered", "transition"}
    assert [answer.problems for answer in answers if answer.problems] == []
    assert sum(answer.states for answer in answers) > 8


def test_plain_pandapower_has_the_voltages_the_records_tell(answers: list[Answer]) -> None:
    """Records have six decimals."""
    assert max(answer.difference_pu_max for answer in answers) < 1e-6


def test_every_source_of_a_set_is_judged_alone_and_with_the_others(grid: PlainGrid, dual_source: Scheme) -> None:
    findings = judge(grid, dual_source)
    assert findings.states == 3 * len(dual_source.variants)
    assert findings.problems == ()


def test_a_source_that_promises_too_much_is_found(grid: PlainGrid, dual_source: Scheme) -> None:
    """40 MVA on transformers of 10 and 8 MVA."""
    first = dual_source.variants[0]
    too_much = tuple(replace(source, required_share_kva=40_000.0) for source in first.further_sources)
    broken = replace(dual_source, variants=(replace(first, further_sources=too_much),))
    assert any(problem.startswith("variant 1 source 2 alone: ") for problem in find_problems(grid, broken))


def test_a_route_that_is_longer_than_verified_is_found(grid: PlainGrid) -> None:
    """20 kW at the end of 5 km of low-voltage line has no voltage left."""
    request = parse_request((FIXTURES / "requests" / "lv_small_micro.json").read_bytes())
    scheme = ask("township", request, profile=PROFILE)
    first = scheme.variants[0]
    broken = replace(scheme, variants=(replace(first, route=replace(first.route, length_m=5000.0)),))
    assert find_problems(grid, scheme) == []
    assert find_problems(grid, broken) != []


def test_a_request_depends_on_seed_and_number_alone() -> None:
    snapshot, network = read_network("township"), NETWORKS["township"]
    drawn = Sampler(snapshot, network, seed=1).draw(7)
    assert drawn == Sampler(snapshot, network, seed=1).draw(7)
    assert drawn != Sampler(snapshot, network, seed=2).draw(7)


def test_a_part_has_the_voltages_of_the_whole_network() -> None:
    """Two sources with a cable each, whose charging counts; the open tie between them hangs on the first."""
    grid, ends = Grid(), []
    for north_m in (0.0, 500.0):
        busbar, end = (grid.bus("ring_main_unit", 10.0, east_m, north_m) for east_m in (0.0, 3000.0))
        grid.source(busbar)
        grid.line(busbar, end, 3.0, c_nf_per_km=300.0)
        grid.load(end, 2000.0)
        ends.append(end)
    tie = grid.line(*ends, 5.0, c_nf_per_km=300.0)
    grid.pp.create_switch(grid.net, ends[1], tie, et="l", closed=False)
    part = PlainGrid(grid.snapshot()).cut({ends[0]})
    pp.runpp(grid.net, calculate_voltage_angles=True, numba=False)
    assert part.u_pu.dropna().index.tolist() == [0, 1]
    assert part.u_pu.dropna().tolist() == pytest.approx(grid.net.res_bus.vm_pu[[0, 1]].tolist(), abs=1e-9)


@pytest.mark.slow
def test_nothing_offered_in_the_county_breaks_a_limit() -> None:
    answers = answer_requests("county", range(12), seed=1, profile=PROFILE)
    assert [answer.problems for answer in answers if answer.problems] == []
    assert max(answer.difference_pu_max for answer in answers) < 1e-6
