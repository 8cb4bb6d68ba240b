"""Files handed in over HTTP and waiting for the job that reads them (上传文件)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from gridmodel.errors import NotFoundError
from scheme.jobs.tables import UPLOAD
from scheme.store import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file; its name holds no folder."""

    upload_id: str
    owner_id: str
    name: str
    sha256: str
    content: bytes


def keep_upload(store: Database, *, owner_id: str, name: str, content: bytes) -> Upload:
    """Keep a file and return it with its identifier."""
    upload = Upload(
        upload_id=f"upl_{secrets.token_hex(16)}",
        owner_id=owner_id,
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
    )
    with store.write() as connection:
        connection.execute(insert(UPLOAD).values(**{field: getattr(upload, field) for field in Upload.__slots__}))
    return upload


def get_upload(store: Database, upload_id: str) -> Upload:
    """Return a file.

    Raises:
        NotFoundError: There is none, or it was read and taken away.
    """
    with store.read() as connection:
        row = connection.execute(
            select(*(UPLOAD.c[field] for field in Upload.__slots__)).where(UPLOAD.c.upload_id == upload_id)
        ).one_or_none()
    if row is None:
        raise NotFoundError("no such upload", upload_id=upload_id)
    return Upload(**row._mapping)


def drop_upload(store: Database, upload_id: str) -> None:
    """Take a file away; nothing happens where there is none."""
    with store.write() as connection:
        connection.execute(delete(UPLOAD).where(UPLOAD.c.upload_id == upload_id))
