"""What an attacker learns from publications, by experiment: places from one, other people's projects from two.

The attacker of the second part knows more than anybody can: the open capacity of every transformer in the month before.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from gridmodel.geometry import distance_m
from gridmodel.snapshot import Snapshot
from scheme.publication.cells import MapClasses, classify
from scheme.publication.grid import CellGrid, Square, found_grid
from scheme.publication.rows import TransformerRow, list_places
from tests.publication.examples import KEY, Network, county, rules

RESERVATIONS = 150


def township_network(snapshot: Snapshot) -> Network:
    places = list_places(snapshot)
    random = np.random.default_rng(7)
    rows = tuple(
        TransformerRow(
            element_id=name,
            lon_deg=place[0],
            lat_deg=place[1],
            open_va=int(random.lognormal(math.log(60.0), 0.6)) * 1000,
            customers=40,
            is_restricted=None,
        )
        for name, place in places.items()
    )
    lon_deg, lat_deg = zip(*places.values(), strict=True)
    return Network(
        rows=rows, grid=CellGrid(found_grid(lon_deg, lat_deg, key=KEY, cell_side_m=1000.0, block_side_cells=4))
    )


def test_the_map_locates_a_transformer_no_better_than_its_square() -> None:
    """The best guess is the middle of the square: half of the transformers lie farther off than 399 m.

    Closed form for even places: a circle of half the square's area has a radius of sqrt(1 / (2 pi)) of its side.
    """
    network = county()
    found = classify(network.rows, network.grid, rules(), previous={})
    shown = {item.square for item in found.squares if item.own.status == "banded"}
    squares = network.grid.locate([r.lon_deg for r in network.rows], [r.lat_deg for r in network.rows])
    members = [(row, square) for row, square in zip(network.rows, squares, strict=True) if square in shown]
    corners = network.grid.corners([square for _, square in members if square is not None])
    middles = np.array(corners).mean(axis=1)
    places = np.array([(row.lon_deg, row.lat_deg) for row, _ in members])
    errors_m = distance_m(middles[:, 0], middles[:, 1], places[:, 0], places[:, 1])
    assert len(members) > 2000
    assert float(np.median(errors_m)) == pytest.approx(1000 * math.sqrt(0.5 / math.pi), rel=0.05)
    assert float(np.min(errors_m)) < 60.0  # by chance, and nobody can tell which


def test_moving_a_transformer_within_its_square_changes_nothing() -> None:
    """A query, however often repeated and from wherever, has nothing finer to answer from."""
    network = county()
    random = np.random.default_rng(3)
    by_block = Blocks(network)
    for number in random.integers(len(network.rows), size=100).tolist():
        row, square = network.rows[number], by_block.squares[number]
        [corners] = network.grid.corners([square])
        shares = random.uniform(0.01, 0.99, 2)
        moved = replace(
            row,
            lon_deg=corners[0][0] + float(shares[0]) * (corners[1][0] - corners[0][0]),
            lat_deg=corners[0][1] + float(shares[1]) * (corners[3][1] - corners[0][1]),
        )
        if network.grid.locate(moved.lon_deg, moved.lat_deg) != [square]:
            continue  # squares are turned against the meridian by a trifle
        block = by_block.members(number)
        after = [moved if other is row else other for other in block]
        assert told(by_block.classify(after)) == told(by_block.classify(block))


class Blocks:
    """Classes of one block at a time: those of a block depend on nothing outside it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        found = network.grid.locate([r.lon_deg for r in network.rows], [r.lat_deg for r in network.rows])
        self.squares: list[Square] = [square for square in found if square is not None]
        assert len(self.squares) == len(network.rows)
        self._by_block: dict[Square, list[TransformerRow]] = defaultdict(list)
        for row, square in zip(network.rows, self.squares, strict=True):
            self._by_block[network.grid.block_of(square)].append(row)

    def members(self, number: int) -> list[TransformerRow]:
        return self._by_block[self.network.grid.block_of(self.squares[number])]

    def classify(self, rows: Sequence[TransformerRow], before: MapClasses | None = None) -> MapClasses:
        return classify(rows, self.network.grid, rules(), previous={} if before is None else before.bands)


