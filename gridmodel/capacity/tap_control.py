"""Open capacity where transformers change their taps by themselves (有载调压): rounds of searching and settling.

Capacity under tap changers that step is not monotone in the load; see ``decisions/0009-tap-control.md`` for what is
promised. It costs a few load flows per bus: for the buses of a request, not for a county.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridmodel.capacity.base_case import solve_base_case
from gridmodel.capacity.bracket import WIDTH_KW, round_down
from gridmodel.capacity.certificate import Certificate
from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.direction import Direction
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.reference import add_connection
from gridmodel.capacity.search import open_capacity
from gridmodel.capacity.violations import Violation, attributed_violations
from gridmodel.errors import ConvergenceError, InputError
from gridmodel.net import Net, copy_net, run_load_flow
from gridmodel.topology import SupplyTopology

CONTROLLERS = ("DiscreteTapControl", "ContinuousTapControl")
"""Controllers of pandapower that may be in service."""
NOT_AT_REST_NOTE = "taps still moved when the rounds ended: largest value seen to hold"
GAP_NOTE = "a step of the taps breaks a limit on the way up: larger values that hold again are not counted"

_CONTROL_STEPS_MAX = 60
_PROBES = 8  # into so many parts a value is divided to see whether all below it holds
_HALVINGS_MAX = 12
_WIDTH_RATIO = 1e-3  # halving ends at the agreement asked of any engine: 0.1 % of the value
_TAP_TOLERANCE = 1e-6

Taps = Mapping[str, Floats]
"""Tap positions in table order, per transformer table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """One connection with the taps settled for it."""

    p_kw: float
    taps: Taps | None
    """None where the load flow has no solution or the controllers do not come to rest."""
    violations: tuple[Violation, ...] = ()

    @property
    def holds(self) -> bool:
        return self.taps is not None and not self.violations


def open_capacity_with_tap_control(
    net: Net,
    *,
    limits: Limits,
    power_factor: float = 0.95,
    buses: Iterable[int] | None = None,
    rounds_max: int = 3,
    direction: Direction = "load",
) -> pd.DataFrame:
    """Return the open capacity of buses with the tap controllers of ``net`` at work; ``net`` is not changed.

    Args:
        net: A pandapower network; in-service controllers are of the types in ``CONTROLLERS``.
        limits: Operating limits.
        power_factor: Of the connection, in (0, 1].
        buses: Bus indices; default all buses in service.
        rounds_max: How often the search is repeated with the taps settled at the value before.
        direction: Whether load or generation is connected.

    Returns:
        The columns of :func:`gridmodel.capacity.search.open_capacity`, and ``tap_rounds`` (how often the taps were
        settled with a connection at the bus) and ``taps_moved`` (transformers whose tap at the value is not the one
        without the connection). Every value holds with the taps settled at it.

    Raises:
        InputError: An argument is outside its range, or another kind of controller is in service.
        ConvergenceError: The controllers do not come to rest without any connection.
    """
    _check(net, rounds_max)
    options: dict[str, Any] = {"limits": limits, "power_factor": power_factor, "direction": direction}
    search = _TapSearch(net, rounds_max, options)
    table = open_capacity(search.with_taps(search.taps_before), buses=buses, confirm="none", **options)
    rows = [search.answer(bus, _row_of(table, bus)) for bus in table.index.tolist()]
    columns = [*table.columns, "tap_rounds", "taps_moved"]
    found = {name: pd.Series([row[name] for row in rows], index=table.index) for name in columns}
    answered = pd.DataFrame(found).astype(table.dtypes.to_dict())
    checked = int(answered.tap_rounds.gt(0).sum())
    answered.attrs["certificate"] = Certificate(confirm="all", nodes_checked=checked, difference_kw_max=None).as_dict()
    return answered


def _check(net: Net, rounds_max: int) -> None:
    if rounds_max < 1:
        raise InputError("too few rounds", field="rounds_max", value=rounds_max, allowed=">= 1")
    for controller in net.controller.object[net.controller.in_service.astype(bool)]:
        names = {kind.__name__ for kind in type(controller).__mro__}
        if names.isdisjoint(CONTROLLERS):
            raise InputError(
                "controller of another kind is in service",
                field="controller",
                value=type(controller).__name__,
                allowed=", ".join(CONTROLLERS),
            )


