"""One database and its transactions, the same on SQLite and on PostgreSQL.

An empty database, or a file that does not exist, reads as a store without rows; the first write makes the tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, create_engine, text

from scheme.store.address import parse_address
from scheme.store.engine import BUSY_TIMEOUT_MS, open_engine
from scheme.store.failures import StoreError, translated
from scheme.store.migration import find_state, upgrade
from scheme.store.schema import all_tables
from scheme.store.turns import turns_of

_CLOCK = {
    "sqlite": "SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')",
    "postgresql": "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')",
}


class Database:
    """Transactions on one database.

    Args:
        url: ``sqlite:///FILE`` or a bare path, or ``postgresql+psycopg://...`` (also plain ``postgresql://``).

    Raises:
        InputError: The URL names another kind of database.
    """

    def __init__(self, url: str) -> None:
        self.address = parse_address(url)
        """Where the database is; shown without its password."""
        self.dialect: str = self.address.get_backend_name()
        """``sqlite`` or ``postgresql``."""
        self.file = Path(str(self.address.database)) if self.dialect == "sqlite" else None
        """The SQLite file, ``None`` on PostgreSQL."""
        self._engine = open_engine(self.address)
        self._turns = None if self.file is None else turns_of(self.file)
        self._is_ours = False
        """Whether the database has been looked into and found to be a store of this version."""

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in the one write transaction; what an error leaves, is rolled back.

        Raises:
            InputError: The database is not a store of this version.
            StoreError: It is busy, away, full or damaged; nothing is kept.
        """
        self._forget_if_gone()
        if not self._is_ours:
            self.upgrade()
        with self._turn(), self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one moment of the store and writes nothing.

        Raises:
            InputError: The database is not a store of this version.
            StoreError: It is busy, away or damaged.
        """
        if self._reads_as_empty():
            with _empty_store() as connection:
                yield connection
            return
        with self.look() as connection:
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """Yield a reading connection to the database as it is: empty, older or somebody else's.

        Raises:
            InputError: It is not a database.
            StoreError: It is busy, away or damaged.
        """
        options: dict[str, object] = {"is_read_only": True}
        if self.dialect == "postgresql":
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._translated(), ExitStack() as opened:
            with self._turn():
                connection = opened.enter_context(self._engine.connect().execution_options(**options))
                if self.file is not None:
                    connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1")  # from here on it reads
            yield connection

    def upgrade(self) -> None:
        """Make the tables of an empty database, or bring those of an older version up to this one; all or nothing.

        Raises:
            InputError: The database belongs to another program or to a newer version.
            StoreError: It is busy, away, full or damaged; nothing is changed.
        """
        with self._turn(), self._translated(), self._engine.begin() as connection:
            upgrade(connection)
        self._is_ours = True

    def now(self, connection: Connection) -> datetime:
        """Return the time of the database's clock, aware, UTC; it moves inside a transaction."""
        found = connection.execute(text(_CLOCK[connection.dialect.name])).scalar_one()
        return datetime.fromisoformat(found).replace(tzinfo=UTC)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._turns is None or self._turns.is_mine:
            yield
            return
        if not self._turns.take(BUSY_TIMEOUT_MS / 1000):
            raise StoreError("the store is busy; nothing is changed")
        try:
            yield
        finally:
            self._turns.pass_on()

    def _reads_as_empty(self) -> bool:
        self._forget_if_gone()
        if self._is_ours:
            return False
        if self.file is not None and (not self.file.exists() or self.file.stat().st_size == 0):
            return True
        with self.look() as connection:
            state = find_state(connection)
        if state == "older":
            self.upgrade()
        self._is_ours = state != "empty"
        return state == "empty"

    def _forget_if_gone(self) -> None:
        if self._is_ours and self.file is not None:
            self._is_ours = self.file.exists() and self.file.stat().st_size > 0

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with translated(None if self.file is None else self.file.name, is_opening=not self._is_ours):
            yield


@contextmanager
def _empty_store() -> Iterator[Connection]:
    """Yield a store without rows that nothing is kept of, so that an absent one is read like any other."""
    engine = create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            for metadata in all_tables("sqlite"):
                metadata.create_all(connection)
            yield connection
    finally:
        engine.dispose()
