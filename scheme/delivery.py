"""How a variant is delivered: customer's station, materials at hand, permits, dates (工程内容, 物资, 时间安排)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, cast

from gridmodel.catalogue.loader import Catalogue
from scheme.cost import add_costs, compute_cost
from scheme.model import Material, PointKind, Route, Segment, Variant
from scheme.policy.parameter import PolicyView
from scheme.receiving_station import compile_metering, compile_station
from scheme.request import SupplyRequest
from scheme.rules.metering import plan_metering
from scheme.rules.outage import ConnectionPlan, find_connection_plan
from scheme.rules.permits import list_permits
from scheme.rules.receiving import find_station_kind, plan_receiving
from scheme.rules.steps import has_external_works
from scheme.rules.voltage_level import SupplyDecision
from scheme.schedule import WorksMode, plan_timeline
from scheme.stock import StockTable, fill_stock, merge_materials, summarize_supply
from scheme.supply_plan import PlanFacts
from scheme.variants import VariantDraft
from scheme.works import PricedWork


def deliver(
    draft: VariantDraft,
    request: SupplyRequest,
    decision: SupplyDecision,
    *,
    policy: PolicyView,
    catalogue: Catalogue,
    utility_segments: frozenset[Segment],
    stock: StockTable | None,
) -> Variant:
    """Return the finished variant.

    Args:
        draft: Variant without its dates.
        request: What is asked, since when.
        decision: Voltage and capacity.
        policy: Reads ``works.*``, ``time_limit.*``, ``schedule.*`` and ``outage.*``.
        catalogue: Unit costs.
        utility_segments: Segments the utility builds.
        stock: What the utility has; ``None`` where nobody said.

    Raises:
        InputError: The stock counts a material in another unit than the bill.
    """
    if not _keeps_station(request):
        draft = _with_station(draft, decision, policy=policy, catalogue=catalogue, utility_segments=utility_segments)
    bill = fill_stock(merge_materials(draft.bill_of_materials), stock)
    draft = replace(draft, bill_of_materials=bill)
    is_low_voltage = decision.voltage != "10kV"
    builds_route = any(work.side == "utility" and work.code == "route_line" for work in draft.works)
    modes = () if is_low_voltage else (*find_works_modes(draft, policy), *draft.measure_modes)
    timeline = plan_timeline(
        request,
        policy,
        is_low_voltage=is_low_voltage,
        works_modes=modes,
        has_supporting_works=builds_route or bool(modes) or bool(draft.measure_modes),
        facts=PlanFacts(
            permits=list_permits(
                policy,
                is_low_voltage=is_low_voltage,
                laying=draft.route.laying,
                crossings=[crossing for route in _routes(draft) for crossing in route.crossing_permits],
                route_length_m=draft.route.length_m,
            ),
            builds_route=builds_route,
            supply=summarize_supply(bill),
            has_customer_works=has_external_works(request, policy, is_low_voltage=is_low_voltage),
            connection_plan=_slowest_plan(draft, policy, is_low_voltage=is_low_voltage),
        ),
    )
    return draft.with_timeline(timeline)


def find_works_modes(draft: VariantDraft, policy: PolicyView) -> tuple[WorksMode, ...]:
    """Return the kinds of 10 kV supporting works (配套工程) of a variant, each once.

    Args:
        draft: Works at the points, and the route where the utility builds it.
        policy: Reads ``schedule.works_modes``.
    """
    mode_of = {row["built"]: cast(WorksMode, row["mode"]) for row in policy.rows("schedule.works_modes")}
    built: list[str] = [kind for kind, _ in _points(draft)]
    if any(work.code == "route_line" and work.side == "utility" for work in draft.works):
        built += [route.laying for route in _routes(draft)]
    return tuple(dict.fromkeys(mode_of[item] for item in built if item in mode_of))


def _keeps_station(request: SupplyRequest) -> bool:
    """Return whether an increase (增容) builds nothing at the customer's."""
    return request.business == "increase" and request.circumstances.has_external_works is False


def _points(draft: VariantDraft) -> list[tuple[PointKind, float]]:
    points = [draft.connection_point, *(source.connection_point for source in draft.further_sources)]
    return [(point.kind, point.u_nominal_kv) for point in points]


def _routes(draft: VariantDraft) -> list[Route]:
    return [draft.route, *(source.route for source in draft.further_sources)]


def _slowest_plan(
    draft: VariantDraft, policy: PolicyView, *, is_low_voltage: bool
) -> ConnectionPlan | Literal["none", "not_known"]:
    """Return the plan of the point that waits longest; at low voltage there is none to wait for."""
    if is_low_voltage:
        return "none"
    plans = [find_connection_plan(kind, u_kv, policy) for kind, u_kv in _points(draft)]
    known = [plan for plan in plans if plan is not None]
    if len(known) < len(plans):
        return "not_known"
    return max(known, key=_cycle_days)


def _cycle_days(plan: ConnectionPlan) -> int:
    return plan.cycle_days


def _with_station(
    draft: VariantDraft,
    decision: SupplyDecision,
    *,
    policy: PolicyView,
    catalogue: Catalogue,
    utility_segments: frozenset[Segment],
) -> VariantDraft:
    """Return the variant with the customer's receiving station and its metering; ranking is not touched."""
    if decision.transformer_kva is None or decision.transformer_count is None:
        return draft
    model = plan_receiving(decision, policy).transformers[0].model
    station, materials = compile_station(
        find_station_kind(decision.transformer_kva, decision.transformer_count, policy),
        transformer_kva=decision.transformer_kva,
        count=decision.transformer_count,
        model=model,
        side="customer",
        policy=policy,
    )
    works: list[PricedWork] = [*station]
    bill: list[Material] = [*materials]
    for point in plan_metering(decision, policy):
        metering, pieces = compile_metering(point.mode, utility_segments=utility_segments, policy=policy)
        works += metering
        bill += pieces
    return replace(
        draft,
        works=(*draft.works, *(priced.work for priced in works)),
        bill_of_materials=(*draft.bill_of_materials, *bill),
        cost=add_costs([draft.cost, compute_cost(works, catalogue)]),
    )
