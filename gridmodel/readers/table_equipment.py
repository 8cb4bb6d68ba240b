"""Conductor and transformer types a table may name: the equipment catalogue and the utility's own conductor types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.catalogue.records import TransformerType
from gridmodel.readers.table_gate import TableGate


@dataclass(frozen=True, slots=True, kw_only=True)
class Conductor:
    """What the model needs of a conductor type (导线型号)."""

    laying: Literal["overhead", "cable"]
    u_class: Literal["mv", "lv"]
    r_ohm_per_km: float
    """At 20 degC."""
    x_ohm_per_km: float
    c_nf_per_km: float
    rating_a: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """Types by identifier."""

    conductors: Mapping[str, Conductor]
    transformers: Mapping[str, TransformerType]


def gather_equipment(gate: TableGate) -> Equipment:
    """Return the types of the catalogue and of ``conductor_types``; a catalogue type cannot be redefined."""
    catalogue = load_catalogue()
    conductors = {
        type_id: Conductor(
            laying=line.laying,
            u_class=line.u_class,
            r_ohm_per_km=line.r20_ohm_per_km,
            x_ohm_per_km=line.x_ohm_per_km,
            c_nf_per_km=line.c_nf_per_km,
            rating_a=line.rating_a,
        )
        for type_id, line in catalogue.line_types.items()
    }
    for row in list(gate.accepted("conductor_types")):
        if row["type_id"] in conductors:
            gate.quarantine(
                row,
                "conflicting_duplicate",
                column="type_id",
                expected="不与设备目录中的型号重名",
                consequence="该行不采用;引用该型号的线路按设备目录取值",
            )
            continue
        names = ("laying", "u_class", "r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "rating_a")
        conductors[row["type_id"]] = Conductor(**{name: row[name] for name in names})
    return Equipment(conductors=conductors, transformers=catalogue.transformer_types)
