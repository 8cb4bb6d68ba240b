"""Replays a scheme (方案复现): the same request on the same snapshot, policy and catalogue must give the same bytes.

What a scheme was computed from stands in its ``provenance``; what is not at hand any more is named, and nothing is
computed in its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from gridmodel.errors import InputError

if TYPE_CHECKING:
    from api.live_grid import LiveState
    from api.services import Services

DIFFERENCES_MAX = 20
_DERIVED = frozenset({"location_cgcs2000"})
"""Facts the product adds to the request it keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A place where the replay says something else; ``None`` where one side says nothing."""

    place: str
    """Path in the record, such as ``variants[0].cost.total_typical_cny10k``."""
    recorded: Any
    replayed: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came out of a replay."""

    scheme_id: str
    is_identical: bool
    """Byte for byte."""
    differences: tuple[Difference, ...]
    """The first of them; empty where only the form of the file differs."""


def read_record(content: bytes, *, file: str) -> dict[str, Any]:
    """Return the record in a ``scheme.json``.

    Raises:
        InputError: Not a scheme record.
    """
    allowed = "a scheme.json as the product writes it"
    try:
        record = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid JSON: {error}", file=file, allowed=allowed) from error
    for name, kind in {"request": Mapping, "provenance": Mapping, "scheme_id": str}.items():
        if not isinstance(record, Mapping) or not isinstance(record.get(name), kind):
            raise InputError("not a scheme", file=file, field=name, allowed=allowed)
    for name in ("snapshot_sha256", "policy_sha256", "catalogue_sha256", "version", "engine", "profile", "as_of"):
        if not isinstance(record["provenance"].get(name), str):
            raise InputError("not a scheme", file=file, field=f"provenance.{name}", allowed=allowed)
    as_of = record["provenance"]["as_of"]
    try:
        date.fromisoformat(as_of)
    except ValueError as error:
        raise InputError("not a date", file=file, field="provenance.as_of", value=as_of, allowed=allowed) from error
    return dict(record)


def replay(record: Mapping[str, Any], content: bytes, services: Services) -> Replay:
    """Answer the request of a record again and compare.

    Args:
        record: The record.
        content: The bytes it was read from.
        services: The store that holds its snapshot, under its profile and date of decision.

    Raises:
        NotFoundError: The store does not hold the snapshot, or its ledger not the entry.
        InputError: The request is none the product accepts any more.
    """
    provenance = record["provenance"]
    live = services.get_live_at(provenance["snapshot_sha256"], ledger_seq=provenance.get("ledger_seq") or 0)
    found = tuple(_changed_basis(provenance, services, live))
    if found:
        return Replay(scheme_id=str(record["scheme_id"]), is_identical=False, differences=found)
    replayed = _answer_again(record, services, live)
    differences = _differences(record, json.loads(replayed), "")
    return Replay(
        scheme_id=str(record["scheme_id"]),
        is_identical=replayed == content,
        differences=tuple(difference for difference, _ in zip(differences, range(DIFFERENCES_MAX), strict=False)),
    )


def _changed_basis(provenance: Mapping[str, Any], services: Services, live: LiveState) -> Iterator[Difference]:
    """Yield what the scheme was computed from and this installation does not have."""
    from api.services import product_version
    from gridmodel.catalogue.loader import load_catalogue
    from scheme.generate import engine_name

    here = {
        "policy_sha256": services.load_policy().sha256,
        "catalogue_sha256": load_catalogue().sha256,
        "version": product_version(),
        "engine": engine_name(),
        "stock_sha256": None if services.stock is None else services.stock.sha256,
        "ledger_sha256": live.head.sha256,
    }
    for name, value in here.items():
        if provenance.get(name) != value:
            yield Difference(place=f"provenance.{name}", recorded=provenance.get(name), replayed=value)


def _answer_again(record: Mapping[str, Any], services: Services, live: LiveState) -> bytes:
    """Return the canonical record of the same request."""
    from api.capacity_tables import CapacityTables
    from scheme.request import parse_request

    asked = {name: value for name, value in record["request"].items() if name not in _DERIVED}
    request = parse_request(json.dumps(asked, ensure_ascii=False))
    has_table = record["provenance"].get("capacity_parameters_sha256") is not None
    tables = CapacityTables(services)
    table = tables.get_for(live) if has_table else None
    with TemporaryDirectory(prefix="gridscheme-") as folder:
        services.write_answer(request, live, table, Path(folder))
        return (Path(folder) / "scheme.json").read_bytes()


def _differences(recorded: Any, replayed: Any, place: str) -> Iterator[Difference]:
    """Yield where two plain values differ, deepest places first come first."""
    if isinstance(recorded, Mapping) and isinstance(replayed, Mapping):
        for name in sorted(recorded.keys() | replayed.keys()):
            yield from _differences(recorded.get(name), replayed.get(name), f"{place}.{name}" if place else str(name))
    elif isinstance(recorded, list) and isinstance(replayed, list) and len(recorded) == len(replayed):
        for at, (one, other) in enumerate(zip(recorded, replayed, strict=True)):
            yield from _differences(one, other, f"{place}[{at}]")
    elif recorded != replayed:
        yield Difference(place=place, recorded=recorded, replayed=replayed)
