"""What HTTP lets in: bounded bodies, idempotency keys, ids, boxes, pages; nothing a client misspelt goes unnoticed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Coroutine, Iterable
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request

from api.errors import IdempotencyKeyError, JsonTextError, MediaTypeError, TooLargeError
from gridmodel.errors import InputError
from scheme.request import Record, parse_record

BODY_BYTES_MAX = 262_144
DEPTH_MAX = 32
PAGE_ROWS_MAX = 200
PAGE_ROWS = 50
JSON_MEDIA_TYPE = "application/json"
_KEY = re.compile(r"[!-~]{1,128}")
_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_CHARSETS = ("", "charset=utf-8")
KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "chosen by the client, one for each thing it wants done; sending it again returns the first answer",
    "schema": {"type": "string", "pattern": f"^{_KEY.pattern}$"},
    "example": "5f0c2f9e-7a51-4a0b-9f0e-0f1d7a3b9c11",
}
"""How the API's description names the key; reading it is :func:`idempotency_key`'s, which says what is wrong."""


def body_reader(
    bytes_max: int, *media_types: str, has_charset: bool = True
) -> Callable[[Request], Coroutine[Any, Any, bytes]]:
    """Return a dependency that reads a body of at most ``bytes_max`` declared as one of ``media_types``."""

    async def read_body(request: Request) -> bytes:
        """Return the body.

        Raises:
            MediaTypeError: Another media type, character set or encoding is declared.
            TooLargeError: The body is too large.
        """
        _check_declared(request, media_types, has_charset=has_charset)
        length = request.headers.get("content-length", "")
        if length.isdecimal() and (len(length) > 15 or int(length) > bytes_max):
            raise _too_large(bytes_max)
        body = bytearray()
        async for chunk in request.stream():  # what is declared may be a lie, so what comes is counted
            body += chunk
            if len(body) > bytes_max:
                raise _too_large(bytes_max)
        return bytes(body)

    return read_body


def _check_declared(request: Request, media_types: tuple[str, ...], *, has_charset: bool) -> None:
    allowed = ", ".join(media_types) + (" in UTF-8" if has_charset else "")
    media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    is_plain = parameters.strip().replace('"', "") in (_CHARSETS if has_charset else ("",))
    if media_type.strip() not in media_types or not is_plain:
        raise MediaTypeError(f"the body must be declared as {allowed}", allowed=allowed)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise MediaTypeError("the body must not be compressed on the way", allowed="no Content-Encoding")


def _too_large(bytes_max: int) -> TooLargeError:
    return TooLargeError(f"the body is larger than {bytes_max} bytes", bytes_max=bytes_max)


def check_json(body: bytes) -> str:
    """Return the text of a JSON body (RFC 8259 with each key once, finite numbers, at most ``DEPTH_MAX`` levels).

    Raises:
        JsonTextError: It is something else.
    """
    try:
        text = body.decode("utf-8")
        document = json.loads(text, object_pairs_hook=_each_key_once, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise JsonTextError("the body is not a UTF-8 text", allowed="JSON in UTF-8") from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise JsonTextError(f"the body is not valid JSON: {error}", allowed="JSON, each key once") from error
    level = [document]
    for _ in range(DEPTH_MAX):
        level = [part for parent in level for part in _parts_of(parent) if isinstance(part, dict | list)]
        if not level:
            return text
    raise _too_deep()


def _parts_of(parent: Any) -> Iterable[Any]:
    if isinstance(parent, dict):
        return parent.values()
    return parent if isinstance(parent, list) else ()


def _too_deep() -> JsonTextError:
    return JsonTextError("the body is nested too deeply", allowed=f"at most {DEPTH_MAX} levels")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number JSON allows")


def parse_body(model: type[Record], body: bytes) -> Record:
    """Return the record in a JSON body.

    Raises:
        JsonTextError: Not a JSON text.
        InputError: A field is missing, unknown or out of range.
    """
    return parse_record(model, check_json(body))


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


JsonBody = Annotated[bytes, Depends(body_reader(BODY_BYTES_MAX, JSON_MEDIA_TYPE))]
IdempotencyKey = Annotated[str, Depends(idempotency_key)]
SchemeId = Annotated[str, Path(pattern=_ID, description="as the answer named it", examples=["sch_0001"])]
HoldId = Annotated[str, Path(pattern=_ID, description="as the list of holds names it", examples=["hld_0001"])]
Bbox = Annotated[
    str | None, Query(max_length=200, description="minlon,minlat,maxlon,maxlat (degrees)", examples=["115,33,116,34"])
]
RequestIdFilter = Annotated[
    str | None, Query(pattern=_ID, description="only those of this request", examples=["R-2026-0001"])
]
Limit = Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX, description="rows of a page")]
Cursor = Annotated[
    str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,200}$", description="where the next page starts, from the last page")
]
