"""The recipe of database roles: the service writes rows only, a person with QGIS sees the layers only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

import scheme.store
from api.self_check import run_self_check
from gridmodel.snapshot import Snapshot
from scheme.ledger import Ledger
from scheme.store import Store, StoreError
from tests.ledger.cases import accounts, reserve, wanted
from tests.store.conftest import make_key, make_scheme, manifest_of, part
from tests.stores import PostgresServer

OpenStore = Callable[[str], Store]
RECIPE = (Path(scheme.store.__file__).parent / "roles.sql").read_text(encoding="utf-8")


@pytest.fixture
def database(
    postgres_server: PostgresServer, postgres_url: str, open_store: OpenStore, snapshot: Snapshot
) -> Iterator[str]:
    """Name of a database with a store, the recipe run on it twice, and a login in each role."""
    name = postgres_url.rpartition("/")[2]
    open_store(postgres_url).store_snapshot(snapshot)
    for _ in range(2):
        postgres_server.execute(RECIPE, database=name)
    postgres_server.execute("CREATE ROLE service LOGIN IN ROLE gridscheme_service")
    postgres_server.execute("CREATE ROLE planner LOGIN IN ROLE gridscheme_reader")
    yield name
    for role in ("service", "planner", "gridscheme_service", "gridscheme_reader"):
        postgres_server.execute(f"DROP OWNED BY {role}", database=name)
        postgres_server.execute(f"DROP ROLE {role}")


def test_service_role_does_all_the_service_does(
    postgres_server: PostgresServer, database: str, open_store: OpenStore, snapshot: Snapshot
) -> None:
    store = open_store(postgres_server.url(database, user="service"))
    sha256 = store.store_snapshot(snapshot).sha256
    store.store_capacity(sha256, make_key(), *manifest_of(part(0), part(1)))
    store.store_scheme(make_scheme(sha256), [("scheme.json", b"{}")])
    ledger = Ledger(store)
    with store.write() as connection:
        ledger.open_accounts(connection, accounts())
    reserve(ledger, wanted("N1", 100), key="key-1")
    assert "superuser" not in {finding.check for finding in run_self_check(store)}
    store.close()


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger_entry set held_delta_va = 0",
        "delete from audit_row",
        "truncate ledger_entry",
        "truncate answered_request",
        "alter table ledger_entry disable trigger all",
        "drop table scheme cascade",
        "create table mine (id integer)",
        "update store_revision set version_num = '0001'",
    ],
)
def test_service_role_changes_no_table_and_nothing_append_only(
    postgres_server: PostgresServer, database: str, open_store: OpenStore, statement: str
) -> None:
    store = open_store(postgres_server.url(database, user="service"))
    with pytest.raises(StoreError, match="rights") as caught, store.write() as connection:
        connection.execute(text(statement))
    assert caught.value.context["sqlstate"] == "42501"
    store.close()


def test_reader_role_sees_the_layers_and_nothing_else(postgres_server: PostgresServer, database: str) -> None:
    with psycopg.connect(postgres_server.dsn(database, user="planner"), autocommit=True) as connection:
        for view in ("v_open_capacity", "v_lines", "v_feeders", "v_layer_state", "geometry_columns"):
            connection.execute(f"select * from {view}")
        found = connection.execute(
            "select table_name from information_schema.role_table_grants where grantee = 'gridscheme_reader'"
        ).fetchall()
        assert sorted(name for (name,) in found) == [
            "geometry_columns",
            "spatial_ref_sys",
            "v_feeders",
            "v_layer_state",
            "v_lines",
            "v_open_capacity",
        ]
        for refused in (
            "select * from scheme",
            "select * from ledger_hold",
            "delete from grid_line",
            "select * from grid_node",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(refused)
