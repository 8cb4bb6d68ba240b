"""Projects made by hand."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from scheme.ledger.records import Actor
from scheme.library.entry import ProjectEntry
from scheme.library.library import Library, LibraryCall
from scheme.library.reading import get_project
from scheme.library.records import Project, project_id_of
from scheme.request import parse_record

PLANNER = Actor(subject_id="wang", role="planner", request_id="call-1")
STAGES = ("completed", "under_construction", "approved", "planned")
CALL = LibraryCall(actor=PLANNER, reason="登记")
_numbers = count(1)


def entry(**changes: Any) -> ProjectEntry:
    """A project with a place and a demand; ``None`` takes a field away."""
    plain: dict[str, Any] = {
        "source_system": "gov",
        "source_id": f"P-{next(_numbers)}",
        "name": "食品加工项目",
        "category": "industrial_commercial",
        "location": {"lon_deg": 115.04, "lat_deg": 33.4, "datum": "CGCS2000"},
        "demand": {"installed_kw": 40.0, "capacity_kva": 50.0},
        "received_on": "2026-10-08",
    }
    given = {name: value for name, value in {**plain, **changes}.items() if value is not None}
    return parse_record(ProjectEntry, json.dumps(given))


def add(library: Library, **changes: Any) -> Project:
    """Put a project into the library."""
    made = entry(**changes)
    library.create(made, CALL)
    return read(library, project_id_of(made.source_system, made.source_id))


def read(library: Library, project_id: str) -> Project:
    """The project as it stands."""
    with library.store.read() as connection:
        return get_project(connection, project_id)
