"""Scenarios and assessments; what was asked and what came out are append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def _scenario() -> None:
    op.create_table(
        "scenario",
        sa.Column("scenario_id", sa.String(length=40), nullable=False),
        sa.Column("version_no", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.Column("changed_at", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("scenario_id"),
    )
    with op.batch_alter_table("scenario", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_scenario_created_at"), ["created_at"], unique=False)


def _scenario_version() -> None:
    op.create_table(
        "scenario_version",
        sa.Column("scenario_id", sa.String(length=40), nullable=False),
        sa.Column("version_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["scenario_id"],
            ["scenario.scenario_id"],
        ),
        sa.PrimaryKeyConstraint("scenario_id", "version_no"),
    )


def _assessment() -> None:
    op.create_table(
        "assessment",
        sa.Column("assessment_id", sa.String(length=40), nullable=False),
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.Column("as_of", sa.String(length=10), nullable=False),
        sa.Column("scenario_id", sa.String(length=40), nullable=True),
        sa.Column("scenario_version_no", sa.Integer(), nullable=True),
        sa.Column("scenario", sa.Text(), nullable=False),
        sa.Column("with_works", sa.Boolean(), nullable=False),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("projects", sa.Integer(), nullable=False),
        sa.Column("input", sa.LargeBinary(), nullable=False),
        sa.Column("input_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["scenario_id", "scenario_version_no"],
            ["scenario_version.scenario_id", "scenario_version.version_no"],
        ),
        sa.PrimaryKeyConstraint("assessment_id"),
    )
    with op.batch_alter_table("assessment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assessment_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_assessment_scenario_id"), ["scenario_id"], unique=False)


def _assessment_result() -> None:
    op.create_table(
        "assessment_result",
        sa.Column("assessment_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.assessment_id"],
        ),
        sa.PrimaryKeyConstraint("assessment_id"),
    )


def _assessment_task() -> None:
    op.create_table(
        "assessment_task",
        sa.Column("assessment_id", sa.String(length=40), nullable=False),
        sa.Column("task_key", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.assessment_id"],
        ),
        sa.PrimaryKeyConstraint("assessment_id", "task_key"),
    )


def _assessment_part() -> None:
    op.create_table(
        "assessment_part",
        sa.Column("assessment_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment_result.assessment_id"],
        ),
        sa.PrimaryKeyConstraint("assessment_id", "name"),
    )


def _assessment_project() -> None:
    op.create_table(
        "assessment_project",
        sa.Column("assessment_id", sa.String(length=40), nullable=False),
        sa.Column("queue_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment_result.assessment_id"],
        ),
        sa.PrimaryKeyConstraint("assessment_id", "queue_no"),
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
    _scenario()
    _scenario_version()
    _assessment()
    _assessment_result()
    _assessment_task()
    _assessment_part()
    _assessment_project()
    for table in ("scenario_version", "assessment", "assessment_result", "assessment_part", "assessment_project"):
        _keep_rows(table)
