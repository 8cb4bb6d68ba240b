"""Answers about the map of the grid: the same moment has the same ETag, and what a client has is not sent again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Request, Response

from api.access import Principal, allow
from api.grid_views import Moment
from api.routes.backend import Backend
from api.routes.conditional import has_current

Engineer = Annotated[Principal, allow("engineer", "planner")]
NOT_MODIFIED = {"description": "The client has this moment of grid, ledger and rules already"}


def answer(
    request: Request, backend: Backend, make: Callable[[Moment], bytes], media_type: str = "application/json"
) -> Response:
    """Return what ``make`` gives for this moment, 204 where that is empty, or 304 where the client has it.

    Args:
        request: Its ``If-None-Match`` is looked at.
        backend: Tells the moment, which names the answer.
        make: Makes it; not called where the client has it.
        media_type: Of the answer.
    """
    moment = backend.grid.now()
    headers = {"ETag": f'"{moment.digest}"', "Cache-Control": "private, no-cache"}
    if has_current(request, headers["ETag"]):
        return Response(None, 304, headers=headers)
    content = make(moment)
    if not content:
        return Response(None, 204, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


def answer_json(request: Request, backend: Backend, make: Callable[[Moment], Any]) -> Response:
    """Return a document in UTF-8; a NaN in it is a fault. See :func:`answer`."""

    def written(moment: Moment) -> bytes:
        return json.dumps(make(moment), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()

    return answer(request, backend, written)
