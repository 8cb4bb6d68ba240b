"""The states of the grid a scheme offers, as its record tells them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scheme.model import ConnectionPoint, FurtherSource, Measure, Route, Scheme, Variant, Verification


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A customer, or a part of one, at the end of a route."""

    point: ConnectionPoint
    route: Route
    capacity_kva: float
    verification: Verification | None


@dataclass(frozen=True, kw_only=True)
class State:
    """What is connected at the same time, and what is done to the public grid before."""

    name: str
    connections: tuple[Connection, ...]
    measures: tuple[Measure, ...] = ()


def offered_states(scheme: Scheme) -> Iterator[State]:
    """Yield every stage of a transition; otherwise every variant: each source alone, then all of them as they run."""
    if scheme.transition is not None:
        for stage in scheme.transition.stages:
            if stage.connection_point is not None and stage.route is not None:
                found = Connection(
                    point=stage.connection_point,
                    route=stage.route,
                    capacity_kva=stage.capacity_kva,
                    verification=stage.verification,
                )
                yield State(name=f"stage {stage.stage_no}", connections=(found,), measures=stage.measures)
        return
    for variant in scheme.variants:
        yield from _states_of(scheme, variant)


def _states_of(scheme: Scheme, variant: Variant) -> Iterator[State]:
    assert scheme.supply is not None
    alone_kva = [scheme.supply.sources[0].capacity_kva, *(s.required_share_kva for s in variant.further_sources)]
    points: list[Variant | FurtherSource] = [variant, *variant.further_sources]
    for number, (point, capacity_kva) in enumerate(zip(points, alone_kva, strict=True), start=1):
        name = f"variant {variant.rank}" + (f" source {number} alone" if len(points) > 1 else "")
        yield State(name=name, connections=(_connection(point, capacity_kva, point.verification),))
    if len(points) == 1:
        return
    others_kva = [source.normal_kva for source in variant.further_sources]
    normal_kva = [scheme.supply.capacity_kva - sum(others_kva), *others_kva]
    together = tuple(
        _connection(point, capacity_kva, point.normal_verification)
        for point, capacity_kva in zip(points, normal_kva, strict=True)
        if capacity_kva > 1e-6
    )
    yield State(name=f"variant {variant.rank} all sources", connections=together)


def _connection(point: Variant | FurtherSource, capacity_kva: float, verification: Verification | None) -> Connection:
    return Connection(
        point=point.connection_point, route=point.route, capacity_kva=capacity_kva, verification=verification
    )
