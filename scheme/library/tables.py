"""Tables of the reserve library. Times are UTC text, days ISO text; the history is append-only."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from scheme.ledger.append_only import keep_rows
from scheme.store.tables import METADATA

PROJECT = Table(
    "project",
    METADATA,
    Column("project_id", String(40), primary_key=True),
    Column("source_system", String(64), nullable=False),
    Column("source_id", Text, nullable=False),
    Column("stage", String(16), nullable=False, index=True),
    Column("revision_no", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("category", String(32), nullable=False),
    Column("works_stage", String(32)),
    Column("received_on", String(10), nullable=False),
    Column("needed_on", String(10)),
    Column("lon_deg", Float),  # CGCS2000
    Column("lat_deg", Float),
    Column("search_text", Text, nullable=False),  # folded; what a search looks into
    Column("content", Text, nullable=False),  # JSON: what the source says
    Column("content_sha256", String(64), nullable=False),
    Column("created_at", String(40), nullable=False),
    Column("changed_at", String(40), nullable=False),
    UniqueConstraint("source_system", "source_id", name="project_one_source"),
)
PROJECT_CHANGE = Table(
    "project_change",
    METADATA,
    Column("project_id", ForeignKey("project.project_id"), primary_key=True),
    Column("revision_no", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("action", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("changes", Text, nullable=False),  # JSON: field -> before and after
    Column("content_sha256", String(64), nullable=False),
)
DOCUMENT_CONTENT = Table(
    "document_content",
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
PROJECT_DOCUMENT = Table(
    "project_document",
    METADATA,
    Column("project_id", ForeignKey("project.project_id"), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("media_type", String(128), nullable=False),
    Column("sha256", ForeignKey("document_content.sha256"), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("added_at", String(40), nullable=False),
)
REQUEST_DOCUMENT = Table(
    "request_document",
    METADATA,
    Column("request_id", String(64), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("media_type", String(128), nullable=False),
    Column("sha256", ForeignKey("document_content.sha256"), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("added_at", String(40), nullable=False),
)
"""Documents of an application; those of a project that became one stand here too, the same content."""
PROJECT_REPLY = Table(
    "project_reply",
    METADATA,
    Column("project_id", ForeignKey("project.project_id"), primary_key=True),
    Column("scheme_id", ForeignKey("scheme.scheme_id"), primary_key=True),
    Column("at", String(40), nullable=False),
)
PROJECT_CONVERSION = Table(
    "project_conversion",
    METADATA,
    Column("project_id", ForeignKey("project.project_id"), primary_key=True),
    Column("request_id", String(64), nullable=False, unique=True),
    Column("scheme_id", ForeignKey("scheme.scheme_id"), nullable=False),
    Column("hold_id", ForeignKey("ledger_hold.hold_id"), nullable=False),
    Column("at", String(40), nullable=False),
)
"""A project converts once."""
PROJECT_TAKE = Table(
    "project_take",
    METADATA,
    Column("feed", String(64), primary_key=True),
    Column("take_no", Integer, primary_key=True, autoincrement=False),
    Column("file", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("report", Text, nullable=False),  # JSON
    Column("is_put_away", Boolean, nullable=False),
    Column("at", String(40), nullable=False),
)
"""Files a feed took: written with the projects, so that none is taken twice after a crash."""

keep_rows(PROJECT_CHANGE)
