"""What certificates find: every published row is changed in one way that must be seen, or left as it is and must pass.

Expected values follow from currents and voltages of two buses, worked out in the tests; networks are other people's.
"""

from __future__ import annotations

import dataclasses
import math
from functools import cache
from typing import Any

import numpy as np
import pandapower as pp
import pytest

from gridmodel import Limits, VoltageBand, open_capacity
from gridmodel.capacity.base_case import BaseCase, solve_base_case
from gridmodel.capacity.bulk_certificate import AT_SOURCE, COLLAPSE, BulkOutcome, check_in_bulk
from gridmodel.capacity.certificate import Certificate, certify
from gridmodel.capacity.direction import Direction
from gridmodel.capacity.island_search import IslandSearch
from gridmodel.capacity.judgement import on_path_flags
from gridmodel.capacity.rows import CEILING, EXISTING_VIOLATION, Rows
from gridmodel.errors import EngineDisagreementError
from gridmodel.readers.select import read_source
from tests.capacity.cases import make_net
from tests.capacity.random_nets import random_net
from tests.capacity.test_fixture_networks import LIMITS as RULES
from tests.capacity.test_fixture_networks import LITERAL, SOURCES
from tests.conftest import FIXTURES

BAND = VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=20.0, u_pu_min=0.93, u_pu_max=1.07)
LIMITS = Limits(voltage_bands=(BAND,))
POWER_FACTOR = 0.95
TAN_PHI = math.tan(math.acos(POWER_FACTOR))
R_OHM, X_OHM = 0.27, 0.35


class Published:
    """A net and the rows searched in it, ready to be tampered with."""

    def __init__(
        self,
        net: Any,
        limits: Limits = LIMITS,
        *,
        direction: Direction = "load",
        ceiling_kw: float = 1e6,
        sample: int | None = None,
    ) -> None:
        self.base: BaseCase = solve_base_case(net, limits)
        self.direction: Direction = direction
        search = IslandSearch(self.base, tan_phi=TAN_PHI, ceiling_kw=ceiling_kw, direction=direction)
        buses = net.bus.index[net.bus.in_service].to_numpy(dtype=np.int64)
        if sample is not None and sample < len(buses):
            buses = np.sort(np.random.default_rng(20261122).choice(buses, size=sample, replace=False))
        self.rows: Rows = search.run(buses)

    def place(self, bus: int) -> int:
        return int(np.flatnonzero(self.rows.bus == bus)[0])

    def limit(self, table: str, element: int, kind: str) -> int:
        limits = self.base.constraints
        return int(np.flatnonzero((limits.tables == table) & (limits.elements == element) & (limits.kinds == kind))[0])

    def in_bulk(self) -> BulkOutcome:
        return check_in_bulk(self.base, self.rows, tan_phi=TAN_PHI, direction=self.direction)

    def by_reference(self, confirm: Any = "all") -> Certificate:
        return certify(
            self.base, self.rows, tan_phi=TAN_PHI, confirm=confirm, nodes=5, seed=0, direction=self.direction
        )

    def refuted_in_bulk(self) -> list[tuple[int, str]]:
        return [(one.bus, one.what) for one in self.in_bulk().disagreements]


@cache
def fixture_net(name: str) -> Any:
    return read_source(FIXTURES / SOURCES[name][0]).net


def chain(*ratings_ka: float, **line: float) -> Any:
    """Return a 10 kV source at bus 0 and lines of 1 km one after the other, without any load."""
    section = {"length_km": 1.0, "r_ohm_per_km": R_OHM, "x_ohm_per_km": X_OHM, "c_nf_per_km": 0.0, **line}
    return make_net(
        {
            "buses": [{"bus": bus, "vn_kv": 10.0} for bus in range(len(ratings_ka) + 1)],
            "ext_grids": [{"bus": 0, "vm_pu": 1.0}],
            "lines": [
                {"line": at, "from_bus": at, "to_bus": at + 1, "max_i_ka": rating, **section}
                for at, rating in enumerate(ratings_ka)
            ],
        }
    )


