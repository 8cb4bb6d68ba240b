"""A consultation on the township: the same search, a preliminary reply that promises nothing."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.document.write import write_documents
from scheme.errors import PolicyNotInForceError
from scheme.generate import generate_scheme
from scheme.model import Scheme
from scheme.policy.loader import load_policy
from scheme.request import parse_request
from tests.conftest import FIXTURES

AS_OF = date(2026, 11, 22)


def ask(name: str, snapshot: Snapshot, *, profile: str = "shenqiu-2022", **changes: Any) -> Scheme:
    plain = json.loads((FIXTURES / "requests" / f"{name}.json").read_text(encoding="utf-8"))
    return generate_scheme(
        parse_request(json.dumps({**plain, **changes})),
        snapshot=snapshot,
        policy=load_policy(profile, AS_OF),
        catalogue=load_catalogue(),
        capacity=None,
        as_of=AS_OF,
        version="test",
    )


def test_consultation_finds_the_same_points_and_promises_nothing(township: Snapshot, tmp_path: Path) -> None:
    advice = ask("mv_10kv_single", township, purpose="consultation")
    applied = ask("mv_10kv_single", township)
    assert [v.connection_point for v in advice.variants] == [v.connection_point for v in applied.variants]
    assert (advice.validity, advice.timeline, advice.works_order) == (None, None, None)
    assert advice.consultation is not None
    assert advice.consultation.documents == ("营业执照",)
    assert advice.scheme_id != applied.scheme_id
    assert applied.consultation is None
    assert applied.validity is not None
    written = write_documents(advice, township, tmp_path)
    assert {(d.form, d.template_version) for d in written.documents if d.form} == {("consultation_reply", "2024.1")}
    assert {path.name for path in tmp_path.iterdir()} == {document.file for document in written.documents}


def test_forms_in_force_and_their_clause_are_recorded(township: Snapshot) -> None:
    applied = ask("mv_10kv_single", township)
    assert {form.version for form in applied.forms} == {"2024.1"}
    assert applied.works_order is not None
    assert "form.versions" in {read.id for read in applied.policy_reads}


def test_consultation_at_low_voltage_is_refused(township: Snapshot) -> None:
    with pytest.raises(InputError, match="10 kV customers only"):
        ask("lv_resident", township, purpose="consultation")


def test_profile_without_preliminary_replies_says_what_is_missing(township: Snapshot) -> None:
    with pytest.raises(PolicyNotInForceError, match=r"documents\.preliminary_10kv"):
        ask("mv_10kv_single", township, profile="xinyang-2021", purpose="consultation")


@pytest.mark.parametrize("field", [{"purpose": "advice"}, {"circumstances": {"households": 0}}])
def test_purpose_and_households_are_strict(field: dict[str, Any], township: Snapshot) -> None:
    with pytest.raises(InputError):
        ask("mv_10kv_single", township, **field)
