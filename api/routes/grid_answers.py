"""Answers about the map of the grid: the same moment has the same ETag, and what a client has is not sent again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Request, Response

from api.access import Principal, allow
from api.grid_views import Moment

Engineer = Annotated[Principal, allow("engineer", "planner")]
NOT_MODIFIED = {"description": "The client has this moment of grid, ledger and rules already"}


def answer(
    request: Request, moment: Moment, make: Callable[[], bytes], media_type: str = "application/json"
) -> Response:
    """Return what ``make`` gives, 204 where that is empty, or 304 where the client has it.

    Args:
        request: Its ``If-None-Match`` is looked at.
        moment: Names the answer.
        make: Makes it; not called where the client has it.
        media_type: Of the answer.
    """
    headers = {"ETag": f'"{moment.digest}"', "Cache-Control": "private, no-cache"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if headers["ETag"] in known:
        return Response(None, 304, headers=headers)
    content = make()
    if not content:
        return Response(None, 204, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


def as_json(content: Any) -> bytes:
    """Return a document in UTF-8; a NaN in it is a fault."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
