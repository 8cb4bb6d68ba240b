"""The points of the county: read, turned and moved rigidly in a plane in metres, so that no real utility is shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridmodel.geometry import LocalPlane

SOURCE = Path(__file__).parents[2] / "fixtures" / "county" / "transformers.csv"


@dataclass(frozen=True, eq=False, kw_only=True)
class Points:
    """Transformer positions in the plane of the county, shape (n,) or (n, 2)."""

    xy_m: np.ndarray
    """East and north of the county's middle (m)."""
    code: np.ndarray
    """Feeder of the source, as a number."""
    source_kva: np.ndarray
    """Rating in the source; only its rank counts."""


def read_source() -> pd.DataFrame:
    """Return the points as they stand in the source."""
    return pd.read_csv(SOURCE, dtype={"transformer_id": str, "feeder_code": str})


def place_points(choices: dict[str, Any]) -> Points:
    """Return the points turned about their middle, which becomes the middle of the county."""
    source = read_source()
    middle = [float(source[column].min() + source[column].max()) / 2.0 for column in ("lon_deg", "lat_deg")]
    x_m, y_m = LocalPlane(*middle).to_metres(source.lon_deg, source.lat_deg)
    angle = np.radians(choices["place"]["rotation_deg"])
    turned = np.column_stack([x_m * np.cos(angle) - y_m * np.sin(angle), x_m * np.sin(angle) + y_m * np.cos(angle)])
    return Points(
        xy_m=turned.round(2),
        code=pd.factorize(source.feeder_code)[0],
        source_kva=source.sn_kva.to_numpy(dtype=float),
    )


def to_degrees(xy_m: np.ndarray, choices: dict[str, Any], county: int) -> tuple[np.ndarray, np.ndarray]:
    """Return longitude and latitude (WGS 84) of points of the plane; ``county`` 0 stands at the chosen place."""
    place = choices["place"]
    row, column = divmod(county, place["counties_per_row"])
    first = LocalPlane(place["lon_deg"], place["lat_deg"])
    lon_deg, lat_deg = first.to_degrees(column * place["county_pitch_m"], -row * place["county_pitch_m"])
    lon, lat = LocalPlane(float(lon_deg), float(lat_deg)).to_degrees(xy_m[:, 0], xy_m[:, 1])
    return lon.round(7), lat.round(7)
