"""Promises over HTTP: issue, contract, connect, give back; each once under its key, each with an audit row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from api.access import Role
from gridmodel.errors import DomainError
from scheme.admission.errors import CertificateRefusedError, ConcurrencyError
from tests.http.conftest import Office

PATH_OF_BUS_4 = ["transformer:trafo:1", "feeder:line:0", "main_transformer:trafo:0"]
"""Of :func:`tests.capacity.two_feeders.two_feeders`, leaf to root, as :mod:`tests.admission` has it."""


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (body["status"], body["code"]) == (status, code)
    return body


def account(office: Office, account_id: str) -> dict[str, Any]:
    [found] = [a for a in office.engineer.get("/v1/accounts").json()["items"] if a["account_id"] == account_id]
    return dict(found)


def test_issued_scheme_is_held_and_every_level_says_so(office: Office) -> None:
    scheme_id = office.quote(50.0)
    issued = office.act(scheme_id, "issue")
    assert issued.status_code == 201, issued.text
    hold = issued.json()
    assert (hold["state"], hold["capacity_kva"], hold["scheme_id"]) == ("held", 50.0, scheme_id)
    [line] = office.engineer.get("/v1/schemes").json()["items"]
    assert (line["scheme_id"], line["state"]) == (scheme_id, "held")
    assert [h["hold_id"] for h in office.engineer.get("/v1/holds").json()["items"]] == [hold["hold_id"]]
    told = office.engineer.get(issued.headers["location"]).json()
    assert set(PATH_OF_BUS_4) <= set(told["sources"][0]["path"])
    booked = {entry["account_id"]: entry["held_delta_kva"] for entry in told["entries"]}
    assert {booked[name] for name in PATH_OF_BUS_4} == {50.0}
    before = account(office, "transformer:trafo:1")
    assert (before["held_kva"], before["posted_kva"]) == (50.0, 0.0)
    assert before["open_kva"] == pytest.approx(before["limit_kva"] - 50.0)
    office.utility.check_ledger()


def test_scheme_goes_its_way_and_the_audit_trail_tells_it(office: Office) -> None:
    scheme_id = office.quote(50.0)
    steps = [("issue", 201, "held"), ("commit", 200, "committed"), ("energize", 200, "energised")]
    for step, status, state in steps:
        answer = office.act(scheme_id, step)
        assert (answer.status_code, answer.json()["state"]) == (status, state)
    assert account(office, "transformer:trafo:1")["posted_kva"] == 50.0
    problem(office.act(scheme_id, "withdraw"), 409, "ledger.hold_state")
    hold_id = office.engineer.get("/v1/holds").json()["items"][0]["hold_id"]
    rows = office.clients["operator"].get("/v1/audit", params={"object_id": hold_id}).json()["items"]
    assert [row["action"] for row in rows] == ["hold.energise", "hold.commit", "hold.issue"]
    assert {(row["subject_id"], row["role"], row["reason"]) for row in rows} == {
        ("local-engineer", "engineer", "按流程办理")
    }
    assert [rows[0]["before_sha256"], rows[1]["before_sha256"]] == [rows[1]["after_sha256"], rows[2]["after_sha256"]]


def test_audit_row_names_the_call_by_its_request_id(office: Office) -> None:
    issued = office.act(office.quote(), "issue")
    [row] = office.clients["operator"].get("/v1/audit", params={"object_id": issued.json()["hold_id"]}).json()["items"]
    assert row["request_id"] == issued.headers["x-request-id"]


def test_capacity_comes_back_with_a_withdrawal_and_less_of_it_with_a_reduction(office: Office) -> None:
    one, other = office.quote(50.0), office.quote(80.0)
    for scheme_id in (one, other):
        office.act(scheme_id, "issue")
    assert office.act(one, "withdraw").json()["state"] == "withdrawn"
    assert account(office, "transformer:trafo:1")["held_kva"] == 80.0
    office.act(other, "commit")
    reduced = office.act(other, "reduce", capacity_kva=30.5)
    assert (reduced.json()["state"], reduced.json()["capacity_kva"]) == ("committed", 30.5)
    assert account(office, "transformer:trafo:1")["posted_kva"] == 30.5
    assert reduced.json()["predecessor_id"] is not None
    office.utility.check_ledger()


def test_same_key_gives_the_same_bytes_and_takes_capacity_once(office: Office) -> None:
    scheme_id = office.quote(50.0)
    first, second = office.act(scheme_id, "issue", key="k"), office.act(scheme_id, "issue", key="k")
    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert account(office, "transformer:trafo:1")["held_kva"] == 50.0
    office.act(scheme_id, "commit")
    assert office.act(scheme_id, "issue", key="k").content == first.content, "the answer of then, not the state of now"


def test_key_is_refused_for_anything_else(office: Office) -> None:
    scheme_id, other = office.quote(50.0), office.quote(50.0)
    office.act(scheme_id, "issue", key="k")
    problem(office.act(other, "issue", key="k"), 422, "request.idempotency_conflict")
    problem(office.act(scheme_id, "issue", key="k", reason="另一个理由"), 422, "request.idempotency_conflict")
    assert office.act(scheme_id, "commit", key="k").status_code == 200, "another operation has keys of its own"


def test_refusal_by_the_rules_is_kept_under_its_key(office: Office) -> None:
    whole = account_limit_kva(office)
    first, second = office.quote(whole), office.quote(whole)
    assert office.act(first, "issue").status_code == 201
    refused = problem(office.act(second, "issue", key="k"), 409, "ledger.capacity_exhausted")
    assert refused["context"]["account_id"] == "transformer:trafo:1"
    office.act(first, "withdraw")
    again = office.act(second, "issue", key="k")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == refused
    assert office.act(second, "issue", key="k2").status_code == 201


def account_limit_kva(office: Office) -> float:
    office.act(office.quote(1.0), "issue")
    office.act("sch_1", "withdraw")
    return float(account(office, "transformer:trafo:1")["limit_kva"])


@pytest.mark.parametrize(
    ("error", "status", "is_kept"),
    [
        (CertificateRefusedError("the grid does not carry it"), 409, True),
        (ConcurrencyError("the grid moved"), 409, False),
    ],
)
def test_overload_leaves_the_key_free_and_says_when_to_come_again(
    open_office: Callable[..., Office], error: DomainError, status: int, is_kept: bool
) -> None:
    answers: list[DomainError | None] = [error, None]

    def certify(*_: Any, **__: Any) -> dict[str, Any]:
        refusal = answers.pop(0)
        if refusal is not None:
            raise refusal
        return {"sources": {}}

    office = open_office(certify=certify)
    scheme_id = office.quote()
    refused = office.act(scheme_id, "issue", key="k")
    problem(refused, status, error.code)
    assert ("retry-after" in refused.headers) != is_kept
    assert office.act(scheme_id, "issue", key="k").status_code == (409 if is_kept else 201)


def test_what_was_never_issued_or_does_not_exist_is_told_apart(office: Office) -> None:
    problem(office.act(office.quote(), "commit"), 409, "ledger.hold_state")
    problem(office.act("sch_none", "commit"), 404, "not_found")
    problem(office.act("sch_none", "issue"), 404, "not_found")
    problem(office.engineer.get("/v1/holds/hld_none"), 404, "not_found")


BAD_STEPS: dict[str, tuple[str, dict[str, Any]]] = {
    "no reason": ("issue", {"reason": None}),
    "blank reason": ("issue", {"reason": "  "}),
    "control character": ("commit", {"reason": "a\u0000b"}),
    "long reason": ("commit", {"reason": "由" * 201}),
    "state of the hold": ("commit", {"state": "energised"}),
    "last day": ("issue", {"expires_on": "2099-01-01"}),
    "owner": ("issue", {"owner_id": "x"}),
    "variant 0": ("issue", {"variant_no": 0}),
    "variant as text": ("issue", {"variant_no": "1"}),
    "negative capacity": ("reduce", {"capacity_kva": -1.0}),
    "no capacity": ("reduce", {}),
    "less than a VA": ("reduce", {"capacity_kva": 10.0001}),
}


@pytest.mark.parametrize("name", BAD_STEPS)
def test_step_that_says_something_else_is_refused(calm_office: Office, name: str) -> None:
    step, body = BAD_STEPS[name]
    scheme_id = calm_office.quote()
    problem(calm_office.act(scheme_id, step, **body), 422, "input.invalid")
    assert calm_office.engineer.get("/v1/holds").json()["items"] == []


def test_step_without_a_key_is_refused(calm_office: Office) -> None:
    answer = calm_office.engineer.post(f"/v1/schemes/{calm_office.quote()}:issue", json={"reason": "答复"})
    problem(answer, 400, "request.idempotency_key")


@pytest.mark.parametrize(
    ("role", "status"), [(None, 401), ("public", 403), ("customer", 403), ("planner", 403), ("operator", 403)]
)
@pytest.mark.parametrize("step", ["issue", "commit", "withdraw", "energize", "reduce"])
def test_nobody_but_engineers_moves_capacity(calm_office: Office, step: str, role: Role | None, status: int) -> None:
    scheme_id = calm_office.quote()
    assert calm_office.act(scheme_id, step, role=role).status_code == status
    assert calm_office.utility.ledger.list_live() == []


def test_lists_go_on_where_the_page_before_ended(office: Office) -> None:
    ids = [office.quote(10.0) for _ in range(5)]
    for scheme_id in ids:
        office.act(scheme_id, "issue")
    for path, name in (("/v1/schemes", "scheme_id"), ("/v1/holds", "scheme_id"), ("/v1/accounts", "account_id")):
        whole = [row[name] for row in office.engineer.get(path).json()["items"]]
        found, cursor = [], None
        while True:
            query = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
            page = office.engineer.get(path, params=query).json()
            assert len(page["items"]) <= 2
            found += [row[name] for row in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert found == whole
        assert len(set(found)) == len(found) >= 4


def test_filters_select(office: Office) -> None:
    held, quoted = office.quote(10.0), office.quote(10.0)
    office.act(held, "issue")
    get = office.engineer.get
    assert [s["scheme_id"] for s in get("/v1/schemes", params={"state": "held"}).json()["items"]] == [held]
    assert [s["scheme_id"] for s in get("/v1/schemes", params={"state": "quote"}).json()["items"]] == [quoted]
    assert [s["scheme_id"] for s in get("/v1/schemes", params={"request_id": "R-2"}).json()["items"]] == [quoted]
    assert get("/v1/schemes", params={"verdict": "joint_work"}).json()["items"] == []
    assert get("/v1/accounts", params={"overcommitted": True}).json()["items"] == []
    office.act(held, "withdraw")
    assert get("/v1/holds").json()["items"] == []
    assert len(get("/v1/holds", params={"state": "withdrawn"}).json()["items"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        "state=Held",
        "verdict=yes",
        "limit=0",
        "limit=201",
        "cursor=%00",
        "cursor=bm90IGpzb24",
        "request_id=%00",
        "stat=held",
    ],
)
@pytest.mark.parametrize("path", ["/v1/schemes", "/v1/holds"])
def test_wrong_filter_is_refused_rather_than_ignored(calm_office: Office, path: str, query: str) -> None:
    problem(calm_office.engineer.get(f"{path}?{query}"), 422, "input.invalid")
