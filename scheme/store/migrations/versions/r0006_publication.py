"""The secret grid of the public map and its publications."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _map_grid() -> None:
    op.create_table(
        "map_grid",
        sa.Column("only_row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("founded_at", sa.String(length=40), nullable=False),
        sa.CheckConstraint("only_row = 1"),
        sa.PrimaryKeyConstraint("only_row"),
    )


def _publication() -> None:
    op.create_table(
        "publication",
        sa.Column("publication_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("data_month", sa.String(length=7), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("snapshot_sha256", sa.String(length=64), nullable=False),
        sa.Column("ledger_seq", sa.BigInteger(), nullable=False),
        sa.Column("ledger_sha256", sa.String(length=64), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("policy_sha256", sa.String(length=64), nullable=False),
        sa.Column("as_of", sa.String(length=10), nullable=False),
        sa.Column("behind", sa.Text(), nullable=False),
        sa.Column("bands", sa.Text(), nullable=False),
        sa.Column("compared_with_id", sa.String(length=40), nullable=True),
        sa.Column("negative_list_sha256", sa.String(length=64), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.String(length=40), nullable=False),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("scanned_by", sa.Text(), nullable=True),
        sa.Column("scanned_at", sa.String(length=40), nullable=True),
        sa.Column("release_no", sa.Integer(), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("released_at", sa.String(length=40), nullable=True),
        sa.Column("audience", sa.String(length=16), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.String(length=40), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("released_by <> made_by", name="publication_two_persons"),
        sa.ForeignKeyConstraint(
            ["compared_with_id"],
            ["publication.publication_id"],
        ),
        sa.PrimaryKeyConstraint("publication_id"),
        sa.UniqueConstraint("release_no"),
    )
    with op.batch_alter_table("publication", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_publication_state"), ["state"], unique=False)


def upgrade() -> None:
    """Bring the tables to this revision."""
    _map_grid()
    _publication()
