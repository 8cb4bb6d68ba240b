"""What was found in uploaded networks."""

import sqlalchemy as sa
from alembic import op

from scheme.store.columns import UtcNow

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _upload_check() -> None:
    op.create_table(
        "upload_check",
        sa.Column("upload_id", sa.String(length=40), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Text(), server_default=UtcNow(), nullable=False),
        sa.PrimaryKeyConstraint("upload_id"),
    )


def upgrade() -> None:
    """Bring the tables to this revision."""
    _upload_check()
