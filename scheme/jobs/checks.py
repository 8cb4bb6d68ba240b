"""What a check found in an uploaded network, kept beside the upload until it is activated or given up (导入预检)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select

from gridmodel.errors import NotFoundError
from scheme.jobs.tables import UPLOAD, UPLOAD_CHECK
from scheme.store import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCheck:
    """What was found in an upload, as plain values."""

    upload_id: str
    name: str
    """File as it was handed in."""
    created_at: str
    content: Mapping[str, Any]


def keep_check(store: Database, upload_id: str, content: Mapping[str, Any]) -> None:
    """Keep what was found; a later check of the same upload takes the place of an earlier one."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    with store.write() as connection:
        connection.execute(delete(UPLOAD_CHECK).where(UPLOAD_CHECK.c.upload_id == upload_id))
        values = {"upload_id": upload_id, "content": gzip.compress(text.encode(), compresslevel=5, mtime=0)}
        connection.execute(insert(UPLOAD_CHECK).values(**values))


def get_check(store: Database, upload_id: str, *, owner_id: str) -> KeptCheck:
    """Return what was found in an upload of this owner.

    Raises:
        NotFoundError: There is no such upload, it is somebody else's, or it was not checked.
    """
    joined = UPLOAD.join(UPLOAD_CHECK, UPLOAD.c.upload_id == UPLOAD_CHECK.c.upload_id)
    columns = (UPLOAD.c.owner_id, UPLOAD.c.name, UPLOAD_CHECK.c.created_at, UPLOAD_CHECK.c.content)
    with store.read() as connection:
        row = connection.execute(
            select(*columns).select_from(joined).where(UPLOAD.c.upload_id == upload_id)
        ).one_or_none()
    if row is None or row.owner_id != owner_id:
        raise NotFoundError("no such upload, or it was not checked", upload_id=upload_id)
    content = json.loads(gzip.decompress(row.content))
    return KeptCheck(upload_id=upload_id, name=row.name, created_at=row.created_at, content=content)
