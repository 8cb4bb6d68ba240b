from __future__ import annotations

from typing import Any

import pytest

from scheme.policy.loader import load_policy_set
from tests.policy.rule_cases import RULES, matches, read_cases, run_case

CASES = [pytest.param(rule, case, id=f"{rule}: {case['name']}") for rule, case in read_cases()]


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_rule_gives_what_the_case_table_says(rule: str, case: dict[str, Any]) -> None:
    found, view = run_case(rule, case, load_policy_set())
    assert matches(case["expected"], found), found
    if "clause" in case:
        assert case["clause"] in {read.clause for read in view.reads}


def test_every_rule_has_cases() -> None:
    assert {rule for rule, _ in read_cases()} == set(RULES)
