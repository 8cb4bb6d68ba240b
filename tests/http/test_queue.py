"""The queue over HTTP: order, urgency, search, pages; handing a case to joint work. Today is Monday 2026-03-02."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from scheme.store.migration import upgrade_to
from scheme.store.tables import SCHEME_CASE
from tests.http.conftest import Office
from tests.http.test_holds import problem


def asked(office: Office, due_on: str | None, limit: int | None = 10, *, name: str = "示例机械厂", **more: Any) -> str:
    """Keep a scheme whose time limit ends on a day; return its id."""
    return office.quote(
        50.0,
        request={
            "applicant": {"name": name, "category": "industrial_commercial"},
            "business": "new",
            "demand": {"installed_kw": 45.0},
            "received_on": "2026-02-16",
        },
        timeline={"limit": limit, "limit_unit": None if limit is None else "workday", "limit_on": due_on},
        **more,
    )


def queue(office: Office, **wanted: Any) -> dict[str, Any]:
    answer = office.engineer.get("/v1/queue", params=wanted)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(page: dict[str, Any]) -> list[str]:
    return [item["scheme_id"] for item in page["items"]]


def test_case_tells_what_the_record_says(office: Office) -> None:
    reasons = [{"code": "capacity", "text": "容量不足"}]
    scheme_id = asked(office, "2026-03-05", reasons=reasons, name="<b>厂</b>")
    [item] = queue(office)["items"]
    assert item | {"created_at": ""} == {
        "scheme_id": scheme_id,
        "request_id": "R-1",
        "applicant_name": "<b>厂</b>",
        "category": "industrial_commercial",
        "business": "new",
        "capacity_kva": 50.0,
        "installed_kw": 45.0,
        "voltage": "380V",
        "verdict": "answered",
        "reasons": reasons,
        "created_at": "",
        "received_on": "2026-02-16",
        "reply_due_on": "2026-03-05",
        "limit_workdays": 10,
        "left_workdays": 3,  # Tuesday, Wednesday, Thursday
        "urgency": "soon",  # 7 of 10 are over
        "alert": None,
        "state": "quote",
        "hold_id": None,
        "expires_on": "2099-12-31",
        "is_handed_over": False,
        "hand_over": None,
    }
    assert office.engineer.get(f"/v1/queue/{scheme_id}").json() == item
    problem(office.engineer.get("/v1/queue/sch_none"), 404, "not_found")


def test_what_ends_first_stands_first_and_is_counted_and_found_by_its_urgency(office: Office) -> None:
    """By the calendar of 2026: four working days to 6 March; Saturday 28 February is a make-up working day."""
    due = {"ok": "2026-03-06", "none": None, "overdue": "2026-02-27", "due": "2026-03-02", "soon": "2026-03-03"}
    made = {urgency: asked(office, day) for urgency, day in due.items()}
    page = queue(office)
    assert [item["urgency"] for item in page["items"]] == ["overdue", "due", "soon", "ok", "none"]
    assert [item["left_workdays"] for item in page["items"]] == [-2, 0, 1, 4, None]
    assert page["counts"] == dict.fromkeys(due, 1)
    assert page["as_of"] == "2026-03-02"
    for urgency, scheme_id in made.items():
        found = queue(office, urgency=urgency)
        assert ids(found) == [scheme_id]
        assert found["counts"] == page["counts"]


def test_pages_follow_each_other_in_both_orders(office: Office) -> None:
    days = ["2026-03-09", None, "2026-03-03", "2026-03-03", None, "2026-03-20"]
    made = [asked(office, day) for day in days]
    for sort in ("urgent", "newest"):
        whole, walked, cursor = ids(queue(office, sort=sort)), [], None
        while True:
            page = queue(office, sort=sort, limit=2, **({} if cursor is None else {"cursor": cursor}))
            walked += ids(page)
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert walked == whole
        assert sorted(whole) == sorted(made)
    assert [item["reply_due_on"] for item in queue(office)["items"]] == [
        "2026-03-03", "2026-03-03", "2026-03-09", "2026-03-20", None, None,
    ]  # fmt: skip
    problem(office.engineer.get("/v1/queue", params={"cursor": "bm90LW91cnM"}), 422, "input.invalid")


@pytest.mark.parametrize(
    ("wanted", "found"), [("MÜLLER", "müller"), ("100%", "100%"), ("r-3", "third"), ("_", ""), ("sch_2", "100%")]
)
def test_search_looks_into_names_and_numbers_as_text(office: Office, wanted: str, found: str) -> None:
    """Percent and underscore are letters like others."""
    names = {asked(office, None, name=name): name for name in ("Müller", "100% 机械", "third")}
    hits = [names[scheme_id].casefold() for scheme_id in ids(queue(office, q=wanted))]
    if wanted == "_":  # stands in every scheme id and nowhere else
        assert len(hits) == 3
    else:
        assert len(hits) == 1
        assert hits[0].startswith(found)


def test_scheme_answered_again_takes_the_place_of_the_one_nobody_issued(office: Office) -> None:
    first = asked(office, "2026-03-03", request_id="R-same")
    second = asked(office, "2026-03-03", request_id="R-same")
    assert ids(queue(office)) == [second]
    assert office.engineer.get(f"/v1/queue/{first}").json()["scheme_id"] == first
    assert office.act(first, "issue").status_code == 201
    assert sorted(ids(queue(office))) == sorted([first, second])


def test_clock_of_a_case_stops_when_it_is_connected_or_given_back(office: Office) -> None:
    held, energised, withdrawn = (asked(office, "2026-03-03") for _ in range(3))
    for scheme_id, steps in ((held, ["issue"]), (energised, ["issue", "energize"]), (withdrawn, ["issue", "withdraw"])):
        for step in steps:
            assert office.act(scheme_id, step).status_code in (200, 201)
    found = {item["scheme_id"]: (item["state"], item["urgency"]) for item in queue(office)["items"]}
    assert found == {
        held: ("held", "soon"), energised: ("energised", "none"), withdrawn: ("withdrawn", "none")
    }  # fmt: skip
    assert ids(queue(office, state="open")) == [held]
    assert ids(queue(office, state="energised")) == [energised]
    hold = office.engineer.get("/v1/holds").json()["items"][0]
    [item] = queue(office, state="held")["items"]
    assert (item["hold_id"], item["expires_on"]) == (hold["hold_id"], hold["expires_on"])


def test_case_handed_to_joint_work_says_so_and_is_not_issued(office: Office) -> None:
    scheme_id = asked(office, "2026-03-05")
    answer = office.act(scheme_id, "hand-over", reason="台区改造未立项", department="发展")
    assert answer.status_code == 200, answer.text
    assert answer.json() | {"at": ""} == {
        "scheme_id": scheme_id, "department": "发展", "reason": "台区改造未立项", "at": "",
    }  # fmt: skip
    again = office.act(scheme_id, "hand-over", reason="台区改造未立项", department="发展")
    assert (again.status_code, again.content) == (200, answer.content)
    assert again.headers["idempotency-replayed"] == "true"
    problem(office.act(scheme_id, "hand-over", key="another"), 409, "scheme.handed_over")
    [item] = queue(office, state="handed_over")["items"]
    assert (item["is_handed_over"], item["hand_over"]) == (True, answer.json())
    problem(office.act(scheme_id, "issue"), 409, "admission.not_issuable")
    assert office.engineer.get("/v1/holds").json()["items"] == []
    [row] = office.clients["operator"].get("/v1/audit", params={"object_id": scheme_id}).json()["items"]
    assert (row["action"], row["subject_id"], row["reason"]) == ("scheme.hand_over", "local-engineer", "台区改造未立项")
    office.utility.check_ledger()


def test_issued_case_is_withdrawn_before_it_is_handed_over(office: Office) -> None:
    scheme_id = asked(office, "2026-03-05")
    office.act(scheme_id, "issue")
    problem(office.act(scheme_id, "hand-over", key="first"), 409, "ledger.hold_state")
    office.act(scheme_id, "withdraw")
    assert office.act(scheme_id, "hand-over", key="second").status_code == 200
    problem(office.act("sch_none", "hand-over"), 404, "not_found")
    problem(office.act(scheme_id, "hand-over", key="third", reason=" "), 422, "input.invalid")


def test_cases_kept_before_there_was_a_list_are_in_it(office: Office) -> None:
    """The revision reads from the records what storing them reads today."""
    asked(office, "2026-03-05", reasons=[{"code": "capacity", "text": "容量不足"}])
    store = office.utility.store
    with store.read() as connection:
        expected = dict(connection.execute(SCHEME_CASE.select()).one()._mapping)
    with store.write() as connection:
        for table in ("scheme_case", "scheme_hand_over"):
            connection.execute(text(f"drop table {table}"))
        connection.execute(text("update store_revision set version_num = '0012'"))
        upgrade_to(connection, "0013")
        assert dict(connection.execute(SCHEME_CASE.select()).one()._mapping) == expected
    assert json.loads(expected["reasons"]) == [{"code": "capacity", "text": "容量不足"}]
    assert date.fromisoformat(expected["due_on"]) == date(2026, 3, 5)
