"""The supply of an answered scheme: voltage, capacity and every source of the chosen variant (接入系统方案)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridmodel.snapshot import Snapshot
from scheme.model import FurtherSource, Source, Supply, Variant
from scheme.policy.parameter import PolicyView
from scheme.rules.ownership import describe_ownership
from scheme.rules.supply_structure import SourceDuty, SupplyStructure
from scheme.rules.voltage_level import SupplyDecision


def describe_supply(decision: SupplyDecision, best: Variant, snapshot: Snapshot, policy: PolicyView) -> Supply:
    """Return the supply record of an answered decision.

    Args:
        decision: Voltage, capacity and structure.
        best: The variant it is told for.
        snapshot: Names the busbar of a single source.
        policy: Reads ``supply.source_texts`` and ``ownership.boundaries``.
    """
    assert decision.phases is not None
    assert decision.capacity_kva is not None
    assert decision.calculated_load_kw is not None
    assert decision.power_factor is not None
    assert decision.structure is not None
    structure = decision.structure
    is_several = structure.source_count > 1
    voltage = str(decision.voltage)
    if voltage == "10kV":
        voltage = f"{best.connection_point.u_nominal_kv:g}kV"
    texts = policy.get("supply.source_texts").value
    busbar = best.busbar or _find_busbar(best, snapshot)
    points: list[tuple[Variant | FurtherSource, str | None]] = [(best, busbar)]
    points += [(source, source.busbar) for source in best.further_sources]
    return Supply(
        voltage=voltage,
        phases=decision.phases,
        capacity_kva=decision.capacity_kva,
        calculated_load_kw=decision.calculated_load_kw,
        power_factor=decision.power_factor,
        sources=tuple(
            _source(point, duty, structure, voltage, bar, texts, policy)
            for (point, bar), duty in zip(points, structure.duties, strict=True)
        ),
        operation_mode=structure.operation_mode,
        interlock=structure.interlock,
        required_share_kva=round(structure.required_share_kva, 3) if is_several else None,
    )


def _source(
    point: Variant | FurtherSource,
    duty: SourceDuty,
    structure: SupplyStructure,
    voltage: str,
    busbar: str | None,
    texts: Mapping[str, Any],
    policy: PolicyView,
) -> Source:
    return Source(
        source_no=duty.source_no,
        role=duty.role,
        kind=structure.kind,
        supply_voltage=voltage,
        capacity_kva=duty.capacity_kva if structure.source_count == 1 else round(duty.capacity_kva, 3),
        substation=point.substation,
        busbar=busbar,
        feeder=point.feeder,
        transformer_area=point.transformer_area,
        point=point.connection_point.name,
        connection_mode=point.connection_mode,
        laying=point.route.laying,
        line_type_id=point.route.line_type_id,
        length_m=point.route.length_m,
        entry_mode=texts[f"entry_{point.route.laying}"],
        ownership_boundary=describe_ownership(point.connection_point.kind, policy),
        line_label=point.route.line_label,
    )


def _find_busbar(best: Variant, snapshot: Snapshot) -> str | None:
    """Return the name of the busbar on the supply path, ``None`` where none is named."""
    nodes = snapshot.nodes
    path_ids = [row["element_id"] for row in best.verification.voltage_profile]
    on_path = nodes[nodes.element_id.isin(path_ids) & (nodes.kind == "substation_busbar")]
    if on_path.empty:
        return None
    row = on_path.iloc[0]
    return str(row["name"] or row.element_id)
