"""Customer's receiving system (受电系统方案)."""

from __future__ import annotations

from typing import Literal

from scheme.model import CustomerTransformer, Receiving
from scheme.policy.parameter import PolicyView
from scheme.rules.voltage_level import SupplyDecision


def plan_receiving(supply: SupplyDecision, policy: PolicyView) -> Receiving:
    """Return receiving point, transformers, main connection and operation mode of a supply.

    Args:
        supply: An answered decision.
        policy: Reads ``receiving.*``.
    """
    texts = policy.get("receiving.texts").value
    structure = supply.structure
    assert structure is not None, "only answered decisions have a receiving system"
    operation = structure.operation_mode or texts["operation_single"]
    if supply.transformer_kva is None or supply.transformer_count is None:
        return Receiving(
            point_kind=texts["lv"],
            transformers=(),
            main_connection=texts["main_lv"],
            operation_mode=operation,
        )
    series = policy.text("receiving.transformer_series")
    transformer = CustomerTransformer(
        model=f"{series}-{supply.transformer_kva:g}/10", sn_kva=supply.transformer_kva, count=supply.transformer_count
    )
    return Receiving(
        point_kind=texts[find_station_kind(supply.transformer_kva, supply.transformer_count, policy)],
        transformers=(transformer,),
        main_connection=structure.main_connection
        or texts["main_one" if supply.transformer_count == 1 else "main_many"],
        operation_mode=operation,
    )


def find_station_kind(transformer_kva: float, count: int, policy: PolicyView) -> Literal["pole", "box", "room"]:
    """Return the kind of station: one small transformer on poles, one larger in a box, else a room.

    Args:
        transformer_kva: Rated power of each transformer (kVA).
        count: How many of them.
        policy: Reads ``receiving.pole_kva_max`` and ``receiving.box_kva_max``.
    """
    if count == 1 and policy.get("receiving.pole_kva_max").allows(transformer_kva):
        return "pole"
    if count == 1 and policy.get("receiving.box_kva_max").allows(transformer_kva):
        return "box"
    return "room"
