"""Tables of the store. Times are UTC text written by the database; digests are hexadecimal SHA-256."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
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
SCHEME_CASE = Table(
    "scheme_case",
    METADATA,
    Column("scheme_id", ForeignKey("scheme.scheme_id"), primary_key=True),
    Column("request_id", String(64), nullable=False, index=True),
    Column("verdict", Text, nullable=False),
    Column("owner_id", String(128)),  # these and created_at as the scheme has them
    Column("created_at", Text, nullable=False),
    Column("applicant_name", Text),
    Column("category", Text),
    Column("business", Text),
    Column("capacity_kva", Float),
    Column("installed_kw", Float),
    Column("voltage", Text),
    Column("reasons", Text, nullable=False),  # JSON: code and text of each
    Column("received_on", String(10)),
    Column("due_on", String(10), index=True),  # last day of the time limit; null: the policy gives none
    Column("limit_workdays", Integer),
    Column("valid_to", String(10)),
    Column("search_text", Text, nullable=False),  # folded; what a search looks into
)
"""What a list tells of a scheme, so that it need not read the records."""
HAND_OVER = Table(
    "scheme_hand_over",
    METADATA,
    Column("scheme_id", ForeignKey("scheme.scheme_id"), primary_key=True),
    Column("department", Text),
    Column("reason", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("at", String(40), nullable=False),
)
"""Cases a person handed to joint work (转专业联动)."""
