"""The grid as the engineers' map describes it: what it is, and everything about one node."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request, Response

from api.balances import find_balances
from api.capacity_files import NOT_ADDITIVE
from api.grid_views import Moment
from api.openapi import add_schemas, reference, response_of
from api.routes.backend import Backend
from api.routes.grid_answers import NOT_MODIFIED, Engineer, answer_json
from api.routes.grid_schemas import SCHEMAS
from api.views import AccountView, HoldLine
from gridmodel.errors import NotFoundError

HOLDS_MAX = 50
NodeId = Annotated[str, Path(min_length=1, max_length=200, description="``node_id`` of the node", examples=["n0"])]


def add_grid(app: FastAPI, backend: Backend) -> None:
    """Add the calls to ``app``."""
    add_schemas(app, SCHEMAS)
    _add_description(app, backend)
    _add_node(app, backend)


def _add_description(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/grid",
        tags=["grid"],
        summary="What the map of the grid shows, its classes and its limits",
        responses={200: response_of("The grid", reference("Grid")), 304: NOT_MODIFIED},
        response_class=Response,
    )
    def get_grid(principal: Engineer, request: Request) -> Response:
        """Extent, counts, the classes and limits of the rules in force, and which hours there are."""
        return answer_json(request, backend, lambda moment: _grid(backend, moment))


def _grid(backend: Backend, moment: Moment) -> dict[str, Any]:
    from scheme.limits import operating_limits
    from scheme.publication.document import list_bands
    from scheme.publication.rules import read_map_rules

    state, policy = backend.grid.get(moment), moment.policy
    limits = operating_limits(policy)
    snapshot, bounds_deg = moment.live.imported, state.layout.bounds_deg
    curves = backend.services.curves
    return {
        "snapshot_sha256": snapshot.sha256,
        "ledger_seq": state.ledger_seq,
        "bounds": None if bounds_deg is None else list(bounds_deg),
        "node_count": len(snapshot.nodes),
        "line_count": len(snapshot.lines),
        "feeder_count": len(snapshot.feeders),
        "profile": policy.profile,
        "as_of": str(policy.as_of),
        "classes": list_bands(read_map_rules(policy)),
        "loading_limits": {
            "line": limits.line_loading_ratio_max,
            "transformer": limits.transformer_loading_ratio_max,
            "main_transformer": limits.main_transformer_loading_ratio_max,
        },
        "voltage_bands": [asdict(band) for band in limits.voltage_bands],
        "has_hours": curves is not None,
        "hours": [] if curves is None else list(curves.hours),
        "note": NOT_ADDITIVE,
    }


def _add_node(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/nodes/{node_id:path}",
        tags=["grid"],
        summary="One node: its three numbers, what limits it, and who holds what above it",
        responses={200: response_of("The node", reference("NodeSheet")), 304: NOT_MODIFIED},
        response_class=Response,
    )
    def get_node(principal: Engineer, request: Request, node_id: NodeId) -> Response:
        """Figures are net of every live hold up to entry ``ledger_seq`` and not additive. The path names the ledger's
        accounts from the node to the source; the holds are those that take from one of them, newest first."""
        return answer_json(request, backend, lambda moment: _node(backend, moment, node_id))


def _node(backend: Backend, moment: Moment, node_id: str) -> dict[str, Any]:
    from scheme.grid_map.sheet import node_sheet

    state = backend.grid.get(moment)
    position = state.grid.position_of_node.get(node_id)
    if position is None:
        raise NotFoundError("no such node", allowed="a node_id of the grid")
    sheet = node_sheet(state, position)
    book = backend.admission.find_book(moment.live, moment.policy)
    path = book.find_path(sheet["element_id"]) or ()
    balances = find_balances(backend.admission.ledger, book, path)
    named = [_account(state, balances[account_id]) for account_id in path]
    return {
        **sheet,
        "ledger_seq": state.ledger_seq,
        "path": named,
        "holds": _holds(moment, [one["account_id"] for one in named]),
        "note": NOT_ADDITIVE,
    }


def _account(state: Any, balance: Any) -> dict[str, Any]:
    from scheme.grid_map.sheet import name_of_account

    view = AccountView.of(balance)
    return {
        "account_id": view.account_id,
        "element_id": view.element_id,
        "name": name_of_account(state.grid, view.account_id),
        "limit_kva": view.limit_kva,
        "held_kva": view.held_kva,
        "posted_kva": view.posted_kva,
        "open_kva": view.open_kva,
    }


def _holds(moment: Moment, path: list[str]) -> list[dict[str, Any]]:
    """Return the live holds that take from an account of a path, with the lowest such account."""
    found = []
    for hold in sorted(moment.live.holds, key=lambda hold: hold.hold_no, reverse=True):
        used = {name for source in hold.sources for name in source.path}
        shared = next((name for name in path if name in used), None)
        if shared is not None:
            found.append({**HoldLine.of(hold).model_dump(mode="json"), "account_id": shared})
        if len(found) == HOLDS_MAX:
            break
    return found
