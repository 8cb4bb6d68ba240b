"""Which violated limits count against a connection (attribution), from the net solved without and with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmodel.capacity.constraints import (
    SOLUTION_NOISE,
    Constraints,
    Flags,
    Floats,
    Kind,
    Table,
    build_constraints,
    measure,
)
from gridmodel.capacity.direction import Direction, never_counts
from gridmodel.capacity.limits import Limits
from gridmodel.net import Net
from gridmodel.topology import SupplyPath, supply_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One element outside its limit."""

    kind: Kind
    table: Table
    element: int
    """Index in that pandapower table."""
    value: float
    """Loading ratio, or voltage per unit of the bus's ``vn_kv``."""
    limit: float
    is_on_path: bool


def attributed_violations(
    before: Net,
    after: Net,
    *,
    bus: int,
    limits: Limits,
    path: SupplyPath | None = None,
    direction: Direction = "load",
) -> tuple[Violation, ...]:
    """Return the violations in ``after`` that count against what ``bus`` connects; on the path first, worst first.

    Args:
        before: Net solved without the connection.
        after: Net solved with it; may hold more buses, lines and loads than ``before``.
        bus: Bus of ``after`` where the connection is; its supply path is that of ``after``.
        limits: Operating limits.
        path: That supply path, where the caller has it already.
        direction: Whether load or generation is connected.
    """
    constraints = build_constraints(after, limits)
    on_path = constraints.is_on_path(supply_path(after, bus) if path is None else path)
    return counted_violations(
        constraints, measure(before, constraints), measure(after, constraints), on_path, direction
    )


def counted_violations(
    constraints: Constraints, before: Floats, after: Floats, on_path: Flags, direction: Direction = "load"
) -> tuple[Violation, ...]:
    """Return the same from what the limits measure without and with the connection; on the path first, worst first."""
    attributed = is_attributed(constraints, before, after, on_path, direction)
    return _as_violations(constraints, after, on_path, np.flatnonzero(attributed))


def new_violations(before: Net, after: Net, *, limits: Limits) -> tuple[Violation, ...]:
    """Return the limits that ``after`` breaks and ``before`` keeps, worst first, wherever they are and by how little.

    Nothing is attributed: together, loads may break what each of them hardly moves.

    Args:
        before: Net solved.
        after: Net solved; may hold more elements than ``before``.
        limits: Operating limits.
    """
    constraints = build_constraints(after, limits)
    return newly_broken(constraints, measure(before, constraints), measure(after, constraints))


def newly_broken(constraints: Constraints, before: Floats, after: Floats) -> tuple[Violation, ...]:
    """Return the same from what the limits measure before and after, worst first."""
    is_new = is_violated(constraints, after) & ~is_violated(constraints, before)
    return _as_violations(constraints, after, np.zeros(len(constraints), dtype=bool), np.flatnonzero(is_new))


def is_violated(constraints: Constraints, values: Floats) -> Flags:
    """Return where a limit is broken; not known (NaN) is not broken."""
    with np.errstate(invalid="ignore"):
        return np.asarray(constraints.excess(values) > SOLUTION_NOISE)


def is_attributed(
    constraints: Constraints, before: Floats, after: Floats, on_path: Flags, direction: Direction = "load"
) -> Flags:
    """Return where a broken limit counts against the connection.

    On the supply path it always counts. Off the path it counts when it is new (effect threshold 0), or when the
    connection itself makes that value worse by at least the threshold. What its direction is not answerable for never
    counts (:func:`gridmodel.capacity.direction.never_counts`).
    """
    violated, existed = is_violated(constraints, after), is_violated(constraints, before)
    with np.errstate(invalid="ignore"):
        worsened = constraints.signs * (after - before) >= constraints.effects
    is_caused = np.where(constraints.effects > 0.0, worsened | np.isnan(before), ~existed)
    counts = on_path | is_caused
    counts &= ~never_counts(constraints, existed, direction)
    return np.asarray(violated & counts)


def _as_violations(
    constraints: Constraints, values: Floats, on_path: Flags, rows: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> tuple[Violation, ...]:
    excess = constraints.excess(values)
    return tuple(
        Violation(
            kind=constraints.kinds[row],
            table=constraints.tables[row],
            element=int(constraints.elements[row]),
            value=float(values[row]),
            limit=float(constraints.limits[row]),
            is_on_path=bool(on_path[row]),
        )
        for row in sorted(rows, key=lambda row: (not on_path[row], -excess[row]))
    )
