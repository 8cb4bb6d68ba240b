"""One request of a batch (批量方案) as a row: its scheme in brief, or why there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from api.jobs.records import Steps
from gridmodel.errors import DomainError

if TYPE_CHECKING:
    from api.jobs.workbench import Workbench
    from gridmodel.snapshot import Snapshot

_EMPTY: Mapping[str, Any] = {
    "scheme_id": None,
    "verdict": None,
    "voltage": None,
    "capacity_kva": None,
    "reasons": [],
    "feeder": None,
    "feeder_id": None,
    "point": None,
    "lon_deg": None,
    "lat_deg": None,
    "cost_typical_cny10k": None,
    "error": None,
}


def answer_one(bench: Workbench, steps: Steps, number: int, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a request; a refusal is a row, too."""
    from scheme.request import parse_request

    head = {"number": number, "request_id": str(asked.get("request_id")), "name": _name_of(asked)}
    try:
        request = parse_request(json.dumps(asked))
        answer = bench.services.answer(
            request, find_capacity=bench.tables.find, idempotency_key=f"{steps.job_id}:{number}"
        )
    except DomainError as error:
        return {**_EMPTY, **head, "error": describe_error(error)}
    record = json.loads(answer.stored.content)
    variant = next(iter(record.get("variants") or ()), None)
    feeder_id = None if variant is None else find_feeder(bench.services.get_live().imported, _element_of(variant))
    return {
        **_EMPTY,
        **head,
        "scheme_id": answer.stored.scheme_id,
        "verdict": answer.stored.verdict,
        **_brief(record, variant),
        "feeder_id": feeder_id,
    }


def find_feeder(snapshot: Snapshot, element_id: str) -> str | None:
    """Return the feeder (馈线) a node or a line belongs to, ``None`` where it belongs to none."""
    for table in (snapshot.nodes, snapshot.lines):
        found = table.feeder_id[table.element_id == element_id]
        if len(found):
            return str(found.iloc[0]) if isinstance(found.iloc[0], str) else None
    return None


def describe_error(error: DomainError) -> dict[str, Any]:
    """Return an error as plain values: code, title, and where."""
    known = {name: value for name, value in error.context.items() if value is not None}
    return {"code": error.code, "title": error.message, "context": {name: str(value) for name, value in known.items()}}


def _brief(record: Mapping[str, Any], variant: Mapping[str, Any] | None) -> dict[str, Any]:
    request = record.get("request") or {}
    supply, place = record.get("supply") or {}, request.get("location_cgcs2000") or {}
    found = {
        "voltage": supply.get("voltage"),
        "capacity_kva": supply.get("capacity_kva", (request.get("demand") or {}).get("capacity_kva")),
        "reasons": [{"code": reason["code"], "text": reason["text"]} for reason in record.get("reasons") or ()],
        "lon_deg": place.get("lon_deg"),
        "lat_deg": place.get("lat_deg"),
    }
    if variant is None:
        return found
    return {
        **found,
        "feeder": variant.get("feeder"),
        "point": variant["connection_point"].get("name"),
        "cost_typical_cny10k": (variant.get("cost") or {}).get("total_typical_cny10k"),
    }


def _element_of(variant: Mapping[str, Any]) -> str:
    return str(variant["connection_point"]["element_source_id"])


def _name_of(asked: Mapping[str, Any]) -> str | None:
    applicant = asked.get("applicant")
    name = applicant.get("name") if isinstance(applicant, Mapping) else None
    return name if isinstance(name, str) else None
