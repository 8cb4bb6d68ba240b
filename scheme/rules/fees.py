"""Fees (营业费用): what is due, and a check that nothing forbidden is named."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from decimal import Decimal

from gridmodel.errors import InputError
from scheme.model import Fee
from scheme.policy.parameter import PolicyView


def compute_fees(
    policy: PolicyView, *, source_capacities_kva: Sequence[float], is_low_voltage: bool
) -> tuple[Fee, ...]:
    """Return the fees due: none for one source, the high-reliability fee on every further circuit otherwise.

    Args:
        policy: Reads ``fees.*``.
        source_capacities_kva: Capacity of every circuit; the largest is free.
        is_low_voltage: Received at 380 V.
    """
    if len(source_capacities_kva) < 2:
        return ()
    name = policy.text("fees.high_reliability_name")
    check_fee_name(name, policy)
    quantity_kva = sum(source_capacities_kva) - max(source_capacities_kva)
    rate = policy.find(
        "fees.high_reliability_lv_cny_per_kva" if is_low_voltage else "fees.high_reliability_hv_cny_per_kva"
    )
    if rate is None:
        basis = policy.text("fees.basis_without_rate")
        return (Fee(name=name, unit_price_cny=None, quantity=quantity_kva, amount_cny=None, basis=basis),)
    price_cny = Decimal(str(rate.value))
    amount_cny = (price_cny * Decimal(str(quantity_kva))).quantize(Decimal("0.01"))
    return (
        Fee(
            name=name,
            unit_price_cny=str(price_cny),
            quantity=quantity_kva,
            amount_cny=str(amount_cny),
            basis=rate.clause,
        ),
    )


def check_fee_name(name: str, policy: PolicyView) -> None:
    """Return when the fee may stand in a scheme.

    Names are compared without spaces, punctuation and differences of width, so that ``移 表 费`` is ``移表费``.

    Args:
        name: Name of the fee.
        policy: Reads ``fees.allowed_names``, ``fees.banned_names`` and ``fees.banned_stems``.

    Raises:
        InputError: The fee is banned or like a banned one, or the profile has a list of allowed fees and it is not on
            it.
    """
    plain = plain_fee_name(name)
    for parameter_id in ("fees.banned_names", "fees.banned_stems"):
        banned = policy.find(parameter_id)
        word = next((w for w in banned.value if plain_fee_name(w) in plain), None) if banned is not None else None
        if banned is not None and word is not None:
            raise InputError(f"this fee is banned: {word}", field="fee", value=name, allowed=f"none of {banned.clause}")
    allowed = policy.find("fees.allowed_names")
    if allowed is not None and plain not in {plain_fee_name(word) for word in allowed.value}:
        raise InputError("this fee is not allowed", field="fee", value=name, allowed=", ".join(allowed.value))


def plain_fee_name(name: str) -> str:
    """Return the letters and digits of a name in their normal width, in lower case."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())
