"""Expected values: closed forms of one line with an impedance."""

import math

import numpy as np
import pytest

from gridmodel.connection import ConnectionStudy
from gridmodel.voltage_step import MotorStart, compute_start_steps_pu
from tests.connection.grids import Grid
from tests.connection.test_assessment import trial


def feeder() -> Grid:
    """An ideal 10 kV source and 4 km of line: 0.8 + j1.4 ohm, nothing else."""
    grid = Grid()
    source, point = grid.bus("source", 10.0, 0, 0), grid.bus("pole", 10.0, 4000, 0)
    grid.source(source)
    grid.line(source, point, 4.0, c_nf_per_km=0.0)
    return grid


def start(**changes: float) -> MotorStart:
    values = {
        "running_kw": 200.0, "running_kvar": 120.0, "start_kva": 1500.0, "power_factor": 0.3, "rated_kv": 10.0,
    }  # fmt: skip
    return MotorStart(**(values | changes))


def steps(
    grid: Grid, starts: list[MotorStart], *, enough_pu: float | None = None, **changes: object
) -> tuple[float | None, ...]:
    study = ConnectionStudy(grid.snapshot(), in_flight_coincidence_ratio=1.0)
    net = study.connect(trial(**({"bus": 1, "route_length_km": 1e-5} | changes)))
    assert net is not None
    return compute_start_steps_pu(net, starts, enough_pu=enough_pu)


def test_a_motor_alone_divides_the_voltage_with_the_line() -> None:
    """The customer is the motor: before it starts nothing flows, then U = |Zm / (Zm + Zl)|."""
    z_line = complex(0.8, 1.4)
    z_motor = 10.0**2 / 1.5 * complex(0.3, math.sqrt(1 - 0.09))
    [found] = steps(feeder(), [start()], p_kw=200.0, q_kvar=120.0)
    assert found == pytest.approx(1.0 - abs(z_motor / (z_motor + z_line)), rel=1e-5)


def fed_pu(s_mva: complex, y_motor_s: complex) -> float:
    """Voltage behind 0.8 + j1.4 ohm at 10 kV with a constant power and an impedance, iterated on paper's formula."""
    z, u = complex(0.8, 1.4), complex(10.0)
    for _ in range(500):
        u = 10.0 - z * ((s_mva / u).conjugate() + u * y_motor_s)
    return abs(u) / 10.0


def test_each_way_to_start_adds_an_impedance_to_the_rest_of_the_load() -> None:
    """600 kW in all, 200 kW of them the motor: 400 kW + 80 kvar before, and the motor's admittance besides after."""
    starts = [start(start_kva=kva) for kva in (1500.0, 700.0)]
    found = steps(feeder(), starts, p_kw=600.0, q_kvar=200.0)
    for way, step in zip(starts, found, strict=True):
        y_motor_s = way.start_kva / 1e3 * complex(0.3, -math.sqrt(1 - 0.09)) / 10.0**2
        expected = fed_pu(complex(0.4, 0.08), 0.0) - fed_pu(complex(0.4, 0.08), y_motor_s)
        assert step == pytest.approx(expected, rel=1e-4)


def test_ways_after_the_first_that_is_gentle_enough_are_not_looked_at() -> None:
    starts = [start(start_kva=kva) for kva in (1500.0, 700.0, 300.0)]
    every = steps(feeder(), starts)
    assert all(step is not None for step in every)
    assert steps(feeder(), starts, enough_pu=every[1]) == pytest.approx(every[:2], rel=1e-9)


def test_power_at_start_is_that_at_the_motors_own_rated_voltage() -> None:
    """A 380 V motor on 0.4 kV draws (0.4/0.38)^2 of its power per unit: the same as one of more power rated 0.4 kV."""
    grid = feeder()
    board = grid.bus("lv_board", 0.4, 4000, 5)
    grid.trafo(1, board, 400.0, "public")
    same = 50.0 * (0.4 / 0.38) ** 2
    pair = [start(running_kw=8.0, running_kvar=5.0, start_kva=kva, rated_kv=kv)
            for kva, kv in ((50.0, 0.38), (same, 0.4))]  # fmt: skip
    found = steps(grid, pair, bus=board, p_kw=20.0, q_kvar=10.0)
    assert found[0] == pytest.approx(found[1], rel=1e-9)
    assert found[0] is not None
    assert found[0] > 0.0


def test_a_start_the_grid_cannot_feed_is_not_a_step() -> None:
    """90 MW of other load over 1.6 ohm at 10 kV has no solution."""
    assert steps(feeder(), [start()], p_kw=90_000.0, q_kvar=0.0) == (None,)
    assert np.isfinite(steps(feeder(), [start()])).all()  # type: ignore[arg-type]
