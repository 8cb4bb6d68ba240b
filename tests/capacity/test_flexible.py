"""Flexible connection: hand calculations, and plain pandapower hour by hour."""

import math

import numpy as np
import pytest

from gridmodel.capacity.flexible import capacity_for_shape, flexible_capacity, shape_by_hour_of_day
from gridmodel.capacity.hours import capacity_over_hours
from gridmodel.errors import InputError
from gridmodel.net import copy_net
from gridmodel.profiles import LoadProfiles, hour_of_year
from tests.capacity.independent_check import Net, counted, loaded, readings, solve
from tests.capacity.random_nets import random_net
from tests.capacity.test_hours import LIMITS, simbench, two_buses, typed_profiles, with_types

HOURS = ("01-workday-00", "01-workday-12", "07-workday-00", "07-workday-12", "07-weekend-12")


def seasons():
    """Bus 1 of ``two_buses`` carries 0.95 MW at its limit; 0.4 MW times these multipliers is there already."""
    values = np.array([0.5, 1.0, 0.25, 0.5, 0.75])[:, None]
    return LoadProfiles(hours=HOURS, names=("home",), p=values, q=values)


def is_just_below(value_kw, limit_kw):
    return limit_kw - 0.2 <= value_kw <= limit_kw


@pytest.mark.parametrize("method", ["screened", "full"])
def test_each_hour_of_day_carries_the_least_of_its_days(method):
    row = flexible_capacity(two_buses(), seasons(), limits=LIMITS, power_factor=1.0, method=method).loc[1]
    assert is_just_below(row.h00_kw, 950.0 - 200.0)  # January is worse than July
    assert is_just_below(row.h12_kw, 950.0 - 400.0)
    assert row.firm_kw == row.h12_kw
    # two hours of 00 and three of 12: (2 x 750 + 3 x 550) / 5 = 630 kW on average, against 550 kW
    assert row.flexible_gain_ratio == pytest.approx(630.0 / 550.0 - 1.0, abs=1e-3)


def test_seasons_are_told_apart():
    table = flexible_capacity(two_buses(), seasons(), limits=LIMITS, power_factor=1.0, by="season_hour")
    row = table.loc[1]
    expected = {"winter_h00_kw": 750.0, "winter_h12_kw": 550.0, "summer_h00_kw": 850.0, "summer_h12_kw": 650.0}
    columns = [name for name in table.columns if name not in ("status", "reason", "firm_kw", "flexible_gain_ratio")]
    assert columns == list(expected)
    assert all(is_just_below(row[name], value) for name, value in expected.items())
    assert is_just_below(row.firm_kw, 550.0)


@pytest.mark.parametrize("method", ["screened", "full"])
def test_a_shape_is_bound_by_the_least_room_for_its_share(method):
    """Room is 750, 550, 850, 750, 650 kW; over the shares 1500, 1100, 850, 937.5 kW: July midnight binds."""
    shape = dict(zip(HOURS, [0.5, 0.5, 1.0, 0.8, 0.0], strict=True))
    table = capacity_for_shape(two_buses(), seasons(), shape, limits=LIMITS, power_factor=1.0, method=method)
    assert is_just_below(table.capacity_kw[1], 850.0)
    assert (table.limit_kind[1], table.limit_hour[1]) == ("voltage_low", "07-workday-00")


def test_a_shape_can_be_bound_where_its_own_peak_is_not():
    shape = dict(zip(HOURS, [0.0, 0.9, 1.0, 0.0, 0.0], strict=True))
    table = capacity_for_shape(two_buses(), seasons(), shape, limits=LIMITS, power_factor=1.0)
    assert is_just_below(table.capacity_kw[1], 550.0 / 0.9)
    assert table.limit_hour[1] == "01-workday-12"
    assert table.capacity_kw[0] == 1e6  # an ideal source is bound by nothing


def test_a_flat_shape_is_the_firm_capacity():
    net, limits = random_net(3)
    profiles, flat = typed_profiles(2, 6, seed=3), dict.fromkeys([f"h{i}" for i in range(6)], 1.0)
    with_types(net, 2, seed=3)
    firm = capacity_over_hours(net, profiles, limits=limits, confirm_nodes=0)
    shaped = capacity_for_shape(net, profiles, flat, limits=limits, confirm_nodes=0)
    columns = ["capacity_kw", "limit_kind", "limit_element", "limit_hour"]
    assert firm[columns].equals(shaped[columns])


def hourly(profiles):
    """Give the hours of a day labels that tell the hour."""
    labels = tuple(f"07-workday-{hour:02d}" for hour in range(len(profiles.hours)))
    return LoadProfiles(hours=labels, names=profiles.names, p=profiles.p, q=profiles.q)


def in_hour(net, profiles, hour):
    single = copy_net(net)
    column = single.load.profile.str.removeprefix("type").astype(int).to_numpy()
    single.load["p_mw"] *= profiles.p[hour, column]
    single.load["q_mvar"] *= profiles.q[hour, column]
    return single


def hurt(net, bus, p_kw):
    """What plain pandapower finds broken and counted with ``p_kw`` more at ``bus``."""
    on_path, _ = Net(net).supply_path(bus)
    base = copy_net(net)
    assert solve(base)
    trial = loaded(net, bus, p_kw, 0.95)
    return counted(readings(base, LIMITS), readings(trial, LIMITS), on_path, LIMITS)


