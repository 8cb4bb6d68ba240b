"""From transformers to the classes of squares: thresholds, remainders of blocks, nothing that can be subtracted.

Every transformer stands behind at most one published class: that of its square, or, where the square may not show one,
that of the remainder of its block. No published figures overlap, none is a total, so none can be had from others.
See ``scheme/decisions/0009-public-map.md``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scheme.publication.bands import find_band, lower_median
from scheme.publication.grid import CellGrid, Square
from scheme.publication.rows import TransformerRow
from scheme.publication.rules import MapRules

Status = Literal["banded", "unknown", "suppressed"]
"""A class of capacity; enough transformers but too few known values; too few transformers, or none. None is a 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaClass:
    """What is published of a square, or of the remainder of a block."""

    status: Status
    band: int | None = None
    """Class from the lowest, 0, where ``status`` is ``banded``."""
    is_restricted: bool | None = None
    """At least half of the transformers stand on the negative list; ``None`` where not known or not published."""


SUPPRESSED = AreaClass(status="suppressed")


@dataclass(frozen=True, slots=True, kw_only=True)
class SquareClass:
    """One square of the map."""

    square: Square
    own: AreaClass
    surroundings: AreaClass | None
    """Of the remainder of the block, for a suppressed square; ``None`` for every other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapClasses:
    """All squares of one publication."""

    squares: tuple[SquareClass, ...]
    """Those of every block that shows anything, from the south-west; what is not listed is suppressed."""
    bands: Mapping[str, int]
    """Class of every area that has one, by the identifier of the square or block: next month's memory."""


def classify(
    rows: Sequence[TransformerRow], grid: CellGrid, rules: MapRules, *, previous: Mapping[str, int]
) -> MapClasses:
    """Return what may be published of the transformers.

    Args:
        rows: All utility transformers; those without a place are left out.
        grid: The fixed squares.
        rules: Thresholds and classes.
        previous: ``bands`` of the publication before.
    """
    by_square: dict[Square, list[TransformerRow]] = defaultdict(list)
    squares = grid.locate([row.lon_deg for row in rows], [row.lat_deg for row in rows])
    for row, square in zip(rows, squares, strict=True):
        if square is not None:
            by_square[square].append(row)
    own: dict[Square, AreaClass] = {}
    remainders: dict[Square, list[TransformerRow]] = defaultdict(list)
    bands: dict[str, int] = {}
    for square, members in sorted(by_square.items()):
        area_id = grid.cell_id(square)
        found = _classify_area(members, rules, previous.get(area_id))
        if found.status == "suppressed":
            remainders[grid.block_of(square)] += members
        else:
            own[square] = found
            _remember(bands, area_id, found)
    rest: dict[Square, AreaClass] = {}
    for block, members in sorted(remainders.items()):
        area_id = grid.block_id(block)
        rest[block] = _classify_area(members, rules, previous.get(area_id))
        _remember(bands, area_id, rest[block])
    return MapClasses(squares=_list_squares(own, rest, grid), bands=bands)


def _remember(bands: dict[str, int], area_id: str, found: AreaClass) -> None:
    if found.band is not None:
        bands[area_id] = found.band


def _classify_area(members: Sequence[TransformerRow], rules: MapRules, previous: int | None) -> AreaClass:
    if not _is_enough(members, rules):
        return SUPPRESSED
    is_restricted = _is_restricted(members)
    known = [row for row in members if row.open_va is not None]
    if not _is_enough(known, rules):
        return AreaClass(status="unknown", is_restricted=is_restricted)
    value_va = lower_median([row.open_va for row in known if row.open_va is not None])
    band = find_band(value_va, rules, previous=previous)
    return AreaClass(status="banded", band=band, is_restricted=is_restricted)


def _is_enough(members: Sequence[TransformerRow], rules: MapRules) -> bool:
    counted = [row.customers for row in members]
    customers = None if any(count is None for count in counted) else sum(count or 0 for count in counted)
    return rules.is_enough(len(members), customers)


def _is_restricted(members: Sequence[TransformerRow]) -> bool | None:
    if any(row.is_restricted is None for row in members):
        return None
    return 2 * sum(bool(row.is_restricted) for row in members) >= len(members)


def _list_squares(
    own: Mapping[Square, AreaClass], rest: Mapping[Square, AreaClass], grid: CellGrid
) -> tuple[SquareClass, ...]:
    """Return whole blocks: a list of occupied squares only would say where single transformers stand."""
    shown = {grid.block_of(square) for square in own}
    shown |= {block for block, found in rest.items() if found.status != "suppressed"}
    squares = []
    for block in sorted(shown, key=lambda place: (place[1], place[0])):
        for square in grid.squares_of(block):
            found = own.get(square, SUPPRESSED)
            surroundings = rest.get(block, SUPPRESSED) if found.status == "suppressed" else None
            squares.append(SquareClass(square=square, own=found, surroundings=surroundings))
    return tuple(squares)
