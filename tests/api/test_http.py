"""HTTP on calculations that answer at once; the bad bodies are the ones that broke a naive service (500, silence)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.access import Role
from api.inputs import BODY_BYTES_MAX
from api.services import Services
from gridmodel.errors import ConvergenceError
from gridmodel.snapshot import Snapshot
from scheme.store import Store
from tests.api.clients import make_client, make_clients
from tests.api.conftest import AS_OF, REQUEST, fake_parts

Body = dict[str, Any]


@pytest.fixture
def services(open_services: Callable[..., Services], snapshot: Snapshot) -> Services:
    services = open_services()
    services.store.store_snapshot(snapshot)
    return services


@pytest.fixture
def client(services: Services) -> TestClient:
    return make_client(services)


@pytest.fixture(scope="module")
def calm_clients(tmp_path_factory: pytest.TempPathFactory, snapshot: Snapshot) -> Mapping[Role | None, TestClient]:
    """A service with its capacity table ready, shared by tests that are refused and change nothing."""
    store = Store(str(tmp_path_factory.mktemp("calm") / "store.db"))
    store.store_snapshot(snapshot)
    services = Services(store, profile="shenqiu-2022", clock=lambda: AS_OF, parts=fake_parts())
    clients = make_clients(services)
    ready(clients["engineer"])
    return clients


@pytest.fixture(scope="module")
def calm_client(calm_clients: Mapping[Role | None, TestClient]) -> TestClient:
    return calm_clients["engineer"]


def post(client: TestClient, body: Body | bytes, *, key: str = "k1", media_type: str = "application/json") -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/v1/schemes", content=content, headers={"Content-Type": media_type, "Idempotency-Key": key})


def assert_problem(response: Any, status: int) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["title"]
    assert body["type"].startswith("/errors/")


def changed(path: str, value: Any) -> Body:
    body: Body = json.loads(json.dumps(REQUEST))
    *parents, last = path.split(".")
    place: Body = body
    for name in parents:
        place = place[name]
    place[last] = value
    return body


def test_scheme_is_answered_stored_and_read_again(client: TestClient) -> None:
    created = post(client, REQUEST)
    assert created.status_code == 201
    assert created.json()["verdict"] == "answered"
    assert created.headers["location"] == "/v1/schemes/sch_R-1"
    read = client.get(created.headers["location"])
    assert (read.status_code, read.json()) == (200, created.json())


def test_refusal_is_an_answer(client: TestClient) -> None:
    created = post(client, changed("demand.installed_kw", 5000.0))
    assert (created.status_code, created.json()["verdict"]) == (201, "joint_work")
    assert created.json()["reasons"]


def test_same_key_and_request_is_answered_from_the_store(
    open_services: Callable[..., Services], snapshot: Snapshot
) -> None:
    from tests.api.conftest import fake_scheme

    calls: list[str] = []

    def counted(request: Any, **given: Any) -> Any:
        calls.append(request.request_id)
        return fake_scheme(request, **given)

    services = open_services(generate_scheme=counted)
    services.store.store_snapshot(snapshot)
    client = make_client(services)
    first = post(client, REQUEST)
    respaced = json.dumps(dict(reversed(REQUEST.items())), indent=3).encode()
    second = post(client, respaced)
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["location"] == first.headers["location"]
    assert calls == ["R-1"]


def test_reused_key_is_refused_for_another_request(client: TestClient) -> None:
    post(client, REQUEST)
    response = post(client, changed("demand.installed_kw", 51.0))
    assert_problem(response, 422)
    assert response.json()["code"] == "request.idempotency_conflict"


@pytest.mark.parametrize("key", ["", "x" * 129, "with space", "tab\there"])
def test_malformed_idempotency_key_is_refused(calm_client: TestClient, key: str) -> None:
    assert_problem(post(calm_client, REQUEST, key=key), 400)


def test_missing_idempotency_key_is_refused(calm_client: TestClient) -> None:
    assert_problem(calm_client.post("/v1/schemes", json=REQUEST), 400)


def test_same_key_at_the_same_time_gives_one_scheme(services: Services) -> None:
    client, seen = make_client(services), []
    threads = [threading.Thread(target=lambda: seen.append(post(client, REQUEST))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {response.status_code for response in seen} == {201}
    assert sorted("idempotency-replayed" in response.headers for response in seen) == [False, True, True, True]


NOT_JSON: dict[str, bytes] = {
    "empty": b"",
    "not json": b"{",
    "not utf-8": b'{"request_id": "\xff\xfe"}',
    "utf-16": json.dumps(REQUEST).encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "deep nesting": b"[" * 100_000,
    "33 levels": b"[" * 33 + b"]" * 33,
    "deep objects": b'{"a":' * 20_000,
    "duplicate key": json.dumps(REQUEST)[:-1].encode() + b', "request_id": "R-2"}',
    "NaN": json.dumps(changed("location.lon_deg", float("nan"))).encode(),
    "infinity": json.dumps(changed("location.lon_deg", float("inf"))).encode(),
    "huge integer": json.dumps(REQUEST).replace("50.0", "9" * 5000).encode(),
    "trailing text": json.dumps(REQUEST).encode() + b"}",
}
"""Bodies that are no JSON text (RFC 8259, each key once, finite numbers): 400."""
BAD_BODIES: dict[str, Body | bytes] = {
    "array": b"[]",
    "null": b"null",
    "32 levels": b"[" * 32 + b"]" * 32,
    "overflowing exponent": json.dumps(REQUEST).replace("115.1", "1e999").encode(),
    "2^63": changed("demand.installed_kw", 2**63),
    "negative": changed("demand.installed_kw", -100.0),
    "zero": changed("demand.installed_kw", 0.0),
    "number as text": changed("demand.installed_kw", "100"),
    "number as bool": changed("demand.installed_kw", True),
    "nul character": changed("applicant.name", "a\u0000b"),
    "lone surrogate": json.dumps(REQUEST).replace("R-1", "\\ud800").encode(),
    "lone surrogate in a name": changed("applicant.name", "\ud800"),
    "longitude out of range": changed("location.lon_deg", 514.0),
    "swapped": changed("location", {"lon_deg": 33.4, "lat_deg": 115.1, "datum": "CGCS2000"}),
    "no datum": changed("location", {"lon_deg": 115.1, "lat_deg": 33.4}),
    "unknown datum": changed("location.datum", "EPSG:4326"),
    "date as number": changed("received_on", 31536000),
    "no such day": changed("received_on", "2026-02-30"),
    "unknown field": {**REQUEST, "role": "admin"},
    "long name": changed("applicant.name", "名" * 201),
    "path as id": changed("request_id", "../../etc"),
    "missing field": {name: value for name, value in REQUEST.items() if name != "demand"},
    "outside the service area": changed("location.lat_deg", 70.0),
}


"""JSON texts that are no request: 422."""
REFUSED = {**dict.fromkeys(NOT_JSON, 400), **dict.fromkeys(BAD_BODIES, 422)}


@pytest.mark.parametrize(("name", "status"), REFUSED.items())
def test_bad_body_is_refused_and_its_key_stays_free(calm_client: TestClient, name: str, status: int) -> None:
    key = f"bad-{list(REFUSED).index(name)}"
    assert_problem(post(calm_client, {**NOT_JSON, **BAD_BODIES}[name], key=key), status)
    accepted = post(calm_client, REQUEST, key=key)
    assert accepted.status_code == 201
    assert "idempotency-replayed" not in accepted.headers


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_other_media_types_are_refused(calm_client: TestClient, media_type: str) -> None:
    assert_problem(post(calm_client, REQUEST, media_type=media_type), 415)


def test_other_character_sets_are_refused(client: TestClient) -> None:
    assert_problem(post(client, REQUEST, media_type="application/json; charset=gbk"), 415)
    assert post(client, REQUEST, media_type='application/json; charset="UTF-8"').status_code == 201


def test_large_body_is_refused_declared_or_in_chunks(calm_client: TestClient) -> None:
    assert_problem(post(calm_client, changed("applicant.name", "x" * BODY_BYTES_MAX)), 413)
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    chunks = (b" " * 65_536 for _ in range(200))
    assert_problem(calm_client.post("/v1/schemes", content=chunks, headers=headers), 413)


@pytest.mark.parametrize("path", ["/v1/schemes/no", "/v1/schemes/no/documents/pdf", "/v1/nothing", "/v1/schemes/a/b/c"])
def test_what_does_not_exist_is_404(calm_client: TestClient, path: str) -> None:
    assert_problem(calm_client.get(path), 404)


@pytest.mark.parametrize(
    "path",
    ["/v1/schemes/" + "9" * 65, "/v1/schemes/-x", "/v1/schemes/a%00b", "/v1/schemes/%F0%9F%92%A9", "/v1/schemes/a'b"],
)
def test_ids_that_cannot_be_are_refused(calm_client: TestClient, path: str) -> None:
    assert_problem(calm_client.get(path), 422)


def test_wrong_method_is_refused(calm_client: TestClient) -> None:
    response = calm_client.delete("/v1/schemes")
    assert_problem(response, 405)
    assert response.headers["allow"] == "GET, POST"


def test_documents_are_handed_out_with_their_media_type(client: TestClient) -> None:
    post(client, REQUEST)
    pdf = client.get("/v1/schemes/sch_R-1/documents/pdf")
    assert (pdf.status_code, pdf.content) == (200, b"%PDF-1.7 fake")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.headers["content-disposition"] == 'attachment; filename="sch_R-1-scheme.pdf"'
    assert client.get("/v1/schemes/sch_R-1/documents/json").json()["scheme_id"] == "sch_R-1"
    assert_problem(client.get("/v1/schemes/sch_R-1/documents/exe"), 404)


def test_request_before_any_import_is_refused(open_services: Callable[..., Services]) -> None:
    client = make_client(open_services())
    assert_problem(post(client, REQUEST), 409)
    assert_problem(client.get("/v1/capacity"), 409)
    assert client.get("/v1/status").json()["snapshot_sha256"] is None
    assert_problem(client.get("/readyz"), 503)


def test_health_says_no_more_than_that_the_service_is_there(
    calm_clients: Mapping[Role | None, TestClient],
) -> None:
    for path in ("/health", "/healthz", "/readyz"):
        answer = calm_clients[None].get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_status_names_version_and_snapshot(client: TestClient, services: Services) -> None:
    body = client.get("/v1/status").json()
    assert (body["status"], body["store"]) == ("ok", "ok")
    assert body["snapshot_sha256"] == services.store.find_current_sha256()


def ready(client: TestClient) -> TestClient:
    response = client.get("/v1/capacity")
    assert_problem(response, 503)
    assert int(response.headers["retry-after"]) > 0
    client.app.state.capacity_tables.wait()  # type: ignore[attr-defined]
    return client


def test_capacity_is_computed_in_the_background_then_answered(client: TestClient) -> None:
    body = ready(client).get("/v1/capacity").json()
    assert body["type"] == "FeatureCollection"
    assert "不可相加" in body["note"]
    assert (body["numberMatched"], body["numberReturned"]) == (2, 2)
    first, second = body["features"]
    assert first["geometry"] == {"type": "Point", "coordinates": [115.1, 33.4]}
    assert first["properties"]["open_kva"] == 1200.0
    assert second["geometry"] is None
    assert second["properties"]["open_kva"] is None
    assert second["properties"]["status"] == "not_assessable"


def test_capacity_table_of_the_store_is_used_by_a_new_service(client: TestClient, services: Services) -> None:
    ready(client)
    again = make_client(Services(services.store, profile=services.profile, clock=services.clock, parts=services.parts))
    assert again.get("/v1/capacity").status_code == 200


def test_box_selects_nodes_and_pages_link_to_the_next(calm_client: TestClient) -> None:
    inside = calm_client.get("/v1/capacity", params={"bbox": "115,33,116,34"}).json()
    assert [f["id"] for f in inside["features"]] == ["n0"]
    outside = calm_client.get("/v1/capacity", params={"bbox": "116,33,117,34"}).json()
    assert outside["features"] == []
    page = calm_client.get("/v1/capacity", params={"limit": 1}).json()
    [following] = [link["href"] for link in page["links"] if link["rel"] == "next"]
    second = calm_client.get(following).json()
    assert [f["id"] for f in (*page["features"], *second["features"])] == ["n0", "n1"]
    assert all(link["rel"] != "next" for link in second["links"])


@pytest.mark.parametrize(
    "query",
    [
        "bbox=1,2,3",
        "bbox=a,b,c,d",
        "bbox=nan,0,1,1",
        "bbox=0,0,inf,1",
        "bbox=10,0,1,1",
        "bbox=-181,0,1,1",
        "bbox=" + "1" * 300,
        "limit=0",
        "limit=-1",
        "limit=100000000000000000000",
        "limit=" + "9" * 5000,
        "limit=abc",
        "limit=1.5",
        "offset=-1",
        "offset=99999999999999999999",
    ],
)
def test_bad_queries_are_refused(calm_client: TestClient, query: str) -> None:
    assert_problem(calm_client.get(f"/v1/capacity?{query}"), 422)


def test_table_that_cannot_be_computed_is_said_so(open_services: Callable[..., Services], snapshot: Snapshot) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ConvergenceError("load flow has no solution")

    services = open_services(node_capacity=fail)
    services.store.store_snapshot(snapshot)
    assert_problem(ready(make_client(services)).get("/v1/capacity"), 409)


def test_fault_of_the_service_is_500_without_details(
    open_services: Callable[..., Services], snapshot: Snapshot
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("password=1234")

    services = open_services(generate_scheme=fail)
    services.store.store_snapshot(snapshot)
    response = post(make_client(services), REQUEST)
    assert_problem(response, 500)
    assert "1234" not in response.text


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.example:8000", "", "127.0.0.1@evil"])
def test_other_host_names_are_refused(calm_client: TestClient, host: str) -> None:
    assert_problem(calm_client.get("/health", headers={"Host": host}), 421)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"])
def test_loopback_names_are_served(calm_client: TestClient, host: str) -> None:
    assert calm_client.get("/health", headers={"Host": host}).status_code == 200


def test_answers_carry_security_headers(calm_client: TestClient) -> None:
    for response in (calm_client.get("/"), calm_client.get("/v1/nothing"), calm_client.get("/docs")):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]


def test_documentation_needs_no_other_host(calm_client: TestClient) -> None:
    page = calm_client.get("/docs").text
    assert "https://" not in page.replace("https://fastapi", "")
    assert calm_client.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200


def find(document: Body, reference: str) -> Body:
    """Follow a reference within the document, as a generator of clients does."""
    place: Any = document
    for name in reference.removeprefix("#/").split("/"):
        place = place[name]
    assert isinstance(place, dict)
    return place


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        inner = set().union(*(references(value) for value in part.values()))
        return inner | ({part["$ref"]} if isinstance(part.get("$ref"), str) else set())
    return set().union(*(references(value) for value in part)) if isinstance(part, list) else set()


def test_every_reference_of_the_openapi_document_leads_somewhere(calm_client: TestClient) -> None:
    document = calm_client.get("/openapi.json").json()
    found = references(document)
    assert {"#/components/schemas/Scheme", "#/components/schemas/Location"} <= found
    for reference in found:
        assert find(document, reference)


def test_openapi_names_the_members_of_every_answer(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    answered = post(client, REQUEST).json()
    assert set(find(document, "#/components/schemas/Scheme")["properties"]) == set(answered)
    assert set(find(document, "#/components/schemas/Validity")["properties"]) == {"from", "to"}
    capacity = find(document, "#/components/schemas/Capacity")
    assert set(capacity["required"]) == set(ready(client).get("/v1/capacity").json())
    for path, media_type in (
        ("/v1/capacity", "application/geo+json"),
        ("/v1/schemes/{scheme_id}", "application/json"),
        ("/v1/schemes/{scheme_id}/documents/{kind}", "application/pdf"),
    ):
        responses = document["paths"][path]["get"]["responses"]
        assert media_type in responses["200"]["content"]
        assert {"401", "403", "422", "503"} <= set(responses)


def test_openapi_states_request_and_problems(calm_client: TestClient) -> None:
    document = calm_client.get("/openapi.json").json()
    post_scheme = document["paths"]["/v1/schemes"]["post"]
    schema = post_scheme["requestBody"]["content"]["application/json"]["schema"]
    assert find(document, schema["$ref"])["additionalProperties"] is False
    assert "application/problem+json" in post_scheme["responses"]["422"]["content"]
    [key] = post_scheme["parameters"]
    assert (key["name"], key["in"], key["required"]) == ("Idempotency-Key", "header", True)
    assert {"/health", "/v1/capacity", "/v1/schemes/{scheme_id}"} <= set(document["paths"])
