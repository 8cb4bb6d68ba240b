"""A number whose change turns no case red is a number nobody checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gridmodel.errors import DomainError
from scheme.policy.loader import load_policy_set
from scheme.policy.parameter import PolicySet, PolicyValue
from tests.policy.rule_cases import matches, read_cases, run_case

POLICIES = load_policy_set()
OTHER_OP = {"le": "lt", "lt": "le", "ge": "gt", "gt": "ge"}
WHOLE_UNITS = {"workday", "day", "month", "count", "kW", "kVA", "A", "A_list", "hour_list"}

# (parameter, place in a list or table): what no case can tell apart, and why.
CANNOT_MATTER = {
    # A calculated load never exceeds the capacity.
    ("demand.demand_factor", 0, "demand_factor", "up"),
    # A grade that needs one source and one that needs none are answered alike.
    ("supply.structure_by_importance", 3, "source_count", "down"),
    ("supply.structure_by_importance", 4, "source_count", "down"),
    # Smaller and larger steps are for utilities that meter smaller customers at 10 kV or serve above 10 MVA.
    *(
        ("metering.ct_primary_ladder_a", place, None, way)
        for place in (0, 1, 2, *range(19, 24))
        for way in ("up", "down")
    ),
}


def _nudge(number: float, unit: str, way: str) -> float:
    is_whole = unit in WHOLE_UNITS or (unit == "table" and isinstance(number, int))
    step = 1.0 if is_whole else 0.01 if unit == "ratio" else 0.01 * number
    return number + step if way == "up" else number - step


def _changes(value: PolicyValue) -> Iterator[tuple[tuple[Any, ...], PolicyValue]]:
    """Yield place and changed value: every number up and down, every flag turned, every comparison strict or lax."""
    content = value.value
    if isinstance(content, bool):
        yield (value.id, None, None, "turned"), replace(value, value=not content)
    elif isinstance(content, int | float):
        for way in ("up", "down"):
            yield (value.id, None, None, way), replace(value, value=_nudge(content, value.unit, way))
        if value.op != "none":
            yield (value.id, None, None, "op"), replace(value, op=OTHER_OP[value.op])  # type: ignore[arg-type]
    elif isinstance(content, tuple):
        for place, item in enumerate(content):
            for key, changed, way in _cell_changes(item, value.unit):
                cells = [*content[:place], changed, *content[place + 1 :]]
                yield (value.id, place, key, way), replace(value, value=tuple(cells))


def _cell_changes(item: Any, unit: str) -> Iterator[tuple[str | None, Any, str]]:
    cells: dict[str | None, Any] = {None: item} if not isinstance(item, dict) else dict(item)
    for key, cell in cells.items():
        ways = ("turned",) if isinstance(cell, bool) else ("up", "down") if isinstance(cell, int | float) else ()
        for way in ways:
            changed = (not cell) if way == "turned" else _nudge(cell, unit, way)
            yield key, changed if key is None else {**item, key: changed}, way


def _readers() -> dict[tuple[str, str, str], list[tuple[str, dict[str, Any]]]]:
    """Return which cases read which value."""
    readers: dict[tuple[str, str, str], list[tuple[str, dict[str, Any]]]] = {}
    for rule, case in read_cases():
        _, view = run_case(rule, case, POLICIES)
        for read in view.reads:
            readers.setdefault((read.id, read.profile, read.effective_from), []).append((rule, case))
    return readers


READERS = _readers()


def _own_values() -> list[PolicyValue]:
    """Return the values of the rules here; connection and works data are pinned beside the code that reads them."""
    topics = ("connection", "works")
    return [
        value
        for parameter in POLICIES.parameters.values()
        if not parameter.id.startswith(topics)
        for value in parameter.values
    ]


def _survivors(value: PolicyValue, compared: set[str]) -> list[tuple[Any, ...]]:
    parameter = POLICIES.parameters[value.id]
    survivors = []
    for place, mutant in _changes(value):
        if place in CANNOT_MATTER or (place[3] == "op" and value.id not in compared):
            continue
        values = tuple(mutant if old is value else old for old in parameter.values)
        policies = PolicySet(
            parameters={**POLICIES.parameters, value.id: replace(parameter, values=values)},
            profiles=POLICIES.profiles,
            sha256="changed",
        )
        cases = READERS.get((value.id, value.profile, value.effective_from.isoformat()), [])
        if all(_is_green(rule, case, policies) for rule, case in cases):
            survivors.append(place)
    return survivors


def _is_green(rule: str, case: dict[str, Any], policies: PolicySet) -> bool:
    try:
        found, _ = run_case(rule, case, policies)
    except (DomainError, ArithmeticError, AssertionError, ValueError):
        return False
    return matches(case["expected"], found)


@pytest.fixture(scope="module")
def compared() -> set[str]:
    """Ids whose comparison a rule asks for."""
    seen: set[str] = set()
    original = PolicyValue.allows

    def recording(self: PolicyValue, observed: float) -> bool:
        seen.add(self.id)
        return original(self, observed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PolicyValue, "allows", recording)
        for rule, case in read_cases():
            run_case(rule, case, POLICIES)
    return seen


@pytest.mark.parametrize("value", [pytest.param(v, id=f"{v.id} {v.profile} {v.effective_from}") for v in _own_values()])
def test_every_number_flag_and_comparison_is_pinned_by_a_case(value: PolicyValue, compared: set[str]) -> None:
    assert not _survivors(value, compared)
