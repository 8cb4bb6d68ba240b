"""The reserve library; its history is append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _document_content() -> None:
    op.create_table(
        "document_content",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )


def _project() -> None:
    op.create_table(
        "project",
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("source_system", sa.String(length=64), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("revision_no", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("works_stage", sa.String(length=32), nullable=True),
        sa.Column("received_on", sa.String(length=10), nullable=False),
        sa.Column("needed_on", sa.String(length=10), nullable=True),
        sa.Column("lon_deg", sa.Float(), nullable=True),
        sa.Column("lat_deg", sa.Float(), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.Column("changed_at", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("project_id"),
        sa.UniqueConstraint("source_system", "source_id", name="project_one_source"),
    )
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_project_stage"), ["stage"], unique=False)


def _project_take() -> None:
    op.create_table(
        "project_take",
        sa.Column("feed", sa.String(length=64), nullable=False),
        sa.Column("take_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("is_put_away", sa.Boolean(), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("feed", "take_no"),
    )


def _project_change() -> None:
    op.create_table(
        "project_change",
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("revision_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.project_id"],
        ),
        sa.PrimaryKeyConstraint("project_id", "revision_no"),
    )


def _project_document() -> None:
    op.create_table(
        "project_document",
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("media_type", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.project_id"],
        ),
        sa.ForeignKeyConstraint(
            ["sha256"],
            ["document_content.sha256"],
        ),
        sa.PrimaryKeyConstraint("project_id", "name"),
    )


def _request_document() -> None:
    op.create_table(
        "request_document",
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("media_type", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"],
            ["document_content.sha256"],
        ),
        sa.PrimaryKeyConstraint("request_id", "name"),
    )


def _project_conversion() -> None:
    op.create_table(
        "project_conversion",
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("scheme_id", sa.String(length=64), nullable=False),
        sa.Column("hold_id", sa.String(length=80), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["hold_id"],
            ["ledger_hold.hold_id"],
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.project_id"],
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"],
            ["scheme.scheme_id"],
        ),
        sa.PrimaryKeyConstraint("project_id"),
        sa.UniqueConstraint("request_id"),
    )


def _project_reply() -> None:
    op.create_table(
        "project_reply",
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("scheme_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.project_id"],
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"],
            ["scheme.scheme_id"],
        ),
        sa.PrimaryKeyConstraint("project_id", "scheme_id"),
    )


def _keep_rows(table: str) -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, operation in (("no_update", "UPDATE"), ("no_delete", "DELETE")):
        head = f"CREATE TRIGGER {table}_{name} BEFORE {operation} ON {table} FOR EACH ROW"
        refuse = f"SELECT RAISE(ABORT, 'append-only: {operation} of {table} is refused');"
        end = f"BEGIN {refuse} END" if is_sqlite else "EXECUTE FUNCTION gridscheme_append_only()"
        op.execute(sa.text(f"{head} {end}"))


def upgrade() -> None:
    """Bring the tables to this revision."""
    _document_content()
    _project()
    _project_take()
    _project_change()
    _project_document()
    _request_document()
    _project_conversion()
    _project_reply()
    _keep_rows("project_change")
