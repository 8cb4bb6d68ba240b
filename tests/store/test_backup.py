"""What is backed up comes back bit for bit, all or nothing, and only where its ledger agrees with itself."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from api.backup import make_backup, restore_backup
from api.cli import main
from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.ledger import Ledger
from scheme.store import Store, StoreError
from scheme.store.backup.files import digest_file, sha256_of
from scheme.store.migration import upgrade_to
from scheme.store.migrations import REVISIONS, VERSION_TABLE
from scheme.store.schema import all_tables
from tests.ledger.cases import ENGINEER, accounts, reserve, wanted
from tests.store.conftest import count_rows, make_key, make_scheme, manifest_of, part
from tests.stores import PostgresServer

OpenStore = Callable[[str], Store]


@pytest.fixture
def other_url(store_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Another empty database of the same kind."""
    if store_url.startswith("sqlite"):
        yield str(tmp_path / "other" / "store.db")
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.new_database() as name:
        yield server.url(name)


@pytest.fixture
def other(other_url: str, open_store: OpenStore) -> Store:
    store = open_store(other_url)
    if store.file is not None:
        store.file.parent.mkdir()
    return store


def fill(store: Store, snapshot: Snapshot) -> Ledger:
    """A snapshot, a capacity table, a scheme, and a ledger with two holds of which one moved on."""
    sha256 = store.store_snapshot(snapshot).sha256
    store.store_capacity(sha256, make_key(), *manifest_of(part(0), part(1)))
    scheme = make_scheme(sha256, content='{"站": 0.1}'.encode())
    store.store_scheme(scheme, [("scheme.pdf", bytes(range(256)))])
    ledger = Ledger(store)
    with store.write() as connection:
        ledger.open_accounts(connection, accounts())
    reserve(ledger, wanted("N1", 100))
    hold = reserve(ledger, wanted("N3", 250), key="key-1")
    ledger.commit(hold.hold_id, actor=ENGINEER)
    return ledger


def content(store: Store) -> dict[str, list[str]]:
    """Every row of every table, numbers to the last bit."""
    with store.read() as connection:
        names = sorted(name for metadata in all_tables(store.dialect) for name in metadata.tables)
        return {
            name: sorted(repr(tuple(row)) for row in connection.execute(text(f"select * from {name}")))
            for name in names
        }


def test_restored_store_is_the_same_bit_for_bit(store: Store, other: Store, snapshot: Snapshot, tmp_path: Path) -> None:
    ledger = fill(store, snapshot)
    before = content(store)
    done = make_backup(store, tmp_path / "backup")
    put_back = restore_backup(other, tmp_path / "backup", is_replacing=False)
    assert content(other) == before == content(store)
    assert len(before["ledger_entry"]) > 8
    assert (done.ledger_seq, done.ledger_sha256) == (put_back.ledger_seq, put_back.ledger_sha256)
    assert done.ledger_seq == ledger.head().seq
    assert other.get_snapshot(str(other.find_current_sha256())).nodes["node_id"].tolist() == ["n0", "n1"]


def test_restored_store_goes_on_as_the_one_it_is_of(
    store: Store, other: Store, snapshot: Snapshot, tmp_path: Path
) -> None:
    fill(store, snapshot)
    make_backup(store, tmp_path / "backup")
    restore_backup(other, tmp_path / "backup", is_replacing=False)
    reserve(Ledger(other), wanted("N2", 50))
    other.store_scheme(make_scheme(str(other.find_current_sha256()), scheme_id="sch_2"), [])
    other.store_snapshot(snapshot)
    assert count_rows(other, "ledger_hold") == 3
    with pytest.raises(StoreError, match=r"append-only|failed"), other.write() as connection:
        connection.execute(text("update ledger_entry set held_delta_va = 0"))


def test_digest_stands_beside_the_backup_as_sha256sum_reads_it(
    store: Store, snapshot: Snapshot, tmp_path: Path
) -> None:
    fill(store, snapshot)
    done = make_backup(store, tmp_path / "backup")
    assert done.sha256 == hashlib.sha256((tmp_path / "backup").read_bytes()).hexdigest()
    checked = subprocess.run(["sha256sum", "-c", "backup.sha256"], cwd=tmp_path, capture_output=True, check=False)
    assert checked.returncode == 0
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir() if "backup" in path.name) == ["backup", "backup.sha256"]


