"""Applications of customers."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _application() -> None:
    op.create_table(
        "application",
        sa.Column("subject_id", sa.String(length=128), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("opened_on", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "request_id"),
    )
    with op.batch_alter_table("application", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_application_opened_on"), ["opened_on"], unique=False)


def upgrade() -> None:
    """Bring the tables to this revision."""
    _application()
