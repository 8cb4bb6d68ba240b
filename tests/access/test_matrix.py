"""Every operation by every role on own, foreign and absent objects (BOLA, BFLA); the table is written by hand.

Statuses stand for ``own / foreign / absent`` object, or for the one call where there is no object. ``-`` stands for
"let in, whatever comes of it": the operation's own tests say what. Roles that are not named get 403, no key 401.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.access import ROLES
from api.access.routes import roles_by_operation
from api.app import create_app
from api.guard import LOOPBACK_HOSTS
from api.services import Services
from gridmodel.snapshot import Snapshot
from scheme.policy.loader import load_policy
from scheme.store import Store
from tests.access.clients import client_of, make_key, with_access
from tests.api.conftest import AS_OF, REQUEST, fake_parts

ANYONE = {**dict.fromkeys(ROLES, "-"), "nobody": "-"}
STAFF = {"engineer": "-", "planner": "-"}
OPERATOR = {"operator": "-"}
JOBS = {"engineer": "-", "planner": "-", "operator": "-"}
TABLE: dict[str, dict[str, str]] = {
    "POST /v1/schemes": {"engineer": "201", "customer": "201"},
    "GET /v1/schemes": {"engineer": "200", "customer": "200"},
    "POST /v1/site-checks": {"engineer": "200", "customer": "200"},
    "GET /v1/schemes/{scheme_id}": {"engineer": "200 200 404", "customer": "200 404 404"},
    "GET /v1/schemes/{scheme_id}/documents/{kind}": {"engineer": "200 200 404", "customer": "200 404 404"},
    "POST /v1/schemes/{scheme_id}:issue": {"engineer": "- - 404"},
    "POST /v1/schemes/{scheme_id}:commit": {"engineer": "- - 404"},
    "POST /v1/schemes/{scheme_id}:withdraw": {"engineer": "- - 404"},
    "POST /v1/schemes/{scheme_id}:energize": {"engineer": "- - 404"},
    "POST /v1/schemes/{scheme_id}:reduce": {"engineer": "- - 404"},
    "POST /v1/schemes/{scheme_id}:hand-over": {"engineer": "- - 404"},
    "GET /v1/schemes/{scheme_id}/profile": {"engineer": "- - 404"},
    "GET /v1/queue": {"engineer": "200"},
    "GET /v1/queue/{scheme_id}": {"engineer": "200 200 404"},
    "GET /v1/holds": {"engineer": "200", "operator": "200", "customer": "200"},
    "GET /v1/holds/{hold_id}": {"engineer": "404", "operator": "404"},
    "GET /v1/accounts": {"engineer": "200", "operator": "200"},
    "POST /v1/snapshots": {"engineer": "-", "operator": "-"},
    "GET /v1/snapshots/current": {"engineer": "200", "planner": "200", "operator": "200"},
    "POST /v1/uploads": {"engineer": "-", "operator": "-"},
    "GET /v1/uploads/{upload_id}/check": {"engineer": "404", "operator": "404"},
    "GET /v1/uploads/{upload_id}/findings": {"engineer": "404", "operator": "404"},
    "GET /v1/uploads/{upload_id}/changes": {"engineer": "404", "operator": "404"},
    "GET /v1/uploads/{upload_id}/holds": {"engineer": "404", "operator": "404"},
    "GET /v1/uploads/{upload_id}/report/{form}": {"engineer": "404", "operator": "404"},
    "POST /v1/uploads/{upload_id}:discard": {"engineer": "404", "operator": "404"},
    "POST /v1/jobs": JOBS,
    "GET /v1/jobs": JOBS,
    "GET /v1/jobs/{job_id}": {"engineer": "404", "planner": "404", "operator": "404"},
    "GET /v1/jobs/{job_id}/events": {"engineer": "404", "planner": "404", "operator": "404"},
    "POST /v1/jobs/{job_id}:cancel": {"engineer": "404", "planner": "404", "operator": "404"},
    "GET /v1/audit": {"operator": "200"},
    "GET /v1/capacity": {"engineer": "200", "planner": "200"},
    "GET /v1/grid": {"engineer": "200", "planner": "200"},
    "GET /v1/tiles/{z}/{x}/{y}.mvt": {"engineer": "200", "planner": "200"},
    "GET /v1/nodes/{node_id}": {"engineer": "404", "planner": "404"},
    "GET /v1/grid/loading": {"engineer": "200", "planner": "200"},
    "GET /v1/search": {"engineer": "422", "planner": "422"},
    "GET /v1/nodes/{node_id}/hours": {"engineer": "404", "planner": "404"},
    "GET /v1/capacity/hours/{hour}": {"engineer": "404", "planner": "404"},
    "GET /v1/feeders": {"engineer": "200", "planner": "200"},
    "GET /v1/feeders/{feeder_id}/profile": {"engineer": "404", "planner": "404"},
    "GET /v1/ogc": STAFF,
    "GET /v1/ogc/conformance": STAFF,
    "GET /v1/ogc/collections": STAFF,
    "GET /v1/ogc/collections/{collection_id}": STAFF,
    "GET /v1/ogc/collections/{collection_id}/schema": STAFF,
    "GET /v1/ogc/collections/{collection_id}/items": STAFF,
    "GET /v1/ogc/collections/{collection_id}/items/{feature_id}": STAFF,
    "POST /v1/projects": {"planner": "201"},
    "GET /v1/projects": {"engineer": "200", "planner": "200"},
    "POST /v1/projects:import": {"planner": "-"},
    "GET /v1/projects:template": {"engineer": "200", "planner": "200"},
    "GET /v1/projects/{project_id}": {"engineer": "404", "planner": "404"},
    "POST /v1/projects/{project_id}:update": {"planner": "404"},
    "POST /v1/projects/{project_id}:consult": {"planner": "404"},
    "POST /v1/projects/{project_id}:convert": {"planner": "404"},
    "POST /v1/projects/{project_id}/documents": {"planner": "-"},
    "GET /v1/projects/{project_id}/documents/{sha256}": {"engineer": "404", "planner": "404"},
    "GET /v1/requests/{request_id}/documents": {"engineer": "200", "planner": "200"},
    "GET /v1/requests/{request_id}/documents/{sha256}": {"engineer": "404", "planner": "404"},
    "POST /v1/projects:assess": {"planner": "422"},
    "POST /v1/scenarios": {"planner": "201"},
    "GET /v1/scenarios": {"engineer": "200", "planner": "200"},
    "GET /v1/scenarios/{scenario_id}": {"engineer": "404", "planner": "404"},
    "POST /v1/scenarios/{scenario_id}:update": {"planner": "404"},
    "POST /v1/scenarios/{scenario_id}:archive": {"planner": "404"},
    "GET /v1/assessments": {"engineer": "200", "planner": "200"},
    "GET /v1/assessments/{assessment_id}": {"engineer": "404", "planner": "404"},
    "GET /v1/assessments/{assessment_id}/projects": {"engineer": "404", "planner": "404"},
    "GET /v1/assessments/{assessment_id}/conflicts": {"engineer": "404", "planner": "404"},
    "GET /v1/assessments/{assessment_id}/years": {"engineer": "404", "planner": "404"},
    "GET /v1/assessments/{assessment_id}/works": {"engineer": "404", "planner": "404"},
    "GET /v1/assessments/{assessment_id}/quotas": {"engineer": "404", "planner": "404"},
    "GET /v1/assessments/{assessment_id}/files/{form}": {"engineer": "404", "planner": "404"},
    "GET /v1/assessments/{assessment_id}:compare": {"engineer": "422", "planner": "422"},
    "GET /v1/policy/parameters/{parameter_id}": ANYONE,
    "GET /v1/public/capacity": ANYONE,
    "GET /v1/public/capacity.csv": ANYONE,
    "GET /v1/public/legend": ANYONE,
    "GET /v1/public/tiles.json": ANYONE,
    "GET /v1/public/tiles/{z}/{x}/{y}.mvt": ANYONE,
    "POST /v1/public/guide": ANYONE,
    "POST /v1/public/place": ANYONE,
    "POST /v1/publications": OPERATOR,
    "GET /v1/publications": {"operator": "200"},
    "GET /v1/publications/{publication_id}": {"operator": "404"},
    "GET /v1/publications/{publication_id}/file": {"operator": "404"},
    "POST /v1/publications/{publication_id}:scan": {"operator": "404"},
    "POST /v1/publications/{publication_id}:release": {"operator": "404"},
    "POST /v1/publications/{publication_id}:withdraw": {"operator": "404"},
    "GET /v1/self-check": {"operator": "200"},
    "GET /v1/ledger/matters": {"operator": "200"},
    "GET /metrics": {"operator": "200"},
    "GET /v1/status": {"engineer": "200", "planner": "200", "operator": "200"},
    "GET /v1/session": {**dict.fromkeys(ROLES, "200"), "nobody": "200"},
    "GET /readyz": {**dict.fromkeys(ROLES, "200"), "nobody": "200"},
}
OPEN = {"GET /health", "GET /healthz"}
OBJECTS = ("own", "foreign", "absent")
VALUES = {
    "hold_id": "hld_" + "0" * 24,
    "job_id": "job_" + "0" * 32,
    "upload_id": "upl_" + "0" * 32,
    "form": "xlsx",
    "publication_id": "pub_" + "0" * 32,
    "collection_id": "capacity",
    "feature_id": "x",
    "node_id": "x",
    "hour": "0",
    "feeder_id": "x",
    "parameter_id": "validity.lv_months",
    "project_id": "prj_" + "0" * 32,
    "scenario_id": "scn_" + "0" * 32,
    "assessment_id": "asm_" + "0" * 32,
    "request_id": "x",
    "sha256": "0" * 64,
    "kind": "json",
    "z": "1",
    "x": "1",
    "y": "0",
}
PROJECT = {
    "source_system": "gov",
    "source_id": "P-1",
    "name": "食品加工项目",
    "category": "industrial_commercial",
    "demand": {"installed_kw": 40.0},
    "received_on": "2026-03-01",
}
BODIES: dict[str, Any] = {
    "POST /v1/schemes": REQUEST,
    "POST /v1/site-checks": REQUEST,
    "POST /v1/schemes/{scheme_id}:reduce": {"reason": "x", "capacity_kva": 1.0},
    "POST /v1/projects": PROJECT,
    "POST /v1/projects:assess": {"project_ids": ["prj_" + "0" * 32]},
    "POST /v1/scenarios": {"name": "扩建之后"},
    "POST /v1/scenarios/{scenario_id}:update": {"name": "扩建之后"},
    "POST /v1/publications/{publication_id}:scan": {},
    "POST /v1/publications/{publication_id}:release": {"content_sha256": "a" * 64},
}


@dataclass(frozen=True)
class Service:
    """An application with a key of every role and schemes of two customers."""

    app: FastAPI
    clients: dict[str, TestClient]
    schemes: dict[str, str]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, snapshot: Snapshot) -> Iterator[Service]:
    store = Store(str(tmp_path_factory.mktemp("matrix") / "store.db"))
    store.store_snapshot(snapshot)
    services = Services(store, profile="shenqiu-2022", clock=lambda: AS_OF, parts=fake_parts(load_policy=load_policy))
    app = create_app(services, allowed_hosts=LOOPBACK_HOSTS | {"testserver"})
    keys: dict[str, str | None] = {"nobody": None, **with_access(app, store).keys}
    keys["customer"] = make_key(store, "ZK-1", "customer")
    clients = {name: client_of(app, key) for name, key in keys.items()}
    other = client_of(app, make_key(store, "ZK-2", "customer"))
    schemes = {"own": ask(clients["customer"], "A-1"), "foreign": ask(other, "B-1"), "absent": "sch_" + "0" * 24}
    clients["engineer"].get("/v1/capacity")
    app.state.capacity_tables.wait()
    yield Service(app, clients, schemes)
    store.close()


def ask(client: TestClient, request_id: str) -> str:
    body = {**REQUEST, "request_id": request_id}
    answer = client.post("/v1/schemes", json=body, headers={"Idempotency-Key": request_id})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["scheme_id"])


def call(service: Service, operation: str, who: str, which: str) -> int:
    method, path = operation.split(" ")
    values = {**VALUES, "scheme_id": service.schemes[which]}
    target = re.sub(r"\{(\w+)\}", lambda match: values[match[1]], path)
    headers = {"Idempotency-Key": f"{who}-{which}-{operation}".replace(" ", "-")}
    body = None if method == "GET" else json.dumps(BODIES.get(operation, {"reason": "x"})).encode()
    if body is not None:
        headers["Content-Type"] = "application/json"
    return service.clients[who].request(method, target, headers=headers, content=body).status_code


def cases() -> Iterator[tuple[str, str, str, str]]:
    """Yield operation, caller, object and what is expected."""
    for operation, allowed in TABLE.items():
        for who in ("nobody", *ROLES):
            expected = allowed.get(who, "401" if who == "nobody" else "403").split(" ")
            objects = OBJECTS if "{scheme_id}" in operation else OBJECTS[:1]
            for place, which in enumerate(objects):
                yield operation, who, which, expected[place if len(expected) > 1 else 0]


@pytest.mark.parametrize(("operation", "who", "which", "expected"), cases())
def test_operation_answers_as_the_table_says(
    service: Service, operation: str, who: str, which: str, expected: str
) -> None:
    status = call(service, operation, who, which)
    if expected == "-":
        assert status not in (401, 403)
        assert status < 500 or status == 503
    else:
        assert status == int(expected)


def test_table_names_every_operation_and_no_other(service: Service) -> None:
    document = service.app.openapi()
    described = {f"{method.upper()} {path}" for path, found in document["paths"].items() for method in found}
    assert described == set(TABLE) | OPEN


def test_declared_roles_are_those_of_the_table(service: Service) -> None:
    declared = {
        re.sub(r":(id|path)\}", "}", operation): set(roles)
        for operation, roles in roles_by_operation(service.app).items()
    }
    for operation, allowed in TABLE.items():
        # "public" stands for anyone, so that the other roles need not be named beside it.
        is_public = "nobody" in allowed
        assert ("public" in declared[operation]) is is_public, operation
        assert is_public or declared[operation] == set(allowed), operation


def test_lists_show_a_customer_the_own_objects_only(service: Service) -> None:
    own = service.clients["customer"].get("/v1/schemes").json()["items"]
    everybodys = service.clients["engineer"].get("/v1/schemes").json()["items"]
    assert service.schemes["own"] in {item["scheme_id"] for item in own}
    assert service.schemes["foreign"] not in {item["scheme_id"] for item in own}
    assert {service.schemes["own"], service.schemes["foreign"]} <= {item["scheme_id"] for item in everybodys}


def test_foreign_and_absent_objects_are_not_told_apart(service: Service) -> None:
    customer = service.clients["customer"]
    for path in ("/v1/schemes/{}", "/v1/schemes/{}/documents/pdf"):
        answers = [customer.get(path.format(service.schemes[which])) for which in ("foreign", "absent")]
        bodies = [
            answer.text.replace(service.schemes[which], "")
            for answer, which in zip(answers, ("foreign", "absent"), strict=True)
        ]
        assert bodies[0] == bodies[1]
        names = [{name for name in answer.headers if name != "x-request-id"} for answer in answers]
        assert names[0] == names[1]


def test_same_request_of_another_customer_is_not_handed_over(service: Service, snapshot: Snapshot) -> None:
    other = service.clients["customer"]
    body = {**REQUEST, "request_id": "B-1"}
    answer = other.post("/v1/schemes", json=body, headers={"Idempotency-Key": "B-1"})
    assert answer.status_code == 409
    assert service.schemes["foreign"] not in answer.text


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"])
def test_headers_that_rewrite_calls_change_nothing(service: Service, header: str) -> None:
    value = "/metrics" if header.endswith("URL") else "DELETE"
    answer = service.clients["customer"].get("/v1/holds", headers={header: value})
    assert answer.status_code == 200
    assert service.clients["customer"].get("/v1/audit", headers={header: "/v1/holds"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/v1/audit/",
        "//v1/audit",
        "/v1//audit",
        "/v1/audit%2f",
        "/V1/AUDIT",
        "/v1/schemes/../audit",
        "/health/../v1/audit",
        "/health;/v1/audit",
    ],
)
def test_other_spellings_of_a_path_lead_nowhere(service: Service, path: str) -> None:
    assert service.clients["nobody"].get(path).status_code in (401, 403, 404, 422)


@pytest.mark.parametrize("field", ["owner_id", "role", "state", "expires_on", "scheme_id", "roles"])
def test_fields_nobody_asked_for_are_refused(service: Service, field: str) -> None:
    body = {**REQUEST, "request_id": "A-9", field: "ZK-2"}
    answer = service.clients["customer"].post("/v1/schemes", json=body, headers={"Idempotency-Key": f"extra-{field}"})
    assert answer.status_code == 422
