"""Files of durable jobs."""

import sqlalchemy as sa
from alembic import op

from scheme.store.columns import UtcNow

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _upload() -> None:
    op.create_table(
        "upload",
        sa.Column("upload_id", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.String(length=128), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Text(), server_default=UtcNow(), nullable=False),
        sa.PrimaryKeyConstraint("upload_id"),
    )


def upgrade() -> None:
    """Bring the tables to this revision."""
    _upload()