def test_backup_while_others_write_holds_one_moment(
    store: Store, other: Store, snapshot: Snapshot, tmp_path: Path
) -> None:
    """Scheme and document are written together; a backup that saw half of a write would hold one without the other."""
    fill(store, snapshot)
    sha256 = str(store.find_current_sha256())
    stop = threading.Event()
    written: list[int] = []

    def write() -> None:
        while not stop.is_set():
            number = len(written)
            store.store_scheme(make_scheme(sha256, scheme_id=f"sch_w{number}"), [("scheme.json", b"{}")])
            written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    while len(written) < 3:
        stop.wait(0.01)
    make_backup(store, tmp_path / "backup")
    stop.set()
    writer.join()
    restore_backup(other, tmp_path / "backup", is_replacing=False)
    assert count_rows(other, "scheme") == count_rows(other, "document") >= 4


def test_store_that_is_not_empty_is_kept_unless_it_may_be_replaced(
    store: Store, other: Store, snapshot: Snapshot, tmp_path: Path
) -> None:
    fill(store, snapshot)
    make_backup(store, tmp_path / "backup")
    other.store_snapshot(snapshot)
    other.store_scheme(make_scheme(str(other.find_current_sha256()), scheme_id="sch_other"), [])
    before = content(other)
    with pytest.raises(InputError, match="not empty"):
        restore_backup(other, tmp_path / "backup", is_replacing=False)
    assert content(other) == before
    restore_backup(other, tmp_path / "backup", is_replacing=True)
    assert content(other) == content(store)


def test_ledger_that_does_not_agree_with_itself_is_not_put_back(
    store: Store, other: Store, snapshot: Snapshot, tmp_path: Path
) -> None:
    fill(store, snapshot)
    with store.write() as connection:
        connection.execute(text("update ledger_account set held_va = held_va + 1 where account_id = 'feeder:F1'"))
    make_backup(store, tmp_path / "backup")
    other.store_snapshot(snapshot)
    before = content(other)
    with pytest.raises(InputError, match="does not agree"):
        restore_backup(other, tmp_path / "backup", is_replacing=True)
    assert content(other) == before


@pytest.mark.parametrize("damage", ["flipped", "cut"])
def test_damaged_backup_is_refused_by_its_digest(
    store: Store, other: Store, snapshot: Snapshot, tmp_path: Path, damage: str
) -> None:
    fill(store, snapshot)
    file = tmp_path / "backup"
    make_backup(store, file)
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged if damage == "flipped" else damaged[:-10])
    with pytest.raises(InputError, match="damaged"):
        restore_backup(other, file, is_replacing=True)
    assert other.find_current_sha256() is None


