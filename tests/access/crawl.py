"""Calls every operation an API describes, with inputs that are right, wrong and somebody else's."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from starlette.testclient import TestClient

PER_OPERATION_MAX = 60
MALFORMED = (
    "x",
    "..%2f..%2fetc%2fpasswd",
    "0",
    "a" * 200,
    "%00",
    "' OR 1=1 --",
    "ünï",
    "{id}",
    "-1",
    "99999999999999999999",
)
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")
BAD_BODIES: tuple[tuple[str, bytes], ...] = (
    ("application/json", b""),
    ("application/json", b"{"),
    ("application/json", b"[]"),
    ("application/json", b'{"a": NaN}'),
    ("application/json", b'{"owner_id": "ZK-2", "role": "engineer", "state": "held"}'),
    ("application/json", b"\xff\xfe"),
    ("application/json", b"[" * 5_000),
    ("text/plain", b"hello"),
    ("application/zip", b"PK\x05\x06" + bytes(18)),
    ("application/xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"),
)


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One call and its answer."""

    who: str
    call: str
    status: int
    media_type: str
    head: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What to put into the parameters and bodies of the operations."""

    parameters: Mapping[str, Sequence[str]]
    """Values by name; names that are not in it get malformed ones only."""
    bodies: Mapping[str, Sequence[Any]]
    """JSON bodies by the name of their schema."""


def crawl(client: TestClient, who: str, document: Mapping[str, Any], inputs: Inputs) -> Iterator[Exchange]:
    """Yield the exchanges of one caller over every operation of an OpenAPI document."""
    number = itertools.count()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            calls = itertools.islice(_calls(path, operation, inputs), PER_OPERATION_MAX)
            for target, media_type, body in calls:
                headers = {"Idempotency-Key": f"{who}-{next(number)}"}
                if media_type is not None:
                    headers["Content-Type"] = media_type
                yield _exchange(client, who, method.upper(), target, headers, body)
        yield _exchange(client, who, "PATCH", _PATH_PARAMETER.sub("x", path), {}, None)
        yield _exchange(client, who, "OPTIONS", _PATH_PARAMETER.sub("x", path), {}, None)


def _exchange(
    client: TestClient, who: str, method: str, target: str, headers: dict[str, str], body: bytes | None
) -> Exchange:
    return exchange_of(who, f"{method} {target}", client.request(method, target, headers=headers, content=body))


def exchange_of(who: str, call: str, answer: Any) -> Exchange:
    """Return an answer with everything that is in it."""
    return Exchange(
        who=who,
        call=call,
        status=answer.status_code,
        media_type=answer.headers.get("content-type", ""),
        head="\n".join(f"{name}: {value}" for name, value in answer.headers.items()),
        content=answer.content,
    )


def _calls(path: str, operation: Mapping[str, Any], inputs: Inputs) -> Iterator[tuple[str, str | None, bytes | None]]:
    targets = _targets(path, operation, inputs)
    bodies = list(_bodies(operation, inputs))
    first = targets[0]
    for target in targets:
        yield (target, *bodies[0])
    for body in bodies[1:]:
        yield (first, *body)


def _targets(path: str, operation: Mapping[str, Any], inputs: Inputs) -> list[str]:
    """Return addresses: every known value in turn, then malformed ones; queries one by one."""
    names = _PATH_PARAMETER.findall(path)
    known = [list(inputs.parameters.get(name, ())) or ["x"] for name in names]
    targets = [_filled(path, names, values) for values in itertools.product(*known)]
    base = [values[0] for values in known]
    for place, _ in enumerate(names):
        targets += [_filled(path, names, [*base[:place], bad, *base[place + 1 :]]) for bad in MALFORMED]
    queries = [item for item in operation.get("parameters", ()) if item["in"] == "query"]
    for item in queries:
        values = (*inputs.parameters.get(item["name"], ()), *MALFORMED[:6])
        targets += [f"{targets[0]}?{urlencode({item['name']: value})}" for value in values]
    targets.append(
        f"{targets[0]}?{urlencode({'profile': 'internal', 'include': 'all', 'debug': '1', 'owner_id': 'ZK-2'})}"
    )
    return list(dict.fromkeys(targets))


def _filled(path: str, names: Sequence[str], values: Sequence[str]) -> str:
    for name, value in zip(names, values, strict=True):
        path = path.replace(f"{{{name}}}", value if "%" in value else quote(value, safe=""))
    return path


def _bodies(operation: Mapping[str, Any], inputs: Inputs) -> Iterator[tuple[str | None, bytes | None]]:
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        yield None, None
        return
    for media_type, described in content.items():
        schema = described.get("schema", {}).get("$ref", "").rpartition("/")[2]
        given = [*inputs.bodies.get(schema, ()), *([described["example"]] if "example" in described else [])]
        yield from ((media_type, json.dumps(body).encode()) for body in given or [{}])
    yield from BAD_BODIES