def power_of_current_kw(current_ka: float, sections: int) -> float:
    """Return P of a load behind so many sections that draws this current: E = V + sqrt(3) I (R + jX) e^(-j phi)."""
    phi = math.acos(POWER_FACTOR)
    drop = math.sqrt(3.0) * current_ka * sections * complex(R_OHM, X_OHM) * complex(math.cos(phi), -math.sin(phi))
    u_kv = math.sqrt(10.0**2 - drop.imag**2) - drop.real
    return 1e3 * math.sqrt(3.0) * u_kv * current_ka * POWER_FACTOR


@pytest.mark.parametrize("below_kw", [0.0, 4.0])
def test_difference_is_the_distance_from_the_break_to_the_published_bracket(below_kw: float) -> None:
    breaks_kw = power_of_current_kw(0.2, sections=1)
    published = Published(chain(0.25))
    published.rows.capacity_kw[1] = published.rows.breaks_kw[1] = breaks_kw - below_kw - 0.01
    seen = published.in_bulk()
    assert seen.disagreements == ()
    assert seen.certificate.difference_kw_max == pytest.approx(below_kw + 0.01, abs=0.01)
    assert published.by_reference().difference_kw_max == pytest.approx(below_kw + 0.01, abs=0.01)


def test_limit_that_breaks_later_is_not_the_binding_one_but_a_tie_is() -> None:
    # line 1 carries the same current; its limit is met 3.3 kW (0.2 A) later, then 0.16 kW (0.01 A) later
    for rating_ka, is_found in ((0.25025, True), (0.25001, False)):
        published = Published(chain(0.25, rating_ka))
        gap_kw = power_of_current_kw(0.8 * rating_ka, 2) - power_of_current_kw(0.2, 2)
        assert 0.1 < gap_kw < 10.0
        published.rows.limit[2] = published.limit("line", 1, "line_loading")
        refuted = published.refuted_in_bulk()
        assert refuted == ([(2, "breaks first by another element")] if is_found else [])


def test_element_that_does_not_break_at_all_is_not_the_binding_one() -> None:
    published = Published(chain(0.25, 0.5))
    published.rows.limit[1:] = published.limit("line", 1, "line_loading")
    assert {bus for bus, _ in published.refuted_in_bulk()} == {1, 2}
    with pytest.raises(EngineDisagreementError, match="does not break by the element named") as caught:
        published.by_reference()
    assert caught.value.context["disagreements_total"] == 2


def test_element_of_another_island_or_none_is_refuted() -> None:
    net = chain(0.25)
    pp.create_buses(net, 2, 10.0)
    pp.create_ext_grid(net, 2)
    pp.create_line_from_parameters(net, 2, 3, 1.0, R_OHM, X_OHM, 0.0, 0.25)
    published = Published(net)
    published.rows.limit[1], published.rows.limit[3] = published.rows.limit[3], -1
    assert published.refuted_in_bulk() == [(bus, "does not break by the element named") for bus in (1, 3)]


@pytest.mark.parametrize("direction", ["load", "generation"])
@pytest.mark.parametrize("name", ["township", "SimBench 10 kV"])
def test_one_value_raised_by_one_percent_is_found_among_all_and_named(name: str, direction: Direction) -> None:
    published = Published(fixture_net(name), RULES, direction=direction, sample=40)
    rows = published.rows
    at = np.flatnonzero((rows.status == "assessed") & (rows.limit >= 0) & (rows.capacity_kw > 100.0))
    at = int(np.random.default_rng(3).choice(at))
    rows.capacity_kw[at] *= 1.01
    refuted = published.in_bulk().disagreements
    assert [one.bus for one in refuted] == [rows.bus[at]]
    assert refuted[0].p_kw == rows.capacity_kw[at]
    limits, limit = published.base.constraints, rows.limit[at]
    assert f"{limits.tables[limit]} {limits.elements[limit]} {limits.kinds[limit]}" in refuted[0].what


