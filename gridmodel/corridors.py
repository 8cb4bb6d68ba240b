"""Corridors (道路、管廊、架空走廊) as a graph, and the shortest way along them.

With :mod:`gridmodel.topology` the only module that imports networkx. Corridors that cross or touch are joined there,
and so are ends that lie within the joining tolerance of another corridor.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from gridmodel.geometry import Floats, Foot, LineIndex, distance_m, line_length_m, slice_line

_CUSTOMER = ("place", 0.0)
_DIGITS = 3
"""Lengths are compared after rounding to millimetres, so that the last bit cannot choose between equal ways."""

GraphNode = tuple[Any, float]
"""Position of a corridor and fraction along it, or the place the approach starts from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corridor:
    """One corridor; ``line_deg`` is its course, longitude and latitude."""

    corridor_id: str
    kind: str
    line_deg: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class CorridorLeg:
    """A part of a way; ``corridor_id`` and ``kind`` are ``None`` off the corridors."""

    corridor_id: str | None
    kind: str | None
    length_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CorridorPath:
    """A way from a place along corridors to another place."""

    length_m: float
    line_deg: Floats
    legs: tuple[CorridorLeg, ...]


class CorridorGraph:
    """Corridors joined where they meet.

    Args:
        corridors: Each with at least two places.
        join_m: Ends nearer than this to another corridor are joined to it (m).
    """

    def __init__(self, corridors: Sequence[Corridor], *, join_m: float) -> None:
        self.corridors = tuple(corridors)
        self.lengths_m = [line_length_m(corridor.line_deg) for corridor in self.corridors]
        self.index = LineIndex([corridor.line_deg for corridor in self.corridors])
        contacts = self.index.find_contacts(join_m)
        cuts: dict[int, set[float]] = defaultdict(lambda: {0.0, 1.0})
        for contact in contacts:
            cuts[contact.first].add(contact.first_ratio)
            cuts[contact.second].add(contact.second_ratio)
        self.cuts = [sorted(cuts[position]) for position in range(len(self.corridors))]
        self.graph: nx.Graph[GraphNode] = nx.Graph()
        for position, own in enumerate(self.cuts):
            for start, end in itertools.pairwise(own):
                length_m = (end - start) * self.lengths_m[position]
                self.graph.add_edge((position, start), (position, end), length_m=length_m)
        for contact in contacts:
            first, second = (contact.first, contact.first_ratio), (contact.second, contact.second_ratio)
            known_m = self.graph.get_edge_data(first, second, {"length_m": float("inf")})["length_m"]
            self.graph.add_edge(first, second, length_m=min(contact.gap_m, known_m))

    def approach(self, lon_deg: float, lat_deg: float, *, reach_m: float) -> CorridorApproach:
        """Return the ways to one place, to be asked from many others.

        Args:
            lon_deg: CGCS2000 longitude of the place.
            lat_deg: Its latitude.
            reach_m: How far a place may lie off the corridor it is reached from (m).
        """
        return CorridorApproach(self, (lon_deg, lat_deg), reach_m=reach_m)

    def neighbours(self, position: int, foot: Foot) -> list[tuple[GraphNode, float]]:
        """Return the joints before and after a foot on a corridor, and the way to each along it (m)."""
        own = self.cuts[position]
        after = int(np.searchsorted(own, foot.fraction_along))
        around = {own[max(after - 1, 0)], own[min(after, len(own) - 1)]}
        return [((position, cut), abs(cut - foot.fraction_along) * self.lengths_m[position]) for cut in sorted(around)]


