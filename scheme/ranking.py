"""Score of a variant: parts in 0..1, weighted by policy; equal scores are settled by distance, then by element id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridmodel.capacity.limits import Limits
from scheme.model import Score
from scheme.policy.parameter import PolicyView

_DIGITS = 6
"""Scores are compared after rounding, so that the last bit of a load flow cannot reorder variants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merit:
    """What a variant is judged by."""

    element_source_id: str
    distance_m: float
    cost_cny10k: float
    line_loading_ratio_max: float
    transformer_loading_ratio_max: float | None
    u_pu_customer: float
    u_pu_min_allowed: float
    """Lower voltage limit at the customer's end."""
    losses_kw: float
    p_kw: float


def compute_scores(
    merits: Sequence[Merit], *, distance_max_m: float, limits: Limits, policy: PolicyView
) -> tuple[Score, ...]:
    """Return the score of each variant, in the order given.

    Parts: ``distance`` falls from 1 at the customer to 0 at ``distance_max_m``; ``cost`` is the cheapest estimate over
    this one; ``capacity_margin`` is what the most loaded element of the path leaves of its limit; ``voltage_margin`` is
    the distance to the lower limit over the distance from 1 pu to it; ``losses`` falls to 0 at the reference ratio.
    """
    weights = {key: float(value) for key, value in policy.get("connection.weights").value.items()}
    loss_ratio = policy.number("connection.loss_ratio_reference")
    cheapest = min((merit.cost_cny10k for merit in merits), default=0.0)
    scores = []
    for merit in merits:
        used = merit.line_loading_ratio_max / limits.line_loading_ratio_max
        if merit.transformer_loading_ratio_max is not None:
            used = max(used, merit.transformer_loading_ratio_max / limits.transformer_loading_ratio_max)
        span_pu = 1.0 - merit.u_pu_min_allowed
        parts = {
            "distance": _clip(1.0 - merit.distance_m / distance_max_m),
            "cost": cheapest / merit.cost_cny10k if merit.cost_cny10k > 0.0 else 1.0,
            "capacity_margin": _clip(1.0 - used),
            "voltage_margin": _clip((merit.u_pu_customer - merit.u_pu_min_allowed) / span_pu) if span_pu > 0.0 else 1.0,
            "losses": _clip(1.0 - merit.losses_kw / merit.p_kw / loss_ratio),
        }
        parts = {key: round(value, _DIGITS) for key, value in parts.items()}
        total = round(sum(weights[key] * value for key, value in parts.items()), _DIGITS)
        scores.append(Score(total=total, parts=parts, weights=weights))
    return tuple(scores)


def rank(merits: Sequence[Merit], scores: Sequence[Score]) -> tuple[int, ...]:
    """Return the positions of the variants, best first."""
    return tuple(
        sorted(
            range(len(merits)),
            key=lambda i: (-scores[i].total, round(merits[i].distance_m, 1), merits[i].element_source_id),
        )
    )


def _clip(value: float) -> float:
    return min(max(value, 0.0), 1.0)