def test_damage_the_digest_was_made_for_is_refused_and_nothing_changed(
    store: Store, other: Store, snapshot: Snapshot, tmp_path: Path
) -> None:
    """The last net: SQLite's own check of its pages, PostgreSQL's reader of dumps; both inside the transaction."""
    fill(store, snapshot)
    file = tmp_path / "backup"
    make_backup(store, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 2 // 3])
    digest_file(file).write_text(f"{sha256_of(file)}  backup\n")
    other.store_snapshot(snapshot)
    before = content(other)
    with pytest.raises((InputError, StoreError)):
        restore_backup(other, file, is_replacing=True)
    assert content(other) == before


def test_missing_digest_other_files_and_other_kinds_are_refused(
    store: Store, snapshot: Snapshot, tmp_path: Path, open_store: OpenStore
) -> None:
    fill(store, snapshot)
    file = tmp_path / "backup"
    make_backup(store, file)
    digest = digest_file(file).read_text()
    digest_file(file).unlink()
    with pytest.raises(InputError, match="digest"):
        restore_backup(store, file, is_replacing=True)
    digest_file(file).write_text(digest)
    another_kind = "postgresql://nobody@127.0.0.1:1/none" if store.dialect == "sqlite" else str(tmp_path / "a.db")
    with pytest.raises(InputError, match="the backup is of"):
        restore_backup(open_store(another_kind), file, is_replacing=True)
    notes = tmp_path / "notes"
    notes.write_text("not a backup")
    digest_file(notes).write_text(f"{sha256_of(notes)}  notes\n")
    with pytest.raises(InputError, match="not a backup"):
        restore_backup(store, notes, is_replacing=True)
    with pytest.raises(InputError, match="cannot be read"):
        restore_backup(store, tmp_path / "none", is_replacing=True)


def test_backup_never_replaces_a_file_and_needs_something_to_back_up(
    store: Store, snapshot: Snapshot, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="empty"):
        make_backup(store, tmp_path / "backup")
    fill(store, snapshot)
    (tmp_path / "backup").write_text("mine")
    with pytest.raises(InputError, match="never replaces"):
        make_backup(store, tmp_path / "backup")
    assert (tmp_path / "backup").read_text() == "mine"
    with pytest.raises(InputError, match="cannot be written"):
        make_backup(store, tmp_path / "no" / "backup")


def test_backup_of_an_older_revision_is_brought_on(store: Store, other: Store, store_url: str, tmp_path: Path) -> None:
    with store._engine.begin() as connection:
        upgrade_to(connection, REVISIONS[2])
    make_backup_of_older(store, tmp_path / "backup")
    restore_backup(other, tmp_path / "backup", is_replacing=False)
    with other.look() as connection:
        assert connection.execute(text(f"select version_num from {VERSION_TABLE}")).scalar() == REVISIONS[-1]
    assert count_rows(other, "ledger_entry") == 0


def make_backup_of_older(store: Store, out: Path) -> None:
    """A backup that an older version made: reading it with this one would bring the store on first."""
    from scheme.store.backup import postgresql, sqlite
    from scheme.store.backup.files import written_whole

    with written_whole(out) as draft:
        if store.file is not None:
            sqlite.dump(store.file, draft)
        else:
            postgresql.dump(store.address, draft)


def test_backup_of_a_newer_version_is_refused(store: Store, other: Store, snapshot: Snapshot, tmp_path: Path) -> None:
    fill(store, snapshot)
    with store.write() as connection:
        connection.execute(text(f"update {VERSION_TABLE} set version_num = '9999'"))
    make_backup_of_older(store, tmp_path / "backup")
    with pytest.raises(InputError, match="newer version"):
        restore_backup(other, tmp_path / "backup", is_replacing=False)
    assert other.find_current_sha256() is None


def test_database_of_another_program_is_no_backup(tmp_path: Path, open_store: OpenStore) -> None:
    file = tmp_path / "other"
    with sqlite3.connect(file) as connection:
        connection.execute("create table accounts (id integer)")
    digest_file(file).write_text(f"{sha256_of(file)}  other\n")
    with pytest.raises(InputError, match="another program"):
        restore_backup(open_store(str(tmp_path / "store.db")), file, is_replacing=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "other.sha256"]


def test_busy_file_is_not_replaced(tmp_path: Path, open_store: OpenStore, snapshot: Snapshot, monkeypatch: Any) -> None:
    store = open_store(str(tmp_path / "store.db"))
    fill(store, snapshot)
    make_backup(store, tmp_path / "backup")
    monkeypatch.setattr("scheme.store.backup.sqlite.BUSY_TIMEOUT_MS", 50)
    with store.write() as connection:
        connection.execute(text("delete from document"))
        with pytest.raises(StoreError):
            restore_backup(Store(str(tmp_path / "store.db")), tmp_path / "backup", is_replacing=True)
    assert count_rows(store, "document") == 0


def test_store_that_is_replaced_under_a_running_service_is_seen_at_once(
    store: Store, store_url: str, open_store: OpenStore, snapshot: Snapshot, tmp_path: Path
) -> None:
    service = open_store(store_url)
    fill(store, snapshot)
    make_backup(store, tmp_path / "backup")
    service.store_scheme(make_scheme(str(service.find_current_sha256()), scheme_id="sch_later"), [])
    restore_backup(store, tmp_path / "backup", is_replacing=True)
    assert count_rows(service, "scheme") == 1
    service.store_scheme(make_scheme(str(service.find_current_sha256()), scheme_id="sch_after"), [])
    assert count_rows(open_store(store_url), "scheme") == 2


def test_missing_program_is_named(postgres_url: str, open_store: OpenStore, monkeypatch: Any, tmp_path: Path) -> None:
    store = open_store(postgres_url)
    store.upgrade()
    monkeypatch.setattr("scheme.store.backup.postgresql._PACKAGED", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(InputError, match="pg_dump is not installed"):
        make_backup(store, tmp_path / "backup")
    assert list(tmp_path.glob("backup*")) == []


def test_password_is_not_seen_among_the_processes(
    postgres_server: PostgresServer, postgres_url: str, open_store: OpenStore, monkeypatch: Any, tmp_path: Path
) -> None:
    open_store(postgres_url).upgrade()
    commands: list[Any] = []
    run = subprocess.run

    def watch(command: Any, **options: Any) -> Any:
        commands.append((command, options["env"]["PGPASSWORD"]))
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", watch)
    make_backup(open_store(postgres_url.replace("tester@", "tester:hidden@")), tmp_path / "backup")
    [(command, password)] = commands
    assert "hidden" not in " ".join(map(str, command))
    assert password == "hidden"


def test_commands_back_up_restore_and_migrate(
    store_url: str, other_url: str, open_store: OpenStore, snapshot: Snapshot, tmp_path: Path, capsys: Any
) -> None:
    fill(open_store(store_url), snapshot)
    file = tmp_path / "backup"
    (tmp_path / "other").mkdir()
    assert main(["backup", "--db", store_url, "--out", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sha256"] == sha256_of(file)
    assert main(["restore", str(file), "--db", other_url]) == 0
    assert told["ledger_sha256"] in capsys.readouterr().out
    assert main(["restore", str(file), "--db", other_url]) == 2
    assert "--replace" in capsys.readouterr().err
    assert main(["restore", str(file), "--db", other_url, "--replace"]) == 0
    assert main(["migrate", "--db", other_url]) == 0
    assert main(["audit", "--db", other_url]) == 0
    assert content(open_store(other_url)) == content(open_store(store_url))


def test_restore_that_is_killed_leaves_the_store_as_it_was(
    postgres_url: str, open_store: OpenStore, snapshot: Snapshot, tmp_path: Path
) -> None:
    """The process ends itself in the moment before the commit, without a chance to clean up."""
    store = open_store(postgres_url)
    fill(store, snapshot)
    make_backup(store, tmp_path / "backup")
    store.store_scheme(make_scheme(str(store.find_current_sha256()), scheme_id="sch_later"), [])
    before = content(store)
    code = (
        "import os, sys, api.backup as backup; from pathlib import Path; from scheme.store import Store\n"
        "backup._sound_head = lambda *_: os._exit(9)\n"
        "backup.restore_backup(Store(sys.argv[1]), Path(sys.argv[2]), is_replacing=True)"
    )
    done = subprocess.run([sys.executable, "-c", code, postgres_url, str(tmp_path / "backup")], check=False)
    assert done.returncode == 9
    assert content(open_store(postgres_url)) == before
    restore_backup(store, tmp_path / "backup", is_replacing=True)
    assert count_rows(store, "scheme") == 1


def test_dump_is_one_that_postgresqls_own_program_reads(
    postgres_url: str, postgres_server: PostgresServer, open_store: OpenStore, snapshot: Snapshot, tmp_path: Path
) -> None:
    store = open_store(postgres_url)
    fill(store, snapshot)
    make_backup(store, tmp_path / "backup")
    with postgres_server.new_database() as name:
        command = [postgres_server.programs / "pg_restore", "--no-owner", "--schema=public", "--exit-on-error", "-1"]
        dsn = postgres_server.dsn(name)
        done = subprocess.run([*command, "-d", dsn, tmp_path / "backup"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        with psycopg.connect(dsn) as connection:
            assert connection.execute("select count(*) from public.ledger_hold").fetchone() == (2,)
