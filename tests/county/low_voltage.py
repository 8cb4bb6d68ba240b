"""The low-voltage trees: three lines behind every board, the load of its transformer shared among their nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.county.choices import draws
from tests.county.equipment import Sections, Stations, current_a, smallest_type
from tests.county.layout import Layout
from tests.county.sections import Lines

U_NOMINAL_KV = 0.38


@dataclass(frozen=True, eq=False, kw_only=True)
class LowVoltage:
    """Low-voltage nodes behind all boards, one line to each; the nodes of a station stand together."""

    xy_m: np.ndarray
    station: np.ndarray
    load_share: np.ndarray
    """Part of the station's load at a node."""
    lines: Lines


def grow_low_voltage(
    layout: Layout,
    stations: Stations,
    sections: Sections,
    choices: dict[str, Any],
    *,
    first_board: int,
    first_node: int,
) -> LowVoltage:
    """Return the trees of all stations; ``first_board`` and ``first_node`` are the numbers of their first buses."""
    chosen, count = choices["low_voltage"], len(layout.feeder)
    chance = draws(choices, "low voltage")
    branch = np.repeat(np.arange(len(chosen["line_nodes"])), chosen["line_nodes"])
    step = np.concatenate([np.arange(nodes) for nodes in chosen["line_nodes"]])
    size = (count, len(branch))
    share = chance.dirichlet(np.full(len(branch), chosen["load_share_spread"]), size=count)
    straight_m = chance.uniform(chosen["span_min_m"], chosen["span_max_m"], size)
    straight_m[stations.is_crowded] *= choices["violations"]["crowded_span_ratio"]
    turn = 2.0 * np.pi / len(chosen["line_nodes"])
    angle = chance.uniform(0.0, turn, count)[:, None] + branch * turn
    reach_m = _along_each(straight_m, branch)
    xy_m = layout.xy_m[:, None, :] + reach_m[:, :, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    node = first_node + np.arange(count * len(branch)).reshape(size)
    before = np.where(step == 0, first_board + np.arange(count)[:, None], node - 1)
    behind = _along_each(share[:, ::-1], branch[::-1])[:, ::-1]
    needed_a = current_a(behind * np.hypot(stations.p_kw, stations.q_kvar)[:, None], U_NOMINAL_KV)
    station = np.repeat(np.arange(count), len(branch))
    return LowVoltage(
        xy_m=xy_m.reshape(-1, 2),
        station=station,
        load_share=share.ravel(),
        lines=Lines(
            start=before.ravel(),
            end=node.ravel(),
            length_km=(straight_m.ravel() * choices["feeders"]["length_ratio"] / 1e3).round(4),
            type_id=_types(needed_a.ravel(), sections.is_cable[station], chosen),
            station=station,
        ),
    )


def _along_each(values: np.ndarray, branch: np.ndarray) -> np.ndarray:
    """Return the running sums along the second axis, begun anew for every branch."""
    total = np.zeros_like(values)
    for number in np.unique(branch):
        total[:, branch == number] = np.cumsum(values[:, branch == number], axis=1)
    return total


def _types(needed_a: np.ndarray, is_cable: np.ndarray, chosen: dict[str, Any]) -> np.ndarray:
    overhead, cable = (
        np.array(chosen[name], dtype=object)[smallest_type(needed_a, chosen[name], chosen["use_ratio"])]
        for name in ("overhead", "cable")
    )
    return np.asarray(np.where(is_cable, cable, overhead))
