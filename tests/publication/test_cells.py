from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from scheme.publication.bands import lower_median
from scheme.publication.cells import SUPPRESSED, AreaClass, MapClasses, SquareClass
from scheme.publication.document import find_square
from scheme.publication.grid import Square
from tests.publication.examples import classes_of, county, file_of, grid, place_in, row, rows_of, rules


def square_of(found: MapClasses, square: Square) -> SquareClass:
    [item] = [item for item in found.squares if item.square == square]
    return item


@pytest.mark.parametrize(
    ("values", "expected"),
    [([5], 5), ([5, 9], 5), ([9, 5, 7], 7), ([1, 2, 3, 4], 2), ([4, 4, 1], 4)],
)
def test_half_of_the_transformers_or_more_reach_the_lower_median(values: list[int], expected: int) -> None:
    assert lower_median(values) == expected
    assert sum(value >= expected for value in values) * 2 >= len(values)


def test_a_square_with_three_transformers_shows_the_class_of_their_median() -> None:
    found = classes_of(rows_of({(0, 0): [5, 60, 300]}))
    item = square_of(found, (0, 0))
    assert item.own == AreaClass(status="banded", band=2)  # 60 kVA: from 50 to below 100
    assert item.surroundings is None
    assert found.bands == {grid().cell_id((0, 0)): 2}


def test_a_square_with_two_is_suppressed_whatever_they_could_take() -> None:
    found = classes_of(rows_of({(0, 0): [900, 900], (1, 0): [1, 1, 1]}))
    item = square_of(found, (0, 0))
    assert item.own == SUPPRESSED
    assert item.surroundings == SUPPRESSED  # the rest of the block is these two


def test_a_square_is_suppressed_where_too_few_customers_are_behind_it() -> None:
    few = [row(f"T{n}", (0, 0), 60, customers=0) for n in range(2)] + [row("T2", (0, 0), 60, customers=2)]
    others = rows_of({(1, 1): [60, 60, 60]})
    assert square_of(classes_of([*few, *others]), (0, 0)).own == SUPPRESSED
    enough = [row(f"T{n}", (0, 0), 60, customers=1) for n in range(3)]
    assert square_of(classes_of(enough), (0, 0)).own.status == "banded"


def test_thin_squares_of_a_block_show_one_class_together() -> None:
    found = classes_of(rows_of({(0, 0): [20, 20], (3, 3): [150], (1, 1): [400, 400, 400], (4, 0): [5]}))
    for square in [(0, 0), (3, 3), (2, 2)]:  # the last one is empty and looks the same
        item = square_of(found, square)
        assert item.own == SUPPRESSED
        assert item.surroundings == AreaClass(status="banded", band=1)  # 20, 20, 150: median 20
    assert square_of(found, (1, 1)).own.band == 4
    assert {item.square for item in found.squares} == set(grid().squares_of((0, 0)))  # block (1, 0) shows nothing


def test_no_transformer_stands_behind_two_classes_so_nothing_can_be_subtracted() -> None:
    """Each published class rests on at least three transformers that no other published class rests on."""
    network = county()
    found = classes_of(network.rows, at=network.grid)
    squares = network.grid.locate([r.lon_deg for r in network.rows], [r.lat_deg for r in network.rows])
    by_square = {item.square: item for item in found.squares}
    areas: Counter[tuple[str, Square]] = Counter()
    for square in squares:
        assert square is not None
        item = by_square.get(square)
        if item is not None and item.own.status != "suppressed":
            areas["square", square] += 1
        elif item is not None and item.surroundings is not None and item.surroundings.status != "suppressed":
            areas["block", network.grid.block_of(square)] += 1
    shown = {("square", item.square) for item in found.squares if item.own.status != "suppressed"} | {
        ("block", network.grid.block_of(item.square))
        for item in found.squares
        if item.surroundings is not None and item.surroundings.status != "suppressed"
    }
    assert set(areas) == shown
    assert min(areas.values()) >= 3


