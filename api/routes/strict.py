"""A route that notices what a client misspelt: unknown or repeated query parameters, and answers nobody can take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import Depends, Request
from fastapi.dependencies.utils import get_parameterless_sub_dependant
from fastapi.routing import APIRoute
from starlette.convertors import Convertor, register_url_convertor

from api.errors import NotAcceptableError
from gridmodel.errors import InputError


class StrictRoute(APIRoute):
    """Checks query and ``Accept`` of a request after it is known who asks: the route's own dependencies come first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.include_in_schema:
            check = get_parameterless_sub_dependant(depends=Depends(_check_request), path=self.path_format)
            self.dependant.dependencies.append(check)


async def _check_request(request: Request) -> None:
    route = request.scope["route"]
    _check_query(request, sorted(_query_names(route.dependant)))
    _check_accept(request.headers.get("accept", "*/*"), media_types_of(route))


def _check_query(request: Request, known: Sequence[str]) -> None:
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if name not in known:
            raise InputError("no such query parameter", field=name, allowed=", ".join(known) or "no query parameter")
        if names.count(name) > 1:
            raise InputError("a query parameter stands twice", field=name, allowed="each parameter once")


def _query_names(dependant: Any) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_query_names(part) for part in dependant.dependencies))


def media_types_of(route: APIRoute) -> list[str]:
    """Return what the successful answers of a route may be."""
    return [
        media_type
        for status, response in route.responses.items()
        if str(status).startswith("2")
        for media_type in response.get("content", {})
    ]


def _check_accept(header: str, offered: Sequence[str]) -> None:
    wanted = [part.partition(";")[0].strip().lower() for part in header.split(",") if not _is_refused(part)]
    if offered and not any(_takes(want, offer) for want in wanted for offer in offered):
        raise NotAcceptableError(
            "the operation answers with none of the media types asked for", allowed=", ".join(offered)
        )


def _is_refused(part: str) -> bool:
    weights = [text.strip()[2:] for text in part.split(";")[1:] if text.strip().lower().startswith("q=")]
    return any(weight.strip("0.") == "" for weight in weights)


def _takes(want: str, offer: str) -> bool:
    """Return whether a media range holds a media type; who takes JSON takes what is written in it."""
    offer = offer.partition(";")[0]
    kind, _, subtype = want.partition("/")
    if want in ("*/*", "*", offer) or (subtype == "*" and offer.startswith(f"{kind}/")):
        return True
    return want == "application/json" and offer.endswith("+json")


class _IdConvertor(Convertor[str]):
    """A place in a path up to the next slash or colon: what follows a colon is what is to be done with the object."""

    regex = "[^/:]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("id", _IdConvertor())
