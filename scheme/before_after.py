"""The grid before and after a variant is connected: voltage along the feeder (馈线) or the area (台区), loadings.

Two plain load flows of the state the scheme was computed on; the numbers are those its verification was read from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from gridmodel.capacity.limits import Limits, VoltageBand
from gridmodel.catalogue.loader import Catalogue
from gridmodel.connection import CUSTOMER_BUS, ROUTE_LINE
from gridmodel.errors import NotFoundError
from gridmodel.joint_connection import JointConnectionStudy, SolvedStates
from gridmodel.network_walk import Stop, walk
from gridmodel.topology import LOW_VOLTAGE_KV_MAX
from scheme.admission.places import find_place
from scheme.admission.promise import Promise, PromisedSource, read_promise, trial_of

_DIGITS = 6
_PERCENT = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileNode:
    """A bus of the feeder or area; voltages per unit of its own rated voltage, ``None`` where it has none."""

    bus: int
    kind: Literal["grid", "tee", "customer"]
    node_id: str | None
    """``None`` for what the connection builds."""
    name: str | None
    parent_bus: int | None
    distance_km: float
    u_pu_before: float | None
    u_pu_after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileLine:
    """A line of the feeder or area, or of the supply path above it."""

    line: int
    kind: Literal["grid", "route"]
    line_id: str | None
    name: str | None
    u_nominal_kv: float
    is_on_path: bool
    loading_ratio_before: float | None
    loading_ratio_after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileTransformer:
    """A transformer of the supply path, nearest to the customer first."""

    element_id: str
    name: str | None
    limit_ratio: float
    loading_ratio_before: float | None
    loading_ratio_after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeProfile:
    """What a source of a variant does to its feeder or area."""

    variant_no: int
    source_no: int
    capacity_kva: float
    """What is connected at this source."""
    feeder_id: str | None
    area_id: str | None
    u_nominal_kv: float
    u_pu_min: float | None
    """Limits of the voltage; ``None`` where none applies."""
    u_pu_max: float | None
    line_loading_ratio_max: float
    nodes: tuple[ProfileNode, ...]
    """From where it is fed, nearest first."""
    lines: tuple[ProfileLine, ...]
    transformers: tuple[ProfileTransformer, ...]


def read_offer(record: Mapping[str, Any], variant_no: int) -> Promise:
    """Return what a variant would connect, of a preliminary reply (咨询初步答复) too.

    Raises:
        NotFoundError: The scheme has no such variant, or nothing is connected before works.
    """
    if record.get("consultation") is not None:  # it binds nobody, and its day is that of the record
        validity = {"to": record["provenance"]["as_of"]}
        record = {**record, "consultation": None, "validity": validity}
    numbers = [1] if record.get("transition") is not None else [v["rank"] for v in record.get("variants") or ()]
    if variant_no not in numbers or record.get("supply") is None or not _has_first_stage(record):
        raise NotFoundError("the scheme connects nothing under this number", variant_no=variant_no)
    return read_promise(record, variant_no=variant_no)


def profile_scheme(
    promise: Promise, source_no: int, study: JointConnectionStudy, *, limits: Limits, catalogue: Catalogue
) -> SchemeProfile | None:
    """Return the state before and after one source of a variant; ``None`` where the load flow has no solution.

    Several sources: this one carries what it must alone, the others are out.

    Raises:
        NotFoundError: The variant has no such source.
        NotIssuableError: The point is not in the snapshot, or the line not in the catalogue.
    """
    source = next((one for one in promise.sources if one.source_no == source_no), None)
    if source is None:
        raise NotFoundError("the variant has no such source", source_no=source_no)
    place = find_place(source, study.snapshot, find_fed_end=study.find_fed_end)
    trial = trial_of(
        source, promise, catalogue, capacity_kva=source.share_kva,
        bus=place.bus, line=place.line, fraction_along=place.fraction_along,
    )  # fmt: skip
    states = study.solve_states(trial)
    if states is None:
        return None
    return _profile(promise, source, place.node, study, states, limits)


def _has_first_stage(record: Mapping[str, Any]) -> bool:
    if record.get("transition") is None:
        return True
    stage = record["transition"]["stages"][0]
    return bool(stage["capacity_kva"] > 0.0 and not stage["measures"] and stage["connection_point"] is not None)


def _profile(
    promise: Promise,
    source: PromisedSource,
    node: int,
    study: JointConnectionStudy,
    states: SolvedStates,
    limits: Limits,
) -> SchemeProfile:
    nodes, feeder_id, area_id = study.snapshot.nodes, _text(study.snapshot.nodes.feeder_id[node]), None
    u_kv = float(states.after.bus.vn_kv[states.path.bus])
    is_low = u_kv <= LOW_VOLTAGE_KV_MAX
    if is_low:
        area_id = _text(nodes.area_id[node])

    def may_enter(bus: int) -> bool:
        if float(states.after.bus.vn_kv[bus]) != u_kv:
            return False
        is_own = bus in states.new_buses or bus in states.path.buses
        return is_low or is_own or _text(nodes.feeder_id[bus]) == feeder_id

    start = [bus for bus in states.path.buses if float(states.after.bus.vn_kv[bus]) == u_kv][-1]
    stops = walk(states.after, start, may_enter=may_enter)
    band = _find_band(u_kv, limits)
    return SchemeProfile(
        variant_no=promise.variant_no,
        source_no=source.source_no,
        capacity_kva=source.share_kva,
        feeder_id=feeder_id,
        area_id=area_id,
        u_nominal_kv=u_kv,
        u_pu_min=None if band is None else round(band.u_pu_min, _DIGITS),
        u_pu_max=None if band is None else round(band.u_pu_max, _DIGITS),
        line_loading_ratio_max=limits.line_loading_ratio_max,
        nodes=tuple(_node(stop, nodes, states) for stop in stops),
        lines=tuple(_lines(stops, study, states)),
        transformers=tuple(_transformers(study, states, limits)),
    )


def _node(stop: Stop, nodes: pd.DataFrame, states: SolvedStates) -> ProfileNode:
    new = states.new_buses.get(stop.bus)
    return ProfileNode(
        bus=stop.bus,
        kind="grid" if new is None else "customer" if new == CUSTOMER_BUS else "tee",
        node_id=None if new is not None else str(nodes.node_id[stop.bus]),
        name=None if new is not None else _text(nodes.name[stop.bus]),
        parent_bus=stop.parent_bus,
        distance_km=round(stop.distance_km, _DIGITS),
        u_pu_before=None if new == CUSTOMER_BUS else _at(states.before.res_bus.vm_pu, stop.bus),
        u_pu_after=_at(states.after.res_bus.vm_pu, stop.bus),
    )


def _lines(stops: tuple[Stop, ...], study: JointConnectionStudy, states: SolvedStates) -> Iterator[ProfileLine]:
    table, loading = states.after.line, "loading_percent"
    walked = [stop.line for stop in stops if stop.line is not None]
    for line in dict.fromkeys([*walked, *states.path.lines]):
        new = states.new_lines.get(line)
        is_route = new == ROUTE_LINE
        known = study.snapshot.lines
        row = None if is_route else known.loc[line] if new is None else known[known.element_id == new].iloc[0]
        yield ProfileLine(
            line=line,
            kind="route" if is_route else "grid",
            line_id=None if row is None else str(row.element_id),
            name=None if row is None else _text(row["name"]),
            u_nominal_kv=float(states.after.bus.vn_kv[table.from_bus[line]]),
            is_on_path=line in states.path.lines,
            loading_ratio_before=None if is_route else _at(states.before.res_line[loading], line, _PERCENT),
            loading_ratio_after=_at(states.after.res_line[loading], line, _PERCENT),
        )


def _transformers(study: JointConnectionStudy, states: SolvedStates, limits: Limits) -> Iterator[ProfileTransformer]:
    known, net = study.snapshot.transformers, states.after
    for row in states.path.trafos:
        is_main = float(net.bus.vn_kv[net.trafo.lv_bus[row]]) > LOW_VOLTAGE_KV_MAX
        yield ProfileTransformer(
            element_id=str(known.element_id[row]),
            name=_text(known.name[row]),
            limit_ratio=limits.main_transformer_loading_ratio_max if is_main else limits.transformer_loading_ratio_max,
            loading_ratio_before=_at(states.before.res_trafo.loading_percent, row, _PERCENT),
            loading_ratio_after=_at(net.res_trafo.loading_percent, row, _PERCENT),
        )


def _find_band(u_kv: float, limits: Limits) -> VoltageBand | None:
    bands = (band for band in limits.voltage_bands if band.u_nominal_kv_min <= u_kv <= band.u_nominal_kv_max)
    return next(bands, None)


def _at(values: pd.Series, index: int, divisor: float = 1.0) -> float | None:
    value = float(values[index]) if index in values.index else math.nan
    return round(value / divisor, _DIGITS) if math.isfinite(value) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
