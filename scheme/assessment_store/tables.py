"""Tables of scenarios and assessments. Times are UTC text; only a scenario's last state and unfinished work change."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, ForeignKeyConstraint, Integer, LargeBinary, String, Table, Text

from scheme.ledger.append_only import keep_rows
from scheme.store.tables import METADATA

SCENARIO = Table(
    "scenario",
    METADATA,
    Column("scenario_id", String(40), primary_key=True),
    Column("version_no", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("content", Text, nullable=False),  # JSON
    Column("is_archived", Boolean, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", String(40), nullable=False, index=True),
    Column("changed_at", String(40), nullable=False),
)
"""A scenario in its last version."""
SCENARIO_VERSION = Table(
    "scenario_version",
    METADATA,
    Column("scenario_id", ForeignKey("scenario.scenario_id"), primary_key=True),
    Column("version_no", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("content_sha256", String(64), nullable=False),
)
ASSESSMENT = Table(
    "assessment",
    METADATA,
    Column("assessment_id", String(40), primary_key=True),
    Column("job_id", String(40), nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", String(40), nullable=False, index=True),
    Column("as_of", String(10), nullable=False),
    Column("scenario_id", String(40), index=True),
    Column("scenario_version_no", Integer),
    Column("scenario", Text, nullable=False),  # JSON: as it was when it was assessed
    Column("with_works", Boolean, nullable=False),
    Column("file", Text),  # name of the table handed in; of projects of the library there is none
    Column("projects", Integer, nullable=False),  # rows or projects asked about
    Column("input", LargeBinary, nullable=False),  # the table itself, or the projects as gzipped JSON
    Column("input_sha256", String(64), nullable=False),
    ForeignKeyConstraint(
        ["scenario_id", "scenario_version_no"], ["scenario_version.scenario_id", "scenario_version.version_no"]
    ),
)
"""What was asked; nothing of it changes."""
ASSESSMENT_TASK = Table(
    "assessment_task",
    METADATA,
    Column("assessment_id", ForeignKey("assessment.assessment_id"), primary_key=True),
    Column("task_key", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),  # gzipped JSON: rows
)
"""Work that is done of an assessment at work; gone when its result is there."""
ASSESSMENT_RESULT = Table(
    "assessment_result",
    METADATA,
    Column("assessment_id", ForeignKey("assessment.assessment_id"), primary_key=True),
    Column("at", String(40), nullable=False),
    Column("summary", Text, nullable=False),  # JSON
)
ASSESSMENT_PROJECT = Table(
    "assessment_project",
    METADATA,
    Column("assessment_id", ForeignKey("assessment_result.assessment_id"), primary_key=True),
    Column("queue_no", Integer, primary_key=True, autoincrement=False),
    Column("verdict", String(16), nullable=False),
    Column("content", Text, nullable=False),  # JSON
)
"""What is said of each project, in the order of the queue."""
ASSESSMENT_PART = Table(
    "assessment_part",
    METADATA,
    Column("assessment_id", ForeignKey("assessment_result.assessment_id"), primary_key=True),
    Column("name", String(16), primary_key=True),
    Column("content", LargeBinary, nullable=False),  # gzipped
)
"""Lists and files of a result."""

for _table in (SCENARIO_VERSION, ASSESSMENT, ASSESSMENT_RESULT, ASSESSMENT_PROJECT, ASSESSMENT_PART):
    keep_rows(_table)
