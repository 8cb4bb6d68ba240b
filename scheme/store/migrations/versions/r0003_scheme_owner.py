"""Whom a scheme was answered for."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _scheme() -> None:
    with op.batch_alter_table("scheme", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owner_id", sa.String(length=128), nullable=True))
        batch_op.create_index(batch_op.f("ix_scheme_owner_id"), ["owner_id"], unique=False)


def upgrade() -> None:
    """Bring the tables to this revision."""
    _scheme()
