"""Each check of the start finds what it is for, and a store as the product makes it passes them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from sqlalchemy import text

from api import self_check
from api.self_check import Finding, SelfCheckError, refuse_fatal, run_self_check
from gridmodel.snapshot import Snapshot
from scheme.store import Store
from tests.stores import PostgresServer

OpenStore = Callable[[str], Store]
LOCAL = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"


def names(findings: list[Finding]) -> set[str]:
    return {finding.check for finding in findings}


@pytest.fixture
def file_store(tmp_path: Path, open_store: OpenStore, snapshot: Snapshot) -> Store:
    store = open_store(str(tmp_path / "store.db"))
    store.store_snapshot(snapshot)
    return store


@pytest.fixture
def durable_server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """The server set as one is run, not as tests are made quick."""
    postgres_server.change(fsync="on", full_page_writes="on")
    yield postgres_server
    postgres_server.change(fsync=None, full_page_writes=None)


def test_store_on_sqlite_as_the_product_makes_it_passes(file_store: Store) -> None:
    assert run_self_check(file_store) == []


def test_absent_file_is_checked_for_its_place_and_not_made(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "none.db"))
    assert run_self_check(store) == []
    assert list(tmp_path.iterdir()) == []


def test_durable_server_passes_but_for_the_superuser(durable_server: PostgresServer, open_store: OpenStore) -> None:
    with durable_server.new_database() as name:
        store = open_store(durable_server.url(name))
        assert names(run_self_check(store)) == {"superuser"}
        store.upgrade()
        findings = run_self_check(store)
        assert names(findings) == {"superuser"}
        refuse_fatal(findings)
        store.close()


def test_ordinary_role_passes(durable_server: PostgresServer, open_store: OpenStore) -> None:
    with durable_server.new_database() as name:
        open_store(durable_server.url(name)).upgrade()
        durable_server.execute("CREATE ROLE service LOGIN")
        durable_server.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO service", database=name)
        store = open_store(durable_server.url(name, user="service"))
        assert run_self_check(store) == []
        store.close()
        durable_server.execute("DROP OWNED BY service", database=name)
        durable_server.execute("DROP ROLE service")


def test_server_that_does_not_wait_for_the_disk_is_refused(
    postgres_server: PostgresServer, postgres_url: str, open_store: OpenStore
) -> None:
    """The quick server of the tests runs without fsync and full-page writes; here the database gives up the rest."""
    name = postgres_url.rpartition("/")[2]
    postgres_server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    findings = run_self_check(open_store(postgres_url))
    assert names(findings) == {"fsync", "full_page_writes", "synchronous_commit", "superuser"}
    with pytest.raises(SelfCheckError, match=r"fsync: off.*full_page_writes: off.*synchronous_commit: off"):
        refuse_fatal(findings)


@pytest.mark.parametrize("level", ["OFF", "NORMAL"])
def test_commit_that_does_not_wait_for_the_disk_is_refused(
    file_store: Store, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    monkeypatch.setattr("scheme.store.engine.synchronous", lambda _mode: level)
    [finding] = run_self_check(open_store(str(file_store.file)))
    assert (finding.check, finding.is_fatal) == ("synchronous", True)
    assert level in finding.problem


@pytest.mark.parametrize("mode", ["MEMORY", "OFF"])
def test_journal_that_a_crash_takes_away_is_refused(
    file_store: Store, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr("scheme.store.engine.journal_mode", lambda _version: mode)
    assert names(run_self_check(open_store(str(file_store.file)))) == {"journal_mode"}


@pytest.mark.parametrize(
    ("mode", "version", "is_refused"),
    [
        ("wal", (3, 40, 1), True),
        ("wal", (3, 51, 2), True),
        ("wal", (3, 51, 3), False),
        ("wal", (3, 44, 6), False),
        ("delete", (3, 40, 1), False),
        ("truncate", (3, 40, 1), False),
        ("memory", (3, 51, 3), True),
        ("off", (3, 51, 3), True),
    ],
)
def test_journal_mode_must_suit_the_library(mode: str, version: tuple[int, ...], is_refused: bool) -> None:
    """Versions with the fault of the write-ahead log: 3.7.0 to 3.51.2, but 3.50.7 and 3.44.6 (SQLite news)."""
    assert (self_check.judge_journal_mode(mode, version) is not None) is is_refused


def test_references_that_are_not_checked_are_refused(file_store: Store) -> None:
    with file_store.look() as connection:
        assert self_check.check_foreign_keys(connection) is None
        connection.connection.driver_connection.execute("COMMIT")  # inside a transaction the pragma has no effect
        connection.execute(text("PRAGMA foreign_keys = OFF"))
        assert self_check.check_foreign_keys(connection) is not None
        connection.connection.driver_connection.execute("BEGIN")


def test_file_mapped_into_memory_is_refused(file_store: Store) -> None:
    with file_store.look() as connection:
        assert self_check.check_memory_map(connection) is None
        connection.execute(text("PRAGMA mmap_size = 1000000"))
        assert self_check.check_memory_map(connection) is not None
        connection.execute(text("PRAGMA mmap_size = 0"))


@pytest.mark.parametrize(
    ("mounts", "is_refused"),
    [
        (LOCAL, False),
        (LOCAL + "30 22 0:40 / /srv rw - nfs4 server:/export rw\n", True),
        (LOCAL + "30 22 0:40 / /srv/our\\040data rw shared:1 - cifs //server/data rw\n", True),
        (LOCAL + "30 22 0:40 / /srv/our rw - nfs server:/export rw\n", False),
        (LOCAL + "30 22 0:40 / /srv rw - nfs4 s:/e rw\n31 30 254:1 / /srv/our\\040data rw - xfs /dev/vdb rw\n", False),
        (LOCAL + "30 22 0:40 / /srv rw - fuse.sshfs user@server: rw\n", True),
    ],
)
def test_file_on_a_network_file_system_is_refused(mounts: str, is_refused: bool) -> None:
    """Lines as proc(5) has them; the mount that holds the file is the deepest one, and the last of two in one place."""
    found = self_check.check_file_system(Path("/srv/our data/store.db"), mounts)
    assert (found is not None) is is_refused


def test_clock_more_than_two_seconds_from_the_databases_is_refused(store: Store, snapshot: Snapshot) -> None:
    store.store_snapshot(snapshot)
    with store.look() as connection:
        for seconds, is_refused in [(0, False), (1.9, False), (2.5, True), (-2.5, True), (3600, True)]:
            own = timedelta(seconds=seconds)
            found = self_check.check_clock(store, connection, lambda own=own: datetime.now(UTC) + own)
            assert (found is not None) is is_refused, seconds


def test_unknown_or_wrong_time_zone_is_refused() -> None:
    def unknown(name: str) -> ZoneInfo:
        raise ZoneInfoNotFoundError(name)

    assert self_check.check_time_zone() is None
    assert self_check.check_time_zone(unknown) is not None
    assert self_check.check_time_zone(lambda _name: ZoneInfo("UTC")) is not None


def test_development_mode_is_refused() -> None:
    assert self_check.check_debug(is_dev_mode=False) is None
    assert self_check.check_debug(is_dev_mode=True) is not None


def test_trigger_that_is_gone_is_named_on_sqlite(file_store: Store) -> None:
    with file_store.write() as connection:
        connection.execute(text("DROP TRIGGER ledger_entry_no_delete"))
    [finding] = run_self_check(file_store)
    assert finding.check == "append_only"
    assert "ledger_entry_no_delete" in finding.problem


def test_trigger_that_is_switched_off_is_named_on_postgresql(postgres_url: str, open_store: OpenStore) -> None:
    store = open_store(postgres_url)
    store.upgrade()
    with store.write() as connection:
        connection.execute(text("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_no_update"))
    with store.look() as connection:
        finding = self_check.check_append_only(connection)
    assert finding is not None
    assert "ledger_entry_no_update" in finding.problem


def test_standby_and_other_encodings_are_refused() -> None:
    """A connection that answers as such servers do; a standby and a second cluster would take long to make."""

    class Answers:
        def __init__(self, value: object) -> None:
            self.value = value

        def execute(self, _statement: object) -> Answers:
            return self

        def scalar_one(self) -> object:
            return self.value

    assert self_check.check_primary(Answers(False)) is None  # type: ignore[arg-type]
    assert self_check.check_primary(Answers(True)) is not None  # type: ignore[arg-type]
    assert self_check.check_encoding(Answers("UTF8")) is None  # type: ignore[arg-type]
    assert self_check.check_encoding(Answers("SQL_ASCII")) is not None  # type: ignore[arg-type]


def test_publications_in_the_same_database_are_refused(file_store: Store, tmp_path: Path) -> None:
    findings = run_self_check(file_store, public_url=str(file_store.file))
    assert names(findings) == {"public_database"}
    assert run_self_check(file_store, public_url=str(tmp_path / "public.db")) == []
