"""The audit trail (审计记录): who changed what, in which role, why."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse

from api.access import Principal, allow
from api.inputs import PAGE_ROWS, Cursor, Limit
from api.openapi import reference, response_of
from api.routes.backend import Backend
from api.routes.cursors import page_of, read_cursor, write_cursor
from api.views import AuditPage, AuditView
from scheme.listing import list_audit_rows

_OBJECT = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$"


def add_audit(app: FastAPI, backend: Backend) -> None:
    """Add the calls about the audit trail to ``app``."""

    @app.get(
        "/v1/audit",
        tags=["operations"],
        summary="Audit trail, newest first",
        responses={200: response_of("One page of audit rows", reference("AuditPage"))},
    )
    def get_audit(
        principal: Annotated[Principal, allow("operator")],
        object_id: Annotated[str | None, Query(pattern=_OBJECT, description="only rows about this object")] = None,
        subject_id: Annotated[str | None, Query(pattern=_OBJECT, description="only what this subject did")] = None,
        cursor: Cursor = None,
        limit: Limit = PAGE_ROWS,
    ) -> JSONResponse:
        """Every row covers the digest of the one before it, so that none can be changed or taken out unseen;
        ``gridscheme audit`` looks at all of them."""
        before = read_cursor(cursor, int)
        with backend.services.store.read() as connection:
            found = list_audit_rows(
                connection,
                object_id=object_id,
                subject_id=subject_id,
                before_seq=None if before is None else int(before[0]),
                limit=limit + 1,
            )
        rows, has_more = page_of([AuditView.of(row) for row in found], limit)
        next_cursor = write_cursor(rows[-1].seq) if has_more else None
        return JSONResponse(AuditPage(items=list(rows), next_cursor=next_cursor).model_dump(mode="json"))
