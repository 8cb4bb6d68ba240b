"""A store made or brought on by the revisions is the one the tables describe; nothing older or newer is guessed at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, inspect, text

from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot, seal
from scheme.store import Store, StoreError
from scheme.store.address import parse_address
from scheme.store.engine import open_engine
from scheme.store.migration import upgrade_to
from scheme.store.migrations import FIRST_TABLES, REVISIONS, VERSION_TABLE
from scheme.store.migrations.compare import options
from scheme.store.schema import NOT_OURS, all_tables
from scheme.store.tables import METADATA
from tests.store.conftest import count_rows, make_scheme
from tests.stores import PostgresServer

OpenStore = Callable[[str], Store]
pytestmark = pytest.mark.filterwarnings("ignore:Did not recognize type 'geometry'")


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """The database, without a store on it."""
    made = open_engine(parse_address(store_url))
    yield made
    made.dispose()


def make_first_store(engine: Engine) -> None:
    """A store of the version before there were revisions."""
    with engine.begin() as connection:
        upgrade_to(connection, REVISIONS[0])
        connection.execute(text(f"drop table {VERSION_TABLE}"))


def tables_of(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - NOT_OURS


def described(connection: Connection) -> dict[str, Any]:
    """Everything the database says of its tables, in one order."""
    inspector = inspect(connection)
    told: dict[str, Any] = {}
    for table in sorted(tables_of(connection) - {VERSION_TABLE}):
        columns = sorted(
            (c["name"], str(c["type"]), c["nullable"], str(c["default"]).replace("(", "").replace(")", ""))
            for c in inspector.get_columns(table)
        )
        told[table] = {
            "columns": columns,
            "key": inspector.get_pk_constraint(table)["constrained_columns"],
            "foreign": sorted(
                (f["constrained_columns"], f["referred_table"], f["referred_columns"])
                for f in inspector.get_foreign_keys(table)
            ),
            "unique": sorted(u["column_names"] for u in inspector.get_unique_constraints(table)),
            "checks": sorted(c["sqltext"] for c in inspector.get_check_constraints(table)),
            "indices": sorted(
                (
                    str(i["name"]),
                    i["column_names"],
                    i["unique"],
                    [(k, str(v)) for k, v in i.get("dialect_options", {}).items()],
                )
                for i in inspector.get_indexes(table)
            ),
        }
    return told


def triggers_of(connection: Connection) -> list[tuple[str, str]]:
    query = {
        "sqlite": "select name, sql from sqlite_master where type = 'trigger' order by name",
        "postgresql": "select tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal order by 1",
    }
    return [(row[0], " ".join(row[1].split())) for row in connection.execute(text(query[connection.dialect.name]))]


def test_revisions_are_one_line_that_ends_with_this_version() -> None:
    config = Config()
    config.set_main_option("script_location", "scheme.store:migrations")
    script = ScriptDirectory.from_config(config)
    assert [each.revision for each in script.walk_revisions()] == list(reversed(REVISIONS))
    assert script.get_heads() == [REVISIONS[-1]]


def test_tables_made_by_the_revisions_have_no_difference_to_those_of_the_product(store: Store) -> None:
    store.upgrade()
    with store.write() as connection:
        settings = options(connection)
        assert (
            compare_metadata(MigrationContext.configure(connection, opts=settings), settings["target_metadata"]) == []
        )


def test_difference_would_be_found(store: Store) -> None:
    store.upgrade()
    with store.write() as connection:
        settings = options(connection)
        later = MetaData()
        Table("later", later, Column("number", Integer, primary_key=True))
        context = MigrationContext.configure(connection, opts=settings)
        [(kind, found), *_] = compare_metadata(context, [*settings["target_metadata"], later])
    assert (kind, found.name) == ("add_table", "later")


def test_revisions_make_what_the_tables_say_in_every_detail(
    engine: Engine, request: pytest.FixtureRequest, tmp_path: Any
) -> None:
    """Checks, keys, defaults and triggers too, which the comparison of Alembic leaves out."""
    with engine.begin() as connection:
        upgrade_to(connection, REVISIONS[-1])
        made, triggers = described(connection), triggers_of(connection)
    if engine.dialect.name == "sqlite":
        other = open_engine(parse_address(str(tmp_path / "other.db")))
        expected = create_and_describe(other)
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.new_database() as name:
            expected = create_and_describe(open_engine(parse_address(server.url(name))))
    assert made == expected[0]
    assert triggers == expected[1]
    assert len(triggers) == 27


def create_and_describe(engine: Engine) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    with engine.begin() as connection:
        for metadata in all_tables(engine.dialect.name):
            metadata.create_all(connection)
        told = described(connection), triggers_of(connection)
    engine.dispose()
    return told


@pytest.mark.parametrize("use", [Store.find_current_sha256, Store.upgrade], ids=["read", "write"])
def test_store_from_before_the_revisions_is_brought_on_with_everything_in_it(
    engine: Engine, store_url: str, open_store: OpenStore, snapshot: Snapshot, use: Callable[[Store], object]
) -> None:
    make_first_store(engine)
    sealed, content = seal(snapshot)
    with engine.begin() as connection:
        connection.execute(
            text("insert into snapshot (sha256, source_name, source_format, content) values (:s, 'n', 'f', :c)"),
            {"s": sealed.sha256, "c": content},
        )
        connection.execute(text("insert into current_snapshot values (1, :s)"), {"s": sealed.sha256})
        values = "('sch_1', 'R-1', :digest, :s, 'answered', :c, '2026-01-01 00:00:00')"
        connection.execute(
            text(f"insert into scheme values {values}"), {"digest": "a" * 64, "s": sealed.sha256, "c": b"{}"}
        )
    store = open_store(store_url)
    use(store)
    with engine.connect() as connection:
        assert connection.execute(text(f"select version_num from {VERSION_TABLE}")).scalar() == REVISIONS[-1]
        assert tables_of(connection) >= set(METADATA.tables)
    assert store.find_current_sha256() == sealed.sha256
    assert store.get_scheme("sch_1") == make_scheme(sealed.sha256)
    assert store.get_snapshot(sealed.sha256).nodes["node_id"].tolist() == ["n0", "n1"]
    store.store_scheme(make_scheme(sealed.sha256, scheme_id="sch_2"), [])
    assert count_rows(store, "scheme") == 2


@pytest.mark.parametrize("revision", [REVISIONS[1], REVISIONS[3], REVISIONS[-2]])
def test_store_of_any_older_revision_is_brought_on(
    engine: Engine, store_url: str, open_store: OpenStore, revision: str
) -> None:
    with engine.begin() as connection:
        upgrade_to(connection, revision)
    store = open_store(store_url)
    assert store.find_current_sha256() is None
    with store.write() as connection:
        settings = options(connection)
        assert (
            compare_metadata(MigrationContext.configure(connection, opts=settings), settings["target_metadata"]) == []
        )


@pytest.mark.parametrize("use", [Store.find_current_sha256, Store.upgrade], ids=["read", "write"])
def test_store_of_a_newer_version_is_refused_and_left_as_it_was(
    engine: Engine, store_url: str, open_store: OpenStore, use: Callable[[Store], object]
) -> None:
    open_store(store_url).upgrade()
    with engine.begin() as connection:
        connection.execute(text(f"update {VERSION_TABLE} set version_num = '9999'"))
        before = described(connection)
    with pytest.raises(InputError, match="newer version"):
        use(open_store(store_url))
    with engine.connect() as connection:
        assert described(connection) == before


def test_upgrade_that_fails_half_way_changes_nothing(engine: Engine, store_url: str, open_store: OpenStore) -> None:
    make_first_store(engine)
    last = "upload"
    with engine.begin() as connection:
        connection.execute(text(f"create table {last} (in_the_way integer)"))
        before = described(connection)
    with pytest.raises(StoreError):
        open_store(store_url).upgrade()
    with engine.connect() as connection:
        assert described(connection) == before
        assert tables_of(connection) == FIRST_TABLES | {last}


def test_upgrade_of_a_current_store_changes_nothing(store: Store, snapshot: Snapshot) -> None:
    sha256 = store.store_snapshot(snapshot).sha256
    store.upgrade()
    store.upgrade()
    assert store.find_current_sha256() == sha256
