"""The ledger of promised capacity, its audit rows and answered requests."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _answered_request() -> None:
    op.create_table(
        "answered_request",
        sa.Column("principal_id", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("principal_id", "operation", "idempotency_key"),
    )


def _audit_row() -> None:
    op.create_table(
        "audit_row",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("before_sha256", sa.String(length=64), nullable=True),
        sa.Column("after_sha256", sa.String(length=64), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    with op.batch_alter_table("audit_row", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_row_object_id"), ["object_id"], unique=False)


def _chain_head() -> None:
    op.create_table(
        "chain_head",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("last_at", sa.String(length=40), nullable=False),
        sa.Column("transaction_no", sa.BigInteger(), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("hold_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _ledger_account() -> None:
    op.create_table(
        "ledger_account",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("element_id", sa.Text(), nullable=False),
        sa.Column("limit_va", sa.BigInteger(), nullable=True),
        sa.Column("held_va", sa.BigInteger(), nullable=False),
        sa.Column("posted_va", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("is_overcommitted", sa.Boolean(), nullable=False),
        sa.CheckConstraint("held_va >= 0"),
        sa.CheckConstraint("posted_va >= 0"),
        sa.PrimaryKeyConstraint("account_id"),
    )


def _ledger_alarm() -> None:
    op.create_table(
        "ledger_alarm",
        sa.Column("alarm_no", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.String(length=40), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("alarm_no"),
    )


def _ledger_certificate() -> None:
    op.create_table(
        "ledger_certificate",
        sa.Column("certificate_id", sa.String(length=80), nullable=False),
        sa.Column("snapshot_sha256", sa.String(length=64), nullable=False),
        sa.Column("pins", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id"),
    )


def _ledger_heartbeat() -> None:
    op.create_table(
        "ledger_heartbeat",
        sa.Column("only_row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.CheckConstraint("only_row = 1"),
        sa.PrimaryKeyConstraint("only_row"),
    )


def _ledger_hold() -> None:
    op.create_table(
        "ledger_hold",
        sa.Column("hold_id", sa.String(length=80), nullable=False),
        sa.Column("hold_no", sa.BigInteger(), nullable=False),
        sa.Column("scheme_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("capacity_va", sa.BigInteger(), nullable=False),
        sa.Column("power_factor", sa.Float(), nullable=False),
        sa.Column("is_low_voltage", sa.Boolean(), nullable=False),
        sa.Column("snapshot_sha256", sa.String(length=64), nullable=False),
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.Column("certificate_id", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.Column("changed_at", sa.String(length=40), nullable=False),
        sa.Column("expires_on", sa.String(length=10), nullable=False),
        sa.Column("predecessor_id", sa.String(length=80), nullable=True),
        sa.Column("claim_principal_id", sa.Text(), nullable=True),
        sa.Column("claim_operation", sa.Text(), nullable=True),
        sa.Column("claim_key", sa.Text(), nullable=True),
        sa.CheckConstraint("capacity_va > 0"),
        sa.ForeignKeyConstraint(
            ["certificate_id"],
            ["ledger_certificate.certificate_id"],
        ),
        sa.ForeignKeyConstraint(
            ["predecessor_id"],
            ["ledger_hold.hold_id"],
        ),
        sa.PrimaryKeyConstraint("hold_id"),
        sa.UniqueConstraint("claim_principal_id", "claim_operation", "claim_key", name="ledger_hold_one_key"),
        sa.UniqueConstraint("hold_no"),
    )
    with op.batch_alter_table("ledger_hold", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_hold_scheme_id"), ["scheme_id"], unique=False)
        batch_op.create_index(
            "ledger_hold_due",
            ["expires_on"],
            unique=False,
            sqlite_where=sa.text("state = 'held'"),
            postgresql_where=sa.text("state = 'held'"),
        )
        batch_op.create_index(
            "ledger_hold_live_request",
            ["owner_id", "request_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('held', 'committed', 'energised')"),
            postgresql_where=sa.text("state IN ('held', 'committed', 'energised')"),
        )
        batch_op.create_index(
            "ledger_hold_live_scheme",
            ["scheme_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('held', 'committed', 'energised')"),
            postgresql_where=sa.text("state IN ('held', 'committed', 'energised')"),
        )


def _ledger_entry() -> None:
    op.create_table(
        "ledger_entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("transaction_no", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("hold_id", sa.String(length=80), nullable=True),
        sa.Column("held_delta_va", sa.BigInteger(), nullable=False),
        sa.Column("posted_delta_va", sa.BigInteger(), nullable=False),
        sa.Column("limit_va", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["ledger_account.account_id"],
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"],
            ["ledger_hold.hold_id"],
        ),
        sa.PrimaryKeyConstraint("seq"),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_entry_transaction_no"), ["transaction_no"], unique=False)


def _ledger_event() -> None:
    op.create_table(
        "ledger_event",
        sa.Column("event_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("transaction_no", sa.BigInteger(), nullable=False),
        sa.Column("entry_seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("hold_id", sa.String(length=80), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("from_state", sa.String(length=16), nullable=False),
        sa.Column("to_state", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["hold_id"],
            ["ledger_hold.hold_id"],
        ),
        sa.PrimaryKeyConstraint("event_no"),
    )
    with op.batch_alter_table("ledger_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_event_entry_seq"), ["entry_seq"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_event_hold_id"), ["hold_id"], unique=False)


def _ledger_hold_source() -> None:
    op.create_table(
        "ledger_hold_source",
        sa.Column("hold_id", sa.String(length=80), nullable=False),
        sa.Column("source_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mapping_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("transaction_no", sa.BigInteger(), nullable=False),
        sa.Column("node_element_id", sa.Text(), nullable=False),
        sa.Column("share_va", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hold_id"],
            ["ledger_hold.hold_id"],
        ),
        sa.PrimaryKeyConstraint("hold_id", "source_no", "mapping_no"),
    )


def upgrade() -> None:
    """Bring the tables to this revision."""
    _answered_request()
    _audit_row()
    _chain_head()
    _ledger_account()
    _ledger_alarm()
    _ledger_certificate()
    _ledger_heartbeat()
    _ledger_hold()
    _ledger_entry()
    _ledger_event()
    _ledger_hold_source()
