"""What policy says of transition schemes: bounds, smallest useful part, wording, funding, tasks of departments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from scheme.model import JointTask
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest
from scheme.rules.validity import add_months


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionRules:
    """Numbers of one voltage class, read once per search."""

    load_flows_max: int
    family_load_flows_max: int
    options_per_family_max: int
    points_max: int
    group_points_max: int
    group_survey_max: int
    measures_max: int
    radius_m: float
    """How far from the customer points are looked for."""
    step_kva: float
    """A first stage is rounded down to a multiple of it."""
    capacity_kva_min: float
    """Smallest first stage."""
    first_stage_ratio_min: float
    """Smallest first stage as a share of the demand."""
    first_stage_points_max: int
    ties_max: int
    openings_max: int
    reconductoring_rounds_max: int
    voltage_share_ratio: float
    transformer_series: str
    transformer_kva_max: float
    main_transformer_sizes_kva: tuple[float, ...]
    new_area_branch_max_m: float
    new_area_lv_route_m: float

    def useful_kva_min(self, demand_kva: float) -> float:
        """Return the smallest part of a demand worth connecting first."""
        return max(self.capacity_kva_min, self.first_stage_ratio_min * demand_kva)


def read_rules(policy: PolicyView, *, voltage_class: Literal["lv", "mv"]) -> TransitionRules:
    """Return the rules of ``transition.*`` for low or medium voltage."""
    first = policy.row("transition.first_stage", "voltage_class", voltage_class)
    return TransitionRules(
        load_flows_max=policy.count("transition.load_flows_max"),
        family_load_flows_max=policy.count("transition.family_load_flows_max"),
        options_per_family_max=policy.count("transition.options_per_family_max"),
        points_max=policy.count("transition.points_max"),
        group_points_max=policy.count("transition.group_points_max"),
        group_survey_max=policy.count("transition.group_survey_max"),
        measures_max=policy.count("transition.measures_max"),
        radius_m=float(policy.row("transition.reach", "voltage_class", voltage_class)["radius_m"]),
        step_kva=float(first["step_kva"]),
        capacity_kva_min=float(first["capacity_kva_min"]),
        first_stage_ratio_min=policy.number("transition.first_stage_ratio_min"),
        first_stage_points_max=policy.count("transition.first_stage_points_max"),
        ties_max=policy.count("transition.ties_max"),
        openings_max=policy.count("transition.openings_max"),
        reconductoring_rounds_max=policy.count("transition.reconductoring_rounds_max"),
        voltage_share_ratio=policy.number("transition.voltage_share_ratio"),
        transformer_series=policy.text("transition.transformer_series"),
        transformer_kva_max=policy.number("transition.transformer_kva_max"),
        main_transformer_sizes_kva=policy.numbers("transition.main_transformer_sizes_kva"),
        new_area_branch_max_m=policy.number("transition.new_area_branch_max_m"),
        new_area_lv_route_m=policy.number("transition.new_area_lv_route_m"),
    )


def transformer_price_code(policy: PolicyView, *, sn_kva: float) -> str | None:
    """Return the unit cost of a transformer area of a rating, ``None`` above the largest one priced."""
    rows = policy.rows("transition.transformer_prices")
    return next((str(row["price_code"]) for row in rows if sn_kva <= row["sn_kva_max"]), None)


def decide_funding(
    request: SupplyRequest, policy: PolicyView, *, is_low_voltage: bool, needs_works: bool = True
) -> str:
    """Return where the money of the supporting works comes from (SQ-2022 二(二)4).

    Urgent is what is needed within the months of ``transition.urgent_months_max`` from the application; longer goes to
    the annual plan. The rule for 400 V works asks for no date.
    """
    texts = policy.get("transition.funding_texts").value
    if not needs_works:
        return str(texts["none"])
    if is_low_voltage:
        return str(texts["low_voltage"])
    limit = policy.find("transition.urgent_months_max")
    if limit is None:
        return str(texts["no_rule"])
    if request.needed_on is None:
        return str(texts["date_not_known"])
    last_on = add_months(request.received_on, int(limit.value))
    is_urgent = request.needed_on <= last_on
    return str(texts["urgent" if is_urgent else "annual"])


def list_tasks(policy: PolicyView, occasions: Iterable[str], *, facts: Mapping[str, Any]) -> tuple[JointTask, ...]:
    """Return the tasks of the departments, each code of a department once, in the order of the policy.

    Args:
        policy: Reads ``transition.tasks``.
        occasions: What is the case: verdict parts and kinds of measures.
        facts: What the texts name.
    """
    wanted, found = set(occasions), dict[tuple[str, str], JointTask]()
    for row in policy.rows("transition.tasks"):
        if row["occasion"] in wanted:
            task = JointTask(
                department=row["department"],
                code=row["code"],
                text=str(row["text"]).format(**facts),
                due=row["due"],
            )
            found.setdefault((task.department, task.code), task)
    return tuple(found.values())
