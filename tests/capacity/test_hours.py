"""Capacity over load profiles: closed forms, the minimum over single hours, and screening against all hours."""

import math
import random
from pathlib import Path

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridmodel import Limits, VoltageBand, open_capacity
from gridmodel.capacity import hour_screen
from gridmodel.capacity.hour_study import AUDIT_HOURS, TYPES_MAX
from gridmodel.capacity.hours import capacity_over_hours
from gridmodel.errors import InputError
from gridmodel.net import copy_net
from gridmodel.profiles import LoadProfiles, read_profiles, scaled_loads
from tests.capacity.cases import make_net
from tests.capacity.random_nets import random_net
from tests.county.build import build_county

FOLDER = Path(__file__).parents[2] / "fixtures" / "pandapower" / "simbench_10kv_urban"
PROFILES = Path(__file__).parents[2] / "fixtures" / "profiles" / "simbench_types.csv"
BAND = VoltageBand(u_nominal_kv_min=6.0, u_nominal_kv_max=20.0, u_pu_min=0.95, u_pu_max=1.07)
LIMITS = Limits(voltage_bands=(BAND,))
ANSWER = ["capacity_kw", "status", "limit_kind", "limit_table", "limit_element", "limit_hour"]


def two_buses():
    """A 10 kV source, a line of 5 ohm (1e-6 ohm of reactance, for the solver's start) and 0.4 MW behind it.

    By U2 (U1 - U2) / R the line delivers 0.95 * 0.05 * (10 kV)^2 / 5 ohm = 0.95 MW when bus 1 is at its lower limit of
    0.95 pu, and (10 kV)^2 / (4 * 5 ohm) = 5 MW at most.
    """
    line = {"line": 0, "from_bus": 0, "to_bus": 1, "length_km": 1.0, "r_ohm_per_km": 5.0, "x_ohm_per_km": 1e-6}
    net = make_net(
        {
            "buses": [{"bus": 0, "vn_kv": 10.0}, {"bus": 1, "vn_kv": 10.0}],
            "lines": [line | {"c_nf_per_km": 0.0, "max_i_ka": 10.0}],
            "ext_grids": [{"bus": 0, "vm_pu": 1.0}],
            "loads": [{"bus": 1, "p_mw": 0.4, "q_mvar": 0.0}],
        }
    )
    net.load["profile"] = "home"
    return net


def profiles_of(*multipliers, name="home"):
    values = np.array(multipliers, dtype=float)[:, None]
    return LoadProfiles(hours=tuple(f"h{i}" for i in range(len(values))), names=(name,), p=values, q=values)


def typed_profiles(types, hours, seed):
    """Smooth daily curves, each type with a peak of its own, and a little weather."""
    rng = np.random.default_rng(seed)
    hour = np.arange(hours)[:, None]
    daily = 0.6 + 0.4 * np.cos(2.0 * np.pi * (hour - 6.0 * np.arange(types)) / 24.0) + rng.uniform(0, 0.1, (hours, 1))
    return LoadProfiles(
        hours=tuple(f"h{i}" for i in range(hours)), names=tuple(f"type{i}" for i in range(types)), p=daily, q=daily**2
    )


def assert_same(one, other):
    pd.testing.assert_frame_equal(one[ANSWER], other[ANSWER], check_exact=True)


@pytest.mark.parametrize("method", ["full", "screened"])
def test_the_hour_with_the_most_load_binds(method):
    profiles = profiles_of(0.5, 1.0, 0.75)
    table = capacity_over_hours(two_buses(), profiles, limits=LIMITS, power_factor=1.0, method=method)
    row = table.loc[1]
    assert 549.8 <= row.capacity_kw <= 550.0  # 0.95 MW - 0.4 MW
    assert (row.limit_kind, row.limit_element, row.limit_hour) == ("voltage_low", 1, "h1")
    assert row.u_pu == pytest.approx((1.0 + math.sqrt(1.0 - 4.0 * 0.4 / 20.0)) / 2.0)


