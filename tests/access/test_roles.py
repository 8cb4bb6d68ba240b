"""Every operation says who may call it; keys and roles are checked by the route itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from starlette.testclient import TestClient

from api.access import Principal, allow, check_every_route_declares_roles
from api.access.routes import roles_by_operation
from scheme.access.keys import ApiKeys
from scheme.store import Store
from tests.access.clients import client_of, make_key, with_access

Who = dict[str, Any]


def read_first() -> int:
    return 1


def make_app() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.get("/staff")
    def staff(principal: Annotated[Principal, allow("engineer", "planner")]) -> Who:
        return {"subject": principal.subject_id, "roles": sorted(principal.roles)}

    @app.get("/anyone")
    def anyone(principal: Annotated[Principal, allow("public")]) -> Who:
        return {"subject": principal.subject_id, "roles": sorted(principal.roles)}

    return app


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store.db"))


def test_route_without_roles_is_named_and_stops_the_start() -> None:
    app = make_app()
    check_every_route_declares_roles(app)

    @app.delete("/forgotten/{number}")
    def forgotten(number: int) -> None: ...

    with pytest.raises(RuntimeError, match=r"DELETE /forgotten/\{number\}"):
        check_every_route_declares_roles(app)


def test_routes_of_a_router_are_looked_at_under_their_full_path() -> None:
    app, router = make_app(), APIRouter(prefix="/inner")

    @router.post("/silent")
    def silent() -> None: ...

    app.include_router(router, prefix="/outer")
    with pytest.raises(RuntimeError, match="POST /outer/inner/silent"):
        check_every_route_declares_roles(app)


def test_roles_of_a_router_count_for_its_routes() -> None:
    app, router = make_app(), APIRouter(prefix="/inner", dependencies=[allow("operator")])

    @router.get("/quiet")
    def quiet() -> Who:
        return {}

    app.include_router(router)
    check_every_route_declares_roles(app)
    keys = with_access(app).keys
    assert client_of(app, keys["engineer"]).get("/inner/quiet").status_code == 403
    assert client_of(app, keys["operator"]).get("/inner/quiet").status_code == 200


def test_roles_must_be_declared_before_anything_is_read() -> None:
    app = make_app()

    @app.get("/late")
    def late(
        value: Annotated[int, Depends(read_first)], principal: Annotated[Principal, allow("engineer")]
    ) -> None: ...

    with pytest.raises(RuntimeError, match="GET /late"):
        check_every_route_declares_roles(app)


def test_what_cannot_declare_roles_is_refused() -> None:
    app = make_app()

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None: ...

    with pytest.raises(RuntimeError, match="/socket"):
        check_every_route_declares_roles(app)


def test_roles_must_be_known_and_some() -> None:
    with pytest.raises(ValueError, match="none"):
        allow()
    with pytest.raises(ValueError, match="admin"):
        allow("admin")  # type: ignore[arg-type]


def test_operations_are_listed_with_their_roles() -> None:
    assert roles_by_operation(make_app()) == {
        "GET /staff": frozenset({"engineer", "planner"}),
        "GET /anyone": frozenset({"public"}),
    }


def assert_problem(response: Any, status: int, code: str) -> None:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["code"] == code


def test_without_a_key_only_public_operations_answer() -> None:
    app = make_app()
    with_access(app)
    client = client_of(app, None)
    refused = client.get("/staff")
    assert_problem(refused, 401, "access.unauthenticated")
    assert refused.headers["www-authenticate"] == 'Bearer realm="gridscheme"'
    assert client.get("/anyone").json() == {"subject": "anonymous", "roles": ["public"]}


def test_each_role_gets_what_is_its_own() -> None:
    app = make_app()
    keys = with_access(app).keys
    answers = {role: client_of(app, key).get("/staff").status_code for role, key in keys.items()}
    assert answers == {"public": 403, "customer": 403, "engineer": 200, "planner": 200, "operator": 403}
    assert {client_of(app, key).get("/anyone").status_code for key in keys.values()} == {200}


def test_key_of_the_store_is_taken_from_either_header(store: Store) -> None:
    app = make_app()
    with_access(app, store)
    key = make_key(store, "ZK-1", "engineer", "customer")
    expected = {"subject": "ZK-1", "roles": ["customer", "engineer"]}
    assert client_of(app, key).get("/staff").json() == expected
    assert client_of(app, None).get("/staff", headers={"X-API-Key": key}).json() == expected


def wrong_credentials(key: str) -> dict[str, dict[str, str]]:
    other = key[:-1] + ("0" if key[-1] != "0" else "1")
    return {
        "wrong secret": {"Authorization": f"Bearer {other}"},
        "unknown id": {"Authorization": f"Bearer gsk_{'0' * 16}_{'0' * 64}"},
        "no key at all": {"Authorization": "Bearer gsk_"},
        "empty": {"Authorization": "Bearer "},
        "other kind": {"Authorization": f"Basic {key}"},
        "kind alone": {"Authorization": "Bearer"},
        "two credentials": {"Authorization": f"Bearer {key}", "X-API-Key": key},
        "upper case": {"Authorization": f"Bearer {key.upper()}"},
        "something else": {"X-API-Key": "{}"},
        "not a token": {"Authorization": "Bearer a.b.c"},
        "huge": {"Authorization": f"Bearer {'a' * 20_000}"},
    }


@pytest.mark.parametrize("name", wrong_credentials("gsk_"))
@pytest.mark.parametrize("path", ["/staff", "/anyone"])
def test_wrong_credential_is_refused_everywhere(store: Store, name: str, path: str) -> None:
    app = make_app()
    with_access(app, store)
    key = make_key(store, "ZK-1", "engineer")
    refused = client_of(app, None).get(path, headers=wrong_credentials(key)[name])
    assert_problem(refused, 401, "access.unauthenticated")
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert key not in refused.text


def test_key_in_the_query_is_no_key(store: Store) -> None:
    app = make_app()
    with_access(app, store)
    key = make_key(store, "ZK-1", "engineer")
    client = client_of(app, None)
    assert client.get("/staff", params={"access_token": key, "X-API-Key": key, "key": key}).status_code == 401


def test_revoked_key_is_worthless_at_once(store: Store) -> None:
    app = make_app()
    with_access(app, store)
    key = make_key(store, "ZK-1", "engineer")
    client = client_of(app, key)
    assert client.get("/staff").status_code == 200
    [kept] = ApiKeys(store).list_all()
    ApiKeys(store).revoke(kept.key_id)
    assert_problem(client.get("/staff"), 401, "access.unauthenticated")


def test_key_of_another_process_is_worthless(store: Store) -> None:
    first, second = make_app(), make_app()
    keys = with_access(first, store).keys
    with_access(second, store)
    assert client_of(first, keys["engineer"]).get("/staff").status_code == 200
    assert client_of(second, keys["engineer"]).get("/staff").status_code == 401


def test_application_without_access_answers_nobody() -> None:
    client = TestClient(make_app(), raise_server_exceptions=False)
    assert client.get("/staff").status_code == 500
