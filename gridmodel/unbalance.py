"""Voltage unbalance (三相电压不平衡) by single-phase customers: three-phase load flow of one transformer area (台区).

The area is cut out of the net below its transformer, whose high-voltage side is an ideal balanced source at the voltage
of the balanced load flow: the medium-voltage network is hundreds of times stiffer than a 220 V customer. Solved by
power-grid-model in symmetrical components; the tests repeat it with pandapower's three-phase load flow.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gridmodel.connection import TrialNet
from gridmodel.lv_area import AreaTables, cut_area
from gridmodel.trial_route import TrialRoute

Phase = Literal["A", "B", "C"]
PHASES: tuple[Phase, ...] = ("A", "B", "C")
_SOURCE_POWER_VA = 1e15
"""Stands for an ideal source."""
_ERROR_TOLERANCE_PU = 1e-10
_ITERATIONS_MAX = 60
_ALL_CORES = 0
_KVA_TO_VA = 1e3
_ROTATION = np.exp(2j * np.pi / 3.0 * np.array([0.0, 1.0, 2.0]))

_Complexes = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroSequence:
    """Zero-sequence over positive-sequence values of low-voltage lines, where a line's own are not known."""

    r0_ratio: float
    x0_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SinglePhaseLoad:
    """What a customer draws between one phase and neutral."""

    phase: Phase
    p_kw: float = 0.0
    q_kvar: float = 0.0
    start_kva: float = 0.0
    """Drawn besides by a starting motor, as a constant impedance, at the bus's nominal voltage."""
    power_factor: float = 1.0
    """Of ``start_kva``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseImpact:
    """What a load on one phase does to the voltages of the connection point."""

    phase: Phase
    unbalance_ratio: float
    """Negative over positive-sequence voltage with the load."""
    added_unbalance_ratio: float
    """The share of the load: change of the negative-sequence voltage as a phasor, over the positive-sequence one."""
    step_pu: float
    """Fall of the phase's voltage (pu of the nominal phase voltage)."""


class LowVoltageArea:
    """The three-phase model of the area a trial connects to."""

    def __init__(self, tables: AreaTables, *, point: int, customer: int) -> None:
        """Build the model.

        Args:
            tables: What the area consists of.
            point: Node of the connection point, as its place in ``tables.node_u_kv``.
            customer: Node of the customer.
        """
        self._point, self._customer = point, customer
        self._model, self._load_ids = _build_model(tables, customer)
        self.load_kw_by_phase = tables.load_kw_by_phase
        """Load of the area by phase (kW), balanced loads in thirds; ``None`` where no load tells its phase."""

    def compute_impacts(
        self, loads: Sequence[SinglePhaseLoad], *, before: SinglePhaseLoad | None = None
    ) -> tuple[PhaseImpact | None, ...]:
        """Return what each load alone does, compared with ``before`` (nothing connected unless given).

        Returns:
            ``None`` where a load flow has no solution.
        """
        start = before or SinglePhaseLoad(phase="A")
        u_before, *u_after = self._solve([start, *loads])
        return tuple(_impact(load.phase, u_before, u_pu) for load, u_pu in zip(loads, u_after, strict=True))

    def _solve(self, loads: Sequence[SinglePhaseLoad]) -> list[_Complexes]:
        """Return the phase voltages of the point (pu, NaN without solution) for each load."""
        from power_grid_model import initialize_array

        update = initialize_array("update", "asym_load", (len(loads), 2))
        update["id"] = self._load_ids
        power_va = np.zeros((len(loads), 2, 3), dtype=complex)
        for number, load in enumerate(loads):
            start_va = load.start_kva * complex(load.power_factor, math.sqrt(1.0 - load.power_factor**2))
            drawn_va = np.array([complex(load.p_kw, load.q_kvar), start_va])
            power_va[number, :, PHASES.index(load.phase)] = drawn_va * _KVA_TO_VA
        update["p_specified"], update["q_specified"] = power_va.real, power_va.imag
        output = self._model.calculate_power_flow(
            update_data={"asym_load": update},
            symmetric=False,
            error_tolerance=_ERROR_TOLERANCE_PU,
            max_iterations=_ITERATIONS_MAX,
            threading=_ALL_CORES,
            continue_on_batch_error=True,
            output_component_types={"node": ["u_pu", "u_angle"]},
        )
        u_pu = output["node"]["u_pu"][:, self._point] * np.exp(1j * output["node"]["u_angle"][:, self._point])
        failed = self._model.batch_error
        if failed is not None:
            u_pu[failed.failed_scenarios] = np.nan
        return list(u_pu)


