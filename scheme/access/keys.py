"""API keys in the store: made, listed, revoked, found; the clock is the database's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import Row, insert, or_, select, update

from gridmodel.errors import InputError, NotFoundError
from scheme.access.tables import API_KEY
from scheme.ledger.audit_trail import append
from scheme.ledger.records import Actor

if TYPE_CHECKING:
    from scheme.store import Store

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
_COMMAND = Actor(subject_id="gridscheme key", role="operator", request_id="gridscheme key")
"""Keys are made and revoked at the machine, by whoever may run commands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key without its secret."""

    key_id: str
    subject_id: str
    roles: tuple[str, ...]
    expires_on: date
    """Last day it holds."""
    created_at: str
    is_revoked: bool
    last_used_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundKey:
    """A key with what is needed to check it."""

    key: ApiKey
    secret_hash: str
    is_valid: bool
    """Neither revoked nor expired, by the database's clock."""
    today: date


class ApiKeys:
    """The keys of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, *, key_id: str, secret_hash: str, subject_id: str, roles: Sequence[str], expires_on: date) -> ApiKey:
        """Keep a new key.

        Raises:
            InputError: It would never hold.
        """
        with self._store.write() as connection:
            now = self._store.now(connection)
            today = now.astimezone(BUSINESS_ZONE).date()
            if expires_on < today:
                raise InputError(
                    "the key would never hold", field="--expires", value=expires_on, allowed=f"from {today}"
                )
            values = {
                "key_id": key_id,
                "secret_hash": secret_hash,
                "subject_id": subject_id,
                "roles": " ".join(sorted(roles)),
                "expires_on": expires_on.isoformat(),
                "created_at": now.isoformat(),
            }
            connection.execute(insert(API_KEY).values(values))
            append(connection, _COMMAND, "key.create", key_id)
            row = connection.execute(select(API_KEY).where(API_KEY.c.key_id == key_id)).one()
            return _read(row)

    def list_all(self) -> list[ApiKey]:
        """Return every key, oldest first."""
        with self._store.read() as connection:
            rows = connection.execute(select(API_KEY).order_by(API_KEY.c.created_at, API_KEY.c.key_id)).all()
            return [_read(row) for row in rows]

    def has_valid(self) -> bool:
        """Return whether any key can be used today."""
        with self._store.read() as connection:
            today = self._store.now(connection).astimezone(BUSINESS_ZONE).date()
            statement = select(API_KEY.c.key_id).where(
                API_KEY.c.revoked_at.is_(None), API_KEY.c.expires_on >= today.isoformat()
            )
            return connection.execute(statement.limit(1)).first() is not None

    def revoke(self, key_id: str) -> ApiKey:
        """Make a key worthless from now on; one revoked before stays as it is.

        Raises:
            NotFoundError: There is no such key.
        """
        with self._store.write() as connection:
            revoked = connection.execute(
                update(API_KEY)
                .where(API_KEY.c.key_id == key_id, API_KEY.c.revoked_at.is_(None))
                .values(revoked_at=self._store.now(connection).isoformat())
            )
            if revoked.rowcount == 1:
                append(connection, _COMMAND, "key.revoke", key_id)
            row = connection.execute(select(API_KEY).where(API_KEY.c.key_id == key_id)).first()
            if row is None:
                raise NotFoundError("no such key", key_id=key_id)
            return _read(row)

    def find(self, key_id: str) -> FoundKey | None:
        """Return a key with what is needed to check it."""
        with self._store.read() as connection:
            row = connection.execute(select(API_KEY).where(API_KEY.c.key_id == key_id)).first()
            if row is None:
                return None
            today = self._store.now(connection).astimezone(BUSINESS_ZONE).date()
            key = _read(row)
            return FoundKey(
                key=key,
                secret_hash=row.secret_hash,
                is_valid=not key.is_revoked and today <= key.expires_on,
                today=today,
            )

    def note_use(self, key_id: str, day: date) -> None:
        """Remember that a key was used on a day."""
        is_newer = or_(API_KEY.c.last_used_on.is_(None), API_KEY.c.last_used_on < day.isoformat())
        with self._store.write() as connection:
            connection.execute(
                update(API_KEY).where(API_KEY.c.key_id == key_id, is_newer).values(last_used_on=day.isoformat())
            )


def _read(row: Row[tuple[object, ...]]) -> ApiKey:
    return ApiKey(
        key_id=row.key_id,
        subject_id=row.subject_id,
        roles=tuple(row.roles.split()),
        expires_on=date.fromisoformat(row.expires_on),
        created_at=row.created_at,
        is_revoked=row.revoked_at is not None,
        last_used_on=None if row.last_used_on is None else date.fromisoformat(row.last_used_on),
    )
