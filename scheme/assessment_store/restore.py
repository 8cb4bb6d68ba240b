"""An assessment as its record again, from the JSON it was written as."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scheme.assessment.records import (
    Assessment,
    Conflict,
    EarlyWork,
    MaterialQuota,
    ProjectResult,
    ProjectWorks,
    YearOfElement,
    answer_from_dict,
)


def read_assessment(content: str | bytes) -> Assessment:
    """Return the assessment that :meth:`Assessment.to_json` wrote."""
    plain: dict[str, Any] = json.loads(content)
    return Assessment(
        **{
            **plain,
            "projects": tuple(map(_project, plain["projects"])),
            "conflicts": tuple(Conflict(**_tuples(row)) for row in plain["conflicts"]),
            "years": tuple(map(_year, plain["years"])),
            "quotas": tuple(MaterialQuota(**_tuples(row)) for row in plain["quotas"]),
            "project_works": tuple(ProjectWorks(**_tuples(row)) for row in plain["project_works"]),
            "works": tuple(EarlyWork(**_tuples(row)) for row in plain["works"]),
        }
    )


def _project(row: Mapping[str, Any]) -> ProjectResult:
    answers = {name: answer_from_dict(row[name]) for name in ("alone", "queue")}
    return ProjectResult(**{**_tuples(row), **answers})


def _year(row: Mapping[str, Any]) -> YearOfElement:
    loads = tuple((year, kva) for year, kva in row["load_by_year_kva"])
    return YearOfElement(**{**_tuples(row), "load_by_year_kva": loads})


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
