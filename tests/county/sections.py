"""The 10 kV lines piece by piece: sections cut at poles, ties, and the section switches on the trunks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.county.choices import draws
from tests.county.equipment import Sections
from tests.county.layout import Layout, lengths_m


@dataclass(frozen=True, eq=False, kw_only=True)
class Lines:
    """Lines between numbered buses, shape (lines,)."""

    start: np.ndarray
    end: np.ndarray
    length_km: np.ndarray
    type_id: np.ndarray
    station: np.ndarray
    """Station whose section, tie or low-voltage area a line belongs to."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pieces:
    """Every section cut at some of its poles."""

    lines: Lines
    """In the order of the stations, each section from upstream."""
    first: np.ndarray
    """First piece of every section, shape (n,)."""
    pole_xy_m: np.ndarray
    pole_station: np.ndarray
    """Station whose section a pole stands in."""


def cut_sections(
    layout: Layout,
    sections: Sections,
    choices: dict[str, Any],
    *,
    upstream: np.ndarray,
    first_station: int,
    first_pole: int,
) -> Pieces:
    """Return the pieces; a pole that is a node stands between two of them.

    Args:
        layout: Places.
        sections: Lines to cut.
        choices: The county's choices.
        upstream: Bus every section starts at, shape (n,).
        first_station: Bus of the first station.
        first_pole: Bus of the first pole.
    """
    length_m = sections.straight_m * choices["feeders"]["length_ratio"]
    number = _piece_counts(length_m, sections.is_cable, choices)
    first = np.concatenate([[0], np.cumsum(number)[:-1]])
    station = np.repeat(np.arange(len(number)), number)
    step = np.arange(len(station)) - first[station]
    share = _shares(station, choices)
    reached = np.cumsum(share)
    reached -= (reached - share)[first][station]
    is_last = step == number[station] - 1
    end = np.where(is_last, station + first_station, np.cumsum(~is_last) - 1 + first_pole)
    start = np.where(step == 0, upstream[station], np.concatenate([[0], end[:-1]]))
    begin = layout.starts_xy_m()[station]
    at = begin + (layout.xy_m[station] - begin) * reached[:, None]
    return Pieces(
        lines=Lines(
            start=start,
            end=end,
            length_km=_length_km(length_m[station] * share),
            type_id=sections.type_id[station],
            station=station,
        ),
        first=first,
        pole_xy_m=at[~is_last],
        pole_station=station[~is_last],
    )


def _piece_counts(length_m: np.ndarray, is_cable: np.ndarray, choices: dict[str, Any]) -> np.ndarray:
    poles = choices["poles"]
    mean_m = (poles["span_min_m"] + poles["span_max_m"]) / 2.0 * poles["poles_per_node"]
    return np.where(is_cable, 1, np.maximum(1, np.rint(length_m / mean_m).astype(int)))


def _shares(station: np.ndarray, choices: dict[str, Any]) -> np.ndarray:
    """Return the share of every piece in its section: so many spans, each of its own length."""
    poles = choices["poles"]
    size = (len(station), poles["poles_per_node"])
    drawn_m = draws(choices, "spans").uniform(poles["span_min_m"], poles["span_max_m"], size).sum(axis=1)
    return np.asarray(drawn_m / np.bincount(station, weights=drawn_m)[station])


def _length_km(length_m: np.ndarray) -> np.ndarray:
    """Round to decimetres."""
    return (length_m / 1e3).round(4)


def tie_lines(layout: Layout, choices: dict[str, Any], *, first_station: int) -> Lines:
    """Return the ties (联络线), from the open switch to the station they hang on."""
    ties = layout.ties
    length_m = lengths_m(layout.xy_m, ties) * choices["feeders"]["length_ratio"]
    return Lines(
        start=ties[:, 0] + first_station,
        end=ties[:, 1] + first_station,
        length_km=_length_km(length_m),
        type_id=np.full(len(ties), choices["conductors"]["tie"], dtype=object),
        station=ties[:, 1],
    )


def switched_sections(layout: Layout, parts: int) -> np.ndarray:
    """Return the stations whose section starts with a closed switch (分段开关).

    The trunk of a feeder follows the branch with most stations; a switch stands where another part of the feeder's
    stations has been passed.
    """
    below = layout.downstream(np.ones(len(layout.feeder), dtype=int)).tolist()
    heaviest: dict[int, int] = {}
    for station in layout.order.tolist():
        before = int(layout.parent[station])
        if before >= 0 and (before not in heaviest or below[station] > below[heaviest[before]]):
            heaviest[before] = station
    chosen = []
    for root in layout.order[layout.parent[layout.order] < 0].tolist():
        passed, station = 1, root
        while station in heaviest:
            station = heaviest[station]
            if below[station] * parts <= below[root] * (parts - passed):
                chosen.append(station)
                passed = parts * (below[root] - below[station]) // below[root] + 1
    return np.array(chosen)


def join_lines(parts: list[Lines]) -> Lines:
    """Return the lines of all parts, one after the other."""
    names = ("start", "end", "length_km", "type_id", "station")
    return Lines(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