@pytest.mark.parametrize("direction", ["load", "generation"])
@pytest.mark.parametrize("limits", [RULES, LITERAL], ids=["thresholds of the rules", "literal"])
@pytest.mark.parametrize("name", SOURCES)
def test_rows_of_the_fixture_networks_are_confirmed(name: str, limits: Limits, direction: Direction) -> None:
    published = Published(fixture_net(name), limits, direction=direction, sample=40)
    seen, rows = published.in_bulk(), published.rows
    assert seen.disagreements == ()
    assert set(seen.certificate.reasons) <= {AT_SOURCE}
    assert seen.certificate.nodes_checked == (rows.status == "assessed").sum() - seen.certificate.nodes_not_checked
    if (rows.limit >= 0).any():
        assert seen.certificate.difference_kw_max is not None
        assert seen.certificate.difference_kw_max <= 0.1


@pytest.mark.parametrize("seed", [6, 18, 24, 27, 30, 36, 42, 54])
def test_random_networks_are_confirmed_by_both_engines(seed: int) -> None:
    net, limits = random_net(seed)
    for direction in ("load", "generation"):
        table = open_capacity(net, limits=limits, direction=direction, confirm="bulk", confirm_nodes=2)
        seen: Any = table.attrs["certificate"]
        bulk = seen["bulk"]
        assert bulk["nodes_checked"] + bulk["nodes_not_checked"] == (table.status == "assessed").sum()
        assert sum(bulk["reasons"].values()) == bulk["nodes_not_checked"]
        assert max(seen["difference_kw_max"] or 0.0, bulk["difference_kw_max"] or 0.0) <= 0.1


def test_existing_violation_must_be_there_without_load() -> None:
    overloaded, fine = chain(0.05, 0.5), chain(0.25, 0.5)
    pp.create_load(overloaded, 2, p_mw=2.0, q_mvar=0.0)
    true = Published(overloaded)
    assert (true.rows.kind[1:] == EXISTING_VIOLATION).all()
    assert true.refuted_in_bulk() == []
    true.rows.limit[2] = true.limit("line", 1, "line_loading")  # at 115 of 400 A
    assert true.refuted_in_bulk() == [(2, "the violation named is not there")]
    false = Published(fine)
    false.rows.put(2, kind=EXISTING_VIOLATION, capacity_kw=0.0)
    assert false.refuted_in_bulk() == [(2, "the violation named is not there")]


def test_overload_on_the_path_that_is_not_published_is_found() -> None:
    # 6 MW fed in at bus 2 overloads both lines; 4 MW of load there would relieve them
    net = chain(0.25, 0.25)
    pp.create_sgen(net, 2, p_mw=6.0)
    published = Published(net)
    rows = published.rows
    assert rows.kind[2] == EXISTING_VIOLATION
    rows.put(2, kind=CEILING, capacity_kw=4000.0, limit=-1)
    assert published.refuted_in_bulk() == [(2, "does not hold without load: line 0 line_loading")]


def test_generation_is_never_stopped_by_a_low_voltage_and_a_load_never_by_a_high_one() -> None:
    for direction, vm_pu, kind in (("generation", 0.90, "voltage_low"), ("load", 1.10, "voltage_high")):
        net = chain(0.25)
        net.ext_grid["vm_pu"] = vm_pu
        published = Published(net, direction=direction)
        assert published.refuted_in_bulk() == []
        published.rows.put(1, kind=EXISTING_VIOLATION, capacity_kw=0.0, limit=published.limit("bus", 1, kind))
        assert published.refuted_in_bulk() == [(1, "the violation named is not there")]


def test_violation_at_the_source_itself_is_confirmed_below_it() -> None:
    net = chain(0.25)
    net.ext_grid["vm_pu"] = 0.9
    published = Published(net)
    assert (published.rows.kind == EXISTING_VIOLATION).all()
    published.rows.limit[1] = published.limit("bus", 0, "voltage_low")
    seen = published.in_bulk()
    assert seen.disagreements == ()
    assert seen.certificate.nodes_checked == 1


def test_ceiling_must_hold() -> None:
    published = Published(chain(0.25), ceiling_kw=500.0)
    assert published.rows.kind[1] == CEILING
    assert published.refuted_in_bulk() == []
    published.rows.capacity_kw[1] = 1.01 * power_of_current_kw(0.2, sections=1)
    assert published.refuted_in_bulk() == [(1, "does not hold at the value: line 0 line_loading")]


