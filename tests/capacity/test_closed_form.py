"""Capacities with a closed form; each case folder holds its derivation."""

import pytest

from gridmodel import open_capacity
from tests.capacity.cases import NAMES, load_case
from tests.capacity.independent_check import check_row


@pytest.mark.parametrize("name", NAMES)
def test_capacity_is_the_closed_form_rounded_down_and_names_what_binds(name):
    net, limits, power_factor, expected = load_case(name)
    table = open_capacity(net, limits=limits, power_factor=power_factor, confirm="all")
    for row in expected:
        found = table.loc[row["bus"]]
        assert row["capacity_kw"] - 0.15 <= found.capacity_kw <= row["capacity_kw"], (row, found.capacity_kw)
        for column in ("status", "limit_kind", "limit_table", "limit_element"):
            assert found[column] == row[column], (row, column, found[column])


@pytest.mark.parametrize("name", NAMES)
def test_plain_pandapower_holds_at_the_closed_form_and_breaks_one_step_above(name):
    net, limits, power_factor, _ = load_case(name)
    table = open_capacity(net, limits=limits, power_factor=power_factor, confirm="none")
    for _, row in table.iterrows():
        check_row(net, row, limits, power_factor)
