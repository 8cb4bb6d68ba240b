"""When a dedicated line (专线) is offered beside public lines."""

from __future__ import annotations

from scheme.policy.parameter import PolicyView


def offers_dedicated_line(capacity_kva: float, policy: PolicyView) -> bool:
    """Return whether a substation bay is a candidate from the start, not only when nothing else carries the customer.

    Args:
        capacity_kva: Capacity of the customer.
        policy: Reads ``connection.dedicated_line_*``.
    """
    if policy.flag("connection.dedicated_line_is_last_resort"):
        return False
    return policy.get("connection.dedicated_line_kva_min").allows(capacity_kva)
