"""Idempotency keys belong to whoever used them; those from before there were principals stand for nobody."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop the keys nobody can use again; the schemes they stood for stay."""
    op.drop_table("idempotency")
