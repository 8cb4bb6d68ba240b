"""What a stored scheme would take of the grid, read from its record (``scheme.json``)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from gridmodel.catalogue.loader import Catalogue
from gridmodel.connection import TrialConnection
from scheme.admission.errors import NotIssuableError

TEE = "line_tee"
"""Kind of a point between the ends of a line."""
_VA_PER_KVA = 1000
_VA_DIGITS = 6
"""Capacities that differ from a whole VA by rounding alone are that VA; what is more goes up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The customer's line as it was verified."""

    length_km: float
    line_type_id: str
    circuits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedSource:
    """One source point of the customer."""

    source_no: int
    point_kind: str
    element_id: str
    """Imported node, or line where the customer tees off."""
    lon_deg: float
    lat_deg: float
    u_nominal_kv: float
    route: Route
    share_kva: float
    """What it must carry, alone where there are several."""
    normal_kva: float
    """What it carries with all sources in service."""

    @property
    def share_va(self) -> int:
        """What the ledger keeps free, whole VA, rounded up."""
        return to_va(self.share_kva)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What answering with a scheme promises."""

    scheme_id: str
    request_id: str
    variant_no: int
    capacity_kva: float
    power_factor: float
    is_low_voltage: bool
    is_single_phase: bool
    sources: tuple[PromisedSource, ...]
    valid_to: date
    """Last day of the scheme as it was computed; no answer is made of it afterwards."""

    @property
    def capacity_va(self) -> int:
        """Capacity, whole VA, rounded up."""
        return to_va(self.capacity_kva)

    @property
    def has_tee(self) -> bool:
        """Whether a source point lies between the ends of a line."""
        return any(source.point_kind == TEE for source in self.sources)


def to_va(capacity_kva: float) -> int:
    """Return a capacity in whole VA, rounded up so that no part of it is given twice."""
    return math.ceil(round(capacity_kva * _VA_PER_KVA, _VA_DIGITS))


def read_promise(record: Mapping[str, Any], *, variant_no: int = 1) -> Promise:
    """Return what a scheme promises.

    A transition scheme (过渡方案) promises its first stage alone: the rest waits for works that are not there yet.

    Args:
        record: The stored record.
        variant_no: Rank of the variant chosen.

    Raises:
        NotIssuableError: The scheme promises nothing: consultation, joint work, no such variant, or works come first.
    """
    _check_binding(record)
    supply = record["supply"]
    if record["verdict"] == "transition":
        if variant_no != 1:
            raise _no_variant(variant_no)
        sources: tuple[PromisedSource, ...] = (_first_stage(record),)
        capacity_kva = sources[0].share_kva
    else:
        variant = next((v for v in record["variants"] if v["rank"] == variant_no), None)
        if variant is None:
            raise _no_variant(variant_no)
        sources = _sources(variant, supply)
        capacity_kva = float(supply["capacity_kva"])
    return Promise(
        scheme_id=record["scheme_id"],
        request_id=record["request_id"],
        variant_no=variant_no,
        capacity_kva=capacity_kva,
        power_factor=float(supply["power_factor"]),
        is_low_voltage=supply["voltage"] in ("220V", "380V"),
        is_single_phase=supply["voltage"] == "220V",
        sources=sources,
        valid_to=date.fromisoformat(record["validity"]["to"]),
    )


def trial_of(
    source: PromisedSource,
    promise: Promise,
    catalogue: Catalogue,
    *,
    capacity_kva: float,
    bus: int | None,
    line: int | None,
    fraction_along: float | None,
) -> TrialConnection:
    """Return the trial that connects a part of the customer by the line of the scheme.

    Raises:
        NotIssuableError: The catalogue does not have the line any more.
    """
    line_type = catalogue.line_types.get(source.route.line_type_id)
    if line_type is None:
        raise NotIssuableError(
            "the catalogue does not have the scheme's line any more", line_type_id=source.route.line_type_id
        )
    p_kw = capacity_kva * promise.power_factor
    return TrialConnection(
        bus=bus,
        line=line,
        fraction_along=fraction_along,
        route_length_km=source.route.length_km,
        line_type=line_type,
        parallel=source.route.circuits,
        p_kw=p_kw,
        q_kvar=math.sqrt(max(capacity_kva**2 - p_kw**2, 0.0)),
        is_single_phase=promise.is_single_phase,
    )


def _check_binding(record: Mapping[str, Any]) -> None:
    if record.get("consultation") is not None:
        raise NotIssuableError("a preliminary reply (咨询初步答复) binds nobody and cannot be issued")
    if record.get("verdict") not in ("answered", "transition") or record.get("supply") is None:
        raise NotIssuableError("a scheme for joint work (专业联动) promises nothing and cannot be issued")
    if record.get("validity") is None:
        raise NotIssuableError("a scheme without validity cannot be issued")


def _no_variant(variant_no: int) -> NotIssuableError:
    return NotIssuableError("the scheme has no such variant", variant_no=variant_no)


def _first_stage(record: Mapping[str, Any]) -> PromisedSource:
    stage = record["transition"]["stages"][0]
    if not stage["capacity_kva"] > 0.0 or stage["measures"] or stage["connection_point"] is None:
        raise NotIssuableError("nothing can be connected before the works; issue the scheme answered after them")
    capacity_kva = float(stage["capacity_kva"])
    return _source(1, stage, share_kva=capacity_kva, normal_kva=capacity_kva)


def _sources(variant: Mapping[str, Any], supply: Mapping[str, Any]) -> tuple[PromisedSource, ...]:
    capacity_kva = float(supply["capacity_kva"])
    further = variant.get("further_sources") or ()
    if not further:
        return (_source(1, variant, share_kva=capacity_kva, normal_kva=capacity_kva),)
    shares_kva = {source["source_no"]: float(source["capacity_kva"]) for source in supply["sources"]}
    normal_kva = capacity_kva - sum(float(source["normal_kva"]) for source in further)
    first_no = min(shares_kva)
    found = [_source(first_no, variant, share_kva=shares_kva[first_no], normal_kva=max(normal_kva, 0.0))]
    for source in further:
        share_kva = max(float(source["required_share_kva"]), shares_kva[source["source_no"]])
        found.append(_source(source["source_no"], source, share_kva=share_kva, normal_kva=float(source["normal_kva"])))
    required_kva = float(supply["required_share_kva"] or 0.0)
    return tuple(replace(source, share_kva=max(source.share_kva, required_kva)) for source in found)


def _source(source_no: int, at: Mapping[str, Any], *, share_kva: float, normal_kva: float) -> PromisedSource:
    point, route = at["connection_point"], at["route"]
    return PromisedSource(
        source_no=source_no,
        point_kind=point["kind"],
        element_id=point["element_source_id"],
        lon_deg=float(point["lon_deg"]),
        lat_deg=float(point["lat_deg"]),
        u_nominal_kv=float(point["u_nominal_kv"]),
        route=Route(
            length_km=float(route["length_m"]) / 1e3,
            line_type_id=route["line_type_id"],
            circuits=int(route.get("circuits", 1)),
        ),
        share_kva=share_kva,
        normal_kva=normal_kva,
    )
