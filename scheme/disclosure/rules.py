"""How much a customer is told: rounding, bands, fixed reasons, number of applications."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scheme.policy.parameter import PolicyView

REASONS_MAX = 8
_OTHER = "other"
_ROUNDING = 1e-9
"""A multiple of a step reached by a sum of binary fractions is not taken for the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerReason:
    """One of the fixed reasons."""

    reason: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRules:
    """What the policy says about the customer's view."""

    route_step_m: float
    cost_step_cny10k: float
    capacity_steps_kva: tuple[float, ...]
    sees_names: bool
    variants_max: int
    reason_texts: Mapping[str, str]
    reason_by_code: Mapping[str, str]
    texts: Mapping[str, str]

    def round_route_m(self, length_m: float) -> float:
        """Return a route length rounded up to the step (m)."""
        return _up(length_m, self.route_step_m)

    def round_cost_cny10k(self, cost_cny10k: float) -> float:
        """Return an estimate rounded up to the step (10,000 yuan)."""
        return _up(cost_cny10k, self.cost_step_cny10k)

    def floor_capacity_kva(self, capacity_kva: float) -> float | None:
        """Return the largest step a capacity reaches (kVA); ``None`` below the first."""
        reached = [step for step in self.capacity_steps_kva if step <= capacity_kva]
        return max(reached, default=None)

    def explain(self, code: str) -> CustomerReason:
        """Return the fixed reason for a code of the record."""
        reason = self.reason_by_code.get(code, _OTHER)
        return CustomerReason(reason=reason, text=self.reason_texts[reason])


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationLimits:
    """How many applications of one customer are answered online."""

    days: int
    """How long one counts, its own day included."""
    allows: Callable[[int], bool]
    """Whether so many within the days are answered."""


def read_customer_rules(policy: PolicyView) -> CustomerRules:
    """Return the rules of the customer's view.

    Args:
        policy: Reads ``disclosure.customer_*``.
    """
    texts = {row["reason"]: str(row["text"]) for row in policy.rows("disclosure.customer_reason_texts")}
    assert len(texts) <= REASONS_MAX
    return CustomerRules(
        route_step_m=policy.number("disclosure.customer_route_step_m"),
        cost_step_cny10k=policy.number("disclosure.customer_cost_step_cny10k"),
        capacity_steps_kva=policy.numbers("disclosure.customer_capacity_steps_kva"),
        sees_names=policy.flag("disclosure.customer_sees_names"),
        variants_max=policy.count("disclosure.customer_variants_max"),
        reason_texts=texts,
        reason_by_code={row["code"]: row["reason"] for row in policy.rows("disclosure.customer_reasons")},
        texts={name: str(text) for name, text in policy.get("disclosure.customer_texts").value.items()},
    )


def read_application_limits(policy: PolicyView) -> ApplicationLimits:
    """Return how many applications of one customer are answered online.

    Args:
        policy: Reads ``disclosure.customer_applications_max`` and ``disclosure.customer_application_days``.
    """
    most = policy.get("disclosure.customer_applications_max")
    days = policy.count("disclosure.customer_application_days")
    return ApplicationLimits(days=days, allows=lambda applications: most.allows(float(applications)))


def _up(value: float, step: float) -> float:
    return math.ceil(value / step - _ROUNDING) * step
