"""Plausible bands (合理区间) and thresholds of the quality gate; the numbers stand in CSV files beside this module."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Values of one column that can be true at nominal voltages in ``(u_nominal_kv_min, u_nominal_kv_max]``."""

    table: str
    column: str
    u_nominal_kv_min: float
    u_nominal_kv_max: float
    low: float
    """Lowest plausible value, in ``unit``."""
    high: float
    """Highest plausible value, in ``unit``."""
    unit: str
    suspicion: str
    """What has probably happened to a value outside."""
    source: str


@cache
def load_bands() -> tuple[Band, ...]:
    """Return every band, in file order."""
    with resources.files(__package__).joinpath("plausible_bands.csv").open(encoding="utf-8") as file:
        return tuple(
            Band(
                table=row["table"],
                column=row["column"],
                u_nominal_kv_min=float(row["u_nominal_kv_min"]),
                u_nominal_kv_max=float(row["u_nominal_kv_max"]),
                low=float(row["low"]),
                high=float(row["high"]),
                unit=row["unit"],
                suspicion=row["suspicion"],
                source=row["source"],
            )
            for row in csv.DictReader(file)
        )


@cache
def _thresholds() -> dict[str, float]:
    with resources.files(__package__).joinpath("thresholds.csv").open(encoding="utf-8") as file:
        return {row["id"]: float(row["value"]) for row in csv.DictReader(file)}


def threshold(threshold_id: str) -> float:
    """Return one threshold; its unit is the last but one part of its name and stands in the file."""
    return _thresholds()[threshold_id]
