"""Snapshots, capacity tables, schemes and documents."""

import sqlalchemy as sa
from alembic import op

from scheme.store.columns import UtcNow

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _snapshots() -> None:
    op.create_table(
        "snapshot",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("parent_sha256", sa.String(64), nullable=True),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("source_format", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Text(), server_default=UtcNow(), nullable=False),
        sa.ForeignKeyConstraint(["parent_sha256"], ["snapshot.sha256"]),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "current_snapshot",
        sa.Column("only_row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("snapshot_sha256", sa.String(64), nullable=False),
        sa.CheckConstraint("only_row = 1"),
        sa.ForeignKeyConstraint(["snapshot_sha256"], ["snapshot.sha256"]),
        sa.PrimaryKeyConstraint("only_row"),
    )


def _capacity() -> None:
    op.create_table(
        "capacity",
        sa.Column("snapshot_sha256", sa.String(64), nullable=False),
        sa.Column("parameters_sha256", sa.String(64), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("policy_sha256", sa.String(64), nullable=False),
        sa.Column("as_of", sa.Text(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), server_default=UtcNow(), nullable=False),
        sa.ForeignKeyConstraint(["snapshot_sha256"], ["snapshot.sha256"]),
        sa.PrimaryKeyConstraint("snapshot_sha256", "parameters_sha256"),
    )
    op.create_table(
        "capacity_part",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )


def _schemes() -> None:
    op.create_table(
        "scheme",
        sa.Column("scheme_id", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("snapshot_sha256", sa.String(64), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Text(), server_default=UtcNow(), nullable=False),
        sa.ForeignKeyConstraint(["snapshot_sha256"], ["snapshot.sha256"]),
        sa.PrimaryKeyConstraint("scheme_id"),
    )
    op.create_index("ix_scheme_request_id", "scheme", ["request_id"])
    op.create_table(
        "document",
        sa.Column("scheme_id", sa.String(64), nullable=False),
        sa.Column("file", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["scheme_id"], ["scheme.scheme_id"]),
        sa.PrimaryKeyConstraint("scheme_id", "file"),
    )
    op.create_table(
        "idempotency",
        sa.Column("idempotency_key", sa.String(128), nullable=False),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("scheme_id", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["scheme_id"], ["scheme.scheme_id"]),
        sa.PrimaryKeyConstraint("idempotency_key"),
    )


def upgrade() -> None:
    """Make the tables of the first store."""
    _snapshots()
    _capacity()
    _schemes()
