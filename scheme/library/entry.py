"""A reserve project (储备项目) as it is handed in, by file or HTTP: strict, unknown fields refused.

A fact that nobody knows is absent, never 0. A project without a place is kept; it cannot be assessed until it has one.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gridmodel.errors import InputError
from scheme.policy.parameter import PolicyView
from scheme.request import Applicant, Category, Circumstances, Datum, Location, Polygon, StrictRecord, Text

YEAR_MIN, YEAR_MAX = 2000, 2100
YEARS_MAX = 30

SourceName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
StageName = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-z][a-z0-9_]*$")]
_Power = Annotated[float, Field(gt=0.0, le=1_000_000.0)]


class YearDemand(StrictRecord):
    """What is wanted from one year on; at least one of the two is known."""

    year: Annotated[int, Field(ge=YEAR_MIN, le=YEAR_MAX)]
    installed_kw: _Power | None = None
    """用电设备总容量 (kW)."""
    capacity_kva: _Power | None = None
    """用电容量 (kVA)."""

    @model_validator(mode="after")
    def _check_known(self) -> YearDemand:
        if self.installed_kw is None and self.capacity_kva is None:
            raise ValueError("installed_kw or capacity_kva must be given")
        return self


def _ascending(years: tuple[YearDemand, ...]) -> tuple[YearDemand, ...]:
    numbers = [demand.year for demand in years]
    if numbers != sorted(set(numbers)):
        raise ValueError("years must ascend, each once")
    return years


class ProjectDemand(StrictRecord):
    """How much is wanted, now and by year."""

    installed_kw: _Power | None = None
    """用电设备总容量 (kW)."""
    capacity_kva: _Power | None = None
    """用电容量 (kVA)."""
    power_factor: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    single_phase: bool | None = None
    by_year: Annotated[tuple[YearDemand, ...], Field(max_length=YEARS_MAX), AfterValidator(_ascending)] = ()


class Area(StrictRecord):
    """Where a project will be, as long as nobody knows the place itself."""

    text: Text | None = None
    """As the source words it (用电地址)."""
    polygon: Polygon | None = None
    datum: Datum | None = None
    """Of the polygon; there is no default."""

    @model_validator(mode="after")
    def _check_datum(self) -> Area:
        if (self.polygon is None) != (self.datum is None):
            raise ValueError("a polygon and its datum are given together")
        return self


class ProjectEntry(StrictRecord):
    """What a source says of one project; source system and its identifier together name it."""

    source_system: SourceName
    """来源系统, as the utility calls it."""
    source_id: Text
    name: Text
    """项目名称."""
    applicant: Text | None = None
    """客户名称; the project's name stands for it where it is not known."""
    contact: Text | None = None
    category: Category
    importance: Literal["special", "first", "second", "temporary", "ordinary"] | None = None
    business: Literal["new", "increase", "temporary"] = "new"
    location: Location | None = None
    area: Area | None = None
    demand: ProjectDemand
    voltage: Literal["auto", "220V", "380V", "10kV"] = "auto"
    sources: Literal["single", "dual_circuit", "dual_source"] = "single"
    works_stage: StageName | None = None
    """How far the customer's own works (客户工程) are: one of ``reserve.works_stages``."""
    works_finish_on: date | None = None
    """Day the customer's own works will be finished (客户工程竣工)."""
    likelihood_ratio: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    """How likely the project comes (落地可能性)."""
    received_on: date
    needed_on: date | None = None
    circumstances: Circumstances = Circumstances()
    note: Text | None = None

    @property
    def applicant_record(self) -> Applicant:
        """Who will apply."""
        return Applicant(
            name=self.applicant or self.name,
            category=self.category,
            importance=self.importance,
            contact=self.contact,
        )


def read_works_stages(policy: PolicyView) -> tuple[str, ...]:
    """Return how far the customer's own works can be: ``reserve.works_stages``, the most advanced first."""
    return tuple(policy.texts("reserve.works_stages"))


def check_works_stage(entry: ProjectEntry, works_stages: Collection[str]) -> None:
    """Refuse a stage of the customer's works that the utility does not know.

    Args:
        entry: What is handed in.
        works_stages: ``reserve.works_stages``.

    Raises:
        InputError: It is none of them.
    """
    if entry.works_stage is not None and entry.works_stage not in works_stages:
        allowed = ", ".join(works_stages)
        raise InputError("no such stage of works", field="works_stage", value=entry.works_stage, allowed=allowed)
