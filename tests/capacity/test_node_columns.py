"""Further columns of the node table, on the network of test_nodes.py, by hand."""

import math

import numpy as np
import pytest

from gridmodel.capacity.node_columns import flexible_columns, generation_columns, n_minus_one_columns
from gridmodel.capacity.nodes import node_capacity
from gridmodel.profiles import LoadProfiles
from tests.capacity.test_nodes import LIMITS, OPTIONS, snapshot

LOAD = {name: OPTIONS[name] for name in ("limits", "power_factor", "in_flight_coincidence_ratio")}


def with_curve(*multipliers, in_flight=()):
    """Return the snapshot, whose load follows a curve, and the curve: midnight, one o'clock, ... of a July workday."""
    followed = snapshot(in_flight)
    followed.net.load["profile"] = "home"
    values = np.array(multipliers)[:, None]
    hours = tuple(f"07-workday-{hour:02}" for hour in range(len(multipliers)))
    return followed, LoadProfiles(hours=hours, names=("home",), p=values, q=values)


def test_generation_is_least_where_least_is_consumed():
    """Low side of the 400 kVA transformer: |P - 100 kW m - j 20 kvar m| = 0.8 x 400 kVA, m = 0.5 at one o'clock."""
    followed, curve = with_curve(1.0, 0.5, 0.8)
    row = generation_columns(followed, curve, limits=LIMITS, power_factor=1.0, hours=curve.hours).loc[3]
    expected_kw = 50.0 + math.sqrt(320.0**2 - 10.0**2)
    assert expected_kw - 0.2 < row.generation_kw <= expected_kw
    assert row.generation_limit_kind == "transformer_loading"
    assert (row.generation_limit_element_id, row.generation_limit_hour) == ("T2", "07-workday-01")


def test_only_the_hours_asked_for_count_for_generation():
    followed, curve = with_curve(1.0, 0.5, 0.8)
    row = generation_columns(followed, curve, limits=LIMITS, power_factor=1.0, hours=curve.hours[2:]).loc[3]
    expected_kw = 80.0 + math.sqrt(320.0**2 - 16.0**2)
    assert expected_kw - 0.2 < row.generation_kw <= expected_kw


def test_nodes_without_a_limit_or_with_doubtful_data_have_no_generation_capacity():
    followed, curve = with_curve(1.0)
    followed.nodes.loc[5, "status"] = "not_assessable"
    table = generation_columns(followed, curve, limits=LIMITS, power_factor=1.0, hours=curve.hours)
    assert table.generation_status[[0, 5]].tolist() == ["not_assessable"] * 2
    assert table.generation_kw[[0, 5]].isna().all()


def test_physical_capacity_over_curves_is_that_of_the_heaviest_hour():
    """The hours differ by 50 kW of load, and the transformer is what binds: 50 kW more or less, but for losses."""
    followed, curve = with_curve(0.5, 1.0)
    both = node_capacity(followed, **OPTIONS, profiles=curve, confirm="none").loc[3]
    light = node_capacity(followed, **OPTIONS, profiles=with_curve(0.5)[1], confirm="none").loc[3]
    assert light.physical_kva - both.physical_kva == pytest.approx(50.0 / 0.95, rel=0.05)
    peak = node_capacity(followed, **OPTIONS, confirm="none").loc[3]
    assert both.physical_kva == peak.physical_kva


def test_flexible_columns_are_the_hours_and_firm_is_the_least():
    followed, curve = with_curve(0.5, 1.0, 0.75)
    row = flexible_columns(followed, curve, **LOAD).loc[3]
    hours = row[["h00_kva", "h01_kva", "h02_kva"]].astype(float)
    assert hours.idxmin() == "h01_kva"
    assert row.firm_kva == hours.min()
    one = node_capacity(followed, **OPTIONS, profiles=with_curve(0.5)[1], confirm="none").loc[3]
    assert hours.h00_kva == one.physical_kva


def test_what_is_in_flight_counts_in_every_hour():
    committed = [{"commitment_id": "Z", "bus": 3, "capacity_kva": 100.0, "power_factor": 0.95}]
    free = flexible_columns(*with_curve(1.0), **LOAD).loc[3]
    taken = flexible_columns(*with_curve(1.0, in_flight=committed), **LOAD).loc[3]
    assert free.firm_kva - taken.firm_kva == pytest.approx(0.8 * 100.0, rel=0.02)


def test_node_of_a_network_without_ties_survives_no_outage_but_its_own_repair():
    table = n_minus_one_columns(snapshot(), **LOAD)
    assert set(table.n1_status[[2, 3, 4, 5]]) <= {"own_section", "restorable"}
    assert table.n1_kva[5] == pytest.approx(node_capacity(snapshot(), **OPTIONS, confirm="none").physical_kva[5])
