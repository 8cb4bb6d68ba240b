"""What an operator is told: self-check, matters of the ledger, and its audit as a job."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from api.jobs.kinds import KINDS, parse_arguments
from api.jobs.workbench import open_workbench
from tests.api.test_import import six_bus_json
from tests.http.conftest import Office
from tests.http.test_snapshots import JSON, hand_in
from tests.jobs.test_http import InlineSteps, start


def audit(office: Office) -> Any:
    bench = open_workbench(office.utility.services, None)
    return KINDS["ledger_audit"].run(bench, InlineSteps(), parse_arguments("ledger_audit", {}))


def test_self_check_names_what_is_wrong_with_the_store(office: Office) -> None:
    operator = office.clients["operator"]
    assert operator.get("/v1/self-check").json() == {"findings": []}
    with office.utility.store.write() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        connection.execute(text(f"DROP TRIGGER {names[0]}"))
    [found] = operator.get("/v1/self-check").json()["findings"]
    assert (found["check"], found["is_fatal"]) == ("append_only", True)


def test_hold_without_a_place_waits_for_a_person(office: Office) -> None:
    operator = office.clients["operator"]
    assert operator.get("/v1/ledger/matters").json()["alarm_count"] == 0
    held = office.act(office.quote(), "issue").json()
    assert hand_in(office, six_bus_json().encode(), JSON).status_code == 201
    told = operator.get("/v1/ledger/matters").json()
    [orphan] = told["orphans"]
    assert (orphan["hold_id"], orphan["share_kva"], orphan["node_element_id"]) == (held["hold_id"], 50.0, "bus:4")
    assert told["orphan_count"] == 1
    assert "orphan" in {alarm["kind"] for alarm in told["alarms"]}


def test_audit_as_a_job_finds_books_right_until_somebody_changes_one(office: Office) -> None:
    office.act(office.quote(), "issue")
    clean = audit(office)
    assert clean["is_clean"]
    assert next(one["checked"] for one in clean["findings"] if one["invariant"] == "I3") == 1
    with office.utility.store.write() as connection:
        connection.execute(text("UPDATE ledger_account SET held_va = held_va + 1 WHERE held_va > 0"))
    broken = audit(office)
    assert not broken["is_clean"]
    assert "I2" in {one["invariant"] for one in broken["findings"] if one["verdict"] == "broken"}


def test_only_operators_start_an_audit(office: Office) -> None:
    for role, status in (("operator", 202), ("engineer", 403), ("planner", 403)):
        assert start(office.clients[role], "ledger_audit").status_code == status
