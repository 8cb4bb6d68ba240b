"""Transformers, feeders and main transformers projects compete for, and which of them a limit belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from gridmodel.snapshot import Snapshot
from gridmodel.topology import LOW_VOLTAGE_KV_MAX
from scheme.assessment.records import ElementKind, Limiter
from scheme.model import ConnectionPoint
from scheme.points import Candidate, CapacityOf

Element = tuple[ElementKind, str]


def elements_above(snapshot: Snapshot, element_ids: Sequence[str], feeder_id: str | None) -> tuple[Element, ...]:
    """Return what carries a connection: transformer, feeder, main transformer, nearest first.

    Args:
        snapshot: The grid.
        element_ids: Elements of the supply path by imported identifier, nearest first.
        feeder_id: Feeder of the connection point; ``None``: it is at none.
    """
    on_path = [kind for kind in (_transformer(snapshot, name) for name in element_ids) if kind is not None]
    small = [element for element in on_path if element[0] == "transformer"]
    main = [element for element in on_path if element[0] == "main_transformer"]
    feeder: list[Element] = [] if feeder_id is None else [("feeder", feeder_id)]
    if not main and feeder_id is not None and feeder_id in snapshot.feeders.index:
        trafo = snapshot.feeders.main_transformer[feeder_id]
        if trafo is not None and trafo == trafo and trafo in snapshot.transformers.index:
            main = [("main_transformer", str(snapshot.transformers.element_id[trafo]))]
    return tuple(dict.fromkeys([*small, *feeder, *main]))


def feeder_of(snapshot: Snapshot, *, bus: int | None, line: int | None) -> str | None:
    """Return the feeder of a node or line, ``None`` where it is at none."""
    if line is not None:
        return _text(snapshot.lines.feeder_id[line])
    return None if bus is None else _text(snapshot.nodes.feeder_id[bus])


def contested_by(snapshot: Snapshot, element_id: str | None, candidate: Candidate) -> Element | None:
    """Return what a limit at an element is a limit of: its transformer, its feeder, a main transformer.

    An end of the customer's own, or an element nobody knows, stands for what the point hangs on.
    """
    if element_id is not None:
        found = _transformer(snapshot, element_id) or _place_of(snapshot, element_id)
        if found is not None:
            return found
        if element_id in snapshot.feeders.index:
            return "feeder", element_id
    is_lv = candidate.point.u_nominal_kv <= LOW_VOLTAGE_KV_MAX
    if is_lv and candidate.area_id is not None:
        return "transformer", candidate.area_id
    return None if candidate.feeder_id is None else ("feeder", candidate.feeder_id)


def element_of_row(snapshot: Snapshot, capacity_of: CapacityOf, point: ConnectionPoint) -> Limiter:
    """Return what the table of open capacity says limits a point."""
    nodes = snapshot.nodes
    found = nodes.index[nodes.element_id == point.element_source_id]
    if not len(found):
        lines = snapshot.lines
        line = int(lines.index[lines.element_id == point.element_source_id][0])
        ends = [int(snapshot.net.line.at[line, name]) for name in ("from_bus", "to_bus")]
        found = pd.Index([capacity_of(ends).open_kva.fillna(-1.0).idxmax()])
    row = capacity_of([int(found[0])]).iloc[0]
    kind, element_id = _text(row.get("limit_kind")), _text(row.get("limit_element_id"))
    contested = None
    if element_id is not None:
        contested = _transformer(snapshot, element_id) or _place_of(snapshot, element_id)
        if contested is None and element_id in snapshot.feeders.index:
            contested = ("feeder", element_id)
    if contested is None:
        is_lv, node = point.u_nominal_kv <= LOW_VOLTAGE_KV_MAX, nodes.loc[int(found[0])]
        name = _text(node.area_id) if is_lv else _text(node.feeder_id)
        contested = None if name is None else ("transformer" if is_lv else "feeder", name)
    return Limiter(kind=kind or "open_capacity_exceeded", element_id=element_id, contested=contested)


def name_of(snapshot: Snapshot, element: Element) -> str:
    """Return what people call an element, its identifier where it has no name."""
    kind, element_id = element
    if kind == "feeder":
        if element_id not in snapshot.feeders.index:
            return element_id
        return _text(snapshot.feeders["name"][element_id]) or element_id
    names = snapshot.transformers["name"][snapshot.transformers.element_id == element_id]
    return next((text for text in map(_text, names) if text), element_id)


def _transformer(snapshot: Snapshot, element_id: str) -> Element | None:
    found = snapshot.transformer_of.get(element_id)
    if found is None:
        return None
    is_main = float(snapshot.net.trafo.vn_lv_kv[found]) > LOW_VOLTAGE_KV_MAX
    return ("main_transformer" if is_main else "transformer"), element_id


def _place_of(snapshot: Snapshot, element_id: str) -> Element | None:
    """Return the transformer area of a low-voltage line or node, the feeder of another one."""
    for frame in (snapshot.lines, snapshot.nodes):
        found = frame.index[frame.element_id == element_id]
        if len(found):
            row = frame.loc[found[0]]
            if float(row.u_nominal_kv) <= LOW_VOLTAGE_KV_MAX:
                return _named("transformer", row.area_id)
            return _named("feeder", row.feeder_id)
    return None


def _named(kind: ElementKind, name: Any) -> Element | None:
    text = _text(name)
    return None if text is None else (kind, text)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