class _TapSearch:
    """The settled network without a connection, and a copy in which connections are tried."""

    def __init__(self, net: Net, rounds_max: int, options: Mapping[str, Any]) -> None:
        self._original, self._rounds_max, self._options = net, rounds_max, options
        base = solve_base_case(net, options["limits"])
        self._before = copy_net(base.net)
        if base.flow is not None:
            _settle(self._before)
        self.taps_before = _taps(self._before)
        self._work = copy_net(self._before)
        self._topology = SupplyTopology(net)

    def with_taps(self, taps: Taps) -> Net:
        """Return a copy of the network with these tap positions."""
        net = copy_net(self._original)
        _set_taps(net, taps)
        return net

    def answer(self, bus: int, row: dict[str, Any]) -> dict[str, Any]:
        """Return the row of a bus, given the one with the taps of the network without a connection."""
        if row["status"] != "assessed" or row["limit_kind"] == "existing_violation":
            return row | {"tap_rounds": 0, "taps_moved": 0}
        trials, best, best_row, is_at_rest = self._rounds(bus, row)
        note = "" if is_at_rest else NOT_AT_REST_NOTE
        failed = [trial for trial in trials if not trial.holds and trial.p_kw > best.p_kw and not is_at_rest]
        gap = self._find_gap(bus, best, trials)
        if gap is not None:
            note, best, failed = GAP_NOTE, gap[0], [gap[1]]
        if failed:
            best, least = self._halve(bus, best, min(failed, key=lambda trial: trial.p_kw), trials)
            best_row = best_row | _limit_of(least)
        return best_row | {
            "capacity_kw": best.p_kw,
            "u_pu": row["u_pu"],
            "notes": "; ".join(filter(None, (best_row["notes"], note))),
            "tap_rounds": len(trials),
            "taps_moved": 0 if best.taps is None else _moved(best.taps, self.taps_before),
        }

    def _rounds(self, bus: int, row: dict[str, Any]) -> tuple[list[_Trial], _Trial, dict[str, Any], bool]:
        """Return what was tried, the largest that holds with the row that proposed it, and whether taps are at rest."""
        trials: list[_Trial] = []
        taps = self.taps_before
        best, best_row = _Trial(p_kw=0.0, taps=taps), row
        for round_number in range(self._rounds_max + 1):
            trial = self._try(bus, float(row["capacity_kw"]))
            trials.append(trial)
            if trial.holds and trial.p_kw >= best.p_kw:
                best, best_row = trial, row
            if trial.holds and trial.taps is not None and not _moved(trial.taps, taps):
                return trials, trial, row, True
            if trial.taps is None or round_number == self._rounds_max:
                break
            taps = trial.taps
            table = open_capacity(self.with_taps(taps), buses=[bus], confirm="none", **self._options)
            row = _row_of(table, bus)
            if row["status"] != "assessed" or row["limit_kind"] == "existing_violation":
                break
            if trial.holds and abs(row["capacity_kw"] - trial.p_kw) <= WIDTH_KW:
                return trials, trial, row, True
        return trials, best, best_row, False

    def _find_gap(self, bus: int, best: _Trial, trials: list[_Trial]) -> tuple[_Trial, _Trial] | None:
        """Return the last trial that holds and the first that does not on the way to ``best``; None without a gap.

        Taps that have not moved at ``best`` have not moved below it either, and then there is no gap.
        """
        if best.taps is None or not _moved(best.taps, self.taps_before):
            return None
        below = _Trial(p_kw=0.0, taps=self.taps_before)
        known = {trial.p_kw: trial for trial in trials if trial.p_kw < best.p_kw}
        parts = round_down(np.linspace(0.0, best.p_kw, _PROBES + 1)[1:-1]).tolist()
        for p_kw in sorted({*parts, *known}):
            if p_kw not in known:
                trials.append(self._try(bus, p_kw))
            trial = known.get(p_kw, trials[-1])
            if not trial.holds:
                return below, trial
            below = trial
        return None

    def _halve(self, bus: int, best: _Trial, failed: _Trial, trials: list[_Trial]) -> tuple[_Trial, _Trial]:
        """Return the largest trial that holds and the smallest one above it that does not, close together."""
        for _ in range(_HALVINGS_MAX):
            if failed.p_kw - best.p_kw <= max(WIDTH_KW, _WIDTH_RATIO * failed.p_kw):
                break
            trial = self._try(bus, float(round_down(np.array(0.5 * (best.p_kw + failed.p_kw)))))
            trials.append(trial)
            best, failed = (trial, failed) if trial.holds else (best, trial)
        return best, failed

    def _try(self, bus: int, p_kw: float) -> _Trial:
        """Connect ``p_kw`` with the taps as they stand without it, let them settle, and look what is broken."""
        direction, power_factor = self._options["direction"], self._options["power_factor"]
        tan_phi = float(np.tan(np.arccos(power_factor)))
        with add_connection(self._work, bus, p_kw=p_kw, tan_phi=tan_phi, direction=direction):
            try:
                _settle(self._work)
            except ConvergenceError:
                return _Trial(p_kw=p_kw, taps=None)
            finally:
                taps = _taps(self._work)
                _set_taps(self._work, self.taps_before)
        violations = attributed_violations(
            self._before,
            self._work,
            bus=bus,
            limits=self._options["limits"],
            path=self._topology.path(bus),
            direction=direction,
        )
        return _Trial(p_kw=p_kw, taps=taps, violations=violations)


def _settle(net: Net) -> None:
    """Let the controllers of ``net`` come to rest from the taps it has; results and taps are left in it."""
    run_load_flow(net, run_control=True, max_iter=_CONTROL_STEPS_MAX)


def _row_of(table: pd.DataFrame, bus: int) -> dict[str, Any]:
    return {name: table.at[bus, name] for name in table.columns.tolist()}


def _taps(net: Net) -> Taps:
    return {table: net[table].tap_pos.to_numpy(dtype=float).copy() for table in ("trafo", "trafo3w")}


def _set_taps(net: Net, taps: Taps) -> None:
    for table, positions in taps.items():
        net[table]["tap_pos"] = positions


def _moved(taps: Taps, others: Taps) -> int:
    """Return how many transformers have another tap; not known is equal to not known."""
    return sum(int((np.abs(taps[table] - others[table]) > _TAP_TOLERANCE).sum()) for table in taps)


def _limit_of(failed: _Trial) -> dict[str, Any]:
    """Return what a row says about the limit that a connection breaks."""
    if not failed.violations:
        return {"limit_kind": "convergence", "limit_table": None, "limit_element": None}
    worst = failed.violations[0]
    return {"limit_kind": worst.kind, "limit_table": worst.table, "limit_element": worst.element}
