"""What lists tell of a scheme, and which cases went to joint work."""

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _scheme_case() -> None:
    op.create_table(
        "scheme_case",
        sa.Column("scheme_id", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.String(length=128), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("applicant_name", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("business", sa.Text(), nullable=True),
        sa.Column("capacity_kva", sa.Float(), nullable=True),
        sa.Column("installed_kw", sa.Float(), nullable=True),
        sa.Column("voltage", sa.Text(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("received_on", sa.String(length=10), nullable=True),
        sa.Column("due_on", sa.String(length=10), nullable=True),
        sa.Column("limit_workdays", sa.Integer(), nullable=True),
        sa.Column("valid_to", sa.String(length=10), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scheme_id"],
            ["scheme.scheme_id"],
        ),
        sa.PrimaryKeyConstraint("scheme_id"),
    )
    with op.batch_alter_table("scheme_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_scheme_case_due_on"), ["due_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_scheme_case_request_id"), ["request_id"], unique=False)


def _scheme_hand_over() -> None:
    op.create_table(
        "scheme_hand_over",
        sa.Column("scheme_id", sa.String(length=64), nullable=False),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["scheme_id"],
            ["scheme.scheme_id"],
        ),
        sa.PrimaryKeyConstraint("scheme_id"),
    )


def _fill() -> None:
    """Read what lists tell of the schemes that are there already."""
    bind = op.get_bind()
    same = ("scheme_id", "request_id", "verdict", "owner_id", "created_at")
    scheme = sa.table("scheme", *map(sa.column, (*same, "content")))
    case = sa.table("scheme_case", *map(sa.column, (*same, *_case("", "", b"{}"))))
    for scheme_id in bind.execute(sa.select(scheme.c.scheme_id)).scalars().all():
        row = bind.execute(sa.select(scheme).where(scheme.c.scheme_id == scheme_id)).one()
        values = _case(row.scheme_id, row.request_id, bytes(row.content))
        bind.execute(sa.insert(case).values(**{name: getattr(row, name) for name in same}, **values))


def _case(scheme_id: str, request_id: str, content: bytes) -> dict[str, Any]:
    record = _record(content)
    request, supply, timeline = (_part(record, name) for name in ("request", "supply", "timeline"))
    applicant, demand = _part(request, "applicant"), _part(request, "demand")
    reasons = [{"code": reason["code"], "text": reason["text"]} for reason in record.get("reasons") or ()]
    return {
        "applicant_name": applicant.get("name"),
        "category": applicant.get("category"),
        "business": request.get("business"),
        "capacity_kva": supply.get("capacity_kva", demand.get("capacity_kva")),
        "installed_kw": demand.get("installed_kw"),
        "voltage": supply.get("voltage"),
        "reasons": json.dumps(reasons, ensure_ascii=False),
        "received_on": request.get("received_on"),
        "due_on": timeline.get("limit_on"),
        "limit_workdays": timeline.get("limit") if timeline.get("limit_unit") == "workday" else None,
        "valid_to": _part(record, "validity").get("to"),
        "search_text": f"{applicant.get('name') or ''} {request_id} {scheme_id}".casefold(),
    }


def _record(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return record.get(name) or {}


def upgrade() -> None:
    """Bring the tables to this revision."""
    _scheme_case()
    _scheme_hand_over()
    _fill()