def cut_low_voltage_area(trial: TrialNet, route: TrialRoute, zero_sequence: ZeroSequence) -> LowVoltageArea | None:
    """Return the three-phase model of the area of a trial, without the customer's load.

    Args:
        trial: The customer connected on trial; only read.
        route: The customer's line; its conductors are used as they are, a phase and the neutral.
        zero_sequence: For lines whose own zero-sequence impedance is not known.

    Returns:
        ``None`` where the area is not one tree of lines and loads below one delta-wye transformer.
    """
    tables = cut_area(trial, route, r0_ratio=zero_sequence.r0_ratio, x0_ratio=zero_sequence.x0_ratio)
    if tables is None:
        return None
    return LowVoltageArea(tables, point=tables.node_of_bus[trial.bus], customer=tables.node_of_bus[trial.customer_bus])


def _impact(phase: Phase, u_before: _Complexes, u_after: _Complexes) -> PhaseImpact | None:
    if not (np.isfinite(u_before).all() and np.isfinite(u_after).all()):
        return None
    positive, negative = _sequences(u_after)
    _, negative_before = _sequences(u_before)
    place = PHASES.index(phase)
    return PhaseImpact(
        phase=phase,
        unbalance_ratio=float(abs(negative) / abs(positive)),
        added_unbalance_ratio=float(abs(negative - negative_before) / abs(positive)),
        step_pu=float(abs(u_before[place]) - abs(u_after[place])),
    )


def _sequences(u_pu: _Complexes) -> tuple[complex, complex]:
    """Return positive and negative-sequence voltage of three phase voltages."""
    return complex((u_pu * _ROTATION).mean()), complex((u_pu * _ROTATION.conj()).mean())


def _build_model(tables: AreaTables, customer: int) -> tuple[Any, NDArray[np.int64]]:
    from power_grid_model import LoadGenType, PowerGridModel, WindingType

    count, lines = len(tables.node_u_kv), len(tables.line_r_ohm)
    next_id = itertools.count(count)
    transformer = tables.transformer
    node = _rows("node", count, id=np.arange(count), u_rated=tables.node_u_kv * 1e3)
    line = _rows(
        "line", lines,
        id=[next(next_id) for _ in range(lines)], from_status=1, to_status=1,
        from_node=tables.line_from, to_node=tables.line_to,
        r1=tables.line_r_ohm, x1=tables.line_x_ohm, c1=tables.line_c_nf * 1e-9, tan1=0.0,
        r0=tables.line_r0_ohm, x0=tables.line_x0_ohm, c0=tables.line_c_nf * 1e-9, tan0=0.0,
    )  # fmt: skip
    winding = _rows(
        "transformer", 1,
        id=next(next_id), from_status=1, to_status=1, from_node=tables.source_node, to_node=tables.board_node,
        u1=transformer.u_hv_kv * 1e3, u2=transformer.u_lv_kv * 1e3, sn=transformer.sn_kva * _KVA_TO_VA,
        uk=transformer.vk_ratio, pk=transformer.pk_kw * 1e3, i0=transformer.i0_ratio, p0=transformer.p0_kw * 1e3,
        winding_from=WindingType.delta, winding_to=WindingType.wye_n, clock=transformer.clock,
        tap_side=0, tap_pos=0, tap_min=0, tap_max=0, tap_nom=0, tap_size=0.0,
    )  # fmt: skip
    source = _rows(
        "source", 1,
        id=next(next_id), node=tables.source_node, status=1, u_ref=tables.source_u_pu,
        sk=_SOURCE_POWER_VA, rx_ratio=0.1, z01_ratio=1.0,
    )  # fmt: skip
    kinds = [LoadGenType.const_power] * (len(tables.load_node) + 1) + [LoadGenType.const_impedance]
    load = _rows(
        "asym_load", len(kinds),
        id=[next(next_id) for _ in kinds], node=[*tables.load_node, customer, customer], status=1, type=kinds,
        p_specified=np.vstack([tables.load_va.real, np.zeros((2, 3))]),
        q_specified=np.vstack([tables.load_va.imag, np.zeros((2, 3))]),
    )  # fmt: skip
    data = {"node": node, "line": line, "transformer": winding, "source": source, "asym_load": load}
    return PowerGridModel(data), load["id"][-2:].astype(np.int64)


def _rows(component: str, count: int, **columns: Any) -> Any:
    from power_grid_model import initialize_array

    rows = initialize_array("input", component, count)
    for name, values in columns.items():
        rows[name] = values
    return rows
