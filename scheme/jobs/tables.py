"""Tables of durable jobs in the store; the jobs themselves lie in a database of their engine."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, String, Table, Text

from scheme.store.columns import UtcNow
from scheme.store.tables import METADATA

UPLOAD = Table(
    "upload",
    METADATA,
    Column("upload_id", String(40), primary_key=True),
    Column("owner_id", String(128), nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Text, nullable=False, server_default=UtcNow()),
)

UPLOAD_CHECK = Table(
    "upload_check",
    METADATA,
    Column("upload_id", String(40), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Text, nullable=False, server_default=UtcNow()),
)
