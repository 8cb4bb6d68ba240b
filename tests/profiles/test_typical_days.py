"""The typed profiles against figures taken from SimBench's files by another program (awk)."""

from pathlib import Path

import pandas as pd
import pytest

from gridmodel.profiles import read_profiles
from tests.county.choices import read_choices
from tests.profiles.__main__ import LOAD_TYPES, PV_TYPE, typical_days

FIXTURE = Path(__file__).parents[2] / "fixtures" / "profiles" / "simbench_types.csv"


def test_there_is_one_profile_for_every_type_the_county_names():
    profiles = read_profiles(FIXTURE)
    assert (len(profiles.hours), profiles.names, profiles.generation_names) == (576, LOAD_TYPES, (PV_TYPE,))
    assert {name for name, _ in read_choices()["loads"]["profiles"]} == set(LOAD_TYPES)


def test_values_are_those_of_the_source():
    """Means of 84 quarter hours (21 workdays of July 2016) by awk; 0.494171 and 0.716369 are the greatest means."""
    profiles = read_profiles(FIXTURE)
    evening, noon = profiles.hours.index("07-workday-18"), profiles.hours.index("07-workday-12")
    p = dict(zip(profiles.names, profiles.p[evening], strict=True))
    assert p["H0-A"] == pytest.approx(0.0423855 / 0.494171, abs=5e-5)
    assert p["G0-A"] == pytest.approx(0.543022 / 0.716369, abs=5e-5)
    assert profiles.generation[noon, 0] == pytest.approx(0.3225, abs=5e-5)
    assert profiles.p.max(axis=0).tolist() == [1.0] * 7
    assert profiles.q.max(axis=0).tolist() == [1.0] * 7


def test_months_day_types_and_hours_are_told_apart(tmp_path):
    """2016-01-01 was a Friday: 0.25 on that day, 0.5 on the Saturday, 1 on the first Monday of February."""
    times = ["01.01.2016 18:00", "01.01.2016 18:45", "02.01.2016 18:00", "01.02.2016 18:00", "01.02.2016 19:00"]
    values = [0.25, 0.25, 0.5, 1.0, 0.75]
    load = {f"{name}_{q}load": values for name in LOAD_TYPES for q in "pq"}
    for name, columns in (("LoadProfile.csv", load), ("RESProfile.csv", {PV_TYPE: values})):
        pd.DataFrame({"time": times} | columns).to_csv(tmp_path / name, sep=";", index=False)
    frame = typical_days(tmp_path)
    expected = {"01-weekend-18": 0.5, "01-workday-18": 0.25, "02-workday-18": 1.0, "02-workday-19": 0.75}
    assert frame["H0-A_pload"].to_dict() == expected
    assert frame[f"{PV_TYPE}_pgen"].to_dict() == expected
