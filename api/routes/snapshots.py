"""Grid data in (电网断面导入): hand in a network, read what the quality gate found in it."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from api.access import Principal, allow
from api.admission import Activated
from api.inputs import KEY_HEADER, PAGE_ROWS, Cursor, IdempotencyKey, Limit
from api.openapi import reference, response_of
from api.routes.backend import Backend
from api.routes.cursors import read_cursor, write_cursor
from api.routes.writes import actor_of, claim_of, json_answer
from api.uploads import ENDINGS, UPLOAD_CONTENT, UploadBody, UploadName, read_upload
from api.views import ActivatedView, FindingView, SnapshotView, TableCountView
from gridmodel.snapshot import Snapshot
from scheme.ledger.idempotency import claim_key, keep

FINDINGS_TOLD_MAX = 200
_OPERATION = "POST /v1/snapshots"


def add_snapshots(app: FastAPI, backend: Backend) -> None:
    """Add the calls about imported networks to ``app``."""
    _add_import(app, backend)
    _add_current(app, backend)


def _add_import(app: FastAPI, backend: Backend) -> None:
    @app.post(
        "/v1/snapshots",
        tags=["snapshots"],
        status_code=201,
        summary="Import a network and make it the current one",
        responses={201: response_of("The snapshot and its findings", reference("ActivatedView"))},
        response_class=Response,
        openapi_extra={
            "parameters": [KEY_HEADER],
            "requestBody": {"required": True, "content": UPLOAD_CONTENT},
        },
    )
    def create_snapshot(
        principal: Annotated[Principal, allow("engineer", "operator")],
        request: Request,
        body: UploadBody,
        key: IdempotencyKey,
        name: UploadName = "upload",
    ) -> Response:
        """A pandapower network (JSON) or the product's own tables (xlsx, or a zip of CSV files). All or nothing: where
        it is refused, the network before it stays. Every live hold is mapped onto the new network, or listed."""
        media_type = request.headers["content-type"].partition(";")[0].strip().lower()
        actor = actor_of(principal, request, "engineer", "operator")
        asked = {"sha256": hashlib.sha256(body).hexdigest(), "media_type": media_type, "name": name}
        claim = claim_of(actor, _OPERATION, key, asked)

        def work() -> None:
            def also(connection: Connection, activated: Activated) -> None:
                if claim_key(connection, claim) is None:
                    status, headers, told = json_answer(201, _told(activated), Location="/v1/snapshots/current")
                    keep(connection, claim, status, headers, told, object_id=activated.snapshot.sha256)

            snapshot = read_upload(body, f"{name}{ENDINGS[media_type]}")
            backend.admission.activate(snapshot, actor=actor, also=also)

        return backend.writes.carry_out(claim, work)


def _add_current(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/snapshots/current",
        tags=["snapshots"],
        summary="The current network and what the quality gate found",
        responses={200: response_of("The snapshot and a page of findings", reference("SnapshotView"))},
    )
    def get_current(
        principal: Annotated[Principal, allow("engineer", "planner", "operator")],
        cursor: Cursor = None,
        limit: Limit = PAGE_ROWS,
    ) -> JSONResponse:
        """Errors first, in the order of the file."""
        after = read_cursor(cursor, int)
        start = 0 if after is None else max(0, int(after[0]))
        shown = _shown(backend.services.get_live().imported, start=start, limit=limit)
        return JSONResponse(SnapshotView(**shown).model_dump(mode="json"))


def _told(activated: Activated) -> bytes:
    outcome = activated.outcome
    view = ActivatedView(
        **_shown(activated.snapshot, start=0, limit=FINDINGS_TOLD_MAX),
        mapped_source_count=outcome.mapped,
        orphan_hold_ids=list(outcome.orphans),
        closed_hold_ids=list(outcome.closed),
    )
    return view.model_dump_json().encode()


def _shown(snapshot: Snapshot, *, start: int, limit: int) -> dict[str, Any]:
    ranked = sorted(snapshot.findings, key=lambda finding: ("error", "warning", "info").index(finding.severity))
    end = start + limit
    return {
        "snapshot_sha256": snapshot.sha256,
        "source_name": snapshot.source_name,
        "source_format": snapshot.source_format,
        "node_count": len(snapshot.nodes),
        "nodes_by_status": {str(k): int(n) for k, n in sorted(Counter(snapshot.nodes["status"]).items())},
        "counts": [
            TableCountView(
                table=count.table,
                read=count.read,
                accepted=count.accepted,
                quarantined=count.quarantined,
                merged=count.merged,
            )
            for count in snapshot.counts
        ],
        "findings_by_severity": dict(Counter(finding.severity for finding in ranked)),
        "findings": [FindingView.model_validate(finding.as_dict()) for finding in ranked[start:end]],
        "next_cursor": write_cursor(end) if end < len(ranked) else None,
    }
