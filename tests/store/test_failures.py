"""A database that is away, busy, full or somebody else's: one error of the product, nothing half done, no password."""

from __future__ import annotations

import signal
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, text

from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.store import Store, StoreError
from scheme.store.engine import BUSY_TIMEOUT_MS
from tests.store.conftest import count_rows, make_scheme
from tests.stores import GUARDED_USER, PostgresServer

OpenStore = Callable[[str], Store]
PASSWORD = "not-for-any-log"


def plain(url: str) -> str:
    """The address as psycopg reads it."""
    return url.replace("+psycopg", "")


def texts(error: BaseException | None) -> str:
    """Everything an error says, with what caused it."""
    said = ""
    while error is not None:
        said += f"{error} {getattr(error, 'context', '')} {error!r}\n"
        error = error.__cause__ or error.__context__
    return said


@pytest.fixture
def file_store(tmp_path: Path, open_store: OpenStore, snapshot: Snapshot) -> Store:
    store = open_store(str(tmp_path / "store.db"))
    store.store_snapshot(snapshot)
    return store


@pytest.fixture
def server_store(postgres_url: str, open_store: OpenStore, snapshot: Snapshot) -> Store:
    store = open_store(postgres_url)
    store.store_snapshot(snapshot)
    return store


@pytest.fixture
def restarted(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """The server, which runs again after the test."""
    yield postgres_server
    postgres_server.stop()
    postgres_server.start()


def test_nobody_listens_at_the_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        store = Store(f"postgresql://user:{PASSWORD}@127.0.0.1:{taken.getsockname()[1]}/store")
        with pytest.raises(StoreError, match="cannot be reached") as caught:
            store.find_current_sha256()
    assert PASSWORD not in texts(caught.value)
    assert caught.value.code == "store.unavailable"


def test_wrong_password_is_not_repeated(postgres_server: PostgresServer, postgres_url: str) -> None:
    postgres_server.execute(f"CREATE ROLE {GUARDED_USER} LOGIN PASSWORD 'right'")
    try:
        store = Store(postgres_url.replace("tester@", f"{GUARDED_USER}:{PASSWORD}@"))
        with pytest.raises(StoreError) as caught:
            store.upgrade()
    finally:
        postgres_server.execute(f"DROP ROLE {GUARDED_USER}")
    assert PASSWORD not in texts(caught.value)
    assert "password authentication failed" in texts(caught.value)


def test_connection_that_is_cut_is_an_error_and_the_next_one_works(server_store: Store, postgres_url: str) -> None:
    def cut(connection: Connection) -> None:
        number = connection.execute(text("select pg_backend_pid()")).scalar_one()
        connection.execute(text("delete from current_snapshot"))
        with psycopg.connect(plain(postgres_url)) as other:
            other.execute("select pg_terminate_backend(%s, 5000)", [number])
        connection.execute(text("select 1"))

    with pytest.raises(StoreError), server_store.write() as connection:
        cut(connection)
    assert count_rows(server_store, "current_snapshot") == 1


def test_pooled_connections_that_are_cut_are_replaced_unnoticed(server_store: Store, postgres_url: str) -> None:
    with psycopg.connect(plain(postgres_url)) as other:
        statement = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'gridscheme'"
        assert (True,) in other.execute(statement).fetchall()
    assert server_store.find_current_sha256() is not None


def test_crash_of_the_server_is_an_error_until_it_is_back(server_store: Store, restarted: PostgresServer) -> None:
    restarted.stop(signal.SIGQUIT)
    with pytest.raises(StoreError, match="cannot be reached"):
        server_store.find_current_sha256()
    with pytest.raises(StoreError, match="cannot be reached"):
        server_store.upgrade()
    restarted.start()
    assert server_store.find_current_sha256() is not None


def test_row_held_by_another_writer_is_waited_for_one_second(server_store: Store, postgres_url: str) -> None:
    sha256 = server_store.find_current_sha256()
    with psycopg.connect(plain(postgres_url)) as other:
        other.execute("select * from current_snapshot for update")
        with pytest.raises(StoreError, match="another writer") as caught:
            server_store.store_changed(str(sha256), None, [])  # type: ignore[arg-type]
    assert caught.value.context["sqlstate"] == "55P03"


@pytest.mark.parametrize(
    ("name", "value"),
    [("lock_timeout", "1s"), ("statement_timeout", "1min"), ("idle_in_transaction_session_timeout", "1min")],
)
def test_limits_of_time_hold_in_the_transaction_and_not_in_the_session(
    server_store: Store, name: str, value: str
) -> None:
    with server_store.write() as connection:
        assert connection.execute(text(f"show {name}")).scalar_one() == value
        session = connection.connection.driver_connection
        assert connection.execute(text("select pg_backend_pid()")).scalar_one() > 0
    session.autocommit = True
    assert session.execute(f"show {name}").fetchone() == ("0",)


def test_statement_that_takes_too_long_is_an_error(server_store: Store) -> None:
    with pytest.raises(StoreError, match="took too long"), server_store.write() as connection:
        connection.execute(text("set local statement_timeout = '20ms'; select pg_sleep(5)"))


def test_server_without_room_is_an_error(server_store: Store) -> None:
    """A limit of temporary files stands for a full disk: both are SQLSTATE class 53 (PostgreSQL, appendix A)."""
    sort = (
        "set local work_mem = '64kB'; set local temp_file_limit = '64kB'; "
        "select * from generate_series(1, 100000) n order by md5(n::text)"
    )
    with pytest.raises(StoreError, match="no room"), server_store.write() as connection:
        connection.execute(text(sort))


def test_text_the_server_cannot_keep_is_the_callers_fault(server_store: Store) -> None:
    scheme = make_scheme(str(server_store.find_current_sha256()), request_id="R\0")
    with pytest.raises(InputError):
        server_store.store_scheme(scheme, [])


def test_refused_rows_are_named_without_their_values(server_store: Store) -> None:
    with pytest.raises(StoreError) as caught:
        server_store.store_scheme(make_scheme("0" * 64, request_id="王小明"), [])
    assert "王小明" not in str(caught.value)
    assert caught.value.context["sqlstate"] == "23503"


@pytest.mark.parametrize("use", [Store.find_current_sha256, Store.upgrade])
def test_database_of_another_program_on_the_server_is_refused_and_kept(
    postgres_url: str, use: Callable[[Store], object]
) -> None:
    with psycopg.connect(plain(postgres_url)) as connection:
        connection.execute("create table accounts (id integer)")
    with pytest.raises(InputError, match="another program"):
        use(Store(postgres_url))
    with psycopg.connect(plain(postgres_url)) as connection:
        found = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    assert sorted(found) == [("accounts",), ("spatial_ref_sys",)]


def test_file_held_by_another_writer_is_waited_for_and_then_an_error(
    file_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BUSY_TIMEOUT_MS == 5_000
    assert file_store.file is not None
    monkeypatch.setattr("scheme.store.engine.BUSY_TIMEOUT_MS", 50)
    other = sqlite3.connect(file_store.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = Store(str(file_store.file))
    assert waiting.find_current_sha256() is not None
    with pytest.raises(StoreError, match="locked"):
        waiting.upgrade()
    other.execute("ROLLBACK")
    other.close()
    waiting.upgrade()


def test_full_disk_is_an_error_and_the_store_stays_whole(file_store: Store) -> None:
    """A limit of pages stands for a full disk: both are ``SQLITE_FULL``."""

    def fill(connection: Connection) -> None:
        pages = connection.execute(text("pragma page_count")).scalar_one()
        connection.execute(text(f"pragma max_page_count = {pages + 1}"))
        connection.execute(text("delete from current_snapshot"))
        connection.execute(text("insert into capacity_part values ('x', zeroblob(1000000))"))

    with pytest.raises(StoreError, match="full"), file_store.write() as connection:
        fill(connection)
    assert count_rows(file_store, "current_snapshot") == 1
    assert count_rows(file_store, "capacity_part") == 0


def test_store_that_becomes_read_only_is_an_error_of_the_store(file_store: Store) -> None:
    """``query_only`` answers as a file system mounted again for reading does."""

    def remount(connection: Connection) -> None:
        connection.execute(text("pragma query_only = on"))
        connection.execute(text("delete from current_snapshot"))

    with pytest.raises(StoreError, match="readonly"), file_store.write() as connection:
        remount(connection)
    file_store.upgrade()


def test_damaged_file_is_an_error_of_the_store_or_of_its_content(file_store: Store) -> None:
    """Overwritten in the middle of its pages, the file is no longer a database SQLite reads to the end."""
    assert file_store.file is not None
    file_store.close()
    content = bytearray(file_store.file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file_store.file.write_bytes(content)
    with pytest.raises(StoreError, match="malformed"):
        Store(str(file_store.file)).find_current_sha256()


def test_cut_off_file_is_an_error_of_the_store(file_store: Store) -> None:
    assert file_store.file is not None
    file_store.close()
    content = file_store.file.read_bytes()
    file_store.file.write_bytes(content[: len(content) // 2])
    with pytest.raises(StoreError):
        Store(str(file_store.file)).get_snapshot("0" * 64)


def test_file_that_vanishes_is_an_empty_store_again(file_store: Store, snapshot: Snapshot) -> None:
    assert file_store.file is not None
    file_store.close()
    file_store.file.unlink()
    assert file_store.find_current_sha256() is None
    file_store.store_snapshot(snapshot)
    assert count_rows(file_store, "snapshot") == 1


def test_thread_that_waits_for_a_connection_too_long_gets_an_error(
    server_store: Store, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    monkeypatch.setattr("scheme.store.engine._POOL_SIZE", 1)
    monkeypatch.setattr("scheme.store.engine._POOL_OVERFLOW", 0)
    monkeypatch.setattr("scheme.store.engine._POOL_WAIT_S", 0.05)
    narrow = Store(postgres_url)
    raised: list[BaseException] = []

    def read() -> None:
        with pytest.raises(StoreError, match="no connection left") as caught:
            narrow.find_current_sha256()
        raised.append(caught.value)

    with narrow.read():
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    assert len(raised) == 1
    narrow.close()
