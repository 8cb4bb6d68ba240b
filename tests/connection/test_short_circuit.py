"""Expected values: IEC 60909 worked out by hand, of greatest and least case."""

import cmath
import math

import numpy as np
import pytest

from gridmodel.capacity.limits import Limits
from gridmodel.connection import ConnectionStudy
from gridmodel.snapshot import Snapshot
from tests.connection.grids import Grid
from tests.connection.test_assessment import LIMITS, radial, trial

ALPHA_PER_K = 0.004


def levels(snapshot: Snapshot, *, temperature_c: float | None = None, **changes: object) -> dict[str, float | None]:
    study = ConnectionStudy(snapshot, in_flight_coincidence_ratio=1.0, fault_conductor_temperature_c=temperature_c)
    result = study.assess(trial(**changes), limits=LIMITS)
    return {name: getattr(result, name) for name in ("ik3_ka", "ik3_min_ka", "ik3_customer_ka")}


def source_ohm(c: float, s_sc_mva: float, rx_ratio: float) -> complex:
    """Impedance of the 110 kV source seen from 10 kV."""
    z = c * 110.0**2 / s_sc_mva
    x = z / math.sqrt(1.0 + rx_ratio**2)
    return complex(rx_ratio * x, x) * (10.0 / 110.0) ** 2


def transformer_ohm() -> complex:
    """10 MVA, 4 %, resistance 1 %, at 10 kV, with the correction factor of 3.3.3 (c of the low-voltage side: 1.1)."""
    x_t = math.sqrt(0.04**2 - 0.01**2)
    return complex(0.01, x_t) * 10.0 * 0.95 * 1.1 / (1.0 + 0.6 * x_t)


def current_ka(c: float, z_ohm: complex) -> float:
    return c * 10.0 / (math.sqrt(3.0) * abs(z_ohm))


def test_greatest_current_at_the_customers_end_is_that_behind_the_route() -> None:
    """5 km of 0.2 + j0.35 ohm/km to the point, 0.5 km of the route's 0.253 + j0.35 ohm/km beyond."""
    found = levels(radial().snapshot())
    to_point = source_ohm(1.1, 500.0, 0.1) + transformer_ohm() + 5.0 * complex(0.2, 0.35)
    assert found["ik3_ka"] == pytest.approx(current_ka(1.1, to_point), rel=1e-6)
    assert found["ik3_customer_ka"] == pytest.approx(current_ka(1.1, to_point + 0.5 * complex(0.253, 0.35)), rel=1e-6)


def test_least_current_takes_the_least_source_and_warm_conductors() -> None:
    """c = 1.0 above 1 kV; resistance at 90 degrees by 1 + 0.004 per kelvin above 20; no factor on the transformer."""
    grid = radial()
    grid.net.ext_grid["s_sc_min_mva"], grid.net.ext_grid["rx_min"] = 300.0, 0.2
    found = levels(grid.snapshot(), temperature_c=90.0)
    warm = 1.0 + ALPHA_PER_K * 70.0
    z_t = 10.0 * complex(0.01, math.sqrt(0.04**2 - 0.01**2))
    z = source_ohm(1.0, 300.0, 0.2) + z_t + 5.0 * complex(0.2 * warm, 0.35)
    assert found["ik3_min_ka"] == pytest.approx(current_ka(1.0, z), rel=1e-6)


def test_least_current_is_not_known_without_the_least_source_power_or_a_temperature() -> None:
    assert levels(radial().snapshot(), temperature_c=90.0)["ik3_min_ka"] is None
    grid = radial()
    grid.net.ext_grid["s_sc_min_mva"], grid.net.ext_grid["rx_min"] = 300.0, 0.2
    assert levels(grid.snapshot())["ik3_min_ka"] is None
    grid.net.ext_grid.loc[0, "rx_min"] = np.nan
    assert levels(grid.snapshot(), temperature_c=90.0)["ik3_min_ka"] is None


def test_a_low_voltage_board_has_the_current_of_its_transformer_and_what_feeds_it() -> None:
    """400 kVA, 4 %, at 0.4 kV: c 1.1 (tolerance 10 %) over the sum of source, two transformers and lines at 0.4 kV."""
    grid = radial()
    board = grid.bus("lv_board", 0.4, 5000, 5)
    grid.trafo(3, board, 400.0, "public")
    found = levels(grid.snapshot(), bus=board, route_length_km=0.01, p_kw=8.0, q_kvar=0.0)
    x_t = math.sqrt(0.04**2 - 0.01**2)
    z_t = complex(0.01, x_t) * 0.4**2 / 0.4 * 0.95 * 1.1 / (1.0 + 0.6 * x_t)
    upstream = source_ohm(1.1, 500.0, 0.1) + transformer_ohm() + 5.0 * complex(0.2, 0.35)
    z = upstream * (0.4 / 10.0) ** 2 + z_t
    assert found["ik3_ka"] == pytest.approx(1.1 * 0.4 / (math.sqrt(3.0) * abs(z)), rel=1e-6)
    assert cmath.phase(z) > 0.0


def test_a_single_phase_route_has_no_three_phase_current_at_its_end() -> None:
    grid = radial()
    board = grid.bus("lv_board", 0.4, 5000, 5)
    grid.trafo(3, board, 400.0, "public")
    found = levels(grid.snapshot(), bus=board, route_length_km=0.01, p_kw=8.0, q_kvar=0.0, is_single_phase=True)
    assert found["ik3_ka"] is not None
    assert found["ik3_customer_ka"] is None


def test_a_generator_in_service_leaves_the_current_unknown() -> None:
    grid: Grid = radial()
    grid.pp.create_gen(grid.net, 3, p_mw=0.1, vm_pu=1.0)
    study = ConnectionStudy(grid.snapshot(), in_flight_coincidence_ratio=1.0)
    result = study.assess(trial(), limits=Limits())
    assert result.is_within_limits
    assert result.ik3_ka is None