@pytest.mark.parametrize("method", ["full", "screened"])
def test_only_the_hours_asked_for_count(method):
    profiles = profiles_of(0.5, 1.0, 0.75)
    table = capacity_over_hours(
        two_buses(), profiles, limits=LIMITS, power_factor=1.0, method=method, hours=["h2", "h0"]
    )
    assert 649.8 <= table.capacity_kw[1] <= 650.0  # 0.95 MW - 0.3 MW
    assert table.limit_hour[1] == "h2"
    with pytest.raises(InputError, match="h9"):
        capacity_over_hours(two_buses(), profiles, limits=LIMITS, hours=["h9"])


@pytest.mark.parametrize("method", ["full", "screened"])
def test_of_hours_that_are_broken_without_the_load_the_worst_is_named(method):
    profiles = profiles_of(0.5, 3.0, 4.0, 3.5)  # 1.2, 1.6 and 1.4 MW are more than 0.95 MW
    table = capacity_over_hours(two_buses(), profiles, limits=LIMITS, power_factor=1.0, method=method)
    assert table.capacity_kw[1] == 0.0
    assert (table.limit_kind[1], table.limit_hour[1]) == ("existing_violation", "h2")


@pytest.mark.parametrize("method", ["full", "screened"])
def test_an_hour_without_solution_makes_its_island_not_assessable_and_is_named(method):
    net = two_buses()
    more = pp.create_buses(net, 2, vn_kv=10.0)
    pp.create_ext_grid(net, more[0])
    pp.create_line_from_parameters(net, *more, 1.0, 5.0, 1e-6, 0.0, 10.0)
    profiles = profiles_of(0.5, 1.0, 13.0, 0.75)  # 5.2 MW are more than 5 MW
    table = capacity_over_hours(net, profiles, limits=LIMITS, power_factor=1.0, method=method)
    assert (table.status[1], table.limit_hour[1]) == ("not_assessable", "h2")
    assert math.isnan(table.capacity_kw[1])
    assert table.reason[1].startswith("hour h2: ")
    assert 949.8 <= table.capacity_kw[more[1]] <= 950.0


def test_an_ideal_source_is_bound_by_no_hour():
    table = capacity_over_hours(two_buses(), profiles_of(0.5, 1.0), limits=LIMITS)
    assert table.limit_kind[0] == "ceiling"
    assert table.limit_hour[0] is None


def test_the_net_is_not_changed():
    net = two_buses()
    before = copy_net(net)
    capacity_over_hours(net, profiles_of(0.5, 1.0), limits=LIMITS)
    assert pp.toolbox.nets_equal(net, before)


def with_types(net, types, seed):
    rng = random.Random(seed)
    net.load["profile"] = [f"type{rng.randrange(types)}" for _ in net.load.index]
    return net


def test_every_hour_solved_alone_gives_the_same_minimum():
    net, limits = random_net(3)
    profiles = typed_profiles(2, 4, seed=3)
    with_types(net, 2, seed=3)
    table = capacity_over_hours(net, profiles, limits=limits, method="full")
    alone = []
    for hour in range(4):
        single = copy_net(net)
        column = single.load.profile.str.removeprefix("type").astype(int).to_numpy()
        single.load["p_mw"] *= profiles.p[hour, column]
        single.load["q_mvar"] *= profiles.q[hour, column]
        alone.append(open_capacity(single, limits=limits, confirm="none").capacity_kw)
    pd.testing.assert_series_equal(table.capacity_kw, pd.concat(alone, axis=1).min(axis=1), check_names=False)


@pytest.mark.parametrize(("seed", "hours"), [(2, 8), (3, 48), (7, 12), (4, 3)])
def test_screening_finds_what_all_hours_find_in_nets_of_all_kinds(seed, hours):
    net, limits = random_net(seed)  # 4 is ringed, 2 has voltage-dependent loads, 3 buses that only batches answer
    profiles = typed_profiles(4, hours, seed)
    with_types(net, 4, seed)
    screened = capacity_over_hours(net, profiles, limits=limits, confirm_nodes=2)
    assert_same(screened, capacity_over_hours(net, profiles, limits=limits, method="full", confirm_nodes=0))
    assert (screened.attrs["hours"]["buses_in_every_hour"] > 0) == (seed in (2, 4))


