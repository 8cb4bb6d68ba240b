"""Finding a node, feeder, line or transformer by what people call it, or a place by its coordinates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, Literal

import pandas as pd

from gridmodel.geometry import PointIndex
from scheme.grid_map.grid import MapGrid
from scheme.grid_map.layout import texts_of
from scheme.grid_map.routes import is_place
from scheme.grid_map.sheet import element_geometry, middle_of

ITEMS_MAX = 20
_NEAR_M = 2_000.0
"""How far from a place nodes are looked for."""
_PLACE = re.compile(r"\s*(-?\d{1,3}(?:\.\d+)?)\s*[,，\s]\s*(-?\d{1,2}(?:\.\d+)?)\s*")
Kind = Literal["node", "feeder", "line", "transformer"]
_KINDS: tuple[Kind, ...] = ("feeder", "node", "transformer", "line")


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: Kind
    shown_id: str
    name: str | None
    index: Any
    words: tuple[str, ...]
    """Identifiers, name, and the parts of the name, in small letters."""

    def rank(self, text: str) -> int | None:
        """Return 0 where a word is the text, 1 where one begins with it, 2 where one has it, else ``None``."""
        if text in self.words:
            return 0
        if any(word.startswith(text) for word in self.words):
            return 1
        return 2 if any(text in word for word in self.words) else None


class SearchIndex:
    """Names and identifiers of one grid.

    Args:
        grid: The grid.
    """

    def __init__(self, grid: MapGrid) -> None:
        self._grid = grid
        self._entries = [entry for kind in _KINDS for entry in _SOURCES[kind](grid)]
        frame = grid.snapshot.nodes
        self._places = PointIndex(frame["lon_deg"], frame["lat_deg"])

    def find(self, text: str) -> list[dict[str, Any]]:
        """Return at most ``ITEMS_MAX`` things: exact hits first, then those that begin with the text, then the others.

        A text of longitude and latitude finds the nodes around that place, the nearest first.
        """
        place = _PLACE.fullmatch(text)
        if place is not None and is_place(lon_deg := float(place[1]), lat_deg := float(place[2])):
            return self._near(lon_deg, lat_deg)
        wanted = text.strip().casefold()
        hits = (
            (rank, number) for number, entry in enumerate(self._entries) if (rank := entry.rank(wanted)) is not None
        )
        return [self._told(self._entries[number]) for _, number in nsmallest(ITEMS_MAX, hits)]

    def _near(self, lon_deg: float, lat_deg: float) -> list[dict[str, Any]]:
        nodes = self._grid.layout.nodes
        found, _ = self._places.find_within(lon_deg, lat_deg, _NEAR_M)
        return [
            self._told(_Entry("node", str(nodes.node_id[at]), nodes.name[at], int(nodes.bus[at]), ()))
            for at in found[:ITEMS_MAX].tolist()
        ]

    def _told(self, entry: _Entry) -> dict[str, Any]:
        table = {"node": "bus", "transformer": "trafo"}.get(entry.kind, entry.kind)
        lon_deg, lat_deg = middle_of(element_geometry(self._grid, table, entry.index))
        return {"kind": entry.kind, "id": entry.shown_id, "name": entry.name, "lon_deg": lon_deg, "lat_deg": lat_deg}


def _nodes(grid: MapGrid) -> Iterator[_Entry]:
    frame = grid.snapshot.nodes
    ids, names = frame["node_id"].tolist(), texts_of(frame, "name")
    for index, node_id, element_id, name in zip(frame.index.tolist(), ids, frame["element_id"], names, strict=True):
        yield _Entry("node", str(node_id), name, index, _words(node_id, element_id, name))


def _feeders(grid: MapGrid) -> Iterator[_Entry]:
    for feeder_id in grid.snapshot.feeders.index:
        name = grid.name_of_feeder(feeder_id)
        yield _Entry("feeder", str(feeder_id), name, feeder_id, _words(feeder_id, name))


def _elements(kind: Kind, frame: pd.DataFrame) -> Iterator[_Entry]:
    if frame.empty:
        return
    for index, element_id, name in zip(frame.index.tolist(), frame["element_id"], texts_of(frame, "name"), strict=True):
        yield _Entry(kind, str(element_id), name, index, _words(element_id, name))


def _words(*words: object) -> tuple[str, ...]:
    whole = [str(word).casefold() for word in words if word is not None]
    return tuple(dict.fromkeys([*whole, *(part for word in whole for part in word.split())]))


_SOURCES: dict[Kind, Callable[[MapGrid], Iterator[_Entry]]] = {
    "feeder": _feeders,
    "node": _nodes,
    "transformer": lambda grid: _elements("transformer", grid.snapshot.transformers),
    "line": lambda grid: _elements("line", grid.snapshot.lines),
}
