"""The part of a table that lies in a box."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def within(table: pd.DataFrame, box: tuple[float, float, float, float]) -> pd.DataFrame:
    """Return the rows whose place lies in the box (west, south, east, north in degrees); edges belong to it."""
    west, south, east, north = box
    return table[table["lon_deg"].between(west, east) & table["lat_deg"].between(south, north)]
