"""Tables of the store. Times are UTC text written by the database; digests are hexadecimal SHA-256."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from scheme.store.columns import UtcNow

METADATA = MetaData()
SNAPSHOT = Table(
    "snapshot",
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("parent_sha256", ForeignKey("snapshot.sha256")),  # null: the content stands alone
    Column("source_name", Text, nullable=False),
    Column("source_format", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),  # sealed, or the changes that made it from the parent (JSON)
    Column("created_at", Text, nullable=False, server_default=UtcNow()),
)
CURRENT_SNAPSHOT = Table(
    "current_snapshot",
    METADATA,
    Column("only_row", Integer, CheckConstraint("only_row = 1"), primary_key=True, autoincrement=False),
    Column("snapshot_sha256", ForeignKey("snapshot.sha256"), nullable=False),
)
CAPACITY = Table(
    "capacity",
    METADATA,
    Column("snapshot_sha256", ForeignKey("snapshot.sha256"), primary_key=True),
    Column("parameters_sha256", String(64), primary_key=True),
    Column("parameters", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("policy_sha256", String(64), nullable=False),
    Column("as_of", Text, nullable=False),
    Column("manifest", Text, nullable=False),  # JSON: which parts the table consists of, and its certificate
    Column("created_at", Text, nullable=False, server_default=UtcNow()),
)
CAPACITY_PART = Table(
    "capacity_part",
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
SCHEME = Table(
    "scheme",
    METADATA,
    Column("scheme_id", String(64), primary_key=True),
    Column("request_id", String(64), nullable=False, index=True),
    Column("request_sha256", String(64), nullable=False),
    Column("snapshot_sha256", ForeignKey("snapshot.sha256"), nullable=False),
    Column("verdict", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("owner_id", String(128), index=True),  # null: staff asked
    Column("created_at", Text, nullable=False, server_default=UtcNow()),
)
DOCUMENT = Table(
    "document",
    METADATA,
    Column("scheme_id", ForeignKey("scheme.scheme_id"), primary_key=True),
    Column("file", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
