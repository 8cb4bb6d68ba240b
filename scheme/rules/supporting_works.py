"""What the contract binds supporting works (配套工程) to."""

from __future__ import annotations

from datetime import date

from scheme.model_variant import ContractCheck
from scheme.policy.parameter import PolicyView


def check_contract(
    policy: PolicyView,
    *,
    works_end_on: date | None,
    customer_end_on: date | None,
    works_workdays: int | None,
    limit_workdays: int | None,
) -> ContractCheck | None:
    """Return whether supporting works end by the customer's own date and within the construction limit (建设时限).

    Args:
        policy: Reads ``schedule.contract_binds_works`` and ``schedule.texts``; ``None`` where contracts do not bind.
        works_end_on: Last day of the works.
        customer_end_on: The customer's own date.
        works_workdays: Time the works take (working days).
        limit_workdays: Time the policy allows (working days).
    """
    binds = policy.find("schedule.contract_binds_works")
    if binds is None or not binds.value:
        return None
    dates, lengths = (works_end_on, customer_end_on), (works_workdays, limit_workdays)
    is_late = works_end_on is not None and customer_end_on is not None and works_end_on > customer_end_on
    is_long = works_workdays is not None and limit_workdays is not None and works_workdays > limit_workdays
    is_open = None in dates or None in lengths
    code = "late" if is_late else "long" if is_long else "open" if is_open else "kept"
    return ContractCheck(
        works_end_on=None if works_end_on is None else works_end_on.isoformat(),
        customer_end_on=None if customer_end_on is None else customer_end_on.isoformat(),
        works_workdays=works_workdays,
        limit_workdays=limit_workdays,
        is_kept=False if is_late or is_long else None if is_open else True,
        text=str(policy.get("schedule.texts").value[f"contract_{code}"]),
    )
