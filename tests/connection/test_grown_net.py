"""Customers connected one after another, judged together at the end."""

from __future__ import annotations

from gridmodel.capacity.limits import Limits
from gridmodel.catalogue.loader import load_catalogue
from gridmodel.connection import TrialConnection
from gridmodel.grown_net import Customer, GrownNet
from scheme.limits import operating_limits
from tests.assessment.grids import long_line, policy


def limits() -> Limits:
    return operating_limits(policy())


def grown_on(load_kw: float) -> GrownNet:
    """A customer of 1 kW at the far pole of the 12 km line of 0.6 ohm/km that carries ``load_kw`` already."""
    snapshot = long_line(load_kw=load_kw)
    far = int(snapshot.nodes.index[snapshot.nodes.kind == "pole"].max())
    line_type = load_catalogue().find_line_types(series="JKLYJ-10")[0]
    trial = TrialConnection(bus=far, route_length_km=0.01, line_type=line_type, p_kw=1.0, q_kvar=0.0)
    grown = GrownNet(snapshot, in_flight_coincidence_ratio=1.0)
    grown.connect(Customer(customer_id="A", trial=trial))
    return grown


def test_an_island_without_a_solution_is_not_passed_over() -> None:
    """Through 7.2 ohm at 10 kV no more than U^2/4R, 3.5 MW, can be drawn: 30 MW has no solution."""
    [found] = grown_on(30_000.0).find_violations_now(limits=limits()).values()
    assert [violation.kind for violation in found] == ["convergence"]


def test_an_island_that_keeps_its_limits_is_left_out() -> None:
    assert grown_on(100.0).find_violations_now(limits=limits()) == {}
