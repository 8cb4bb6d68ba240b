"""Open capacity agrees with plain pandapower bisection in value, kind and element; see ``tests.agreement``.

The default run takes a few nodes of small networks; all networks are judged with ``-m slow`` or by the command.
"""

from __future__ import annotations

from typing import Any

import pytest

from gridmodel import open_capacity
from tests.agreement import networks
from tests.agreement.cases import CASES
from tests.agreement.judge import PlainGrid
from tests.agreement.run import CEILING_KW, POWER_FACTOR, run_case
from tests.agreement.verdict import judge_row

NODES_MIN = 1000
QUICK_SHARE = 0.2
NEAR_CEILING_KW = 500.0
QUICK = [case for case in CASES if case.is_quick]


@pytest.mark.parametrize("direction", ["load", "generation"])
@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
def test_a_few_nodes_agree_with_plain_bisection(case, direction):
    result = run_case(case, direction=direction, share=QUICK_SHARE)
    assert len(result.verdicts) >= 2
    assert result.disagreements() == []


@pytest.fixture(scope="module")
def right() -> tuple[PlainGrid, Any]:
    """A net for the judge and a row that is right."""
    net = networks.published("create_kerber_landnetz_freileitung_2")
    table = open_capacity(net, limits=networks.WIDE, power_factor=POWER_FACTOR, buses=[5], ceiling_kw=CEILING_KW)
    return PlainGrid(net, networks.WIDE, POWER_FACTOR), table.loc[5]


def test_a_right_row_passes(right):
    grid, row = right
    assert row.limit_kind in ("line_loading", "transformer_loading")
    assert judge_row(grid, row, ceiling_kw=NEAR_CEILING_KW, bisect=True).agrees


@pytest.mark.parametrize(
    ("column", "value"),
    [("capacity_kw", 1.05), ("capacity_kw", 0.95), ("limit_kind", "voltage_high"), ("limit_element", 7)],
)
def test_a_wrong_row_is_noticed(right, column, value):
    grid, row = right
    wrong = row.copy()
    wrong[column] = row[column] * value if column == "capacity_kw" else value
    assert wrong[column] != row[column]
    assert not judge_row(grid, wrong, ceiling_kw=NEAR_CEILING_KW, bisect=False).agrees


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("direction", ["load", "generation"])
def test_all_of_a_thousand_nodes_agree_with_plain_bisection(direction):
    results = [run_case(case, direction=direction, is_compiled=True) for case in CASES]
    assert sum(len(result.verdicts) for result in results) >= NODES_MIN
    assert [entry for result in results for entry in result.disagreements()] == []
