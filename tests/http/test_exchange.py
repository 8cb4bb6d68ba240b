"""What every exchange passes: bounded headers and addresses, known queries, one log line without people."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from structlog.testing import capture_logs

from api.access.routes import roles_by_operation
from api.guard import HEADER_BYTES_MAX, TARGET_BYTES_MAX
from tests.api.conftest import REQUEST
from tests.http.conftest import Office


def assert_problem(response: Any, status: int, code: str) -> None:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["code"] == code


def test_large_headers_are_refused(calm_office: Office) -> None:
    answer = calm_office.engineer.get("/health", headers={"X-Large": "x" * HEADER_BYTES_MAX})
    assert_problem(answer, 431, "http.431")
    assert_problem(calm_office.engineer.get("/health", headers={f"X-{i}": "1" for i in range(120)}), 431, "http.431")


def test_long_address_is_refused(calm_office: Office) -> None:
    assert_problem(calm_office.engineer.get("/v1/schemes?cursor=" + "a" * TARGET_BYTES_MAX), 414, "http.414")


@pytest.mark.parametrize("accept", ["text/csv", "image/png, text/html;q=0.9", "application/json;q=0, text/plain"])
def test_media_types_nobody_offers_are_refused(calm_office: Office, accept: str) -> None:
    assert_problem(calm_office.engineer.get("/v1/holds", headers={"Accept": accept}), 406, "request.not_acceptable")


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "application/*", "text/csv, */*;q=0.1", "APPLICATION/JSON"]
)
def test_media_types_that_hold_the_answer_are_served(calm_office: Office, accept: str) -> None:
    assert calm_office.engineer.get("/v1/holds", headers={"Accept": accept}).status_code == 200
    accepted = calm_office.engineer.get("/v1/ogc/collections", headers={"Accept": accept})
    assert accepted.status_code == 200


def test_every_get_refuses_a_parameter_it_does_not_know(calm_office: Office) -> None:
    document = calm_office.clients[None].get("/openapi.json").json()
    names = {name for path in document["paths"] for name in re.findall(r"{(\w+)}", path)}
    values = dict.fromkeys(names, "a") | {"kind": "pdf", "collection_id": "capacity", "form": "csv", "hour": "0"}
    values |= {"parameter_id": "validity.lv_months", "publication_id": "pub_" + "0" * 32, "z": "9", "x": "1", "y": "1"}
    for path, item in document["paths"].items():
        if "get" not in item or "operator" in item["get"].get("x-roles", ()):
            continue
        answer = calm_office.engineer.get(path.format(**values), params={"bboxx": "1,2,3,4"})
        expected = 400 if path.startswith("/v1/ogc") else 422
        assert answer.status_code == expected, f"{path}: {answer.status_code} {answer.text[:200]}"
        assert answer.json()["context"]["field"] == "bboxx"


def test_openapi_says_of_every_operation_who_may_call_it(calm_office: Office) -> None:
    app = calm_office.engineer.app
    document = calm_office.clients[None].get("/openapi.json").json()
    declared = {re.sub(r":\w+}", "}", name): roles for name, roles in roles_by_operation(app).items()}  # type: ignore[arg-type]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            roles = set(declared.get(f"{method.upper()} {path}", ()))
            assert set(operation.get("x-roles", ())) == roles, path
            assert operation["summary"], path
            assert {"422", "500"} <= set(operation["responses"]) or "400" in operation["responses"]
            if roles and "public" not in roles:
                assert {"401", "403"} <= set(operation["responses"]), path
    assert set(document["paths"]["/v1/schemes/{scheme_id}:issue"]["post"]["x-roles"]) == {"engineer"}
    assert set(document["paths"]["/v1/audit"]["get"]["x-roles"]) == {"operator"}


def test_log_line_names_route_status_and_principal_and_nobody_else(calm_office: Office) -> None:
    named = {**REQUEST, "applicant": {**REQUEST["applicant"], "name": "张三secret", "contact": "13800000000"}}
    with capture_logs() as lines:
        answer = calm_office.engineer.post("/v1/schemes", json=named, headers={"Idempotency-Key": "secret-key-1"})
        calm_office.engineer.get("/v1/schemes/sch_secret?cursor=secret")
        calm_office.engineer.get("/v1/capacity?bbox=115.123,33,116,34")
    written = json.dumps(lines, ensure_ascii=False)
    for hidden in ("张三", "13800000000", "secret", "115.", "33."):
        assert hidden not in written
    [line, *_] = [entry for entry in lines if entry.get("method") == "POST"]
    assert (line["route"], line["status"]) == ("/v1/schemes", answer.status_code)
    assert (line["principal_id"], line["request_id"]) == ("local-engineer", answer.headers["x-request-id"])
    assert line["duration_s"] > 0.0


@pytest.mark.parametrize(
    ("given", "is_taken"), [("abc-123.DEF_4", True), ("a b\nc", False), ("x" * 65, False), ("", False)]
)
def test_request_id_is_the_clients_where_it_is_harmless(calm_office: Office, given: str, is_taken: bool) -> None:
    answer = calm_office.engineer.get("/health", headers={"X-Request-Id": given.replace("\n", " ")})
    assert (answer.headers["x-request-id"] == given) == is_taken


def test_metrics_count_by_route_and_are_the_operators(calm_office: Office) -> None:
    calm_office.engineer.get("/v1/schemes/sch_secret")
    text = calm_office.clients["operator"].get("/metrics").text
    assert 'handler="/v1/schemes/{scheme_id' in text
    assert "sch_secret" not in text
    for role, status in ((None, 401), ("customer", 403), ("engineer", 403), ("planner", 403)):
        assert calm_office.clients[role].get("/metrics").status_code == status  # type: ignore[index]
