"""Texts of the reserve library's page against the codes the service tells: each has its word in both languages."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from scheme.assessment.records import ElementKind, Verdict
from scheme.assessment.scenario import Upgrade
from scheme.library.columns import project_table
from scheme.library.entry import read_works_stages
from scheme.library.importing import RowOutcome
from scheme.library.records import STAGES, Action, Missing
from scheme.policy.loader import load_policy
from scheme.rules.early_works import Trigger

STATIC = Path(__file__).parents[2] / "api" / "web" / "static" / "js"
_KEY = re.compile(r'^  "([\w.]+)": \[', re.MULTILINE)
_WORDS = re.compile(r'"(\w+)"')


def keys() -> set[str]:
    return {key for file in (STATIC / "texts").glob("*.js") for key in _KEY.findall(file.read_text(encoding="utf-8"))}


def works_stages() -> tuple[str, ...]:
    return read_works_stages(load_policy("shenqiu-2022", date(2026, 11, 22)))


CODES = {
    "assess.verdict": get_args(Verdict),
    "assess.element": get_args(ElementKind),
    "assess.trigger": get_args(Trigger),
    "assess.upgrade_table": get_args(get_type_hints(Upgrade)["table"]),
    "projects.stage": STAGES,
    "projects.action": get_args(Action),
    "projects.missing": get_args(Missing),
    "projects.fact": get_args(Missing),
    "projects.fate": (*get_args(get_type_hints(RowOutcome)["fate"]), "refused"),
    "works_stage": works_stages(),
    "category": tuple(project_table(()).columns["category"].allowed.split("|")),
}


@pytest.mark.parametrize("prefix", CODES)
def test_every_code_of_the_service_has_a_word(prefix: str) -> None:
    assert CODES[prefix]
    assert [code for code in CODES[prefix] if f"{prefix}.{code}" not in keys()] == []


def choices(part: str, name: str) -> tuple[str, ...]:
    """The words of a list of constants in a module of the page."""
    source = (STATIC / "parts" / part).read_text(encoding="utf-8")
    found = re.search(rf"const {name} = \[([^\]]*)\]", source)
    assert found is not None
    return tuple(_WORDS.findall(found[1]))


def test_what_can_be_filtered_by_is_what_the_service_knows() -> None:
    assert choices("library_list.js", "STAGES") == STAGES
    assert choices("library_list.js", "CATEGORIES") == CODES["category"]
    assert choices("verdicts.js", "VERDICTS") == get_args(Verdict)
    assert set(choices("library_import.js", "FATES")) == set(CODES["projects.fate"])
