"""Number of sources and how far apart they must be (供电电源配置): from importance grade, load classes and wish.

The strictest of the three governs. A customer who asks for less than the rules demand gets what they demand, and is
told so; what the rules only recommend is told and not forced on anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from gridmodel.errors import NotFoundError
from scheme.model import Reason
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest

Relation = Literal["single", "dual_circuit", "dual_source"]
"""单电源, 双回路, 双电源 (three sources count as the last)."""
Separation = Literal["same_busbar_allowed", "different_busbar", "different_substation"]
"""What the first two sources may share; every source has a feeder of its own in any case."""
ShareBasis = Literal["essential", "capacity"]

RELATIONS: Mapping[Relation, str] = {"single": "单电源", "dual_circuit": "双回路", "dual_source": "双电源"}
SEPARATIONS: Mapping[Separation, str] = {
    "same_busbar_allowed": "不同线路",
    "different_busbar": "不同母线",
    "different_substation": "不同变电站",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureDemand:
    """What the rules and the customer ask for, before the capacity is known."""

    source_count: int
    relation: Relation
    separation: Separation
    share_basis: ShareBasis
    """Whether each source alone must carry the whole capacity or the class 1 and 2 loads (where these are stated)."""
    notes: tuple[Reason, ...] = ()
    """Why it is more than the request says, and what is recommended besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDuty:
    """One source of the structure."""

    source_no: int
    role: str
    """电源性质."""
    normal_kva: float
    """Carried while all sources are in service."""
    capacity_kva: float
    """Carried with all others out, or in normal operation, whichever is more: the source's supply capacity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyStructure:
    """Sources of one supply (供电电源配置)."""

    source_count: int
    relation: Relation
    separation: Separation
    required_share_kva: float
    """What each source must carry alone."""
    duties: tuple[SourceDuty, ...]
    kind: str
    """电源类型."""
    operation_mode: str | None
    """运行方式; ``None`` for one source."""
    main_connection: str | None
    interlock: str | None
    """闭锁方式; ``None`` for one source."""
    notes: tuple[Reason, ...]


def find_structure_demand(request: SupplyRequest, policy: PolicyView) -> StructureDemand:
    """Return number, relation and separation of the sources a request needs.

    Args:
        request: Its wish, importance and load classes.
        policy: Reads ``supply.structure_by_*``.
    """
    wish = policy.row("supply.structure_by_wish", "sources", request.sources)
    demands = [wish]
    notes: list[Reason] = []
    importance = request.applicant.importance
    if importance is not None:
        row = policy.row("supply.structure_by_importance", "importance", importance)
        demands.append(row)
        if _rank(row) > _rank(wish):
            notes.append(_raised("sources_raised_by_importance", f"{row['grade_zh']}重要用户", row, wish))
    for row in _class_rows(request, policy):
        if row["is_mandatory"]:
            demands.append(row)
        if _rank(row) > _rank(_strictest(demands[:-1] if row["is_mandatory"] else demands)):
            code = "sources_raised_by_load_class" if row["is_mandatory"] else "second_circuit_recommended"
            notes.append(_raised(code, row["class_zh"], row, wish))
    return _strictest_of_each(demands, tuple(notes))


def plan_structure(
    demand: StructureDemand, request: SupplyRequest, policy: PolicyView, *, capacity_kva: float, power_factor: float
) -> SupplyStructure:
    """Return the sources with what each must carry.

    Args:
        demand: Outcome of :func:`find_structure_demand`.
        request: Its load classes and security load.
        policy: Reads ``supply.*`` of several sources; of one source only ``supply.source_texts``.
        capacity_kva: Supply capacity of the customer.
        power_factor: Turns its kW into kVA.

    Raises:
        NotFoundError: The policy has no roles or operation mode for this number and relation of sources.
    """
    relation, count = demand.relation, demand.source_count
    if count == 1:
        texts = policy.get("supply.source_texts").value
        duties: tuple[SourceDuty, ...] = (
            SourceDuty(source_no=1, role=texts["role_main"], normal_kva=capacity_kva, capacity_kva=capacity_kva),
        )
        return _structure(demand, capacity_kva, duties, {"kind_zh": texts["kind_single"]})
    share_kva = _share_kva(demand, request, policy, capacity_kva, power_factor)
    roles = _rows_of(relation, count, "supply.source_roles", policy)
    duties = tuple(
        SourceDuty(
            source_no=row["source_no"],
            role=row["role_zh"],
            normal_kva=row["normal_ratio"] * capacity_kva,
            capacity_kva=max(share_kva, row["normal_ratio"] * capacity_kva),
        )
        for row in roles
    )
    mode = _rows_of(relation, count, "supply.operation_modes", policy)[0]
    return _structure(demand, share_kva, duties, mode)


def _rows_of(relation: Relation, count: int, table_id: str, policy: PolicyView) -> list[Mapping[str, Any]]:
    rows = [row for row in policy.rows(table_id) if (row["relation"], row["source_count"]) == (relation, count)]
    if not rows:
        raise NotFoundError(f"{table_id} has no row for {count} sources of relation {relation}", parameter_id=table_id)
    return rows


def resize_single(structure: SupplyStructure, capacity_kva: float) -> SupplyStructure:
    """Return the structure of one source with another capacity."""
    (duty,) = structure.duties
    duties = (replace(duty, normal_kva=capacity_kva, capacity_kva=capacity_kva),)
    return replace(structure, required_share_kva=capacity_kva, duties=duties)


def essential_load_kva(request: SupplyRequest, power_factor: float) -> float | None:
    """Return class 1 and class 2 loads together (kVA), ``None`` where neither is stated."""
    facts = request.circumstances
    if facts.load_class1_kw is None and facts.load_class2_kw is None:
        return None
    return ((facts.load_class1_kw or 0.0) + (facts.load_class2_kw or 0.0)) / power_factor


def _structure(
    demand: StructureDemand, share_kva: float, duties: tuple[SourceDuty, ...], mode: Mapping[str, Any]
) -> SupplyStructure:
    return SupplyStructure(
        source_count=demand.source_count,
        relation=demand.relation,
        separation=demand.separation,
        required_share_kva=share_kva,
        duties=duties,
        kind=mode["kind_zh"],
        operation_mode=mode.get("mode_zh"),
        main_connection=mode.get("main_connection_zh"),
        interlock=mode.get("interlock_zh"),
        notes=demand.notes,
    )


def _share_kva(
    demand: StructureDemand,
    request: SupplyRequest,
    policy: PolicyView,
    capacity_kva: float,
    power_factor: float,
) -> float:
    """Return what each source must carry alone: nothing stated means everything; never less than the security load."""
    essential_kva = essential_load_kva(request, power_factor)
    kept_kva = capacity_kva if demand.share_basis == "capacity" or essential_kva is None else essential_kva
    security_kva = (request.circumstances.security_load_kw or 0.0) / power_factor
    share_kva = policy.number("supply.share_alone_ratio_min") * max(kept_kva, security_kva)
    return min(share_kva, capacity_kva)


def _class_rows(request: SupplyRequest, policy: PolicyView) -> list[Mapping[str, Any]]:
    """Return the rows of the load classes the customer has."""
    facts = request.circumstances
    stated = {1: facts.load_class1_kw, 2: facts.load_class2_kw}
    if not any(stated.values()):
        return []
    return [row for row in policy.rows("supply.structure_by_load_class") if stated.get(row["load_class"])]


def _raised(code: str, whom: str, row: Mapping[str, Any], wish: Mapping[str, Any]) -> Reason:
    needed = f"{row['source_count']}路电源（{RELATIONS[row['relation']]}，来自{SEPARATIONS[row['separation']]}）"
    asked = RELATIONS[wish["relation"]]
    if code == "second_circuit_recommended":
        return Reason(code=code, text=f"{whom}宜有{needed}，客户申请{asked}，按申请答复，建议客户复核")
    return Reason(code=code, text=f"{whom}应有{needed}，客户申请{asked}，已按应有的配置编制方案")


def _rank(row: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return how much a row asks for."""
    return (
        int(row["source_count"]),
        get_args(Separation).index(row["separation"]),
        get_args(Relation).index(row["relation"]),
    )


def _strictest(rows: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    return max(rows, key=_rank)


def _strictest_of_each(rows: list[Mapping[str, Any]], notes: tuple[Reason, ...]) -> StructureDemand:
    """Return the most of every column: what one rule leaves open another may still ask for."""
    needing = [row for row in rows if row["source_count"] > 1] or rows
    return StructureDemand(
        source_count=max(int(row["source_count"]) for row in rows),
        relation=max((row["relation"] for row in needing), key=get_args(Relation).index),
        separation=max((row["separation"] for row in needing), key=get_args(Separation).index),
        share_basis=max((row["share_basis"] for row in needing), key=get_args(ShareBasis).index),
        notes=notes,
    )