def told(found: MapClasses) -> list[object]:
    """Return what the public reads."""
    return [(item.square, item.own, item.surroundings) for item in found.squares]


def reserve(rows: Sequence[TransformerRow], element_id: str, size_kva: int) -> list[TransformerRow]:
    return [
        replace(row, open_va=(row.open_va or 0) - size_kva * 1000) if row.element_id == element_id else row
        for row in rows
    ]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the attacker read from the two months around one reservation."""

    is_seen: bool
    areas: int = 0
    transformers: int = 0
    """Transformers at which the reservation may have been made."""
    size_min_kva: float = 0.0
    size_max_kva: float = 0.0


def attack(blocks: Blocks, number: int, size_kva: int) -> Outcome:
    """Try every reservation of a whole kVA at every transformer and keep those that explain both files."""
    rows = blocks.members(number)
    before = blocks.classify(rows)
    seen = told(blocks.classify(reserve(rows, blocks.network.rows[number].element_id, size_kva), before))
    if seen == told(before):
        return Outcome(is_seen=False)
    changed = [
        item
        for item, other in zip(before.squares, seen, strict=True)
        if (item.square, item.own, item.surroundings) != other
    ]
    areas = {item.square if item.own.status == "banded" else "remainder" for item in changed}
    explains = [
        (row.element_id, size)
        for row in rows
        for size in candidate_sizes(row)
        if told(blocks.classify(reserve(rows, row.element_id, size), before)) == seen
    ]
    sizes = [size for _, size in explains]
    return Outcome(
        is_seen=True,
        areas=len(areas),
        transformers=len({name for name, _ in explains}),
        size_min_kva=min(sizes),
        size_max_kva=max(sizes),
    )


def candidate_sizes(row: TransformerRow) -> list[int]:
    """Return sizes from 1 kVA to all there is, twelve of them: enough to see how wide the answer is."""
    open_kva = (row.open_va or 0) // 1000
    return sorted({max(1, round(open_kva * share / 12)) for share in range(1, 13)} if open_kva else set())


def draw(network: Network, count: int) -> list[tuple[int, int]]:
    random = np.random.default_rng(11)
    drawn = []
    while len(drawn) < count:
        number = int(random.integers(len(network.rows)))
        open_kva = (network.rows[number].open_va or 0) // 1000
        size_kva = int(random.integers(10, 161))
        if open_kva >= size_kva:
            drawn.append((number, size_kva))
    return drawn


@pytest.mark.parametrize("name", ["county", "township"])
def test_two_months_say_neither_where_nor_how_much_was_reserved(name: str, township: Snapshot) -> None:
    network = county() if name == "county" else township_network(township)
    blocks = Blocks(network)
    outcomes = [attack(blocks, number, size_kva) for number, size_kva in draw(network, RESERVATIONS)]
    seen = [outcome for outcome in outcomes if outcome.is_seen]
    assert seen  # the experiment is able to see something
    # most months with a single reservation look like the month before; with more of them even less can be told apart
    assert len(seen) / len(outcomes) < 1 / 3
    assert all(outcome.areas == 1 for outcome in seen)
    assert min(outcome.transformers for outcome in seen) >= 2
    # the size: between a least that moves the median and all a transformer had
    assert min(outcome.size_max_kva / outcome.size_min_kva for outcome in seen) > 1.5


def test_the_same_attacker_reads_everything_from_exact_sums() -> None:
    """The control: with sums of squares instead of classes every reservation is readable in size and square."""
    network = county()
    blocks = Blocks(network)
    read = 0
    drawn = draw(network, 50)
    for number, size_kva in drawn:
        rows = blocks.members(number)
        after = reserve(rows, network.rows[number].element_id, size_kva)
        changes = {square: d for square, d in _differences(network, rows, after).items() if d}
        read += changes == {blocks.squares[number]: -size_kva * 1000}
    assert read == len(drawn)


def _differences(
    network: Network, before: Sequence[TransformerRow], after: Sequence[TransformerRow]
) -> dict[Square | None, int]:
    found: dict[Square | None, int] = defaultdict(int)
    squares = network.grid.locate([row.lon_deg for row in before], [row.lat_deg for row in before])
    for square, first, second in zip(squares, before, after, strict=True):
        found[square] += (second.open_va or 0) - (first.open_va or 0)
    return found
