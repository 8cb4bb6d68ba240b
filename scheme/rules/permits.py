"""Permits (行政许可) a connection needs before anything is built; they run side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from scheme.policy.parameter import PolicyView


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """One permit; ``duration`` is ``None`` where no limit is set."""

    code: str
    text: str
    duration: int | None
    unit: Literal["workday", "day"]


def list_permits(
    policy: PolicyView,
    *,
    is_low_voltage: bool,
    laying: Literal["overhead", "cable"] | None,
    crossings: Iterable[object] = (),
    route_length_m: float | None = None,
) -> tuple[Permit, ...]:
    """Return the permits in the order of the policy; crossings it does not know stay without limit.

    Args:
        policy: Reads ``time_limit.permits``, for low voltage ``time_limit.lv_exempt_route_m_max``, and
            ``schedule.texts``.
        is_low_voltage: Connected at 220 or 380 V.
        laying: How the route is laid; ``None`` where none is built.
        crossings: What the route crosses: permit codes, or records whose ``permit`` is one (``None``: needs none).
        route_length_m: Length built at low voltage; short routes need no approval.
    """
    wanted: dict[str, str | None] = {
        str(code): getattr(crossing, "permit_name", None)
        for crossing in crossings
        if (code := getattr(crossing, "permit", crossing)) is not None
    }
    if is_low_voltage and route_length_m is not None and is_lv_route_exempt(route_length_m, policy) is False:
        wanted["lv_works"] = None
    value = policy.find("time_limit.permits")
    rows = () if value is None else value.value
    voltage_class = "lv" if is_low_voltage else "mv"
    permits = [
        Permit(code=row["permit"], text=row["text"], duration=row["duration"], unit=row["unit"])
        for row in rows
        if row["permit"] in wanted
        or (laying is not None and row["voltage_class"] == voltage_class and row["laying"] in ("any", laying))
    ]
    known = {permit.code for permit in permits}
    return (*permits, *_unknown({code: name for code, name in wanted.items() if code not in known}, policy))


def is_lv_route_exempt(route_length_m: float, policy: PolicyView) -> bool | None:
    """Return whether a low-voltage route is so short that it needs no approval; ``None`` while no length is set."""
    limit = policy.find("time_limit.lv_exempt_route_m_max")
    return None if limit is None else limit.allows(route_length_m)


def _unknown(names: Mapping[str, str | None], policy: PolicyView) -> tuple[Permit, ...]:
    """Return permits without limit, by the name the crossing gives them."""
    if not names:
        return ()
    text = str(policy.get("schedule.texts").value["unknown_permit"])
    return tuple(
        Permit(code=code, text=name or text.format(permit=code), duration=None, unit="day")
        for code, name in names.items()
    )
