"""Runs the case tables of fixtures/cases/rules: each file is one rule, each case a request and what must come out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from gridmodel.errors import InputError
from gridmodel.profiles import LoadProfiles
from scheme.assessment.order import put_in_order
from scheme.assessment.project import Project
from scheme.disclosure.rules import read_application_limits, read_customer_rules
from scheme.errors import PolicyNotInForceError
from scheme.ledger.alarms import is_overdue
from scheme.ledger.clock import ClockLimits, find_jump
from scheme.library.entry import ProjectEntry, check_works_stage, read_works_stages
from scheme.limits import capacity_settings, generation_hours, generation_settings, operating_limits
from scheme.model import Timeline
from scheme.policy.parameter import PolicySet, PolicyView
from scheme.publication.bands import find_band
from scheme.publication.rules import find_map_audience, is_due, read_map_rules
from scheme.ranking import Merit, compute_scores, rank
from scheme.request import SupplyRequest, parse_request
from scheme.rules.alerts import find_alert, watch_clocks
from scheme.rules.crossings import CrossedObstacle, describe_crossings, list_crossing_permits
from scheme.rules.dedicated_line import offers_dedicated_line
from scheme.rules.disclosure import get_negative_list_criteria, list_disclosure, list_hotlines
from scheme.rules.documents_required import list_required_documents
from scheme.rules.early_works import decide_trigger
from scheme.rules.emergency import plan_emergency_source
from scheme.rules.fees import check_fee_name, compute_fees
from scheme.rules.forms import find_form_versions, plan_consultation, plan_works_order
from scheme.rules.inspection import list_inspection_scope
from scheme.rules.intake import plan_intake
from scheme.rules.investment import decide_investment, utility_segments
from scheme.rules.metering import plan_metering
from scheme.rules.notices import list_notices
from scheme.rules.outage import find_connection_plan
from scheme.rules.ownership import describe_ownership
from scheme.rules.permits import Permit, list_permits
from scheme.rules.protection import plan_protection
from scheme.rules.reactive import plan_compensation
from scheme.rules.receiving import plan_receiving
from scheme.rules.reply import decide_reply
from scheme.rules.steps import has_reviews, list_steps
from scheme.rules.supervision import find_closure_on, is_too_short, list_duties, plan_call_backs
from scheme.rules.supporting_works import check_contract
from scheme.rules.targets import judge_target
from scheme.rules.tariff import decide_tariff
from scheme.rules.time_limit import find_time_limit
from scheme.rules.to_be_filled import list_to_be_filled
from scheme.rules.urgency import judge_deadline
from scheme.rules.validity import compute_validity
from scheme.rules.voltage_level import SupplyDecision, decide_supply
from scheme.schedule import plan_timeline
from scheme.stock import MaterialSupply
from scheme.supply_plan import PlanFacts
from scheme.transition.rules import decide_funding, list_tasks, read_rules, transformer_price_code
from tests.policy.quality_cases import QUALITY_RULES

FOLDER = Path(__file__).parents[2] / "fixtures" / "cases" / "rules"
SIZES_KVA = (30, 50, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000, 1250, 1600, 2000, 2500)

Given = Mapping[str, Any]


def read_cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield rule name and case."""
    for path in sorted(FOLDER.glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8")):
            yield path.stem, case


def build_request(given: Given) -> SupplyRequest:
    """Return a complete request with the facts a case names."""
    demand = {
        key: given[key] for key in ("installed_kw", "capacity_kva", "power_factor", "single_phase") if key in given
    }
    content = {
        "request_id": "case",
        "applicant": {"name": "某客户", "category": given["category"], "importance": given.get("importance")},
        "business": given.get("business", "new"),
        "location": {"lon_deg": 115.1, "lat_deg": 33.4, "datum": "CGCS2000"},
        "demand": demand,
        "voltage": given.get("voltage", "auto"),
        "sources": given.get("sources", "single"),
        "received_on": given.get("received_on", "2026-06-15"),
        "needed_on": given.get("needed_on"),
        "circumstances": given.get("circumstances", {}),
    }
    return parse_request(json.dumps(content))


def run_case(rule: str, case: Mapping[str, Any], policies: PolicySet) -> tuple[Any, PolicyView]:
    """Return the outcome as plain data and the view that recorded the reads."""
    view = PolicyView(policies=policies, profile=case["profile"], as_of=date.fromisoformat(case["as_of"]))
    return json.loads(json.dumps(RULES[rule](case["input"], view), default=_plain)), view


def matches(expected: Any, found: Any) -> bool:
    """Return whether every fact expected is found; lists must have the same length, numbers agree to 1e-8."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(matches(expected[key], found.get(key)) for key in expected)
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(expected) == len(found)
            and all(matches(wanted, got) for wanted, got in zip(expected, found, strict=True))
        )
    if isinstance(expected, float) and isinstance(found, float | int):
        return abs(expected - found) <= 1e-8
    return bool(expected == found)


def _plain(value: Any) -> Any:
    return asdict(value)


def _supply(given: Given, view: PolicyView) -> SupplyDecision:
    sizes = given.get("transformer_sizes_kva", SIZES_KVA)
    return decide_supply(build_request(given), view, transformer_sizes_kva=sizes)


def _fee_is_allowed(given: Given, view: PolicyView) -> bool:
    try:
        check_fee_name(given["name"], view)
    except InputError:
        return False
    return True


def _to_be_filled(given: Given, view: PolicyView) -> tuple[str, ...]:
    request = build_request(given)
    tariff = decide_tariff(request, _supply(given, view), view)
    emergency = plan_emergency_source(request, view)
    return list_to_be_filled(request, view, tariff=tariff, emergency=emergency, fees=())


def _hours(given: Given, view: PolicyView) -> tuple[str, ...]:
    labels = tuple(given["hours"])
    curves = LoadProfiles(hours=labels, names=("all",), p=np.ones((len(labels), 1)), q=np.ones((len(labels), 1)))
    return generation_hours(view, curves)


def _or_missing(rule: Callable[[], Any]) -> Any:
    """Return the outcome, or which value the utility must supply."""
    try:
        return rule()
    except PolicyNotInForceError as error:
        return {"missing": error.context["parameter_id"]}


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _crossings(given: Given, view: PolicyView) -> dict[str, Any]:
    crossed = [CrossedObstacle(**item, lon_deg=115.1, lat_deg=33.4) for item in given["crossed"]]
    permits = list_crossing_permits(crossed, view, is_estimated=given["is_estimated"])
    return {
        "permits": [item.permit for item in permits],
        "texts": describe_crossings(permits, view, laying=given["laying"]),
    }


def _order(given: Given, view: PolicyView) -> list[str]:
    alike = {
        "cost_cny10k": 10.0,
        "distance_m": 200.0,
        "line_loading_ratio_max": 0.4,
        "transformer_loading_ratio_max": 0.4,
        "u_pu_customer": 0.98,
        "u_pu_min_allowed": 0.93,
        "losses_kw": 1.0,
        "p_kw": 100.0,
    }
    merits = [Merit(**{**alike, **merit}) for merit in given["merits"]]
    scores = compute_scores(merits, distance_max_m=1000.0, limits=operating_limits(view), policy=view)
    return [merits[place].element_source_id for place in rank(merits, scores)]


def _queue_order(given: Given, view: PolicyView) -> list[str]:
    projects = []
    for fields in given["projects"]:
        received_on = date.fromisoformat(fields["received_on"])
        alike: dict[str, Any] = {
            "name": "某项目",
            "category": "industrial_commercial",
            "lon_deg": 115.1,
            "lat_deg": 33.4,
            "demand_kva": 100.0,
        }
        projects.append(Project(**{**alike, **fields, "received_on": received_on}))
    ordered = put_in_order(projects, view, first_ids=given.get("first_ids", ()))
    return [project.project_id for project in ordered]


def _works_stage(given: Given, view: PolicyView) -> bool:
    entry = {
        "source_system": "gov",
        "source_id": "P-1",
        "name": "某项目",
        "category": "industrial_commercial",
        "demand": {},
        "received_on": "2026-01-01",
        "works_stage": given["works_stage"],
    }
    try:
        check_works_stage(ProjectEntry.model_validate_json(json.dumps(entry)), read_works_stages(view))
    except InputError:
        return False
    return True


def _flag(given: Given) -> bool:
    return bool(given["is_low_voltage"])


def _plan(given: Given, view: PolicyView) -> Timeline:
    """Plan a supply whose permits, materials and outage plan the case names."""
    supply = given.get("supply")
    if supply is not None:
        ready_on = supply.get("ready_on")
        supply = MaterialSupply(
            is_complete=supply.get("is_complete", True),
            ready_on=None if ready_on is None else date.fromisoformat(ready_on),
            not_known=tuple(supply.get("not_known", ())),
        )
    connection_plan: Any = "none"
    if "point_kind" in given:
        connection_plan = (
            find_connection_plan(given["point_kind"], given.get("u_nominal_kv", 10.0), view) or "not_known"
        )
    return plan_timeline(
        build_request(given),
        view,
        is_low_voltage=_flag(given),
        works_modes=given.get("works_modes", ()),
        has_supporting_works=given.get("has_supporting_works"),
        facts=PlanFacts(
            permits=_permits(given, view),
            builds_route=given.get("builds_route", False),
            supply=supply,
            has_customer_works=given.get("has_customer_works", False),
            connection_plan=connection_plan,
        ),
    )


def _permits(given: Given, view: PolicyView) -> tuple[Permit, ...]:
    return list_permits(
        view,
        is_low_voltage=_flag(given),
        laying=given.get("laying"),
        crossings=given.get("crossings", ()),
        route_length_m=given.get("route_length_m"),
    )


def _contract(given: Given, view: PolicyView) -> Any:
    days = {key: given.get(key) for key in ("works_end_on", "customer_end_on")}
    return check_contract(
        view,
        **{key: None if day is None else date.fromisoformat(day) for key, day in days.items()},
        works_workdays=given.get("works_workdays"),
        limit_workdays=given.get("limit_workdays"),
    )


def _useful_part(given: Given, view: PolicyView) -> float:
    rules = read_rules(view, voltage_class=given["voltage_class"])
    return rules.useful_kva_min(given["demand_kva"])


def _map_rules(given: Given, view: PolicyView) -> dict[str, Any]:
    rules = read_map_rules(view)
    return {name: getattr(rules, name) for name in ("cell_side_m", "block_side_cells", "band_edges_va")}


def _customer_view(given: Given, view: PolicyView) -> dict[str, Any]:
    rules, limits = read_customer_rules(view), read_application_limits(view)
    return {
        "capacities_kva": [rules.floor_capacity_kva(value) for value in given.get("capacities_kva", [])],
        "routes_m": [rules.round_route_m(value) for value in given.get("routes_m", [])],
        "costs_cny10k": [rules.round_cost_cny10k(value) for value in given.get("costs_cny10k", [])],
        "reasons": [rules.explain(code).reason for code in given.get("codes", [])],
        "sees_names": rules.sees_names,
        "variants_max": rules.variants_max,
        "may_apply": [limits.allows(count) for count in given.get("applications", [])],
        "application_days": limits.days,
    }


def _clock_jump(given: Given, view: PolicyView) -> str:
    moments = {name: None if given[name] is None else datetime.fromisoformat(given[name]) for name in given}
    return find_jump(**moments, limits=ClockLimits.read(view))  # type: ignore[arg-type]


RULES: dict[str, Callable[[Given, PolicyView], Any]] = {
    "supply": _supply,
    "structure": _supply,
    "receiving": lambda g, v: plan_receiving(_supply(g, v), v),
    "metering": lambda g, v: plan_metering(_supply(g, v), v),
    "tariff": lambda g, v: decide_tariff(build_request(g), _supply(g, v), v),
    "protection": lambda g, v: plan_protection(_supply(g, v), v, point_kind=g["point_kind"], laying=g["laying"]),
    "reactive": lambda g, v: plan_compensation(build_request(g), _supply(g, v), v),
    "emergency": lambda g, v: plan_emergency_source(build_request(g), v),
    "investment": lambda g, v: decide_investment(build_request(g), v, is_low_voltage=_flag(g)),
    "investment_segments": lambda g, v: sorted(utility_segments(build_request(g), v, is_low_voltage=_flag(g))),
    "ownership": lambda g, v: describe_ownership(g["point_kind"], v),
    "fees": lambda g, v: compute_fees(v, source_capacities_kva=g["source_capacities_kva"], is_low_voltage=_flag(g)),
    "fee_names": _fee_is_allowed,
    "steps": lambda g, v: [step.name for step in list_steps(build_request(g), v, is_low_voltage=_flag(g))],
    "time_limit": lambda g, v: find_time_limit(
        build_request(g), v, is_low_voltage=_flag(g), has_supporting_works=g["has_supporting_works"]
    ),
    "timeline": lambda g, v: plan_timeline(
        build_request(g),
        v,
        is_low_voltage=_flag(g),
        works_modes=g.get("works_modes", ()),
        has_supporting_works=g.get("has_supporting_works"),
    ),
    "plan": _plan,
    "permits": _permits,
    "contract": _contract,
    "connection_plan": lambda g, v: find_connection_plan(
        g["point_kind"], g["u_nominal_kv"], v, needs_outage=g.get("needs_outage", False)
    ),
    "reviews": lambda g, v: has_reviews(build_request(g), v, is_low_voltage=_flag(g)),
    "validity": lambda g, v: compute_validity(date.fromisoformat(g["notice_on"]), v, is_low_voltage=_flag(g)),
    "inspection": lambda g, v: list_inspection_scope(build_request(g), v, is_low_voltage=_flag(g)),
    "documents": lambda g, v: list_required_documents(build_request(g), v, is_low_voltage=_flag(g)),
    "notices": lambda g, v: list_notices(build_request(g), v, is_low_voltage=_flag(g)),
    "to_be_filled": _to_be_filled,
    "limits": lambda g, v: operating_limits(v),
    "form_versions": lambda g, v: find_form_versions(v),
    "consultation": lambda g, v: _or_missing(lambda: plan_consultation(v)),
    "consultation_notices": lambda g, v: v.texts("notices.consultation"),
    "works_order": lambda g, v: plan_works_order(v),
    "capacity_settings": lambda g, v: capacity_settings(v),
    "generation_settings": lambda g, v: generation_settings(v),
    "generation_hours": _hours,
    "intake": lambda g, v: plan_intake(g["channel"], datetime.fromisoformat(g["received_at"]), v),
    "targets": lambda g, v: judge_target(g["target_id"], g["observed"], v),
    "alerts": lambda g, v: _or_missing(
        lambda: find_alert(g["step"], g["elapsed_workdays"], g["limit_workdays"], v),
    ),
    "early_works": lambda g, v: decide_trigger(
        v,
        works_stage=g["works_stage"],
        customer_end_on=date.fromisoformat(g["customer_end_on"]) if g["customer_end_on"] else None,
        works_workdays=g["works_workdays"],
        today=date.fromisoformat(g["today"]),
    ),
    "queue_order": _queue_order,
    "works_stage": _works_stage,
    "queue_urgency": lambda g, v: judge_deadline(
        date.fromisoformat(g["due_on"]) if g["due_on"] else None,
        g["limit_workdays"],
        date.fromisoformat(g["today"]),
        v,
    ),
    "clocks": lambda g, v: _or_missing(lambda: watch_clocks(g["voltage_class"], g["elapsed_workdays"], v)),
    "closure": lambda g, v: _iso(find_closure_on(date.fromisoformat(g["warned_on"]), v)),
    "duties": lambda g, v: list_duties(date.fromisoformat(g["last_on"]), v),
    "call_backs": lambda g, v: plan_call_backs(v, **g),
    "too_short": lambda g, v: _or_missing(lambda: is_too_short(g["kind"], g["elapsed_workdays"], v)),
    "disclosure": lambda g, v: list_disclosure(g["audience"], v),
    "hotlines": lambda g, v: list_hotlines(v),
    "negative_list": lambda g, v: _or_missing(lambda: get_negative_list_criteria(v)),
    "map_rules": _map_rules,
    "map_band": lambda g, v: find_band(g["value_va"], read_map_rules(v), previous=g.get("previous")),
    "map_enough": lambda g, v: read_map_rules(v).is_enough(g["transformers"], g["customers"]),
    "map_due": lambda g, v: is_due(g["months"], v),
    "map_audience": lambda g, v: _or_missing(lambda: find_map_audience(v)),
    "customer_view": _customer_view,
    "reply": lambda g, v: decide_reply(v, **g),
    "ledger_clock": _clock_jump,
    "ledger_energised": lambda g, v: is_overdue(
        date.fromisoformat(g["energised_on"]), date.fromisoformat(g["today"]), v
    ),
    "ranking": _order,
    "crossings": _crossings,
    "dedicated_line": lambda g, v: offers_dedicated_line(g["capacity_kva"], v),
    **QUALITY_RULES,
    "transition_rules": lambda g, v: read_rules(v, voltage_class=g["voltage_class"]),
    "transition_useful_part": _useful_part,
    "transition_prices": lambda g, v: transformer_price_code(v, sn_kva=g["sn_kva"]),
    "transition_funding": lambda g, v: decide_funding(
        build_request(g), v, is_low_voltage=_flag(g), needs_works=g.get("needs_works", True)
    ),
    "transition_tasks": lambda g, v: list_tasks(v, g["occasions"], facts={"funding": g["funding"]}),
}
