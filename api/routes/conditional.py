"""Conditional requests: what a client has already is not sent again."""

from __future__ import annotations

from fastapi import Request


def has_current(request: Request, etag: str) -> bool:
    """Return whether ``If-None-Match`` names an answer, weakly or strongly (RFC 9110, 13.1.2)."""
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in known or "*" in known
