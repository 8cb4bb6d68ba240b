"""Capacity held for schemes: issue, contract, connect, give back; and what the ledger says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from api.access import Principal, allow
from api.inputs import (
    JSON_MEDIA_TYPE,
    KEY_HEADER,
    PAGE_ROWS,
    Cursor,
    HoldId,
    IdempotencyKey,
    JsonBody,
    Limit,
    RequestIdFilter,
    SchemeId,
    parse_body,
)
from api.openapi import reference, response_of
from api.routes.backend import Backend
from api.routes.cursors import page_of, read_cursor, write_cursor
from api.routes.writes import actor_of, claim_of, json_answer
from api.views import AccountPage, AccountView, HoldLine, HoldPage, HoldView
from gridmodel.errors import InputError
from scheme.hand_over import refuse_handed_over
from scheme.ledger import Hold, HoldStateError
from scheme.ledger.ledger import Call
from scheme.ledger.records import VA_PER_KVA
from scheme.ledger.states import LIVE, State
from scheme.listing import list_entries, list_holds
from scheme.request import StrictRecord, Text

VARIANTS_MAX = 20
_LOSS_KVA = 1e-9
_Engineer = Annotated[Principal, allow("engineer")]
_Owner = Annotated[Principal, allow("engineer", "operator", "customer")]


class Step(StrictRecord):
    """Why something is done; kept in the audit trail."""

    reason: Text


class IssueStep(Step):
    """Which variant is promised."""

    variant_no: Annotated[int, Field(ge=1, le=VARIANTS_MAX)] = 1


class ReduceStep(Step):
    """How much is left."""

    capacity_kva: Annotated[float, Field(gt=0.0, le=1_000_000.0)]
    """To the VA."""


def add_holds(app: FastAPI, backend: Backend) -> None:
    """Add the calls about held capacity to ``app``."""
    _add_issue(app, backend)
    _add_steps(app, backend)
    _add_reduce(app, backend)
    _add_reads(app, backend)
    _add_accounts(app, backend)


def _extra(body: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {JSON_MEDIA_TYPE: {"schema": reference(body), "example": example}}
    return {"parameters": [KEY_HEADER], "requestBody": {"required": True, "content": content}}


def _add_issue(app: FastAPI, backend: Backend) -> None:
    operation = "/v1/schemes/{scheme_id:id}:issue"

    @app.post(
        operation,
        tags=["holds"],
        status_code=201,
        summary="Promise the capacity of a scheme (答复)",
        responses={201: response_of("The hold", reference("HoldLine"))},
        response_class=Response,
        openapi_extra=_extra("IssueStep", {"reason": "答复客户", "variant_no": 1}),
    )
    def issue_scheme(
        principal: _Engineer, request: Request, scheme_id: SchemeId, body: JsonBody, key: IdempotencyKey
    ) -> Response:
        """From here on the capacity is kept free until the last day of the scheme. A newer scheme of the same request
        takes the place of an earlier one, in one transaction. 409 where the grid does not carry it any more."""
        asked = parse_body(IssueStep, body)
        actor = actor_of(principal, request, "engineer")
        claim = claim_of(actor, operation, key, {"scheme_id": scheme_id, **asked.model_dump(mode="json")})
        call: Call = {
            "actor": actor,
            "claim": claim,
            "reason": asked.reason,
            "answer": _answer_with(201),
            "also": lambda connection: refuse_handed_over(connection, scheme_id),
        }
        return backend.writes.carry_out(
            claim, lambda: backend.admission.issue(scheme_id, variant_no=asked.variant_no, **call)
        )


def _add_steps(app: FastAPI, backend: Backend) -> None:
    steps: dict[str, tuple[str, Callable[..., Hold]]] = {
        "commit": ("Take a hold as contracted (合同)", backend.admission.commit),
        "withdraw": ("Give the capacity of a hold back (撤回)", backend.admission.withdraw),
        "energize": ("Take a hold as connected (送电)", backend.admission.energise),
    }
    for name, (summary, take) in steps.items():
        _add_step(app, backend, name, summary, take)


def _add_step(app: FastAPI, backend: Backend, name: str, summary: str, take: Callable[..., Hold]) -> None:
    operation = f"/v1/schemes/{{scheme_id:id}}:{name}"

    @app.post(
        operation,
        tags=["holds"],
        name=f"{name}_scheme",
        summary=summary,
        responses={200: response_of("The hold", reference("HoldLine"))},
        response_class=Response,
        openapi_extra=_extra("Step", {"reason": "合同已签订" if name == "commit" else "已办理"}),
    )
    def step_scheme(
        principal: _Engineer, request: Request, scheme_id: SchemeId, body: JsonBody, key: IdempotencyKey
    ) -> Response:
        """409 where the hold of the scheme is in a state that does not allow it."""
        asked = parse_body(Step, body)
        actor = actor_of(principal, request, "engineer")
        claim = claim_of(actor, operation, key, {"scheme_id": scheme_id, **asked.model_dump(mode="json")})
        call: Call = {"actor": actor, "claim": claim, "reason": asked.reason, "answer": _answer_with(200)}
        return backend.writes.carry_out(claim, lambda: take(_hold_of(backend, scheme_id), **call))


def _add_reduce(app: FastAPI, backend: Backend) -> None:
    operation = "/v1/schemes/{scheme_id:id}:reduce"

    @app.post(
        operation,
        tags=["holds"],
        summary="Contract less than was promised (减容)",
        responses={200: response_of("The hold with what is left", reference("HoldLine"))},
        response_class=Response,
        openapi_extra=_extra("ReduceStep", {"reason": "客户减少用电需求", "capacity_kva": 50.0}),
    )
    def reduce_scheme(
        principal: _Engineer, request: Request, scheme_id: SchemeId, body: JsonBody, key: IdempotencyKey
    ) -> Response:
        """The hold becomes ``reduced`` and another one with less follows it, in one transaction."""
        asked = parse_body(ReduceStep, body)
        capacity_va = _whole_va(asked.capacity_kva)
        actor = actor_of(principal, request, "engineer")
        claim = claim_of(actor, operation, key, {"scheme_id": scheme_id, **asked.model_dump(mode="json")})
        call: Call = {"actor": actor, "claim": claim, "reason": asked.reason, "answer": _answer_with(200)}
        return backend.writes.carry_out(
            claim, lambda: backend.admission.reduce(_hold_of(backend, scheme_id), capacity_va=capacity_va, **call)
        )


def _add_reads(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/holds",
        tags=["holds"],
        summary="Holds, in the order they were answered",
        responses={200: response_of("One page of holds", reference("HoldPage"))},
    )
    def get_holds(
        principal: _Owner,
        state: Annotated[State | Literal["live"], Query(description="``live``: held, committed or energised")] = "live",
        request_id: RequestIdFilter = None,
        cursor: Cursor = None,
        limit: Limit = PAGE_ROWS,
    ) -> JSONResponse:
        """A customer is shown the own ones."""
        after = read_cursor(cursor, int)
        with backend.services.store.read() as connection:
            found = list_holds(
                connection,
                owner_id=principal.owner_id,
                states=LIVE if state == "live" else (state,),
                request_id=request_id,
                after_no=0 if after is None else int(after[0]),
                limit=limit + 1,
            )
        rows, has_more = page_of(found, limit)
        next_cursor = write_cursor(rows[-1].hold_no) if has_more else None
        page = HoldPage(items=[HoldLine.of(hold) for hold in rows], next_cursor=next_cursor)
        return JSONResponse(page.model_dump(mode="json"))

    @app.get(
        "/v1/holds/{hold_id:id}",
        tags=["holds"],
        summary="A hold with its path and its bookings",
        responses={200: response_of("The hold", reference("HoldView"))},
    )
    def get_hold(principal: Annotated[Principal, allow("engineer", "operator")], hold_id: HoldId) -> JSONResponse:
        """The accounts it takes capacity from, leaf to root, and every entry of the ledger about it."""
        hold = backend.admission.ledger.find_hold(hold_id)
        with backend.services.store.read() as connection:
            entries = list_entries(connection, hold_id)
        return JSONResponse(HoldView.with_entries(hold, entries).model_dump(mode="json"))


def _add_accounts(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/accounts",
        tags=["holds"],
        summary="What is given away of every limited element",
        responses={200: response_of("One page of accounts", reference("AccountPage"))},
    )
    def get_accounts(
        principal: Annotated[Principal, allow("engineer", "operator")],
        overcommitted: Annotated[bool | None, Query(description="only those over their limit, or the others")] = None,
        cursor: Cursor = None,
        limit: Limit = PAGE_ROWS,
    ) -> JSONResponse:
        """Leaves first. ``open_kva`` is null where the limit is not known: then only the load flow guards it."""
        after = read_cursor(cursor, int, str)
        found = [
            balance
            for balance in backend.admission.ledger.find_accounts()
            if overcommitted is None or balance.is_overcommitted == overcommitted
        ]
        if after is not None:
            found = [b for b in found if (-b.account.level, b.account.account_id) > (-int(after[0]), str(after[1]))]
        rows, has_more = page_of(found[: limit + 1], limit)
        last = rows[-1].account if has_more else None
        next_cursor = None if last is None else write_cursor(last.level, last.account_id)
        page = AccountPage(items=[AccountView.of(balance) for balance in rows], next_cursor=next_cursor)
        return JSONResponse(page.model_dump(mode="json"))


def _answer_with(status: int) -> Callable[[Hold], Any]:
    def answer(hold: Hold) -> Any:
        headers = {"Location": f"/v1/holds/{hold.hold_id}"} if status == 201 else {}
        return json_answer(status, HoldLine.of(hold).model_dump_json().encode(), **headers)

    return answer


def _hold_of(backend: Backend, scheme_id: str) -> str:
    """Return the live or last hold of a scheme.

    Raises:
        NotFoundError: There is no such scheme.
        HoldStateError: It was never issued.
    """
    hold = backend.admission.ledger.find_by_scheme(scheme_id)
    if hold is not None:
        return hold.hold_id
    backend.services.store.get_scheme(scheme_id)
    raise HoldStateError("the scheme was not issued", state="quote")


def _whole_va(capacity_kva: float) -> int:
    capacity_va = round(capacity_kva * VA_PER_KVA)
    if capacity_va < 1 or abs(capacity_va / VA_PER_KVA - capacity_kva) > _LOSS_KVA:
        raise InputError(
            "the ledger counts whole VA", field="capacity_kva", value=capacity_kva, allowed="at most three decimals"
        )
    return capacity_va
