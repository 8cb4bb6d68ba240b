"""The fixed squares of the public map: where they lie is drawn once, kept secret and never changed.

A grid that moved would, read twice, say where within its squares the equipment stands; a grid laid by the equipment
would say it at once. So the plane is centred on a round degree and shifted by a secret amount. The squares' corners are
published and say nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridmodel.errors import InputError
from gridmodel.geometry import LocalPlane

Square = tuple[int, int]
"""Column to the east and row to the north, of a square or of a block."""
Corners = tuple[tuple[float, float], ...]
"""Longitude and latitude (degrees), counter-clockwise from the south-west, four of them."""

SECRET_BYTES = 32
CORNER_DECIMALS = 6
"""A tenth of a metre: no more than a corner needs."""
_ID_CHARACTERS = 12
_CENTRE_STEP_DEG = 0.5
_FRACTION_BITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSecret:
    """All that the squares follow from; kept on the internal side only."""

    key_hex: str
    """Secret the shift and the identifiers come from."""
    lon0_deg: float
    lat0_deg: float
    cell_side_m: float
    block_side_cells: int

    def to_json(self) -> str:
        """Return the secret as the internal store keeps it."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def read(cls, text: str) -> GridSecret:
        """Return what :meth:`to_json` wrote."""
        return cls(**json.loads(text))


def found_grid(
    lon_deg: ArrayLike, lat_deg: ArrayLike, *, key: bytes, cell_side_m: float, block_side_cells: int
) -> GridSecret:
    """Return a new grid for the area of the places given.

    Args:
        lon_deg: Longitudes of the transformers (degrees).
        lat_deg: Latitudes (degrees).
        key: Secret random bytes.
        cell_side_m: Side of a square.
        block_side_cells: Squares along the side of a block.

    Raises:
        InputError: No place is known.
        ValueError: The secret is too short, or a side is not positive.
    """
    if len(key) < SECRET_BYTES or not cell_side_m > 0.0 or block_side_cells < 1:
        raise ValueError("a grid needs a secret of 32 bytes and positive sides")
    lon, lat = np.asarray(lon_deg, dtype=float), np.asarray(lat_deg, dtype=float)
    if not np.isfinite(lon).any() or not np.isfinite(lat).any():
        raise InputError("no transformer has a place, so there is nothing to lay squares over", field="coordinates")
    return GridSecret(
        key_hex=key.hex(),
        lon0_deg=_round_degree(float(np.nanmedian(lon))),
        lat0_deg=_round_degree(float(np.nanmedian(lat))),
        cell_side_m=cell_side_m,
        block_side_cells=block_side_cells,
    )


def _round_degree(value_deg: float) -> float:
    return round(value_deg / _CENTRE_STEP_DEG) * _CENTRE_STEP_DEG


class CellGrid:
    """The squares of one secret."""

    def __init__(self, secret: GridSecret) -> None:
        self.secret = secret
        self._key = bytes.fromhex(secret.key_hex)
        self._plane = LocalPlane(secret.lon0_deg, secret.lat0_deg)
        block_side_m = secret.cell_side_m * secret.block_side_cells
        self._shift_x_m, self._shift_y_m = (self._fraction(axis) * block_side_m for axis in ("x", "y"))

    def locate(self, lon_deg: ArrayLike, lat_deg: ArrayLike) -> list[Square | None]:
        """Return the square of each place, ``None`` where a place is not known."""
        x_m, y_m = self._plane.to_metres(lon_deg, lat_deg)
        side_m = self.secret.cell_side_m
        columns = np.floor((np.atleast_1d(x_m) + self._shift_x_m) / side_m)
        rows = np.floor((np.atleast_1d(y_m) + self._shift_y_m) / side_m)
        return [
            (int(column), int(row)) if math.isfinite(column) and math.isfinite(row) else None
            for column, row in zip(columns, rows, strict=True)
        ]

    def block_of(self, square: Square) -> Square:
        """Return the block a square lies in."""
        side = self.secret.block_side_cells
        return square[0] // side, square[1] // side

    def squares_of(self, block: Square) -> list[Square]:
        """Return all squares of a block, from the south-west, row by row."""
        side = self.secret.block_side_cells
        return [(block[0] * side + east, block[1] * side + north) for north in range(side) for east in range(side)]

    def cell_id(self, square: Square) -> str:
        """Return the identifier of a square, the same for ever; it does not tell where the square lies."""
        return f"c_{self._opaque('cell', square)}"

    def block_id(self, block: Square) -> str:
        """Return the identifier of a block."""
        return f"b_{self._opaque('block', block)}"

    def corners(self, squares: Sequence[Square]) -> list[Corners]:
        """Return the corners of squares; neighbours share theirs to the last digit."""
        lattice = sorted({(c + e, r + n) for c, r in squares for e in (0, 1) for n in (0, 1)})
        if not lattice:
            return []
        columns, rows = np.array(lattice, dtype=float).T
        lon_deg, lat_deg = self._to_degrees(columns, rows)
        found = {
            place: (round(float(lon), CORNER_DECIMALS), round(float(lat), CORNER_DECIMALS))
            for place, lon, lat in zip(lattice, lon_deg, lat_deg, strict=True)
        }
        around = ((0, 0), (1, 0), (1, 1), (0, 1))
        return [tuple(found[column + e, row + n] for e, n in around) for column, row in squares]

    def _to_degrees(
        self, columns: NDArray[np.float64], rows: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        side_m = self.secret.cell_side_m
        return self._plane.to_degrees(columns * side_m - self._shift_x_m, rows * side_m - self._shift_y_m)

    def _fraction(self, axis: str) -> float:
        """Return a secret number from 0 to below 1."""
        return float(int(self._hmac(f"shift:{axis}")[: _FRACTION_BITS // 4], 16) / 2**_FRACTION_BITS)

    def _opaque(self, kind: str, place: Square) -> str:
        return self._hmac(f"{kind}:{place[0]}:{place[1]}")[:_ID_CHARACTERS]

    def _hmac(self, message: str) -> str:
        return hmac.new(self._key, message.encode(), hashlib.sha256).hexdigest()
