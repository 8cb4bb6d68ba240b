"""What an operator has to look at: the store's self-check, and matters of the ledger that wait for a person."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from api.access import Principal, allow
from api.openapi import add_schemas, reference, response_of
from api.openapi_schemas import schemas_of
from api.routes.backend import Backend
from api.views import View, to_rfc3339
from scheme.ledger.records import VA_PER_KVA

TOLD_MAX = 200
_Operator = Annotated[Principal, allow("operator")]


class SelfCheckFindingView(View):
    """Something about store or machine that is not as it must be."""

    check: str
    problem: str
    is_fatal: bool
    """The service would not start with it."""


class SelfCheckView(View):
    """What the self-check found; nothing is well."""

    findings: list[SelfCheckFindingView]


class AlarmView(View):
    """One matter for a person."""

    kind: str
    at: str
    content: dict[str, str | int | None]


class OrphanView(View):
    """A source point of a live hold without a place in the current network."""

    hold_id: str
    source_no: int
    node_element_id: str
    """Where it was."""
    share_kva: float


class LedgerMattersView(View):
    """What waits for a person; the first ones of each where there are very many."""

    alarms: list[AlarmView]
    alarm_count: int
    orphans: list[OrphanView]
    orphan_count: int


OVERSIGHT_VIEWS: tuple[type[View], ...] = (SelfCheckView, LedgerMattersView)


def add_oversight(app: FastAPI, backend: Backend, public_db: str | None) -> None:
    """Add the calls to ``app``."""
    add_schemas(app, schemas_of(OVERSIGHT_VIEWS))
    _add_self_check(app, backend, public_db)
    _add_matters(app, backend)


def _add_self_check(app: FastAPI, backend: Backend, public_db: str | None) -> None:
    @app.get(
        "/v1/self-check",
        tags=["operations"],
        summary="Can promises be kept on this store and machine",
        responses={200: response_of("What is not as it must be", reference("SelfCheckView"))},
    )
    def get_self_check(principal: _Operator) -> JSONResponse:
        """The checks of the start, made now: durability, clock, time zone, place of the files."""
        from api.self_check import run_self_check

        found = run_self_check(backend.services.store, public_url=public_db)
        findings = [SelfCheckFindingView(check=one.check, problem=one.problem, is_fatal=one.is_fatal) for one in found]
        return JSONResponse(SelfCheckView(findings=findings).model_dump(mode="json"))


def _add_matters(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/ledger/matters",
        tags=["operations"],
        summary="Alarms of the ledger, and holds without a place",
        responses={200: response_of("What waits for a person", reference("LedgerMattersView"))},
    )
    def get_ledger_matters(principal: _Operator) -> JSONResponse:
        """As ``gridscheme alarms`` and ``gridscheme orphans`` tell them. Whether the books are right is a job of the
        kind ``ledger_audit``."""
        from scheme.ledger.alarms import find_alarms

        ledger = backend.admission.ledger
        with backend.services.store.read() as connection:
            alarms = find_alarms(connection, backend.services.load_policy(), ledger.time_in(connection))
        orphans = [
            OrphanView(
                hold_id=hold.hold_id,
                source_no=source.source_no,
                node_element_id=source.node_element_id,
                share_kva=source.share_va / VA_PER_KVA,
            )
            for hold in ledger.list_orphans()
            for source in hold.sources
            if source.is_orphan
        ]
        view = LedgerMattersView(
            alarms=[
                AlarmView(kind=one.kind, at=to_rfc3339(one.at), content=dict(one.content)) for one in alarms[:TOLD_MAX]
            ],
            alarm_count=len(alarms),
            orphans=orphans[:TOLD_MAX],
            orphan_count=len(orphans),
        )
        return JSONResponse(view.model_dump(mode="json"))
