"""Whether sources are as far apart as they must be, proven from the elements of their supply paths (供电路径).

Two sources never share a line. Different busbars (不同母线) share neither a busbar nor a main transformer; different
substations (不同变电站) lie in two substations that the data name. What the data do not tell is not taken as proven.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridmodel.connection import ConnectionAssessment
from gridmodel.snapshot import Snapshot
from scheme.model import Reason
from scheme.points import Candidate
from scheme.rules.supply_structure import Separation


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeding:
    """Elements that feed one connection point, by their imported ids."""

    feeder_id: str | None
    line_ids: frozenset[str]
    busbar_ids: frozenset[str]
    """Busbars on the path; the place where the path begins where none is marked as one."""
    main_transformer_ids: frozenset[str]
    substation_ids: frozenset[str]


class FeedingTracer:
    """Reads what feeds a point out of the assessment of a connection there."""

    def __init__(self, snapshot: Snapshot) -> None:
        nodes, transformers = snapshot.nodes, snapshot.transformers
        self._line_ids = frozenset(snapshot.lines.element_id)
        is_main = transformers.role == "main"
        self._main_stations = dict(
            zip(transformers.element_id[is_main], transformers.substation_id[is_main], strict=True)
        )
        self._busbars = frozenset(nodes.element_id[nodes.kind == "substation_busbar"])
        self._node_stations = dict(zip(nodes.element_id, nodes.substation_id, strict=True))
        self._names = dict(zip(nodes.element_id, nodes["name"], strict=True))

    def trace(self, candidate: Candidate, assessment: ConnectionAssessment) -> Feeding:
        """Return what feeds ``candidate``, by the supply path of its own trial."""
        path_ids = set(assessment.element_ids)
        bus_ids = [str(row["element_id"]) for row in assessment.voltage_profile]
        busbars = self._busbars.intersection(bus_ids) or frozenset(bus_ids[:1])
        mains = frozenset(path_ids & self._main_stations.keys())
        stations = [self._main_stations[main] for main in mains] + [self._node_stations.get(bar) for bar in busbars]
        return Feeding(
            feeder_id=candidate.feeder_id,
            line_ids=frozenset(path_ids & self._line_ids),
            busbar_ids=busbars,
            main_transformer_ids=mains,
            substation_ids=frozenset(station for station in stations if isinstance(station, str) and station),
        )

    def busbar_name(self, feeding: Feeding) -> str | None:
        """Return the busbar people name, ``None`` where the data mark none."""
        marked = sorted(feeding.busbar_ids & self._busbars)
        if not marked:
            return None
        name = self._names[marked[0]]
        return name if isinstance(name, str) and name else marked[0]


def find_shared(first: Feeding, second: Feeding, separation: Separation) -> Reason | None:
    """Return what two sources share although they must not, or what cannot be proven; ``None``: far enough apart.

    Args:
        first: What feeds one source.
        second: What feeds the other.
        separation: How far apart they must be.
    """
    if first.line_ids & second.line_ids or (first.feeder_id is not None and first.feeder_id == second.feeder_id):
        return Reason(code="same_feeder", text=f"两个接入点由同一条线路（{first.feeder_id or '共用线段'}）供电")
    if separation == "same_busbar_allowed":
        return None
    shared = sorted(first.busbar_ids & second.busbar_ids)
    if shared:
        return Reason(code="same_busbar", text=f"两路电源来自同一母线（{'、'.join(shared)}）")
    shared = sorted(first.main_transformer_ids & second.main_transformer_ids)
    if shared:
        return Reason(code="same_main_transformer", text=f"两路电源来自同一台主变（{'、'.join(shared)}）")
    if separation == "different_busbar":
        return None
    if not (first.substation_ids and second.substation_ids):
        return Reason(code="separation_not_proven", text="数据未说明接入点所属变电站，不能证明两路电源来自不同变电站")
    shared = sorted(first.substation_ids & second.substation_ids)
    if shared:
        return Reason(code="same_substation", text=f"两路电源来自同一变电站（{'、'.join(shared)}）")
    return None
