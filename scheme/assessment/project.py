"""A project of the reserve library (业扩储备项目) as the assessment needs it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from gridmodel.errors import InputError
from scheme.policy.parameter import PolicyView
from scheme.request import Category, SupplyRequest, parse_request

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One project; what it asks now and in later years.

    Raises:
        InputError: A number is outside its range.
    """

    project_id: str
    source_system: str | None = None
    """System the project was taken over from; ``None``: entered here."""
    name: str
    category: Category
    lon_deg: float
    """CGCS2000."""
    lat_deg: float
    demand_kva: float
    """What it asks now (申请容量)."""
    demand_by_year_kva: Mapping[int, float] = field(default_factory=dict)
    """What it will take in total from a year on; a year that is not named has the value of the last one before it."""
    power_factor: float | None = None
    installed_kw: float | None = None
    """用电设备总容量; ``None``: the demand times the power factor."""
    is_single_phase: bool | None = None
    works_stage: str | None = None
    """How far the customer's own works (客户工程) are: one of ``reserve.works_stages``; ``None``: not known."""
    works_finish_on: date | None = None
    """Day the customer's own works will be finished (客户工程竣工)."""
    likelihood_ratio: float | None = None
    """How likely the project comes (0 to 1); ``None``: not known."""
    received_on: date
    needed_on: date | None = None
    voltage: Literal["auto", "220V", "380V", "10kV"] = "auto"
    sources: Literal["single", "dual_circuit", "dual_source"] = "single"
    importance: Literal["special", "first", "second", "temporary", "ordinary"] | None = None
    business: Literal["new", "increase", "temporary"] = "new"
    circumstances: Mapping[str, Any] = field(default_factory=dict)
    """Further facts of a request, by the names of :class:`scheme.request.Circumstances`."""

    def __post_init__(self) -> None:
        _check(self.demand_kva > 0.0, "demand_kva", self.demand_kva, "> 0")
        likelihood_ratio = self.likelihood_ratio
        is_ratio = likelihood_ratio is None or 0.0 <= likelihood_ratio <= 1.0
        _check(is_ratio, "likelihood_ratio", likelihood_ratio, "0 to 1")
        for year, kva in self.demand_by_year_kva.items():
            _check(kva >= 0.0, f"demand_by_year_kva.{year}", kva, ">= 0")

    def demand_in_kva(self, year: int) -> float:
        """Return what the project takes in a year by its own figures, before it is needed nothing."""
        if self.needed_on is not None and year < self.needed_on.year:
            return 0.0
        known = [known for known in self.demand_by_year_kva if known <= year]
        return self.demand_by_year_kva[max(known)] if known else self.demand_kva

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        plain |= {name: value.isoformat() for name, value in plain.items() if isinstance(value, date)}
        plain["demand_by_year_kva"] = {str(year): kva for year, kva in sorted(self.demand_by_year_kva.items())}
        plain["circumstances"] = dict(sorted(self.circumstances.items()))
        return plain


def project_from_dict(row: Mapping[str, Any]) -> Project:
    """Return the project of a mapping :meth:`Project.as_dict` made."""
    fields = dict(row)
    for name in ("received_on", "needed_on", "works_finish_on"):
        if fields.get(name) is not None:
            fields[name] = date.fromisoformat(fields[name])
    fields["demand_by_year_kva"] = {int(year): kva for year, kva in fields["demand_by_year_kva"].items()}
    return Project(**fields)


def as_request(project: Project, policy: PolicyView, *, request_id: str | None = None) -> SupplyRequest:
    """Return the request the project would be.

    Args:
        project: The project.
        policy: Reads ``demand.power_factor_default`` where neither power factor nor equipment is known.
        request_id: Default the project's own id, or a digest of it where requests cannot have such an id.

    Raises:
        InputError: A value is outside what a request allows.
    """
    power_factor = project.power_factor
    if power_factor is None:
        voltage = "380V" if project.voltage == "auto" else project.voltage
        power_factor = float(policy.row("demand.power_factor_default", "voltage", voltage)["power_factor"])
    installed_kw = project.installed_kw
    content = {
        "request_id": request_id or _request_id(project.project_id),
        "applicant": {"name": project.name, "category": project.category, "importance": project.importance},
        "business": project.business,
        "location": {"lon_deg": project.lon_deg, "lat_deg": project.lat_deg, "datum": "CGCS2000"},
        "demand": {
            "installed_kw": round(project.demand_kva * power_factor, 3) if installed_kw is None else installed_kw,
            "capacity_kva": project.demand_kva,
            "power_factor": project.power_factor,
            "single_phase": project.is_single_phase,
        },
        "voltage": project.voltage,
        "sources": project.sources,
        "received_on": project.received_on.isoformat(),
        "needed_on": None if project.needed_on is None else project.needed_on.isoformat(),
        "circumstances": dict(project.circumstances),
    }
    return parse_request(json.dumps(content, ensure_ascii=False))


def _request_id(project_id: str) -> str:
    if _REQUEST_ID.fullmatch(project_id):
        return project_id
    return "project-" + hashlib.sha256(project_id.encode()).hexdigest()[:24]


def _check(is_good: bool, name: str, value: object, allowed: str) -> None:
    if not is_good:
        raise InputError("value out of range", field=name, value=value, allowed=allowed)
