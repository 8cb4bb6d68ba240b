"""What a list tells of a scheme, read from its record once, when it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scheme.store.records import StoredScheme

_WORKDAY = "workday"


def case_of(scheme: StoredScheme) -> dict[str, Any]:
    """Return the row of a scheme in the list of cases; what the record does not tell is ``None``."""
    record = _record(scheme.content)
    request, supply = _part(record, "request"), _part(record, "supply")
    applicant, demand = _part(request, "applicant"), _part(request, "demand")
    timeline, name = _part(record, "timeline"), applicant.get("name")
    reasons = [{"code": reason["code"], "text": reason["text"]} for reason in record.get("reasons") or ()]
    return {
        "request_id": scheme.request_id,
        "verdict": scheme.verdict,
        "applicant_name": name,
        "category": applicant.get("category"),
        "business": request.get("business"),
        "capacity_kva": supply.get("capacity_kva", demand.get("capacity_kva")),
        "installed_kw": demand.get("installed_kw"),
        "voltage": supply.get("voltage"),
        "reasons": json.dumps(reasons, ensure_ascii=False),
        "received_on": request.get("received_on"),
        "due_on": timeline.get("limit_on"),
        "limit_workdays": timeline.get("limit") if timeline.get("limit_unit") == _WORKDAY else None,
        "valid_to": _part(record, "validity").get("to"),
        "search_text": fold(" ".join([name or "", scheme.request_id, scheme.scheme_id])),
    }


def fold(text: str) -> str:
    """Return a text as searches compare it."""
    return text.casefold()


def _record(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:  # kept all the same: what reads it says what is wrong with it
        return {}
    return found if isinstance(found, Mapping) else {}


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return record.get(name) or {}
