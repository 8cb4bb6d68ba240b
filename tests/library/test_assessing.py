"""What the assessment is told of a project, and what it would not be told."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gridmodel.errors import InputError
from scheme.assessment.project import as_request as assessed_request
from scheme.library.assessing import as_assessed
from scheme.library.conversion import as_request
from scheme.library.library import Library
from scheme.library.records import Project
from scheme.policy.loader import load_policy
from scheme.policy.parameter import PolicyView
from scheme.store import Store
from tests.library.examples import add

SIZES_KVA = (100.0, 200.0, 315.0, 400.0, 630.0, 1000.0, 1250.0, 1600.0)


@pytest.fixture
def library(sqlite_url: str) -> Library:
    return Library(Store(sqlite_url))


@pytest.fixture
def policy() -> PolicyView:
    return load_policy("shenqiu-2022", date(2026, 3, 2))


def placed(library: Library, **changes: Any) -> Project:
    return add(library, location={"lon_deg": 115.1, "lat_deg": 33.4, "datum": "GCJ02"}, **changes)


def test_every_fact_the_assessment_has_comes_from_the_library(library: Library, policy: PolicyView) -> None:
    project = placed(
        library,
        importance="second",
        business="increase",
        demand={
            "installed_kw": 400.0,
            "capacity_kva": 500.0,
            "power_factor": 0.9,
            "single_phase": False,
            "by_year": [{"year": 2027, "capacity_kva": 600.0}, {"year": 2028, "installed_kw": 800.0}],
        },
        voltage="10kV",
        sources="dual_source",
        works_stage="approved",
        works_finish_on="2027-04-30",
        likelihood_ratio=0.8,
        needed_on="2027-05-31",
        circumstances={"is_urgent": True},
    )
    found = as_assessed(project, policy, transformer_sizes_kva=SIZES_KVA)
    plain = found.as_dict()
    assert (plain.pop("lon_deg"), plain.pop("lat_deg")) == (project.lon_deg, project.lat_deg)
    assert plain == {
        "project_id": project.project_id,
        "source_system": "gov",
        "name": project.entry.name,
        "category": "industrial_commercial",
        "demand_kva": 500.0,
        "demand_by_year_kva": {"2027": 600.0, "2028": 1000.0},  # 800 kW at 500 kVA for 400 kW
        "power_factor": 0.9,
        "installed_kw": 400.0,
        "is_single_phase": False,
        "works_stage": "approved",
        "works_finish_on": "2027-04-30",
        "likelihood_ratio": 0.8,
        "received_on": "2026-10-08",
        "needed_on": "2027-05-31",
        "voltage": "10kV",
        "sources": "dual_source",
        "importance": "second",
        "business": "increase",
        "circumstances": {"is_urgent": True},
    }


def test_assessment_and_conversion_ask_for_the_same(library: Library, policy: PolicyView) -> None:
    """But for who applies and where the place was given: those say nothing about the grid."""
    project = placed(library, demand={"capacity_kva": 300.0}, circumstances={"security_load_kw": 20.0})
    one = as_request(project, policy, received_on=project.entry.received_on)
    other = assessed_request(as_assessed(project, policy, transformer_sizes_kva=SIZES_KVA), policy)
    names = set(type(one).model_fields) - {"location"}
    assert [getattr(one, name) for name in sorted(names)] == [getattr(other, name) for name in sorted(names)]
    assert (other.location.lon_deg, other.location.lat_deg) == (project.lon_deg, project.lat_deg)


def test_equipment_alone_is_sized_as_an_answer_would(library: Library, policy: PolicyView) -> None:
    """80 kW at 380 V: over the power factor 0.9 of ``demand.power_factor_default``."""
    project = placed(library, demand={"installed_kw": 80.0}, voltage="380V")
    found = as_assessed(project, policy, transformer_sizes_kva=SIZES_KVA)
    assert found.demand_kva == pytest.approx(80.0 / 0.9)


@pytest.mark.parametrize("missing", [{"location": None}, {"demand": {}}], ids=["location", "demand"])
def test_a_project_of_which_something_is_missing_is_not_assessed(
    library: Library, policy: PolicyView, missing: dict[str, Any]
) -> None:
    project = add(library, **missing)
    with pytest.raises(InputError) as caught:
        as_assessed(project, policy, transformer_sizes_kva=SIZES_KVA)
    assert caught.value.context["field"] in project.missing