def simbench():
    return pp.from_json(str(FOLDER / "1-MV-urban--0-sw.json"))


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_screening_finds_what_all_hours_find_on_metered_types(scale):
    profiles = read_profiles(FOLDER / "load_profiles_peak_week_15min.csv")
    net = simbench()
    net.load[["p_mw", "q_mvar"]] *= scale
    hours = profiles.hours[::28]
    buses = net.bus.index[::3]
    screened = capacity_over_hours(net, profiles, limits=LIMITS, buses=buses, hours=hours)
    full = capacity_over_hours(net, profiles, limits=LIMITS, buses=buses, hours=hours, method="full", confirm_nodes=0)
    assert_same(screened, full)
    assert screened.attrs["hours"]["fallback"] == ""
    assert screened.attrs["hours"]["solved_ratio"] < 0.5 + AUDIT_HOURS / len(hours)
    assert full.limit_hour.nunique() > 1
    assert screened.attrs["hours"]["notes"] == (
        "134 of 134 static generators follow no known profile and keep their value",
    )


@pytest.mark.slow
def test_screening_finds_what_all_hours_of_a_year_of_typical_days_find_on_the_county():
    profiles = read_profiles(PROFILES)
    net = build_county().net
    limits = Limits(
        voltage_bands=(
            VoltageBand(u_nominal_kv_min=6.0, u_nominal_kv_max=20.0, u_pu_min=0.93, u_pu_max=1.07),
            VoltageBand(u_nominal_kv_min=0.2, u_nominal_kv_max=1.0, u_pu_min=0.93, u_pu_max=1.07),
        ),
        off_path_voltage_effect_pu=0.001,
        off_path_loading_effect_ratio=0.01,
    )
    screened = capacity_over_hours(net, profiles, limits=limits, confirm_nodes=20)
    full = capacity_over_hours(net, profiles, limits=limits, method="full", confirm_nodes=0)
    assert_same(screened, full)
    assert screened.attrs["hours"]["fallback"] == ""
    assert screened.attrs["hours"]["solved_ratio"] < 0.2
    assert full.attrs["hours"]["solved_ratio"] == 1.0
    assert screened.attrs["certificate"]["nodes_checked"] == 20


def test_screening_finds_what_all_hours_of_a_year_of_typical_days_find():
    profiles = read_profiles(PROFILES)
    net = simbench()
    net.load[["p_mw", "q_mvar"]] *= 1.5
    net.load["profile"] = [profiles.names[at % len(profiles.names)] for at in range(len(net.load))]
    net.sgen["profile"] = profiles.generation_names[0]
    buses = net.bus.index[::6]
    screened = capacity_over_hours(net, profiles, limits=LIMITS, buses=buses, confirm_nodes=2)
    full = capacity_over_hours(net, profiles, limits=LIMITS, buses=buses, method="full", confirm_nodes=0)
    assert_same(screened, full)
    assert screened.attrs["hours"]["hours_total"] == 576
    assert screened.attrs["hours"]["solved_ratio"] < 0.5


def test_screening_that_misses_an_hour_is_found_out(monkeypatch):
    profiles = profiles_of(*np.linspace(0.5, 1.0, 30))
    monkeypatch.setattr(hour_screen, "worst_hours", lambda *arguments: np.array([0]))
    table = capacity_over_hours(two_buses(), profiles, limits=LIMITS, power_factor=1.0)
    assert table.limit_hour[1] == "h29"
    assert table.attrs["hours"]["hours_solved"] == 30
    assert "audited" in table.attrs["hours"]["fallback"]


