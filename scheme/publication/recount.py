"""Counts the transformers behind every class of a finished file from places alone (复核计数)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scheme.publication.document import is_inside
from scheme.publication.file_parts import ring_of
from scheme.publication.rows import TransformerRow
from scheme.publication.rules import MapRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Recount:
    """What stands behind the classes of a file."""

    behind_squares: int
    """Transformers behind squares' own classes."""
    behind_remainders: int
    """Transformers behind the classes of blocks' remainders."""
    thin: tuple[tuple[str, str], ...]
    """Place in the file and class of every area that rests on too little."""


def count_again(features: Sequence[Mapping[str, Any]], rows: Sequence[TransformerRow], rules: MapRules) -> Recount:
    """Return what stands behind the classes of a file whose form has been checked.

    Args:
        features: Its squares.
        rows: All utility transformers.
        rules: Thresholds.
    """
    by_square: dict[str, list[TransformerRow]] = defaultdict(list)
    by_block: dict[str, list[TransformerRow]] = defaultdict(list)
    for feature, row in _inside(features, rows):
        told = feature["properties"]
        if told["class"] == "suppressed":
            by_block[told["block_id"]].append(row)
        else:
            by_square[feature["id"]].append(row)
    thin: list[tuple[str, str]] = []
    blocks: dict[str, tuple[str, str]] = {}
    for number, feature in enumerate(features):
        told, place = feature["properties"], f"/features/{number}/properties"
        if told["class"] != "suppressed":
            members = by_square[feature["id"]]
            thin += _judge(told["class"], members, f"{place}/class", rules)
        elif told["surroundings_class"] != "suppressed":
            blocks.setdefault(told["block_id"], (told["surroundings_class"], f"{place}/surroundings_class"))
    for block_id, (code, place) in blocks.items():
        thin += _judge(code, by_block[block_id], place, rules)
    return Recount(
        behind_squares=sum(map(len, by_square.values())),
        behind_remainders=sum(len(by_block[block_id]) for block_id in blocks),
        thin=tuple(thin),
    )


def _inside(
    features: Sequence[Mapping[str, Any]], rows: Sequence[TransformerRow]
) -> Iterator[tuple[Mapping[str, Any], TransformerRow]]:
    """Yield every transformer that stands inside a square, with the square."""
    rings = [ring_of(feature) or [] for feature in features]
    corners = np.array([ring[:4] for ring in rings], dtype=float).reshape(-1, 4, 2)
    low, high = corners.min(axis=1), corners.max(axis=1)
    for row in rows:
        place = np.array([row.lon_deg, row.lat_deg])
        near = np.flatnonzero(((low <= place) & (place <= high)).all(axis=1))
        for number in map(int, near):
            if is_inside(rings[number], row.lon_deg, row.lat_deg):
                yield features[number], row
                break


def _judge(code: str, members: Sequence[TransformerRow], place: str, rules: MapRules) -> list[tuple[str, str]]:
    counted = members if code == "unknown" else [row for row in members if row.open_va is not None]
    customers = [row.customers for row in counted]
    known = None if any(count is None for count in customers) else sum(count or 0 for count in customers)
    is_enough = rules.is_enough(len(counted), known)
    return [] if is_enough else [(place, f"{code}: {len(counted)} transformers")]
