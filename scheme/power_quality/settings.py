"""Settings of the studies that policy decides."""

from __future__ import annotations

from gridmodel.unbalance import ZeroSequence
from scheme.policy.parameter import PolicyView


def fault_settings(policy: PolicyView) -> dict[str, float]:
    """Return the named arguments of :class:`gridmodel.connection.ConnectionStudy` for short circuits."""
    return {"fault_conductor_temperature_c": policy.number("power_quality.fault_conductor_temperature_c")}


def zero_sequence(policy: PolicyView) -> ZeroSequence:
    """Return the zero-sequence impedances of low-voltage lines whose own are not known."""
    return ZeroSequence(
        r0_ratio=policy.number("power_quality.lv_r0_ratio"), x0_ratio=policy.number("power_quality.lv_x0_ratio")
    )
