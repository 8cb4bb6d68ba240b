"""Voltage step (电压变动) at the connection point when the customer's largest motor starts (电动机起动).

A motor that starts is a constant impedance of low power factor. The step is the difference of two load flows: the
customer's other load alone, and with the starting motor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gridmodel.connection import TrialNet
from gridmodel.errors import ConvergenceError
from gridmodel.net import Net, pandapower, run_load_flow

_KW_PER_MW = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class MotorStart:
    """A motor at the instant it is switched on, and what it draws when it runs."""

    running_kw: float
    """Electrical power at rated load."""
    running_kvar: float
    start_kva: float
    """Apparent power at the instant of switching on, at rated voltage."""
    power_factor: float
    """Of ``start_kva``."""
    rated_kv: float
    """Voltage ``start_kva`` holds at, line to line."""


def compute_start_steps_pu(
    trial: TrialNet, starts: Sequence[MotorStart], *, enough_pu: float | None = None
) -> tuple[float | None, ...]:
    """Return the fall of voltage at the connection point for each start (pu of the bus's nominal voltage).

    The customer's transformer is left out, so that the motor draws more than it will: the step is an upper bound for
    customers metered at medium voltage.

    Args:
        trial: The customer with its whole load; spent.
        starts: Ways to start the same motor: they differ in what is drawn at the start only.
        enough_pu: A step not above this ends the work: the ways after it are not looked at.

    Returns:
        One step for each way looked at, ``None`` where a load flow has no solution.
    """
    if not starts:
        return ()
    net = trial.net
    load = int(net.load.index[net.load.bus == trial.customer_bus][0])
    net.load.loc[load, "p_mw"] = max(net.load.p_mw[load] - starts[0].running_kw / _KW_PER_MW, 0.0)
    net.load.loc[load, "q_mvar"] = max(net.load.q_mvar[load] - starts[0].running_kvar / _KW_PER_MW, 0.0)
    before_pu = _solve(net, trial.bus)
    # A shunt: pandapower's loads of constant impedance are not exact beside one of constant power at the same bus.
    motor = int(pandapower().create_shunt(net, trial.customer_bus, q_mvar=0.0, vn_kv=starts[0].rated_kv))
    steps: list[float | None] = []
    for start in starts:
        start_mva = start.start_kva / _KW_PER_MW
        net.shunt.loc[motor, "p_mw"] = start_mva * start.power_factor
        net.shunt.loc[motor, "q_mvar"] = start_mva * math.sqrt(1.0 - start.power_factor**2)
        net.shunt.loc[motor, "vn_kv"] = start.rated_kv
        after_pu = _solve(net, trial.bus)
        step_pu = None if before_pu is None or after_pu is None else before_pu - after_pu
        steps.append(step_pu)
        if step_pu is not None and enough_pu is not None and step_pu <= enough_pu:
            break
    return tuple(steps)


def _solve(net: Net, bus: int) -> float | None:
    """Return the voltage of a bus, solved from the results in ``net`` and afresh where that does not converge."""
    for init in ("results", "auto"):
        try:
            run_load_flow(net, init=init)
        except ConvergenceError:
            continue
        return float(net.res_bus.vm_pu[bus])
    return None
