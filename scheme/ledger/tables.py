"""Tables of the capacity ledger. Times are UTC text with microseconds, days ISO text, capacities whole VA.

Entries, audit rows, events, certificates and mappings are append-only: the database aborts updates and deletes (see
:mod:`scheme.ledger.append_only`).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from scheme.store.tables import METADATA

_SHA = String(64)
_LIVE = text("state IN ('held', 'committed', 'energised')")

ACCOUNT = Table(
    "ledger_account",
    METADATA,
    Column("account_id", Text, primary_key=True),
    Column("level", Integer, nullable=False),
    Column("element_id", Text, nullable=False),
    Column("limit_va", BigInteger),  # null: not known
    Column("held_va", BigInteger, CheckConstraint("held_va >= 0"), nullable=False),
    Column("posted_va", BigInteger, CheckConstraint("posted_va >= 0"), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("is_overcommitted", Boolean, nullable=False),
)
CERTIFICATE = Table(
    "ledger_certificate",
    METADATA,
    Column("certificate_id", String(80), primary_key=True),
    Column("snapshot_sha256", _SHA, nullable=False),
    Column("pins", Text, nullable=False),  # JSON: account id -> version
    Column("engine", Text, nullable=False),
    Column("content", Text, nullable=False),  # JSON
)
HOLD = Table(
    "ledger_hold",
    METADATA,
    Column("hold_id", String(80), primary_key=True),
    Column("hold_no", BigInteger, nullable=False, unique=True),
    Column("scheme_id", Text, nullable=False, index=True),
    Column("request_id", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("capacity_va", BigInteger, CheckConstraint("capacity_va > 0"), nullable=False),
    Column("power_factor", Float, nullable=False),
    Column("is_low_voltage", Boolean, nullable=False),
    Column("snapshot_sha256", _SHA, nullable=False),
    Column("policy_sha256", _SHA, nullable=False),
    Column("certificate_id", ForeignKey("ledger_certificate.certificate_id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", String(40), nullable=False),
    Column("changed_at", String(40), nullable=False),
    Column("expires_on", String(10), nullable=False),
    Column("predecessor_id", ForeignKey("ledger_hold.hold_id")),
    Column("claim_principal_id", Text),
    Column("claim_operation", Text),
    Column("claim_key", Text),
    UniqueConstraint("claim_principal_id", "claim_operation", "claim_key", name="ledger_hold_one_key"),
)
Index("ledger_hold_live_scheme", HOLD.c.scheme_id, unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE)
Index(
    "ledger_hold_live_request",
    HOLD.c.owner_id,
    HOLD.c.request_id,
    unique=True,
    sqlite_where=_LIVE,
    postgresql_where=_LIVE,
)
Index(
    "ledger_hold_due", HOLD.c.expires_on, sqlite_where=text("state = 'held'"), postgresql_where=text("state = 'held'")
)
HOLD_SOURCE = Table(
    "ledger_hold_source",
    METADATA,
    Column("hold_id", ForeignKey("ledger_hold.hold_id"), primary_key=True),
    Column("source_no", Integer, primary_key=True, autoincrement=False),
    Column("mapping_no", Integer, primary_key=True, autoincrement=False),  # the highest one counts
    Column("transaction_no", BigInteger, nullable=False),
    Column("node_element_id", Text, nullable=False),
    Column("share_va", BigInteger, nullable=False),
    Column("path", Text, nullable=False),  # JSON: account ids leaf to root; empty on the orphan list
)
ENTRY = Table(
    "ledger_entry",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("transaction_no", BigInteger, nullable=False, index=True),
    Column("at", String(40), nullable=False),
    Column("kind", String(16), nullable=False),  # step of the hold, "limit" or "remap"
    Column("account_id", ForeignKey("ledger_account.account_id")),  # null: a hold that is counted nowhere moved
    Column("hold_id", ForeignKey("ledger_hold.hold_id")),
    Column("held_delta_va", BigInteger, nullable=False),
    Column("posted_delta_va", BigInteger, nullable=False),
    Column("limit_va", BigInteger),  # of the account, after this entry
    Column("version", BigInteger),  # of the account, after this transaction
    Column("sha256", _SHA, nullable=False),
)
EVENT = Table(
    "ledger_event",
    METADATA,
    Column("event_no", BigInteger, primary_key=True, autoincrement=False),
    Column("transaction_no", BigInteger, nullable=False),
    Column("entry_seq", BigInteger, nullable=False, index=True),  # last entry of its transaction
    Column("at", String(40), nullable=False),
    Column("hold_id", ForeignKey("ledger_hold.hold_id"), nullable=False, index=True),
    Column("step", String(16), nullable=False),
    Column("from_state", String(16), nullable=False),
    Column("to_state", String(16), nullable=False),
)
AUDIT = Table(
    "audit_row",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object_id", Text, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("before_sha256", String(64)),
    Column("after_sha256", String(64)),
    Column("sha256", _SHA, nullable=False),
)
CHAIN_HEAD = Table(
    "chain_head",
    METADATA,
    Column("name", String(16), primary_key=True),  # "entries" or "audit"
    Column("seq", BigInteger, nullable=False),
    Column("sha256", _SHA, nullable=False),
    Column("last_at", String(40), nullable=False),
    Column("transaction_no", BigInteger, nullable=False),
    Column("event_no", BigInteger, nullable=False),
    Column("hold_no", BigInteger, nullable=False),
)
ANSWERED_REQUEST = Table(
    "answered_request",
    METADATA,
    Column("principal_id", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("idempotency_key", Text, primary_key=True),
    Column("fingerprint", _SHA, nullable=False),
    Column("object_id", Text),
    Column("status", Integer),  # null only inside the transaction that claims the key
    Column("headers", Text),  # JSON
    Column("body", LargeBinary),
    Column("answered_at", String(40), nullable=False),
)
HEARTBEAT = Table(
    "ledger_heartbeat",
    METADATA,
    Column("only_row", Integer, CheckConstraint("only_row = 1"), primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
)
ALARM = Table(
    "ledger_alarm",
    METADATA,
    Column("alarm_no", Integer, primary_key=True),
    Column("at", String(40), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("content", Text, nullable=False),  # JSON
    Column("settled_at", String(40)),
    Column("settled_by", Text),
)

APPEND_ONLY = (ENTRY, EVENT, AUDIT, CERTIFICATE, HOLD_SOURCE)
"""Rows of these are never changed and never removed."""
