"""Backup of a PostgreSQL store by ``pg_dump``, and back in one transaction that nobody sees before it is judged."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from psycopg import Connection as Driver
from psycopg import Error as DriverError
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Connection, inspect, text

from gridmodel.errors import InputError
from scheme.store.engine import open_engine
from scheme.store.failures import StoreError, of_driver, translated
from scheme.store.migrations import VERSION_TABLE
from scheme.store.schema import all_tables

_PACKAGED = Path("/usr/lib/postgresql")
_VIEWS = ("v_open_capacity", "v_lines", "v_feeders", "v_layer_state")
_COPY = re.compile(rb"COPY .* FROM stdin;\n")
_OF_PSQL = (b"\\restrict", b"\\unrestrict")
"""Commands to psql, which newer versions of the dump put around it."""
_BLOCK_BYTES = 1 << 20
_LIMITS = {"lock_timeout": "30s", "statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
"""Of the one long transaction that puts a dump back."""


def dump(address: URL, out: Path) -> None:
    """Write the store as it is at one moment, in ``pg_dump``'s own format.

    Raises:
        InputError: ``pg_dump`` is not installed.
        StoreError: It failed.
    """
    program = find_program("pg_dump")
    engine = open_engine(address)
    try:
        with translated(None, is_opening=False), engine.connect() as connection:
            schema = str(connection.execute(text("SELECT current_schema()")).scalar_one())
    finally:
        engine.dispose()
    given = {name: value if isinstance(value, str) else ",".join(value) for name, value in address.query.items()}
    given |= address.translate_connect_args(username="user", database="dbname")
    password = str(given.pop("password", ""))
    command = [program, "--format=custom", "--no-owner", "--no-privileges", f"--schema={schema}"]
    command += [f"--file={out}", f"--dbname={make_conninfo('', **given)}"]
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL, no shell
        command, env={**os.environ, "PGPASSWORD": password}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StoreError(f"pg_dump failed: {_last_line(done.stderr)}")


def load(address: URL, backup: Path, judge: Callable[[Connection], None]) -> None:
    """Put a dump in the place of the store, in one transaction.

    Args:
        address: The database; what a store made in it before is replaced.
        backup: The dump.
        judge: Called inside the transaction once everything is there; what it raises undoes everything.

    Raises:
        InputError: ``pg_restore`` is not installed, or the dump is damaged.
        StoreError: The database did not take it.
    """
    command = [find_program("pg_restore"), "--file=-", "--no-owner", "--no-privileges"]
    engine = open_engine(address)
    try:
        with translated(None, is_opening=False), engine.begin() as connection:
            _prepare(connection)
            schema = str(connection.execute(text("SELECT current_schema()")).scalar_one())
            driver = connection.connection.driver_connection
            assert isinstance(driver, Driver)
            command += [f"--schema={schema}", str(backup)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603
                assert process.stdout is not None
                assert process.stderr is not None
                _run_script(driver, process.stdout)
                problem = process.stderr.read().decode(errors="replace")
            if process.returncode != 0:
                raise InputError(f"the backup is damaged: {_last_line(problem)}", file=backup.name)
            connection.execute(text("SELECT set_config('search_path', :schema, true)"), {"schema": f'"{schema}"'})
            judge(connection)
    finally:
        engine.dispose()


def find_program(name: str) -> str:
    """Return the newest installed program of PostgreSQL's.

    Raises:
        InputError: It is not installed.
    """
    packaged = sorted(_PACKAGED.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    found = str(packaged[-1]) if packaged else shutil.which(name)
    if found is None:
        raise InputError(f"{name} is not installed", allowed="PostgreSQL's client programs (Debian: postgresql-client)")
    return found


def _prepare(connection: Connection) -> None:
    """Take away the store that is there, and the limits of time that are made for short transactions."""
    for name, value in _LIMITS.items():
        connection.execute(text("SELECT set_config(:name, :value, true)"), {"name": name, "value": value})
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
    for view in _VIEWS:
        connection.execute(text(f"DROP VIEW IF EXISTS {view}"))
    ours = {table for metadata in all_tables("postgresql") for table in metadata.tables} | {VERSION_TABLE}
    present = sorted(ours & set(inspect(connection).get_table_names()))
    if present:
        connection.execute(text(f"DROP TABLE {', '.join(present)}"))
    connection.execute(text("DROP FUNCTION IF EXISTS gridscheme_append_only()"))


def _run_script(driver: Driver, lines: Iterable[bytes]) -> None:
    """Run the statements of a dump; rows between ``COPY`` and ``\\.`` go in as they are."""
    rest = iter(lines)
    statements: list[bytes] = []
    try:
        with driver.cursor() as cursor:
            for line in rest:
                if _COPY.fullmatch(line):
                    cursor.execute(b"".join(statements))
                    statements = []
                    with cursor.copy(line.rstrip(b";\n")) as copy:
                        _copy_rows(copy.write, rest)
                elif not line.startswith(_OF_PSQL):
                    statements.append(line)
            cursor.execute(b"".join(statements))
    except DriverError as error:
        raise of_driver(error) from error


def _copy_rows(write: Callable[[bytes], None], rest: Iterable[bytes]) -> None:
    block = bytearray()
    for line in rest:
        if line == b"\\.\n":
            break
        block += line
        if len(block) >= _BLOCK_BYTES:
            write(bytes(block))
            block.clear()
    write(bytes(block))


def _last_line(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1] if lines else "no message"
