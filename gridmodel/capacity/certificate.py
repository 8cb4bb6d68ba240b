"""The certificate: the reference load flow must hold at the value and break one step above it, by the element named."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from typing import Literal, NoReturn

import numpy as np

from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.bracket import Question
from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.direction import Direction
from gridmodel.capacity.reference import ReferenceEvaluator
from gridmodel.capacity.rows import CONVERGENCE, EXISTING_VIOLATION, Row, Rows, step_kw
from gridmodel.errors import EngineDisagreementError

Confirm = Literal["sample", "all", "none"]
SAMPLE_NODES = 20
"""How many nodes the reference checks when nothing else is asked for."""
AGREEMENT = 1e-6
"""How far reference and search engine may differ in a loading ratio or voltage (pu); the reference's own residue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What the reference load flow was asked and how far it was from the published values."""

    confirm: Confirm
    nodes_checked: int
    difference_kw_max: float | None
    """Largest distance from the load at which the reference breaks to the published bracket; None = not measured."""

    def as_dict(self) -> dict[str, object]:
        """Return a JSON-ready mapping."""
        return asdict(self)


def certify(
    base: BaseCase,
    rows: Rows,
    *,
    tan_phi: float,
    confirm: Confirm,
    nodes: int,
    seed: int,
    direction: Direction = "load",
) -> Certificate:
    """Check rows with the reference and return what was seen.

    Raises:
        EngineDisagreementError: A value does not hold, or does not break at value + step by the element named.
    """
    chosen = _choose(rows, confirm, nodes, seed)
    if not chosen:
        return Certificate(confirm=confirm, nodes_checked=0, difference_kw_max=None)
    wanted = np.flatnonzero(np.isfinite(base.values) & np.isfinite(base.constraints.limits)).astype(np.int64)
    reference = ReferenceEvaluator(base.net, base.constraints, rows=wanted, direction=direction)
    differences = [_difference_kw(base, row, reference, wanted, tan_phi) for row in chosen]
    return Certificate(confirm=confirm, nodes_checked=len(chosen), difference_kw_max=max(differences))


def _choose(rows: Rows, confirm: Confirm, nodes: int, seed: int) -> list[Row]:
    """Return the rows to check; an existing violation is a value of 0 with nothing to break above it."""
    if confirm == "none":
        return []
    places = np.flatnonzero((rows.status == "assessed") & (rows.kind != EXISTING_VIOLATION)).tolist()
    if confirm == "sample" and len(places) > nodes:
        sampled = random.Random(seed).sample(places, nodes)  # noqa: S311 - not for secrets
        places = sorted({*sampled, *(place for place in places if rows.kind[place] == CONVERGENCE)})
    return [rows.row(place) for place in places]


def _difference_kw(
    base: BaseCase, row: Row, reference: ReferenceEvaluator, wanted: np.ndarray, tan_phi: float
) -> float:
    limits = base.constraints.subset(wanted)
    bus = np.array([row.bus], dtype=np.int64)
    question = Question(
        buses=bus,
        constraints=limits,
        base=base.values[wanted],
        on_path=limits.is_on_path(base.topology.path(row.bus))[None, :],
        guess_kw=np.zeros(1),
        tan_phi=tan_phi,
        ceiling_kw=np.inf,
        direction=reference.direction,
    )
    step = step_kw(float(base.net.bus.vn_kv.at[row.bus]))

    def excess(p_kw: float) -> Floats | None:
        values, has_solution = reference.values(bus, np.array([p_kw]), tan_phi)
        if not has_solution[0]:
            return None
        return question.counted_excess(np.zeros(1, dtype=np.int64), values).ravel()

    at_value = excess(row.capacity_kw)
    if at_value is None or at_value.max(initial=-np.inf) > AGREEMENT:
        _refuse(row, "the reference does not hold at the value", row.capacity_kw)
    if row.limit_kind == "ceiling":
        return 0.0
    above = excess(row.capacity_kw + step)
    if row.limit is None:
        if above is not None:
            _refuse(row, "the reference has a solution above the value", row.capacity_kw + step)
        return 0.0
    binding = int(np.flatnonzero(wanted == row.limit)[0])
    if above is None:  # beyond the voltage collapse: it breaks, after the element named did
        return 0.0
    if not above[binding] > 0.0:
        _refuse(row, "the reference does not break by the element named", row.capacity_kw + step)
    crossing = row.capacity_kw - at_value[binding] * step / (above[binding] - at_value[binding])
    return float(max(0.0, row.capacity_kw - crossing, crossing - row.breaks_kw))


def _refuse(row: Row, what: str, p_kw: float) -> NoReturn:
    raise EngineDisagreementError(f"bus {row.bus}: {what} ({p_kw:.1f} kW)", bus=row.bus, p_kw=p_kw, engine=row.engine)