def test_plain_pandapower_holds_below_the_curve_in_every_hour_and_breaks_above_it():
    net = simbench()
    net.load[["p_mw", "q_mvar"]] *= 1.5
    with_types(net, 3, seed=1)
    profiles = hourly(typed_profiles(3, 6, seed=1))
    buses = net.bus.index[5::40].tolist()
    table = flexible_capacity(net, profiles, limits=LIMITS, buses=buses)
    for hour in range(6):
        single = in_hour(net, profiles, hour)
        for bus, value_kw in table[f"h{hour:02d}_kw"].items():
            assert not hurt(single, bus, value_kw)
            assert hurt(single, bus, value_kw + 10.0)
    assert (table.firm_kw > 0.0).all()
    assert table.firm_kw.equals(table.filter(regex=r"^h\d").min(axis=1))


def test_a_load_of_the_shape_holds_in_every_hour_of_plain_pandapower_and_a_larger_one_breaks_in_the_hour_named():
    net = simbench()
    net.load[["p_mw", "q_mvar"]] *= 1.5
    with_types(net, 3, seed=2)
    profiles = hourly(typed_profiles(3, 6, seed=2))
    shape = shape_by_hour_of_day(profiles, [0.2, 0.5, 1.0, 0.9, 0.6, 0.0] + [0.0] * 18)
    buses = net.bus.index[7::50].tolist()
    table = capacity_for_shape(net, profiles, shape, limits=LIMITS, buses=buses)
    for hour, label in enumerate(profiles.hours):
        single = in_hour(net, profiles, hour)
        for bus, row in table.iterrows():
            assert not hurt(single, bus, row.capacity_kw * shape[label])
            if label == row.limit_hour:
                assert hurt(single, bus, (row.capacity_kw + 20.0) * shape[label])


def test_generation_is_bound_in_the_hour_of_least_load():
    """Bus 1 may rise to 1.07 pu: 1.07 x 0.07 x (10 kV)^2 / 5 ohm = 1.498 MW fed in, and what the load takes there."""
    net, profiles = two_buses(), seasons()
    table = capacity_over_hours(net, profiles, limits=LIMITS, power_factor=1.0, direction="generation")
    assert is_just_below(table.capacity_kw[1], 1498.0 + 100.0)
    assert (table.limit_kind[1], table.limit_hour[1]) == ("voltage_high", "07-workday-00")
    curve = flexible_capacity(net, profiles, limits=LIMITS, power_factor=1.0, direction="generation").loc[1]
    assert is_just_below(curve.h12_kw, 1498.0 + 200.0)


def test_a_bus_that_cannot_be_assessed_in_one_hour_has_no_curve():
    values = np.array([0.5, 13.0])[:, None]  # 5.2 MW are more than the line can carry
    profiles = LoadProfiles(hours=HOURS[:2], names=("home",), p=values, q=values)
    row = flexible_capacity(two_buses(), profiles, limits=LIMITS).loc[1]
    assert row.status == "not_assessable"
    assert math.isnan(row.firm_kw)
    assert math.isnan(row.h00_kw)


def test_a_callback_that_raises_ends_the_calculation_and_work_is_counted_up():
    seen = []

    class CancelledError(Exception):
        pass

    def stop(done, total):
        seen.append((done, total))
        if len(seen) == 2:
            raise CancelledError

    with pytest.raises(CancelledError):
        flexible_capacity(two_buses(), seasons(), limits=LIMITS, progress=stop)
    assert seen[0][0] < seen[1][0] <= seen[1][1]


@pytest.mark.parametrize(
    ("label", "month", "hour"),
    [("07-workday-18", 7, 18), ("24.06.2016 18:15", 6, 18), ("2026-12-01T00:00", 12, 0)],
)
def test_labels_tell_month_and_hour(label, month, hour):
    assert (hour_of_year(label).month, hour_of_year(label).hour) == (month, hour)


@pytest.mark.parametrize("label", ["h3", "13-workday-00", "07-workday-24", "24.06.2016"])
def test_a_label_without_month_and_hour_is_refused(label):
    with pytest.raises(InputError, match=label):
        hour_of_year(label)


@pytest.mark.parametrize(
    "shares", [[0.5, 0.5, 1.0, 0.8], [0.5, 0.5, 1.1, 0.8, 0.0], [0.5, -0.1, 1.0, 0.8, 0.0], [0.0] * 5]
)
def test_a_shape_that_does_not_fit_is_refused(shares):
    shape = dict(zip(HOURS, shares, strict=False))
    with pytest.raises(InputError, match="shape"):
        capacity_for_shape(two_buses(), seasons(), shape, limits=LIMITS)


def test_unknown_choices_are_refused():
    with pytest.raises(InputError, match="by"):
        flexible_capacity(two_buses(), seasons(), limits=LIMITS, by="week")
    with pytest.raises(InputError, match="method"):
        flexible_capacity(two_buses(), seasons(), limits=LIMITS, method="fast")
    with pytest.raises(InputError, match="24"):
        shape_by_hour_of_day(seasons(), [1.0] * 23)