class CorridorApproach:
    """Shortest ways along the corridors to one place; built by :meth:`CorridorGraph.approach`."""

    def __init__(self, corridors: CorridorGraph, place_deg: tuple[float, float], *, reach_m: float) -> None:
        self._corridors, self._place_deg, self._reach_m = corridors, place_deg, reach_m
        self._feet = corridors.index.find_within(*place_deg, reach_m)
        graph = corridors.graph.copy()
        graph.add_node(_CUSTOMER)
        self._start: dict[GraphNode, tuple[int, Foot]] = {}
        for position, foot in self._feet:
            for joint, along_m in corridors.neighbours(position, foot):
                total_m = foot.distance_m + along_m
                known = graph.get_edge_data(_CUSTOMER, joint)
                if known is None or total_m < known["length_m"]:
                    graph.add_edge(_CUSTOMER, joint, length_m=total_m)
                    self._start[joint] = (position, foot)
        self._before, self._lengths_m = nx.dijkstra_predecessor_and_distance(graph, _CUSTOMER, weight="length_m")

    def find_path(self, lon_deg: float, lat_deg: float) -> CorridorPath | None:
        """Return the shortest way from a place; ``None`` where no corridor joins the two."""
        options: list[tuple[float, int, Foot, GraphNode | None]] = []
        for position, foot in self._corridors.index.find_within(lon_deg, lat_deg, self._reach_m):
            for joint, along_m in self._corridors.neighbours(position, foot):
                if joint in self._lengths_m:
                    options.append((foot.distance_m + along_m + self._lengths_m[joint], position, foot, joint))
            for other, own in self._feet:
                if other == position and self._is_one_stretch(position, foot, own):
                    between_m = abs(own.fraction_along - foot.fraction_along) * self._corridors.lengths_m[position]
                    options.append((foot.distance_m + between_m + own.distance_m, position, foot, None))
        if not options:
            return None
        _, position, foot, first = min(options, key=lambda o: (round(o[0], _DIGITS), o[1], o[3] is not None, str(o[3])))
        return self._trace((lon_deg, lat_deg), position, foot, first)

    def _is_one_stretch(self, position: int, a: Foot, b: Foot) -> bool:
        """Return whether no joint lies between two feet on one corridor."""
        low, high = sorted((a.fraction_along, b.fraction_along))
        return not any(low < cut < high for cut in self._corridors.cuts[position])

    def _trace(
        self, place_deg: tuple[float, float], position: int, foot: Foot, first: GraphNode | None
    ) -> CorridorPath:
        """Return the way over ``first``, a joint (``None``: straight along one corridor), with its course."""
        stretches: list[tuple[int, float, float]] = []
        if first is None:
            end = next(own for other, own in self._feet if other == position)
            stretches.append((position, foot.fraction_along, end.fraction_along))
        else:
            joint: GraphNode = first
            stretches.append((position, foot.fraction_along, joint[1]))
            while (following := self._before[joint][0]) != _CUSTOMER:
                if following[0] == joint[0]:
                    stretches.append((joint[0], joint[1], following[1]))
                joint = following
            last, end = self._start[joint]
            stretches.append((last, joint[1], end.fraction_along))
        return self._assemble(place_deg, foot, stretches, end)

    def _assemble(
        self, place_deg: tuple[float, float], foot: Foot, stretches: list[tuple[int, float, float]], end: Foot
    ) -> CorridorPath:
        legs = [CorridorLeg(corridor_id=None, kind=None, length_m=foot.distance_m)]
        parts = [np.array([place_deg])]
        for position, start, stop in stretches:
            corridor = self._corridors.corridors[position]
            parts.append(slice_line(corridor.line_deg, start, stop))
            gap_m = float(distance_m(*parts[-2][-1], *parts[-1][0])) if len(parts) > 2 else 0.0
            legs.append(CorridorLeg(corridor_id=None, kind=None, length_m=gap_m))
            length_m = abs(stop - start) * self._corridors.lengths_m[position]
            legs.append(CorridorLeg(corridor_id=corridor.corridor_id, kind=corridor.kind, length_m=length_m))
        legs.append(CorridorLeg(corridor_id=None, kind=None, length_m=end.distance_m))
        parts.append(np.array([self._place_deg]))
        line = np.vstack(parts)
        moved_m = distance_m(line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1])
        line = line[np.concatenate(([True], np.round(moved_m, _DIGITS) > 0.0))]
        if len(line) == 1:
            line = np.vstack((line, line))
        return CorridorPath(length_m=sum(leg.length_m for leg in legs), line_deg=line, legs=_merged(legs))


def _merged(legs: Sequence[CorridorLeg]) -> tuple[CorridorLeg, ...]:
    """Return the legs with neighbours on one corridor taken together and empty ones left out."""
    kept = [leg for leg in legs if round(leg.length_m, _DIGITS) > 0.0]
    groups = itertools.groupby(kept, key=lambda leg: (leg.corridor_id, leg.kind))
    return tuple(
        CorridorLeg(corridor_id=corridor_id, kind=kind, length_m=sum(leg.length_m for leg in group))
        for (corridor_id, kind), group in groups
    )
