"""The public side (公开库): a database of its own that holds the current publication and nothing else.

What it does not hold it cannot give away: no topology, no draft, no older publication, no name of a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    insert,
    inspect,
    select,
)

from gridmodel.errors import InputError
from scheme.publication.document import digest_of
from scheme.publication.rules import MapAudience
from scheme.store import StoreError
from scheme.store.address import parse_address
from scheme.store.engine import open_engine
from scheme.store.failures import translated

PUBLIC_METADATA = MetaData()
CURRENT_PUBLICATION = Table(
    "current_publication",
    PUBLIC_METADATA,
    Column("only_row", Integer, CheckConstraint("only_row = 1"), primary_key=True, autoincrement=False),
    Column("publication_id", String(40), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("content_sha256", String(64), nullable=False),
    Column("audience", String(16), nullable=False),
)
_NOT_OURS = frozenset({"spatial_ref_sys"})
_FIELD = "--public-db"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFile:
    """The publication that is in public."""

    publication_id: str
    content: bytes
    content_sha256: str
    audience: MapAudience


class PublicStore:
    """The database the public is answered from.

    Args:
        url: SQLite file or PostgreSQL URL; another database than the internal store's.

    Raises:
        InputError: The URL names another kind of database.
    """

    def __init__(self, url: str) -> None:
        address = parse_address(url)
        self.file = Path(str(address.database)) if address.get_backend_name() == "sqlite" else None
        self._engine = open_engine(address)
        self._last: PublicFile | None = None
        """Read last; looked at again only where the database names another."""

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def find_current(self) -> PublicFile | None:
        """Return the publication in public, ``None`` where there is none.

        Raises:
            InputError: The database holds other tables.
            StoreError: It does not answer, or what it holds is damaged.
        """
        if self.file is not None and not self.file.exists():
            return None
        with self._connected(is_read_only=True) as connection:
            if not _has_table(connection):
                return None
            columns = [CURRENT_PUBLICATION.c[name] for name in PublicFile.__slots__ if name != "content"]
            row = connection.execute(select(*columns)).one_or_none()
            if row is None:
                return None
            last = self._last
            if last is not None and all(getattr(last, name) == value for name, value in row._mapping.items()):
                return last
            content = bytes(connection.execute(select(CURRENT_PUBLICATION.c.content)).scalar_one())
        found = PublicFile(**row._mapping, content=content)
        if digest_of(content) != found.content_sha256:
            raise StoreError("the publication kept does not match its digest")
        self._last = found
        return found

    def put(self, file: PublicFile) -> None:
        """Make a publication the one in public, in one transaction."""
        values = {name: getattr(file, name) for name in PublicFile.__slots__}
        with self._connected(is_read_only=False) as connection:
            _has_table(connection)
            PUBLIC_METADATA.create_all(connection)
            connection.execute(delete(CURRENT_PUBLICATION))
            connection.execute(insert(CURRENT_PUBLICATION).values(only_row=1, **values))

    def clear(self) -> None:
        """Take whatever is in public away."""
        if self.file is not None and not self.file.exists():
            return
        with self._connected(is_read_only=False) as connection:
            if _has_table(connection):
                connection.execute(delete(CURRENT_PUBLICATION))

    def check(self) -> None:
        """Refuse a database that holds anything else, before it is used.

        Raises:
            InputError: It does: the topology, or another program's tables; or it is no database.
            StoreError: It does not answer.
        """
        if self.file is None or self.file.exists():
            with self._connected(is_read_only=True, is_opening=True) as connection:
                _has_table(connection)

    @contextmanager
    def _connected(self, *, is_read_only: bool, is_opening: bool = False) -> Iterator[Connection]:
        name = None if self.file is None else self.file.name
        with translated(name, is_opening=is_opening), self._engine.connect() as connection:
            connection = connection.execution_options(is_read_only=is_read_only)
            with connection.begin():
                yield connection


def _has_table(connection: Connection) -> bool:
    """Return whether the table is there; refuse a database with any other."""
    present = set(inspect(connection).get_table_names()) - _NOT_OURS
    if present - set(PUBLIC_METADATA.tables):
        raise InputError(
            "the database holds other tables; what is public is kept apart from the grid",
            field=_FIELD,
            allowed="an empty database, or one that holds publications only",
        )
    return bool(present)


def check_apart(db_url: str, public_url: str) -> None:
    """Refuse one database for both sides.

    Args:
        db_url: Of the internal store.
        public_url: Of the public side.

    Raises:
        InputError: They are the same.
    """
    internal, public = parse_address(db_url), parse_address(public_url)
    if internal.get_backend_name() != public.get_backend_name():
        return
    if internal.get_backend_name() == "sqlite":
        first, second = (Path(str(address.database)) for address in (internal, public))
        is_same = first.resolve() == second.resolve() or (first.exists() and second.exists() and first.samefile(second))
    else:
        place = ("host", "port", "database")
        first_place, second_place = (
            tuple(str(getattr(address, name) or _PG_DEFAULTS[name]) for name in place) for address in (internal, public)
        )
        is_same = first_place == second_place
    if is_same:
        raise InputError(
            "the public side needs a database of its own", field=_FIELD, allowed="another database than --db"
        )


_PG_DEFAULTS = {"host": "localhost", "port": "5432", "database": ""}


def default_public_url(db_url: str) -> str | None:
    """Return the file beside an SQLite store; ``None`` on PostgreSQL, where somebody has to name a database.

    Raises:
        InputError: ``db_url`` names no database.
    """
    address = parse_address(db_url)
    if address.get_backend_name() != "sqlite":
        return None
    file = Path(str(address.database))
    return str(file.with_name(f"{file.stem}-public{file.suffix or '.db'}"))
