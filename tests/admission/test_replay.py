"""A scheme answered beside live holds comes out the same, byte for byte, whatever happened to the holds afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api.replay import replay
from gridmodel.errors import NotFoundError
from gridmodel.readers.select import read_source
from scheme.request import parse_request
from tests.admission.utility import ENGINEER, Utility, open_utility
from tests.api.test_import import six_bus_json
from tests.api.test_main_job import REQUEST


def write_record(scheme: Any, snapshot: Any, folder: Path) -> Any:
    """Write ``scheme.json`` and no other document."""
    (folder / "scheme.json").write_text(json.dumps(scheme.as_dict(), ensure_ascii=False), encoding="utf-8")
    return scheme


@pytest.fixture(scope="module")
def utility(tmp_path_factory: pytest.TempPathFactory) -> Utility:
    folder = tmp_path_factory.mktemp("replay")
    (folder / "six.json").write_text(six_bus_json(), encoding="utf-8")
    found = open_utility(
        str(folder / "store.db"),
        read_source(folder / "six.json", source_format="auto"),
        write_documents=write_record,
    )
    found.tables.compute(confirm="none")
    return found


def answer(utility: Utility, request_id: str, installed_kw: float) -> bytes:
    asked = REQUEST | {"request_id": request_id, "demand": {"installed_kw": installed_kw}}
    request = parse_request(json.dumps(asked))
    return utility.services.answer(request, find_capacity=utility.tables.find).stored.content


@pytest.fixture(scope="module")
def contents(utility: Utility) -> list[bytes]:
    """Records answered before any hold, beside one, and after it was given back and another one came."""
    found = [answer(utility, "A", 20.0)]
    first = utility.admission.issue(json.loads(found[0])["scheme_id"], actor=ENGINEER)
    found.append(answer(utility, "B", 30.0))
    utility.admission.withdraw(first.hold_id, actor=ENGINEER)
    utility.admission.issue(json.loads(found[1])["scheme_id"], actor=ENGINEER)
    found.append(answer(utility, "C", 20.0))
    return found


def test_record_names_the_ledger_it_was_answered_on(utility: Utility, contents: list[bytes]) -> None:
    provenances = [json.loads(content)["provenance"] for content in contents]
    assert provenances[0]["ledger_seq"] == 0
    assert provenances[0]["ledger_seq"] < provenances[1]["ledger_seq"] < provenances[2]["ledger_seq"]
    head = utility.ledger.head()
    assert (provenances[2]["ledger_seq"], provenances[2]["ledger_sha256"]) == (head.seq, head.sha256)
    assert len({p["capacity_parameters_sha256"] for p in provenances}) == 3


def test_holds_stand_in_what_is_answered_beside_them(contents: list[bytes]) -> None:
    """The same customer draws the voltage lower once another one is promised 30 kW on the same line."""
    first, _, third = (json.loads(content)["variants"][0] for content in contents)
    assert first["connection_point"] == third["connection_point"]
    before, after = (
        {row["element_id"]: row["u_pu_before"] for row in v["verification"]["voltage_profile"]} for v in (first, third)
    )
    assert after["bus:5"] < before["bus:5"] - 1e-4


@pytest.mark.parametrize("number", [0, 1, 2])
def test_replay_rebuilds_the_holds_of_its_time(utility: Utility, contents: list[bytes], number: int) -> None:
    outcome = replay(json.loads(contents[number]), contents[number], utility.services)
    assert outcome.is_identical, outcome.differences


def test_replay_on_another_ledger_is_named_and_nothing_is_computed(utility: Utility, contents: list[bytes]) -> None:
    record = json.loads(contents[1])
    record["provenance"]["ledger_sha256"] = "0" * 64
    outcome = replay(record, contents[1], utility.services)
    assert [difference.place for difference in outcome.differences] == ["provenance.ledger_sha256"]
    record["provenance"]["ledger_seq"] = 10_000
    with pytest.raises(NotFoundError):
        replay(record, contents[1], utility.services)
