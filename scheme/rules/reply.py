"""How a scheme is answered (答复方式): by the system, on site, after approval, or by joint work."""

from __future__ import annotations

from typing import Literal

from scheme.model import PointKind, Reply
from scheme.policy.parameter import PolicyView


def decide_reply(
    policy: PolicyView,
    *,
    is_low_voltage: bool,
    source_count: int,
    point_kind: PointKind | None,
    capacity_kva: float,
    has_works_beyond_tee: bool,
) -> Reply:
    """Return how the scheme is answered.

    Direct access (具备直接接入条件) is defined by this product, because the papers do not: one source, a tee or an
    existing spare bay, a bounded capacity, no grid works beyond it.

    Args:
        policy: Reads ``reply.*``.
        is_low_voltage: Connected at 220 or 380 V.
        source_count: Sources of the supply.
        point_kind: Kind of connection point; ``None`` where no point carries the customer.
        capacity_kva: Capacity of the customer.
        has_works_beyond_tee: The utility builds more than the tee or the bay.
    """
    texts = policy.get("reply.texts").value

    def reply(mode: Literal["automatic", "on_site", "approval", "joint_work"]) -> Reply:
        return Reply(mode=mode, text=texts[mode])

    if point_kind is None:
        return reply("joint_work")
    if is_low_voltage:
        return reply("automatic" if policy.flag("reply.lv_is_automatic") else "approval")
    is_direct = (
        source_count == 1
        and point_kind in policy.texts("reply.direct_access_kinds")
        and policy.get("reply.direct_access_kva_max").allows(capacity_kva)
        and not has_works_beyond_tee
    )
    return reply("on_site" if is_direct and policy.flag("reply.direct_access_is_on_site") else "approval")
