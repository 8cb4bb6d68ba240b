"""Form fields only the utility can fill: never guessed, always named."""

from __future__ import annotations

from collections.abc import Sequence

from scheme.model import EmergencySource, Fee, Tariff
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest


def list_to_be_filled(
    request: SupplyRequest, policy: PolicyView, *, tariff: Tariff, emergency: EmergencySource, fees: Sequence[Fee]
) -> tuple[str, ...]:
    """Return the names of the fields left to the utility.

    Args:
        request: Its importance.
        policy: Reads ``form.utility_fields``.
        tariff: Parts that are ``None`` are listed.
        emergency: Listed where it is not decided; a security load nobody stated is asked for.
        fees: Fees without a rate are listed.
    """
    fields = list(policy.texts("form.utility_fields"))
    if request.applicant.importance is None:
        fields.append("重要用户等级")
    is_resident = request.applicant.category in ("resident", "residential_area")
    for name, value in (
        ("电价类别", tariff.price_class),
        ("是否执行分时电价", tariff.is_time_of_use),
        ("基本电费方式", tariff.capacity_charge),
        ("功率因数考核标准", 0.0 if is_resident else tariff.power_factor_standard),
    ):
        if value is None:
            fields.append(name)
    if emergency.is_required is None:
        fields.append("自备应急电源要求")
    if emergency.is_required and emergency.capacity_kw_min is None:
        fields.append("保安负荷")
    fields += [f"{fee.name}标准" for fee in fees if fee.amount_cny is None]
    return tuple(fields)
