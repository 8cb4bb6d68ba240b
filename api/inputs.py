"""What HTTP lets in: bounded JSON bodies, idempotency keys, boxes."""

from __future__ import annotations

import math
import re
from typing import Annotated

from fastapi import Depends, Header, Request
from starlette.exceptions import HTTPException

from api.errors import IdempotencyKeyError, MediaTypeError
from gridmodel.errors import InputError

BODY_BYTES_MAX = 262_144
_KEY = re.compile(r"[!-~]{1,128}")
KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "pattern": f"^{_KEY.pattern}$"},
}
"""How the API's description names the key; reading it is :func:`idempotency_key`'s, which says what is wrong."""


async def read_json_body(request: Request) -> bytes:
    """Return the body of a JSON request.

    Raises:
        MediaTypeError: Another media type or character set is declared.
        HTTPException: The body is larger than ``BODY_BYTES_MAX``.
    """
    media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if media_type.strip() != "application/json" or parameters.strip().replace('"', "") not in ("", "charset=utf-8"):
        raise MediaTypeError("the body must be declared as application/json", allowed="application/json in UTF-8")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise HTTPException(413, f"the body is larger than {BODY_BYTES_MAX} bytes")
    return bytes(body)


def idempotency_key(
    value: Annotated[str | None, Header(alias="Idempotency-Key", include_in_schema=False)] = None,
) -> str:
    """Return the idempotency key of a request.

    Raises:
        IdempotencyKeyError: It is missing or malformed.
    """
    if value is None or not _KEY.fullmatch(value):
        raise IdempotencyKeyError("the header Idempotency-Key is required", allowed="1 to 128 visible ASCII characters")
    return value


def parse_bbox(text: str) -> tuple[float, float, float, float]:
    """Return west, south, east, north (degrees).

    Raises:
        InputError: Not four finite numbers in order and in range.
    """
    allowed = "minlon,minlat,maxlon,maxlat in degrees, each minimum below its maximum"
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError("not a box", field="bbox", value=text, allowed=allowed) from error
    is_finite = all(math.isfinite(value) for value in (west, south, east, north))
    if not (is_finite and -180.0 <= west < east <= 180.0 and -90.0 <= south < north <= 90.0):
        raise InputError("not a box", field="bbox", value=text, allowed=allowed)
    return west, south, east, north


JsonBody = Annotated[bytes, Depends(read_json_body)]
IdempotencyKey = Annotated[str, Depends(idempotency_key)]
