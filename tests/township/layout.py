"""Geometry and topology of the source the conversion needs: feeders, node kinds, and poles along a line."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from itertools import pairwise
from typing import Any, NamedTuple

from tests.township.source import Point, Table, points

METRES_PER_DEGREE = 111_195.0  # mean sphere of 6371 km


class Layout(NamedTuple):
    """Facts about the medium-voltage source network, by bus or line index."""

    feeder: dict[int, str]
    """Feeder of a bus in the normal switch state; busbars have none."""
    lines_at: dict[int, list[int]]
    open_line: dict[int, int]
    """Line with an open switch to the bus that switch stands at."""


def find_layout(mv: dict[str, Table], feeders: list[dict[str, Any]], busbars: set[int]) -> Layout:
    """Return who feeds whom with the switches as they stand."""
    open_line = {s["element"]: s["bus"] for s in mv["switch"].values() if s["et"] == "l" and not s["closed"]}
    lines_at: dict[int, list[int]] = defaultdict(list)
    for index, line in mv["line"].items():
        lines_at[line["from_bus"]].append(index)
        lines_at[line["to_bus"]].append(index)
    feeder: dict[int, str] = {}
    for row in feeders:
        queue = deque(end for end in _ends(mv["line"][row["head_line"]]) if end not in busbars)
        while queue:
            bus = queue.popleft()
            if bus in feeder or bus in busbars:
                continue
            feeder[bus] = row["id"]
            for index in lines_at[bus]:
                if index not in open_line:
                    queue.extend(_ends(mv["line"][index]))
    return Layout(feeder=feeder, lines_at=dict(lines_at), open_line=open_line)


def route(line: dict[str, Any], buses: Table) -> list[Point]:
    """Return the true route of a line; its ends are where the two buses stand."""
    inner = points(line["geo"])[1:-1]
    return [points(buses[line["from_bus"]]["geo"])[0], *inner, points(buses[line["to_bus"]]["geo"])[0]]


def length_km(line: dict[str, Any], path: list[Point], *, straight_ratio_min: float) -> float:
    """Return the source's length, or the drawn one where the source's is far below the straight line."""
    if line["length_km"] >= straight_ratio_min * distance_m(path[0], path[-1]) / 1000.0:
        return round(line["length_km"], 6)
    return round(sum(distance_m(a, b) for a, b in pairwise(path)) / 1000.0, 6)


def distance_m(a: Point, b: Point) -> float:
    """Return the distance of two near points on the mean sphere."""
    scale = math.cos(math.radians((a[1] + b[1]) / 2.0))
    return math.hypot((b[0] - a[0]) * scale, b[1] - a[1]) * METRES_PER_DEGREE


class Piece(NamedTuple):
    """Part of a line between two poles."""

    share: float
    """Of the line's length."""
    vertices: list[Point]
    """Inner vertices."""
    end: Point


def split_route(path: list[Point], count: int) -> list[Piece]:
    """Cut a route into ``count`` pieces of equal length, keeping its vertices."""
    legs_m = [distance_m(a, b) for a, b in pairwise(path)]
    piece_m = sum(legs_m) / count
    pieces: list[Piece] = []
    vertices: list[Point] = []
    walked_m = 0.0
    for start, end, leg_m in zip(path, path[1:], legs_m, strict=False):
        while len(pieces) < count - 1 and (len(pieces) + 1) * piece_m <= walked_m + leg_m:
            along = ((len(pieces) + 1) * piece_m - walked_m) / leg_m
            cut = (start[0] + along * (end[0] - start[0]), start[1] + along * (end[1] - start[1]))
            pieces.append(Piece(1.0 / count, vertices, cut))
            vertices = []
        vertices.append(end)
        walked_m += leg_m
    pieces.append(Piece(1.0 / count, vertices[:-1], path[-1]))
    return pieces


def _ends(line: dict[str, Any]) -> tuple[int, int]:
    return line["from_bus"], line["to_bus"]
