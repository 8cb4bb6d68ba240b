"""Every row of the rules that holds a number or a predicate has a parameter, a rule and cases of both profiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheme.errors import PolicyFileError
from scheme.policy.coverage import COVERAGE_FILE, CoverageRow, find_gaps, read_coverage
from scheme.policy.loader import load_policy_set
from tests.policy.rule_cases import RULES, read_cases, run_case

POLICIES = load_policy_set()
CASES = {(rule, case["name"]): case for rule, case in read_cases()}
STATED = [pytest.param(row, id=row.row) for row in read_coverage() if not row.reason]


def test_every_row_with_a_number_or_a_predicate_is_covered() -> None:
    assert find_gaps(read_coverage(), POLICIES.parameters) == ()


@pytest.mark.parametrize("row", STATED)
def test_rules_and_cases_of_the_row_exist_for_both_profiles(row: CoverageRow) -> None:
    assert set(row.rules) <= set(RULES)
    assert set(row.cases) <= set(CASES)
    assert {CASES[case]["profile"] for case in row.cases} >= {"shenqiu-2022", "xinyang-2021"}


@pytest.mark.parametrize("row", STATED)
def test_cases_of_the_row_read_the_parameters_it_names(row: CoverageRow) -> None:
    views = [run_case(rule, CASES[rule, name], POLICIES)[1] for rule, name in row.cases]
    read = {item.id for view in views for item in view.reads}
    assert set(row.parameter_ids) <= read


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("\nA01,", "\nA99,", "A01 is not in the table"),
        ("\nA01,", "\nA99,", "A99 is no row of the rules"),
        ("time_limit.design_review_workdays", "time_limit.design_workdays", "A04 names unknown parameters"),
    ],
)
def test_gap_in_the_table_is_found(tmp_path: Path, old: str, new: str, problem: str) -> None:
    path = tmp_path / "coverage.csv"
    path.write_text(COVERAGE_FILE.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    gaps = [f"{gap.row} {gap.problem}" for gap in find_gaps(read_coverage(path), POLICIES.parameters)]
    assert any(gap.startswith(problem) for gap in gaps)


def test_row_without_parameter_or_case_is_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "coverage.csv"
    path.write_text("row,statement,parameters,cases,reason\nA01,a,,supply: x,\nA02,a,validity.lv_months,,\n", "utf-8")
    problems = {gap.row: gap.problem for gap in find_gaps(read_coverage(path), POLICIES.parameters)}
    assert (problems["A01"], problems["A02"]) == ("has no parameter", "has no case")


@pytest.mark.parametrize(
    "text",
    [
        "row,statement,parameters,cases\n",
        "row,statement,parameters,cases,reason\nA01,a,,,r\nA01,a,,,r\n",
        "row,statement,parameters,cases,reason\nA01,a,p.q,no rule,\n",
        "row,statement,parameters,cases,reason\nA01,a\n",
    ],
)
def test_faulty_table_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "coverage.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyFileError):
        read_coverage(path)
