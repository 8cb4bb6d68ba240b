"""Feeders of the grid against each other and one by one, loadings, and finding things by name."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request, Response

from api.balances import find_balances
from api.capacity_files import NOT_ADDITIVE
from api.grid_views import Moment
from api.openapi import reference, response_of
from api.routes.backend import Backend
from api.routes.grid_answers import NOT_MODIFIED, Engineer, answer_json
from gridmodel.errors import NotFoundError

FeederId = Annotated[
    str, Path(min_length=1, max_length=200, description="``feeder_id`` of the feeder", examples=["F11"])
]
Words = Annotated[
    str,
    Query(min_length=2, max_length=64, description="part of a name or identifier, or longitude, latitude (degrees)"),
]


def add_feeders(app: FastAPI, backend: Backend) -> None:
    """Add the calls to ``app``."""
    _add_list(app, backend)
    _add_profile(app, backend)
    _add_loading(app, backend)
    _add_search(app, backend)


def _add_list(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/feeders",
        tags=["grid"],
        summary="All feeders: lengths, voltages, loadings, capacities, promises",
        responses={200: response_of("The feeders", reference("FeederList")), 304: NOT_MODIFIED},
        response_class=Response,
    )
    def get_feeders(principal: Engineer, request: Request) -> Response:
        """Of nodes and lines above low voltage. Capacities are net of every live hold and not additive."""
        return answer_json(request, backend, lambda moment: _feeders(backend, moment))


def _feeders(backend: Backend, moment: Moment) -> dict[str, Any]:
    from scheme.grid_map.feeders import ACCOUNT_PREFIX, list_feeders

    state = backend.grid.get(moment)
    wanted = {f"{ACCOUNT_PREFIX}{feeder_id}" for feeder_id in state.grid.snapshot.feeders.index}
    items = []
    if wanted:
        book = backend.admission.find_book(moment.live, moment.policy)
        items = list_feeders(state, find_balances(backend.admission.ledger, book, wanted))
    return {"items": items, "ledger_seq": state.ledger_seq, "note": NOT_ADDITIVE}


def _add_profile(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/feeders/{feeder_id:path}/profile",
        tags=["grid"],
        summary="One feeder from its busbar down",
        responses={200: response_of("The feeder", reference("FeederProfile")), 304: NOT_MODIFIED},
        response_class=Response,
    )
    def get_profile(principal: Engineer, request: Request, feeder_id: FeederId) -> Response:
        """Voltage and open capacity by distance, loading of lines and transformers, with every live hold connected."""
        return answer_json(request, backend, lambda moment: _profile(backend, moment, feeder_id))


def _profile(backend: Backend, moment: Moment, feeder_id: str) -> dict[str, Any]:
    from scheme.grid_map.feeders import feeder_profile
    from scheme.limits import operating_limits

    state = backend.grid.get(moment)
    if feeder_id not in state.grid.snapshot.feeders.index:
        raise NotFoundError("no such feeder", allowed="a feeder_id of the grid")
    return feeder_profile(state, feeder_id, operating_limits(moment.policy).voltage_bands)


def _add_loading(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/grid/loading",
        tags=["grid"],
        summary="How many lines and transformers are loaded how much",
        responses={200: response_of("The counts", reference("GridLoading")), 304: NOT_MODIFIED},
        response_class=Response,
    )
    def get_loading(principal: Engineer, request: Request) -> Response:
        """Shares of the ratings with every live hold connected; a bin holds its lower edge."""
        from scheme.grid_map.feeders import loading_histograms

        return answer_json(request, backend, lambda moment: loading_histograms(backend.grid.get(moment)))


def _add_search(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/search",
        tags=["grid"],
        summary="Find a node, feeder, line or transformer by name, or nodes near a place",
        responses={200: response_of("What was found", reference("Found")), 304: NOT_MODIFIED},
        response_class=Response,
    )
    def search(principal: Engineer, request: Request, q: Words) -> Response:
        """At most 20, those called exactly so first, then those that begin with it. Two numbers are a place: the nodes
        around it, the nearest first."""
        return answer_json(request, backend, lambda moment: {"items": backend.grid.get(moment).grid.search.find(q)})
