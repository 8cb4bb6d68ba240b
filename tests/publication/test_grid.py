from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from gridmodel.errors import InputError
from gridmodel.geometry import distance_m
from scheme.publication.grid import CellGrid, GridSecret, found_grid
from tests.publication.examples import KEY, SECRET, grid, place_in


def test_squares_are_squares_of_the_side_asked_for() -> None:
    # geodesic distances on the ellipsoid; the plane is 40 km from its centre there
    for square in [(0, 0), (30, -30), (-40, 7)]:
        [corners] = grid().corners([square])
        sides = [float(distance_m(*corners[n], *corners[(n + 1) % 4])) for n in range(4)]
        assert sides == pytest.approx([1000.0] * 4, abs=0.2)


def test_neighbours_share_their_corners_to_the_last_digit() -> None:
    west, east = grid().corners([(3, 5), (4, 5)])
    assert (west[1], west[2]) == (east[0], east[3])


def test_a_place_lies_in_the_square_whose_corners_are_around_it() -> None:
    for square in [(0, 0), (-1, -1), (17, -20)]:
        for share in (0.001, 0.5, 0.999):
            assert grid().locate(*place_in(square, share, share)) == [square]


def test_a_place_that_is_not_known_lies_in_no_square() -> None:
    assert grid().locate([np.nan, 115.0], [33.5, np.nan]) == [None, None]


def test_blocks_divide_the_squares_without_overlap() -> None:
    for square in [(0, 0), (3, 3), (-1, -4), (4, 0)]:
        assert square in grid().squares_of(grid().block_of(square))
    assert len({s for block in [(0, 0), (-1, 0), (0, -1)] for s in grid().squares_of(block)}) == 3 * 16


def test_identifiers_are_the_same_for_ever_and_do_not_tell_the_place() -> None:
    again = CellGrid(GridSecret.read(SECRET.to_json()))
    ids = [grid().cell_id((c, r)) for c in range(20) for r in range(20)]
    assert ids == [again.cell_id((c, r)) for c in range(20) for r in range(20)]
    assert len(set(ids)) == 400
    # neighbours differ like strangers: 12 hexadecimal digits agree in a sixteenth of their places
    alike = [sum(a == b for a, b in zip(x[2:], y[2:], strict=True)) / 12 for x, y in itertools.pairwise(ids)]
    assert np.mean(alike) == pytest.approx(1 / 16, abs=0.02)


def test_another_secret_lays_other_squares_with_other_identifiers() -> None:
    other = CellGrid(replace(SECRET, key_hex=bytes(range(1, 33)).hex()))
    assert other.corners([(0, 0)]) != grid().corners([(0, 0)])
    assert other.cell_id((0, 0)) != grid().cell_id((0, 0))


def test_the_squares_do_not_follow_the_equipment() -> None:
    """Moving all transformers by kilometres moves no corner: the centre is a round degree, the shift a secret."""
    lon_deg, lat_deg = np.array([115.01, 115.12]), np.array([33.41, 33.52])
    options = {"key": KEY, "cell_side_m": 1000.0, "block_side_cells": 4}
    first = found_grid(lon_deg, lat_deg, **options)  # type: ignore[arg-type]
    moved = found_grid(lon_deg + 0.03, lat_deg - 0.02, **options)  # type: ignore[arg-type]
    assert first == moved
    assert (first.lon0_deg, first.lat0_deg) == (115.0, 33.5)


def test_the_shift_reaches_over_a_whole_block() -> None:
    shifts = []
    for number in range(200):
        secret = replace(SECRET, key_hex=(bytes([number]) * 32).hex())
        [corners] = CellGrid(secret).corners([(0, 0)])
        x_m, y_m = ((corners[0][0] - 115.0) * 92_900, (corners[0][1] - 33.5) * 110_900)
        shifts += [-x_m, -y_m]
    # 400 draws, uniform from 0 to 4 km: mean 2 km with a standard error of 58 m
    assert min(shifts) >= 0.0
    assert max(shifts) <= 4_010.0
    assert np.mean(shifts) == pytest.approx(2000.0, abs=4 * 58)


def test_a_grid_is_not_founded_on_nothing() -> None:
    with pytest.raises(InputError, match="no transformer has a place"):
        found_grid([np.nan], [np.nan], key=KEY, cell_side_m=1000.0, block_side_cells=4)
    with pytest.raises(ValueError, match="secret of 32 bytes"):
        found_grid([115.0], [33.5], key=b"short", cell_side_m=1000.0, block_side_cells=4)


def test_the_secret_is_kept_as_plain_text_and_read_back() -> None:
    assert GridSecret.read(SECRET.to_json()) == SECRET
    assert json.loads(SECRET.to_json())["cell_side_m"] == 1000.0
