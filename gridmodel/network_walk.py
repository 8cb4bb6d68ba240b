"""Walk one voltage level from where it is fed: what stands along a feeder (馈线) or in an area (台区), how far."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gridmodel.net import Net


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A bus on the way."""

    bus: int
    parent_bus: int | None
    """The bus it is reached from; ``None`` where the walk begins."""
    line: int | None
    """The line it is reached by; ``None`` over a switch and at the beginning."""
    distance_km: float
    """Length of the lines from the beginning."""


def walk(net: Net, start: int, *, may_enter: Callable[[int], bool]) -> tuple[Stop, ...]:
    """Return the buses reached from ``start`` by live lines and closed switches, nearest first.

    In a ring every bus is reached by its shortest way.

    Args:
        net: Network; only read.
        start: Where the voltage level is fed.
        may_enter: Whether a bus belongs to what is walked.
    """
    neighbours = _neighbours(net)
    found: dict[int, Stop] = {}
    ahead: list[tuple[float, int, int, int | None, int | None]] = [(0.0, 0, start, None, None)]
    count = 0
    while ahead:
        distance_km, _, bus, parent, line = heapq.heappop(ahead)
        if bus in found:
            continue
        found[bus] = Stop(bus=bus, parent_bus=parent, line=line, distance_km=distance_km)
        for other, by, length_km in neighbours.get(bus, ()):
            if other not in found and may_enter(other):
                count += 1  # equal distances keep the order of the net
                heapq.heappush(ahead, (distance_km + length_km, count, other, bus, by))
    return tuple(found.values())


def _neighbours(net: Net) -> dict[int, list[tuple[int, int | None, float]]]:
    live = set(net.bus.index[net.bus.in_service.to_numpy(dtype=bool)].tolist())
    found: dict[int, list[tuple[int, int | None, float]]] = {}
    for one, other, line, length_km in _links(net):
        if one in live and other in live:
            found.setdefault(one, []).append((other, line, length_km))
            found.setdefault(other, []).append((one, line, length_km))
    return found


def _links(net: Net) -> Iterator[tuple[int, int, int | None, float]]:
    switch = net.switch
    is_open = ~switch.closed.to_numpy(dtype=bool)
    opened = set(switch.element[(switch.et == "l").to_numpy() & is_open].tolist())
    lines = net.line[net.line.in_service.to_numpy(dtype=bool) & ~np.isin(net.line.index, list(opened))]
    for line, one, other, length_km in zip(
        lines.index.tolist(), lines.from_bus.tolist(), lines.to_bus.tolist(), lines.length_km.tolist(), strict=True
    ):
        yield int(one), int(other), int(line), float(length_km)
    couplings = switch[(switch.et == "b").to_numpy() & ~is_open]
    for one, other in zip(couplings.bus.tolist(), couplings.element.tolist(), strict=True):
        yield int(one), int(other), None, 0.0
