"""Own emergency source (自备应急电源). The importance grade comes from the authorities' list, never from here."""

from __future__ import annotations

from scheme.model import EmergencySource
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest


def plan_emergency_source(request: SupplyRequest, policy: PolicyView) -> EmergencySource:
    """Return whether the customer needs an own source; ``is_required`` is ``None`` while that is not settled.

    It is open while the grade is not confirmed, and for class 1 loads (一级负荷) of a user without grade: those of
    them that are especially important need one. A security load nobody stated stays unknown.

    Args:
        request: Its importance, class 1 load and security load (保安负荷).
        policy: Reads ``emergency.*``.
    """
    texts = policy.get("emergency.texts").value
    ratio = policy.number("emergency.security_load_ratio_min")
    security_kw = request.circumstances.security_load_kw
    if security_kw is not None:
        capacity_kw = round(ratio * security_kw, 1)
        text = texts["required_kw"].format(capacity_kw=capacity_kw)
        return EmergencySource(is_required=True, capacity_kw_min=capacity_kw, text=text)
    importance = request.applicant.importance
    is_required = (
        None
        if importance is None
        else policy.row("emergency.required_by_importance", "importance", importance)["is_required"]
    )
    code = {True: "required", False: "not_required", None: "unknown"}[is_required]
    if not is_required and request.circumstances.load_class1_kw:
        is_required, code = None, "class1"
    return EmergencySource(is_required=is_required, capacity_kw_min=None, text=texts[code].format(ratio=ratio))
