"""Combinations of points on a small grid: three busbars, two of which hang on one 110 kV line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.joint_connection import JointConnectionStudy
from scheme.dual_source import SourceSets, find_source_sets
from scheme.model import Reason
from scheme.points import NetworkPlaces
from scheme.policy.loader import load_policy, load_policy_set
from scheme.policy.parameter import PolicySet, PolicyView
from scheme.routes import WantedSupply
from scheme.rules.supply_structure import Separation, SourceDuty, SupplyStructure
from scheme.separation import Feeding, find_shared
from tests.connection.grids import Grid, place
from tests.connection.test_candidates import LIMITS

CAPACITY_KVA = 2000.0


def structure(*shares_kva: tuple[float, float], separation: Separation = "different_busbar") -> SupplyStructure:
    """Sources given by what they carry in normal operation and what they must carry alone."""
    return SupplyStructure(
        source_count=len(shares_kva),
        relation="dual_source",
        separation=separation,
        required_share_kva=max(alone for _, alone in shares_kva),
        duties=tuple(
            SourceDuty(source_no=number, role="主供电源", normal_kva=normal, capacity_kva=alone)
            for number, (normal, alone) in enumerate(shares_kva, start=1)
        ),
        kind="双电源",
        operation_mode="互为备用",
        main_connection="单母线分段接线",
        interlock="闭锁",
        notes=(),
    )


HALVES = structure((1000.0, 1000.0), (1000.0, 1000.0))


def three_busbars(*, shared_ka: float = 1.0) -> tuple[Grid, dict[str, int]]:
    """A at 100 m and B at 200 m on one 110 kV line, C at 900 m on a source of its own."""
    grid = Grid()
    source = grid.bus("source", 110.0, 0, 30_000)
    grid.source(source, vm_pu=1.0)
    end = grid.bus("node", 110.0, 0, 20_000)
    grid.line(source, end, 10.0, max_i_ka=shared_ka)
    other = grid.bus("source", 110.0, 0, -30_000)
    grid.source(other, vm_pu=1.0)
    poles = {}
    for name, high, east in (("A", end, 100.0), ("B", end, -200.0), ("C", other, 900.0)):
        station = f"S{name}" if name == "C" else "S1"
        bar = grid.bus("substation_busbar", 10.0, east, 20_000, substation_id=station)
        grid.trafo(high, bar, 20_000.0, "main", substation_id=station)
        poles[name] = grid.bus("pole", 10.0, east, 0, feeder_id=f"F{name}")
        grid.line(bar, poles[name], 2.0, laying="cable")
    return grid, poles


def changed_policy(parameter_id: str, value: Any) -> PolicyView:
    policies = load_policy_set()
    parameter = policies.parameters[parameter_id]
    values = tuple(replace(old, value=value) for old in parameter.values)
    return PolicyView(
        policies=PolicySet(
            parameters={**policies.parameters, parameter_id: replace(parameter, values=values)},
            profiles=policies.profiles,
            sha256="changed",
        ),
        profile="shenqiu-2022",
        as_of=date(2024, 3, 1),
    )


def find(grid: Grid, wanted: SupplyStructure, *, view: PolicyView | None = None) -> SourceSets:
    snapshot = grid.snapshot()
    return find_source_sets(
        place(0.0, 0.0),
        structure=wanted,
        supply=WantedSupply(voltage_class="mv", p_kw=1900.0, q_kvar=624.5, capacity_kva=CAPACITY_KVA),
        snapshot=snapshot,
        capacity=None,
        policy=view or load_policy("shenqiu-2022", date(2024, 3, 1)),
        catalogue=load_catalogue(),
        limits=LIMITS,
        utility_segments=frozenset({"point"}),
        study=JointConnectionStudy(snapshot, in_flight_coincidence_ratio=1.0),
        places=NetworkPlaces(snapshot),
    )


def pairs(found: SourceSets) -> list[tuple[str, ...]]:
    return [
        (v.connection_point.element_source_id, *(s.connection_point.element_source_id for s in v.further_sources))
        for v in found.variants
    ]


def test_the_nearest_pair_from_different_busbars_comes_first() -> None:
    grid, poles = three_busbars()
    a, b, c = (f"N{poles[name]}" for name in "ABC")
    assert pairs(find(grid, HALVES)) == [(a, b), (a, c), (b, c)]


def test_a_pair_that_overloads_a_common_line_only_together_is_refused_with_the_line() -> None:
    """0.8 x 0.01 kA x sqrt(3) x 110 kV = 1,524 kVA on the 110 kV line: one half of 1,000 kVA passes, two do not."""
    grid, poles = three_busbars(shared_ka=0.01)
    a, b, c = (f"N{poles[name]}" for name in "ABC")
    found = find(grid, HALVES)
    assert pairs(found) == [(a, c), (b, c)]
    (refused,) = found.rejected_sets
    assert [point.element_source_id for point in refused.connection_points] == [a, b]
    assert {reason.code for reason in refused.reasons} == {"line_loading"}
    assert "L0" in refused.reasons[0].text


@pytest.mark.parametrize(("bound", "expected"), [(1, 0), (2, 1), (3, 2)])
def test_the_number_of_combinations_verified_is_bounded(bound: int, expected: int) -> None:
    """The best pair fails, the next two hold: see the test before."""
    grid, _ = three_busbars(shared_ka=0.01)
    found = find(grid, HALVES, view=changed_policy("connection.source_sets_max", bound))
    assert len(found.variants) == expected


def test_the_bound_shipped_is_twelve() -> None:
    assert load_policy("shenqiu-2022", date(2024, 3, 1)).count("connection.source_sets_max") == 12


@pytest.mark.parametrize(("east_m", "radii_m", "is_found"), [
    (2900.0, None, True), (3100.0, None, True), (4900.0, None, True), (5100.0, None, False),
    (4900.0, (3000.0,), False), (2900.0, (), False),
])  # fmt: skip
def test_a_second_source_may_be_farther_away_than_a_first(
    east_m: float, radii_m: tuple[float, ...] | None, is_found: bool
) -> None:
    """Radii of ordinary points end at 2 km, those of second sources at 5 km; bays of unknown number are not offered."""
    grid = Grid()
    for east, name in ((100.0, "A"), (east_m, "B")):
        source = grid.bus("source", 110.0, east, 30_000)
        grid.source(source, vm_pu=1.0)
        bar = grid.bus("substation_busbar", 10.0, east, 3000)
        grid.trafo(source, bar, 20_000.0, "main")
        pole = grid.bus("pole", 10.0, east, 0, feeder_id=f"F{name}")
        grid.line(bar, pole, 2.0, laying="cable")
    view = None if radii_m is None else changed_policy("connection.further_radii_mv_m", radii_m)
    assert bool(find(grid, HALVES, view=view).variants) == is_found


def test_different_substations_leave_only_pairs_with_the_third_busbar() -> None:
    grid, poles = three_busbars()
    a, b, c = (f"N{poles[name]}" for name in "ABC")
    wanted = replace(HALVES, separation="different_substation")
    found = find(grid, wanted)
    assert pairs(found) == [(a, c), (b, c)]
    assert [reason.code for refused in found.rejected_sets for reason in refused.reasons] == ["same_substation"]


def test_a_point_that_carries_only_the_smaller_share_becomes_the_standby() -> None:
    """A: 0.8 x 0.1 kA x sqrt(3) x some 10 kV = 1,380 kVA: not all 2,000 kVA, but the 500 kVA kept by the standby."""
    grid, poles = three_busbars()
    a, b, c = (f"N{poles[name]}" for name in "ABC")
    grid.net.line.loc[1, "max_i_ka"] = 0.1
    found = find(grid, structure((2000.0, 2000.0), (0.0, 500.0)))
    assert {pair[0] for pair in pairs(found)} == {b, c}
    assert pairs(found)[0] == (b, a)
    standby = found.variants[0].further_sources[0]
    assert (standby.required_share_kva, standby.normal_kva, standby.normal_verification) == (500.0, 0.0, None)
    assert standby.busbar == "node 3"


def test_costs_of_a_pair_add_up_and_its_score_counts_them_together() -> None:
    grid, _ = three_busbars()
    best, *others = find(grid, HALVES).variants
    assert best.score.parts["cost"] == 1.0
    assert best.cost.total_typical_cny10k == pytest.approx(sum(item.typical_cny10k for item in best.cost.items))
    for other in others:
        ratio = best.cost.total_typical_cny10k / other.cost.total_typical_cny10k
        assert other.score.parts["cost"] == pytest.approx(ratio, abs=1e-5)
    # 100 m and 200 m of twice the largest radius, 2,000 m.
    assert best.score.parts["distance"] == pytest.approx(1.0 - 300.0 / 4000.0, abs=1e-3)


def feeding(**changes: Any) -> Feeding:
    values: dict[str, Any] = {
        "feeder_id": "F1",
        "line_ids": frozenset({"L1"}),
        "busbar_ids": frozenset({"B1"}),
        "main_transformer_ids": frozenset({"T1"}),
        "substation_ids": frozenset({"S1"}),
    }
    return Feeding(**(values | changes))


OTHER = {
    "feeder_id": "F2",
    "line_ids": frozenset({"L2"}),
    "busbar_ids": frozenset({"B2"}),
    "main_transformer_ids": frozenset({"T2"}),
    "substation_ids": frozenset({"S2"}),
}


@pytest.mark.parametrize(
    ("changes", "separation", "code"),
    [
        ({}, "different_substation", None),
        ({"line_ids": frozenset({"L1", "L2"})}, "same_busbar_allowed", "same_feeder"),
        ({"feeder_id": "F1"}, "same_busbar_allowed", "same_feeder"),
        ({"busbar_ids": frozenset({"B1"})}, "same_busbar_allowed", None),
        ({"busbar_ids": frozenset({"B1"})}, "different_busbar", "same_busbar"),
        ({"main_transformer_ids": frozenset({"T1"})}, "different_busbar", "same_main_transformer"),
        ({"main_transformer_ids": frozenset()}, "different_busbar", None),
        ({"substation_ids": frozenset({"S1"})}, "different_busbar", None),
        ({"substation_ids": frozenset({"S1"})}, "different_substation", "same_substation"),
        ({"substation_ids": frozenset()}, "different_substation", "separation_not_proven"),
        ({"feeder_id": None}, "different_substation", None),
    ],
)
def test_what_two_sources_share_is_named(changes: dict[str, Any], separation: Separation, code: str | None) -> None:
    found: Reason | None = find_shared(feeding(), feeding(**(OTHER | changes)), separation)
    assert (None if found is None else found.code) == code
