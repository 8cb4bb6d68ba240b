"""Databases for tests: an SQLite file, and a PostgreSQL server with PostGIS that the tests start themselves.

The server comes from Debian's packages, runs under an unprivileged user on a free port of this machine, and goes with
the session; :mod:`tests.debian` says what happens where it is absent.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.debian import install, is_required

__all__ = ["PostgresServer", "postgres_server", "postgres_url", "sqlite_url", "store_url"]

PACKAGES = ("postgresql-15", "postgresql-15-postgis-3")
_PROGRAMS = Path("/usr/lib/postgresql")
GUARDED_USER = "guarded"
"""The one user whose password the server asks for, once a test has made it."""
_TEMPLATE = "with_postgis"
_MEMORY = Path("/dev/shm")
_START_S = 30
_PR_SET_PDEATHSIG = 1
_TEST_SETTINGS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
"""For speed. A test of durability starts a server of its own with other settings."""


class PostgresServer:
    """A PostgreSQL server of its own.

    Args:
        settings: Server settings over those that make tests quick.
    """

    def __init__(self, **settings: str) -> None:
        self.programs = find_programs()
        self.folder = Path(tempfile.mkdtemp(prefix="gridscheme-postgresql-"))
        self.port = _free_port()
        self.settings = {**_TEST_SETTINGS, **settings}
        self._names = count()
        self._process: subprocess.Popen[bytes] | None = None
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.run("initdb", "--pgdata", str(self.data), "--username", "tester", "--auth", "trust",
                 "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync")  # fmt: skip
        with (self.data / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{name} = '{value}'\n" for name, value in self.settings.items())
        rules = self.data / "pg_hba.conf"
        rules.write_text(f"host all {GUARDED_USER} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")

    @property
    def data(self) -> Path:
        """Folder of the data."""
        return self.folder / "data"

    @property
    def pid(self) -> int:
        """Process of the postmaster."""
        assert self._process is not None
        return self._process.pid

    def run(self, program: str, *arguments: str) -> None:
        """Run a program of the server's package under the server's user."""
        done = subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.folder, env=_environment(), capture_output=True, text=True, check=False, **self._user,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start, and return once connections are taken."""
        settings = {"port": str(self.port), "listen_addresses": "127.0.0.1",
                    "unix_socket_directories": str(self.folder)}  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, *(f"--{k}={v}" for k, v in settings.items())],
                cwd=self.folder, env=_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=_end_with_parent, **self._user,
            )  # fmt: skip
        until = time.monotonic() + _START_S
        while True:
            try:
                psycopg.connect(self.dsn("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise AssertionError((self.folder / "log").read_text(errors="replace")[-2000:]) from None
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop and wait: ``SIGINT`` fast, ``SIGQUIT`` at once without a checkpoint, ``SIGKILL`` as a crash."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(_START_S)
        self._process = None

    def remove(self) -> None:
        """Stop, and delete the data."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def dsn(self, database: str, user: str = "tester") -> str:
        """Return the address of a database for psycopg."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def url(self, database: str, user: str = "tester") -> str:
        """Return the address of a database for a store."""
        return self.dsn(database, user).replace("postgresql://", "postgresql+psycopg://")

    def execute(self, statement: str, *, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement as the superuser, outside a transaction."""
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def change(self, **settings: str | None) -> None:
        """Change settings of the running server; None takes a change back."""
        for name, value in settings.items():
            self.execute(f"ALTER SYSTEM {f'RESET {name}' if value is None else f'SET {name} = {value!r}'}")
        self.execute("SELECT pg_reload_conf()")
        until = time.monotonic() + _START_S
        while any(value is not None and self.execute(f"SHOW {name}") != [(value,)] for name, value in settings.items()):
            assert time.monotonic() < until
            time.sleep(0.01)

    def make_template(self) -> None:
        """Make the database that :meth:`new_database` copies: empty, with PostGIS."""
        self.execute(f"CREATE DATABASE {_TEMPLATE}")
        self.execute("CREATE EXTENSION postgis", database=_TEMPLATE)

    @contextmanager
    def new_database(self) -> Iterator[str]:
        """Yield the name of a fresh database with PostGIS; it is dropped afterwards."""
        name = f"store_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY file_copy")
        try:
            yield name
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


def find_programs() -> Path:
    """Return the folder of the newest server's programs.

    Raises:
        FileNotFoundError: There is none, or none with PostGIS.
    """
    found = sorted(_PROGRAMS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]), reverse=True)
    for path in found:
        if Path(f"/usr/share/postgresql/{path.parts[-3]}/extension/postgis.control").exists():
            return path.parent
    missing = "PostGIS" if found else "PostgreSQL"
    raise FileNotFoundError(f"no {missing} below {_PROGRAMS}; packages: {' '.join(PACKAGES)}")


def _has_programs() -> bool:
    try:
        find_programs()
    except FileNotFoundError:
        return False
    return True


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server for the session."""
    if not _has_programs():
        install(PACKAGES, is_there=_has_programs)
    try:
        server = PostgresServer()
    except FileNotFoundError as error:
        refuse = pytest.fail if is_required(os.environ) else pytest.skip
        refuse(str(error))
    try:
        server.start()
        server.make_template()
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh, empty PostgreSQL database with PostGIS."""
    with postgres_server.new_database() as name:
        yield postgres_server.url(name)


@pytest.fixture
def sqlite_url() -> Iterator[str]:
    """An absent SQLite file, in memory where there is such a folder: nothing is asked of the disk."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None, prefix="gridscheme-") as folder:
        yield f"sqlite:///{folder}/store.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty store on each kind of database."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


def _end_with_parent() -> None:
    """Let the kernel stop the server when the process of the tests is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C.UTF-8"}
