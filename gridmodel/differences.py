"""What another snapshot would change (断面差异): elements by their identifiers, column by column, old and new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmodel.snapshot import Snapshot

Fate = Literal["added", "removed", "changed"]
Flags = npt.NDArray[np.bool_]
Cell = str | float | int | bool | None
_RELATIVE = 1e-9
"""Numbers nearer than this share of each other are the same: a file may write a quotient with fewer digits."""
_TEXT_MAX = 200
_LINE = ("length_km", "r_ohm_per_km", "x_ohm_per_km", "max_i_ka", "parallel", "in_service", "geo")
_TRAFO = ("vk_percent", "vkr_percent", "tap_pos", "parallel", "in_service")
_LOAD = ("p_mw", "q_mvar", "scaling", "type", "in_service")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChange:
    """One cell before and after; ``None`` is not known."""

    column: str
    old: Cell
    new: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One element that comes, goes, or is another."""

    table: str
    """``nodes`` | ``lines`` | ``transformers`` | ``loads`` | ``switches`` | ``feeders``."""
    element_id: str
    name: str | None
    fate: Fate
    columns: tuple[ColumnChange, ...] = ()
    """What changed, with ``fate`` ``changed``."""


def find_differences(before: Snapshot, after: Snapshot) -> tuple[Difference, ...]:
    """Return what differs, table by table: removed, added, changed, each in the order of its data."""
    old, new = _tables(before), _tables(after)
    return tuple(found for table in old for found in _compare(table, old[table], new[table]))


def _compare(table: str, old: pd.DataFrame, new: pd.DataFrame) -> Iterator[Difference]:
    for frame, other, fate in ((old, new, "removed"), (new, old, "added")):
        for element_id, row in frame[~frame.index.isin(other.index)].iterrows():
            yield Difference(table=table, element_id=str(element_id), name=_text(row["name"]), fate=fate)  # type: ignore[arg-type]
    shared = old.index[old.index.isin(new.index)]
    old, new = old.loc[shared], new.loc[shared]
    differs = pd.DataFrame({name: _differs(old[name], new[name]) for name in old.columns}, index=shared)
    for element_id in shared[differs.any(axis=1)]:
        changes = tuple(
            ColumnChange(column=name, old=_plain(old.at[element_id, name]), new=_plain(new.at[element_id, name]))
            for name in old.columns
            if differs.at[element_id, name]
        )
        name = _text(new.at[element_id, "name"])
        yield Difference(table=table, element_id=str(element_id), name=name, fate="changed", columns=changes)


def _differs(old: pd.Series, new: pd.Series) -> Flags:
    if all(column.dtype.kind in "fiu" for column in (old, new)):
        a, b = old.to_numpy(dtype=float), new.to_numpy(dtype=float)
        is_same: Flags = np.isclose(a, b, rtol=_RELATIVE, atol=0.0, equal_nan=True)
        return ~is_same
    pairs = zip(map(_plain, old), map(_plain, new), strict=True)
    return np.fromiter((a != b for a, b in pairs), dtype=bool, count=len(old))


def _tables(snapshot: Snapshot) -> Mapping[str, pd.DataFrame]:
    """Return the tables with identifiers in the place of running numbers; one row for each identifier."""
    net, is_numbered = snapshot.net, snapshot.source_format == "pandapower"
    node, line, trafo = snapshot.nodes.element_id, snapshot.lines.element_id, snapshot.transformers.element_id
    nodes = snapshot.nodes.drop(columns=["node_id", "source_id", "reason"])
    lines = snapshot.lines.join(net.line[list(_LINE)]).assign(
        from_node=net.line.from_bus.map(node), to_node=net.line.to_bus.map(node)
    )
    transformers = snapshot.transformers.join(net.trafo[list(_TRAFO)]).assign(
        hv_node=net.trafo.hv_bus.map(node), lv_node=net.trafo.lv_bus.map(node)
    )
    loads = net.load[["name", *_LOAD]].assign(
        element_id=_ids("load", net.load, is_numbered=is_numbered), node=net.load.bus.map(node)
    )
    switches = net.switch[["name", "type", "closed"]].assign(
        element_id=_ids("switch", net.switch, is_numbered=is_numbered),
        node=net.switch.bus.map(node),
        switched=_switched(net.switch, {"l": line, "t": trafo, "b": node}),
    )
    feeders = snapshot.feeders.assign(
        element_id=snapshot.feeders.index.astype(str),
        main_transformer=snapshot.feeders.main_transformer.map(trafo) if len(snapshot.feeders) else None,
        head_line=snapshot.feeders.head_line.map(line) if len(snapshot.feeders) else None,
    )
    found = {"nodes": nodes, "lines": lines, "transformers": transformers, "loads": loads, "switches": switches}
    return {name: _by_id(frame) for name, frame in (*found.items(), ("feeders", feeders))}


def _by_id(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame[~frame.element_id.duplicated()]
    return frame.set_index(frame.element_id.astype(str)).drop(columns="element_id")


def _ids(table: str, frame: pd.DataFrame, *, is_numbered: bool) -> pd.Series:
    """Return the identifiers of elements the snapshot keeps no table of: their name is the id, unless only numbered."""
    if is_numbered:
        return pd.Series([f"{table}:{index}" for index in frame.index], index=frame.index, dtype=object)
    return frame["name"].astype(object)


def _switched(switches: pd.DataFrame, ids: Mapping[str, pd.Series]) -> pd.Series:
    """Return the identifier of what each switch opens."""
    found = [
        ids[kind].get(element) if kind in ids else None
        for kind, element in zip(switches.et, switches.element, strict=True)
    ]
    return pd.Series(found, index=switches.index, dtype=object)


def _plain(value: Any) -> Cell:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return None
    return value if isinstance(value, bool | int | float) else str(value)[:_TEXT_MAX]


def _text(value: Any) -> str | None:
    plain = _plain(value)
    return None if plain is None else str(plain)
