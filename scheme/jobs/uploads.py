"""Files handed in over HTTP and waiting for the job that reads them (上传文件)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from gridmodel.errors import NotFoundError
from scheme.jobs.tables import UPLOAD, UPLOAD_CHECK
from scheme.store import Database, IdempotencyConflictError

_ID_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file; its name holds no folder."""

    upload_id: str
    owner_id: str
    name: str
    sha256: str
    content: bytes


def keep_upload(store: Database, *, owner_id: str, name: str, content: bytes, idempotency_key: str) -> Upload:
    """Keep a file and return it with its identifier; the same key of the same owner returns the file it stands for.

    Raises:
        IdempotencyConflictError: The key stands for another file.
    """
    place = hashlib.sha256(f"{owner_id}\n{idempotency_key}".encode()).hexdigest()
    upload = Upload(
        upload_id=f"upl_{place[:_ID_DIGITS]}",
        owner_id=owner_id,
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
    )
    with store.write() as connection:
        earlier = _find(connection, upload.upload_id)
        if earlier is None:
            connection.execute(insert(UPLOAD).values(**{field: getattr(upload, field) for field in Upload.__slots__}))
        elif (earlier.name, earlier.sha256) != (upload.name, upload.sha256):
            raise IdempotencyConflictError("the idempotency key was used for another file", key=idempotency_key)
    return upload


def get_upload(store: Database, upload_id: str, *, owner_id: str) -> Upload:
    """Return a file of this owner.

    Raises:
        NotFoundError: There is none, it is somebody else's, or it was read and taken away.
    """
    with store.read() as connection:
        row = _find(connection, upload_id)
    if row is None or row.owner_id != owner_id:
        raise NotFoundError("no such upload", upload_id=upload_id)
    return Upload(**row._mapping)


def drop_upload(store: Database, upload_id: str) -> None:
    """Take a file away, and what was found in it; nothing happens where there is none."""
    with store.write() as connection:
        connection.execute(delete(UPLOAD_CHECK).where(UPLOAD_CHECK.c.upload_id == upload_id))
        connection.execute(delete(UPLOAD).where(UPLOAD.c.upload_id == upload_id))


def _find(connection: Connection, upload_id: str) -> Row[Any] | None:
    columns = [UPLOAD.c[field] for field in Upload.__slots__]
    return connection.execute(select(*columns).where(UPLOAD.c.upload_id == upload_id)).one_or_none()
