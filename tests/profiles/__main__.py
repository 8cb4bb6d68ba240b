"""Write 12 months x 2 day types x 24 hours of mean multipliers from SimBench's year of quarter hours."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

LOAD_TYPES = ("H0-A", "H0-B", "H0-L", "G0-A", "G3-A", "L0-A", "L2-A")
"""Those the loads of the reference county name."""
PV_TYPE = "PV5"
FIRST_WEEKEND_DAY = 5  # Saturday, counted from Monday = 0
DIGITS = 4


def typical_days(folder: Path) -> pd.DataFrame:
    """Return one row per month, day type and hour of day, labelled ``07-workday-18``, with one column per profile.

    Every value is the mean of the month's quarter hours. Load columns are then divided by their greatest value, so
    that 1 is the load in the type's own peak hour; the generation column stays a share of the rating.
    """
    load = _read(folder / "LoadProfile.csv", [f"{name}_{q}load" for name in LOAD_TYPES for q in "pq"])
    generation = _read(folder / "RESProfile.csv", [PV_TYPE]).add_suffix("_pgen")
    means = [frame.groupby(_labels(frame.index), sort=True).mean() for frame in (load, generation)]
    return pd.concat([means[0] / means[0].max(), means[1]], axis=1).round(DIGITS)


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    frame = pd.read_csv(path, sep=";", usecols=["time", *columns])
    frame.index = pd.to_datetime(frame.pop("time"), format="%d.%m.%Y %H:%M")
    return frame[columns]


def _labels(times: pd.DatetimeIndex) -> pd.Index:
    day = ["weekend" if day >= FIRST_WEEKEND_DAY else "workday" for day in times.dayofweek]
    labels = [f"{at.month:02d}-{kind}-{at.hour:02d}" for at, kind in zip(times, day, strict=True)]
    return pd.Index(labels, name="time")


def main(arguments: list[str]) -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(prog="python -m tests.profiles", description=__doc__)
    parser.add_argument("folder", type=Path, help="1-complete_data-mixed-all-0-sw of the package simbench")
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    options = parser.parse_args(arguments)
    typical_days(options.folder).to_csv(options.out, lineterminator="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