def test_metered_curves_are_solved_in_every_hour():
    net = two_buses()
    count = TYPES_MAX + 1
    for _ in range(count - 1):
        pp.create_load(net, 1, p_mw=0.001)
    net.load["profile"] = [f"meter{i}" for i in range(count)]
    values = np.random.default_rng(0).uniform(0.0, 1.0, (6, count))
    profiles = LoadProfiles(hours=tuple("abcdef"), names=tuple(f"meter{i}" for i in range(count)), p=values, q=values)
    solved = capacity_over_hours(net, profiles, limits=LIMITS).attrs["hours"]
    assert (solved["hours_solved"], solved["fallback"].split(",")[0]) == (6, f"{count} profiles in use")


def test_hours_that_repeat_are_solved_once():
    solved = capacity_over_hours(two_buses(), profiles_of(1.0, 0.5, 1.0, 0.5), limits=LIMITS, method="full")
    assert solved.attrs["hours"]["hours_solved"] == 2
    assert solved.limit_hour[1] == "h0"


def test_loads_and_generators_follow_their_own_profiles():
    net = two_buses()
    pp.create_load(net, 1, p_mw=0.7, q_mvar=0.1)
    pp.create_sgen(net, 1, p_mw=0.2, q_mvar=0.1)
    net.sgen["profile"] = "home"
    profiles = LoadProfiles(
        hours=("noon",), names=("home",), p=np.array([[0.5]]), q=np.array([[0.25]]),
        generation_names=("home",), generation=np.array([[0.75]]),
    )  # fmt: skip
    loads = scaled_loads(net, profiles, 0)
    assert loads.load_p_mw.tolist() == [0.2, 0.7]
    assert loads.load_q_mvar.tolist() == [0.0, 0.1]
    assert loads.sgen_p_mw.tolist() == pytest.approx([0.15])
    assert loads.sgen_q_mvar.tolist() == pytest.approx([0.075])
    assert loads.notes == ("1 of 2 loads follow no known profile and keep their value",)


GOOD = "step,time,home_pload,home_qload,roof_pgen\n1,08:00,0.5,0.4,0.1\n2,09:00,0.6,0.3,0.2\n"


def written(folder, text):
    path = folder / "profiles.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_profile_file_is_read(tmp_path):
    profiles = read_profiles(written(tmp_path, GOOD))
    assert (profiles.hours, profiles.names) == (("08:00", "09:00"), ("home",))
    assert (profiles.p.tolist(), profiles.q.tolist()) == ([[0.5], [0.6]], [[0.4], [0.3]])
    assert (profiles.generation_names, profiles.generation.tolist()) == (("roof",), [[0.1], [0.2]])


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("0.6", "nan", "home_pload"),
        ("0.6", "", "home_pload"),
        ("0.3", "1e999", "home_qload"),
        ("home_qload", "shop_qload", "home_qload"),
        ("home_qload", "home_pload", "home_pload"),
        ("home_qload", "colour", "colour"),
        ("time", "step2", "time"),
        ("09:00", "08:00", "time"),
        ("09:00", "", "time"),
    ],
)
def test_a_bad_profile_file_is_refused_with_its_place(tmp_path, old, new, field):
    with pytest.raises(InputError) as caught:
        read_profiles(written(tmp_path, GOOD.replace(old, new)))
    assert (caught.value.context["file"], caught.value.context["field"]) == ("profiles.csv", field)


@pytest.mark.parametrize("text", ["", "time,home_pload,home_qload\n", GOOD + "3,10:00,0.5\n", 'time,"a\n'])
def test_a_profile_file_without_hours_or_with_ragged_rows_is_refused(tmp_path, text):
    with pytest.raises(InputError, match=r"profiles\.csv"):
        read_profiles(written(tmp_path, text))


def test_a_multiplier_that_is_not_a_number_is_refused():
    with pytest.raises(InputError, match="home"):
        profiles_of(0.5, math.nan)
    with pytest.raises(InputError, match="shape"):
        LoadProfiles(hours=("a", "b"), names=("home",), p=np.ones((1, 1)), q=np.ones((2, 1)))
    with pytest.raises(InputError, match="more than once"):
        LoadProfiles(hours=("a", "a"), names=("home",), p=np.ones((2, 1)), q=np.ones((2, 1)))