def test_nobody_can_tell_an_empty_square_from_one_with_a_single_transformer() -> None:
    base = {(0, 0): [60.0, 70.0, 80.0], (2, 2): [20.0, 30.0]}
    in_the_west = json.loads(file_of(rows_of({**base, (1, 3): [22.0]})))
    in_the_east = json.loads(file_of(rows_of({**base, (3, 1): [22.0]})))
    assert in_the_west["features"] == in_the_east["features"]


def test_unknown_is_neither_zero_nor_suppressed() -> None:
    rows = rows_of({(0, 0): [None, None, 90], (1, 0): [0, 3, 9], (2, 0): [50]})
    told: dict[str, Any] = {}
    document = file_of(rows)
    for name, square in [("unknown", (0, 0)), ("zero", (1, 0)), ("suppressed", (2, 0))]:
        feature = find_square(document, *place_in(square))
        assert feature is not None
        told[name] = feature["properties"]["class"]
    assert told == {name: name for name in told}
    legend = {item["class"]: item for item in json.loads(document)["legend"]}
    assert (legend["zero"]["open_kva_min"], legend["zero"]["open_kva_below"]) == (0, 10)
    assert legend["unknown"]["open_kva_min"] is None
    assert len({item["label"] for item in legend.values()}) == len(legend) == 8


def test_a_class_needs_three_known_values() -> None:
    found = classes_of(rows_of({(0, 0): [None, 60, 60, 60], (1, 0): [None, None, 60, 60]}))
    assert square_of(found, (0, 0)).own == AreaClass(status="banded", band=2)
    assert square_of(found, (1, 0)).own == AreaClass(status="unknown")


def test_memory_keeps_the_class_near_an_edge() -> None:
    before = classes_of(rows_of({(0, 0): [40, 48, 90]}))
    assert square_of(before, (0, 0)).own.band == 1
    after = classes_of(rows_of({(0, 0): [40, 53, 90]}), previous=before.bands)
    assert square_of(after, (0, 0)).own.band == 1  # 53 is 6 % beyond 50
    later = classes_of(rows_of({(0, 0): [40, 55, 90]}), previous=after.bands)
    assert square_of(later, (0, 0)).own.band == 2


def test_restricted_means_half_of_them_and_is_empty_without_a_list() -> None:
    listed = [row(f"T{n}", (0, 0), 60, is_restricted=n < 2) for n in range(4)]
    assert square_of(classes_of(listed), (0, 0)).own.is_restricted is True
    less = [row(f"T{n}", (0, 0), 60, is_restricted=n < 1) for n in range(4)]
    assert square_of(classes_of(less), (0, 0)).own.is_restricted is False
    assert square_of(classes_of(rows_of({(0, 0): [60, 60, 60]})), (0, 0)).own.is_restricted is None


def test_transformers_without_a_place_are_left_out() -> None:
    nowhere = row("T9", (0, 0), 60, lon_deg=float("nan"))
    assert classes_of([*rows_of({(0, 0): [60, 60]}), nowhere]).squares == ()


def test_the_same_rows_in_any_order_give_the_same_bytes() -> None:
    rows = rows_of({(0, 0): [5, 60, 300], (2, 3): [1, 2], (-3, 1): [80, 90, 100]})
    assert file_of(rows) == file_of(rows[::-1])


def test_every_answer_within_a_square_is_the_same() -> None:
    document = file_of(rows_of({(0, 0): [5, 60, 300], (1, 0): [7, 8, 9]}))
    shares = [0.001, 0.2, 0.5, 0.77, 0.999]
    answers = [find_square(document, *place_in((0, 0), east, north)) for east in shares for north in shares]
    assert all(answer == answers[0] and answer is not None for answer in answers)
    assert find_square(document, *place_in((9, 9))) is None


def test_edges_of_the_classes_are_those_of_the_rules() -> None:
    assert rules().band_edges_kva == (10, 50, 100, 200, 500)
    legend = json.loads(file_of(rows_of({(0, 0): [1, 2, 3]})))["legend"]
    bands = [(item["class"], item["open_kva_min"], item["open_kva_below"]) for item in legend[:6]]
    assert bands == [
        ("zero", 0, 10),
        ("10_50", 10, 50),
        ("50_100", 50, 100),
        ("100_200", 100, 200),
        ("200_500", 200, 500),
        ("ge_500", 500, None),
    ]