def test_solution_at_the_voltage_collapse_is_left_to_the_reference() -> None:
    # Nose of two buses, see test_open_capacity: 1 km of line carries twice what 2 km carry.
    published = Published(chain(99.0), Limits())
    nose_kw = 1e5 / (2.0 * (math.hypot(R_OHM, X_OHM) / POWER_FACTOR + R_OHM + X_OHM * TAN_PHI))
    assert published.rows.capacity_kw[1] == pytest.approx(nose_kw, abs=10.0)
    seen = published.by_reference("bulk")
    assert seen.bulk is not None
    assert seen.bulk.nodes_checked + seen.bulk.nodes_not_checked == 2
    published.rows.capacity_kw[1] *= 0.9
    assert published.in_bulk().certificate.reasons == {AT_SOURCE: 1, COLLAPSE: 1}
    assert published.in_bulk().open_places.tolist() == [1]
    with pytest.raises(EngineDisagreementError, match="a solution above the value"):
        published.by_reference("bulk")


def test_what_batches_cannot_express_is_counted_with_its_reason_and_sampled_all_the_same() -> None:
    net = chain(0.25, 0.25)
    pp.create_gen(net, 1, p_mw=0.2, vm_pu=1.0)
    seen = Published(net).by_reference("bulk").as_dict()
    assert seen["bulk"] == {
        "nodes_checked": 0,
        "difference_kw_max": None,
        "nodes_not_checked": 3,
        "reasons": {AT_SOURCE: 1, "voltage-controlled generator": 2},
    }
    assert seen["nodes_checked"] == 3


@pytest.mark.parametrize("confirm", ["sample", "bulk", "all", "none"])
def test_keys_of_the_certificate_are_the_same_whatever_is_asked(confirm: Any) -> None:
    seen: Any = open_capacity(chain(0.25, 0.25), limits=LIMITS, confirm=confirm).attrs["certificate"]
    assert list(seen) == ["confirm", "nodes_checked", "difference_kw_max", "base_difference_pu_max", "bulk"]
    assert seen["confirm"] == confirm
    assert (seen["bulk"] is not None) == (confirm == "bulk")
    assert (seen["base_difference_pu_max"] is None) == (confirm == "none")
    assert seen["nodes_checked"] == (0 if confirm == "none" else 3)


def test_base_voltages_of_the_sweeps_are_compared_with_the_reference() -> None:
    net = chain(0.25, 0.25)
    pp.create_load(net, 2, p_mw=1.0, q_mvar=0.3)
    published = Published(net)
    assert (published.by_reference().base_difference_pu_max or 1.0) < 1e-9
    flow = published.base.live_flow
    for error_pu, is_refused in ((5e-7, False), (1e-4, True)):
        published.base = dataclasses.replace(
            solve_base_case(net, LIMITS), flow=dataclasses.replace(flow, voltage=flow.voltage + error_pu)
        )
        if is_refused:
            with pytest.raises(EngineDisagreementError, match=r"voltage without load differs by 0\.0001 pu"):
                published.by_reference()
        else:
            assert published.by_reference().base_difference_pu_max == pytest.approx(error_pu, rel=0.01)


def test_the_reference_solves_the_island_of_the_node_alone() -> None:
    net = chain(0.25)
    pp.create_buses(net, 2, 10.0)
    pp.create_ext_grid(net, 2)
    pp.create_line_from_parameters(net, 2, 3, 1.0, R_OHM, X_OHM, 0.0, 0.25)
    published = Published(net)
    pp.create_load(net, 3, p_mw=1e3)  # the other island has no solution any more
    published.rows.status[2:] = "not_assessable"
    assert published.by_reference().nodes_checked == 2
    published.rows.status[2:] = "assessed"
    with pytest.raises(EngineDisagreementError, match="no solution without load"):
        published.by_reference()


@pytest.mark.parametrize("seed", range(20))
def test_supply_paths_of_many_buses_at_once_are_those_of_each(seed: int) -> None:
    net, limits = random_net(seed)
    base = solve_base_case(net, limits)
    buses = net.bus.index.to_numpy(dtype=np.int64)
    expected = [base.constraints.is_on_path(base.topology.path(bus)) for bus in buses.tolist()]
    np.testing.assert_array_equal(on_path_flags(base.topology, base.constraints, buses), np.array(expected))
