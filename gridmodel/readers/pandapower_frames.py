"""Describe a pandapower net as a snapshot does: what each node, line, transformer and feeder is, and where it is."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.net import Net
from gridmodel.topology import LOW_VOLTAGE_KV_MAX, feeders_of

_LAYING = {"cs": "cable", "ol": "overhead"}
"""``line.type`` of pandapower: cable system, overhead line."""

_NODE_KINDS = ("source", "substation_busbar", "station", "node", "lv_board", "lv_node")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Frames:
    """The frames of a snapshot, see :mod:`gridmodel.snapshot`."""

    nodes: pd.DataFrame
    lines: pd.DataFrame
    transformers: pd.DataFrame
    feeders: pd.DataFrame
    in_flight: pd.DataFrame


def describe_net(net: Net, *, places: pd.DataFrame, not_assessable: Mapping[int, str]) -> Frames:
    """Return the frames of a built net.

    Args:
        net: Network with clean references.
        places: ``lon_deg`` and ``lat_deg`` by bus, NaN where not known.
        not_assessable: Reason by bus.
    """
    supply = _Supply(net)
    return Frames(
        nodes=_nodes(net, supply, places, not_assessable),
        lines=_lines(net, supply),
        transformers=_transformers(net, supply),
        feeders=_feeders(net, supply),
        in_flight=empty_in_flight(),
    )


def parse_places(bus: pd.DataFrame) -> pd.DataFrame:
    """Return ``lon_deg`` and ``lat_deg`` of the GeoJSON points in ``bus.geo``; NaN where there is none."""
    cells = bus["geo"].tolist() if "geo" in bus else [None] * len(bus)
    points = np.array([_point(cell) for cell in cells], dtype=float).reshape(-1, 2)
    return pd.DataFrame({"lon_deg": points[:, 0], "lat_deg": points[:, 1]}, index=bus.index)


def _point(cell: object) -> tuple[float, float]:
    if isinstance(cell, str):
        try:
            lon, lat = json.loads(cell)["coordinates"][:2]
            return float(lon), float(lat)
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
            return math.nan, math.nan
    return math.nan, math.nan


def empty_in_flight() -> pd.DataFrame:
    """Return the frame of commitments (在途) of a source that knows none."""
    types = {
        "commitment_id": "object",
        "bus": "int64",
        "capacity_kva": "float64",
        "power_factor": "float64",
        "approved_on": "object",
        "valid_to": "object",
    }
    return pd.DataFrame(columns=list(types)).astype(types)


class _Supply:
    """Feeder, substation and transformer area of every bus, by topology."""

    def __init__(self, net: Net) -> None:
        found = feeders_of(net)
        every = net.bus.index
        self.feeder: dict[int, str | None] = dict.fromkeys(every.tolist())
        self.substation: dict[int, str | None] = dict.fromkeys(every.tolist())
        self.main: dict[int, tuple[str, int] | None] = dict.fromkeys(every.tolist())
        self.heads: dict[str, tuple[int, int]] = {}
        for bus, row in zip(found.index.tolist(), found.to_dict("records"), strict=True):
            if row["main_table"] is not None:
                main = str(row["main_table"]), int(row["main_element"])
                self.main[bus] = main
                self.substation[bus] = f"bus:{int(net[main[0]].at[main[1], 'hv_bus'])}"
            if row["head_table"] == "line":  # a transformer on the busbar heads an area, not a feeder
                self.feeder[bus] = str(row["feeder"])
                self.heads.setdefault(str(row["feeder"]), (int(row["head_element"]), bus))
        self.area = _areas(net)


def _areas(net: Net) -> dict[int, str]:
    """Return the distribution transformer (配变) that feeds each low-voltage bus, by the lines that join them."""
    low = net.bus.vn_kv.to_numpy(dtype=float) <= LOW_VOLTAGE_KV_MAX
    low_buses = set(net.bus.index[low & net.bus.in_service.to_numpy(dtype=bool)].tolist())
    neighbours: dict[int, list[int]] = {}
    for a, b in _low_voltage_links(net, low_buses):
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    areas: dict[int, str] = {}
    for table in ("trafo", "trafo3w"):
        for element, bus, is_live in zip(
            net[table].index.tolist(), net[table].lv_bus.tolist(), net[table].in_service.tolist(), strict=True
        ):
            if bus not in low_buses or not is_live or bus in areas:
                continue
            stack = [bus]
            while stack:
                at = stack.pop()
                if at not in areas:
                    areas[at] = f"{table}:{element}"
                    stack.extend(neighbours.get(at, ()))
    return areas


def _low_voltage_links(net: Net, low_buses: set[int]) -> list[tuple[int, int]]:
    closed = net.switch.closed.to_numpy(dtype=bool)
    opened = set(net.switch.element[~closed & (net.switch.et == "l").to_numpy()].tolist())
    lines = net.line[net.line.in_service.to_numpy(dtype=bool) & ~net.line.index.isin(opened)]
    bars = net.switch[closed & (net.switch.et == "b").to_numpy()]
    pairs = [
        *zip(lines.from_bus.tolist(), lines.to_bus.tolist(), strict=True),
        *zip(bars.bus.tolist(), bars.element.tolist(), strict=True),
    ]
    return [(a, b) for a, b in pairs if a in low_buses and b in low_buses]


def _nodes(net: Net, supply: _Supply, places: pd.DataFrame, not_assessable: Mapping[int, str]) -> pd.DataFrame:
    buses = net.bus.index.tolist()
    names = [f"bus:{bus}" for bus in buses]
    kinds = _kinds(net)
    return pd.DataFrame(
        {
            "node_id": pd.Series(names, dtype=object),
            "source_id": pd.Series([str(bus) for bus in buses], dtype=object),
            "element_id": pd.Series(names, dtype=object),
            "name": pd.Series(net.bus.name.tolist(), dtype=object),
            "kind": pd.Series([kinds[bus] for bus in buses], dtype=object),
            "u_nominal_kv": net.bus.vn_kv.to_numpy(dtype=float),
            "lon_deg": places["lon_deg"].to_numpy(dtype=float),
            "lat_deg": places["lat_deg"].to_numpy(dtype=float),
            "feeder_id": pd.Series([supply.feeder[bus] for bus in buses], dtype=object),
            "substation_id": pd.Series([supply.substation[bus] for bus in buses], dtype=object),
            "area_id": pd.Series([supply.area.get(bus) for bus in buses], dtype=object),
            "spare_bays": np.full(len(buses), np.nan),
            "status": pd.Series(
                ["not_assessable" if bus in not_assessable else "assessable" for bus in buses], dtype=object
            ),
            "reason": pd.Series([not_assessable.get(bus) for bus in buses], dtype=object),
        }
    ).set_axis(net.bus.index, axis=0)


def _kinds(net: Net) -> dict[int, str]:
    """Return the kind of every bus; where several fit, the earlier one in ``_NODE_KINDS`` counts."""
    voltage = dict(zip(net.bus.index.tolist(), net.bus.vn_kv.tolist(), strict=True))
    fits: dict[int, set[str]] = {bus: {"node" if kv > LOW_VOLTAGE_KV_MAX else "lv_node"} for bus, kv in voltage.items()}
    for bus in net.ext_grid.bus.tolist():
        fits[bus].add("source")
    windings = [(hv, [lv]) for hv, lv in zip(net.trafo.hv_bus.tolist(), net.trafo.lv_bus.tolist(), strict=True)]
    windings += [
        (hv, [mv, lv])
        for hv, mv, lv in zip(
            net.trafo3w.hv_bus.tolist(), net.trafo3w.mv_bus.tolist(), net.trafo3w.lv_bus.tolist(), strict=True
        )
    ]
    for hv_bus, lower in windings:
        is_main = voltage[lower[0]] > LOW_VOLTAGE_KV_MAX
        fits[hv_bus].add("source" if is_main else "station")
        for bus in lower:
            fits[bus].add("substation_busbar" if voltage[bus] > LOW_VOLTAGE_KV_MAX else "lv_board")
    found = {bus: next(kind for kind in _NODE_KINDS if kind in kinds) for bus, kinds in fits.items()}
    _spread_busbars(net, found)
    return found


def _spread_busbars(net: Net, kinds: dict[int, str]) -> None:
    """What closed bus-bus switches join to a busbar is the same busbar."""
    bars = net.switch[net.switch.closed.to_numpy(dtype=bool) & (net.switch.et == "b").to_numpy()]
    neighbours: dict[int, list[int]] = {}
    for a, b in zip(bars.bus.tolist(), bars.element.tolist(), strict=True):
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    stack = [bus for bus, kind in kinds.items() if kind == "substation_busbar"]
    while stack:
        for other in neighbours.get(stack.pop(), ()):
            if kinds[other] == "node":
                kinds[other] = "substation_busbar"
                stack.append(other)


def _lines(net: Net, supply: _Supply) -> pd.DataFrame:
    known = load_catalogue().line_types
    ends = list(zip(net.line.from_bus.tolist(), net.line.to_bus.tolist(), strict=True))
    feeders = [_of_line(supply, line, *both) for line, both in zip(net.line.index.tolist(), ends, strict=True)]
    return pd.DataFrame(
        {
            "element_id": pd.Series([f"line:{line}" for line in net.line.index], dtype=object),
            "name": pd.Series(net.line.name.tolist(), dtype=object),
            "type_id": pd.Series([t if t in known else None for t in net.line.std_type.tolist()], dtype=object),
            "laying": pd.Series([_LAYING.get(str(t), "unknown") for t in net.line.type.tolist()], dtype=object),
            "u_nominal_kv": net.bus.vn_kv.reindex(net.line.from_bus).to_numpy(dtype=float),
            "feeder_id": pd.Series(feeders, dtype=object),
            "area_id": pd.Series([supply.area.get(a, supply.area.get(b)) for a, b in ends], dtype=object),
        }
    ).set_axis(net.line.index, axis=0)


def _of_line(supply: _Supply, line: int, a: int, b: int) -> str | None:
    """A line belongs to the feeder of its ends; a head line to the feeder it heads; an open tie to its first end's."""
    head = f"line:{line}"
    return head if head in supply.heads else supply.feeder[a] or supply.feeder[b]


def _transformers(net: Net, supply: _Supply) -> pd.DataFrame:
    trafo = net.trafo
    hv, lv = trafo.hv_bus.tolist(), trafo.lv_bus.tolist()
    is_main = net.bus.vn_kv.reindex(trafo.lv_bus).to_numpy(dtype=float) > LOW_VOLTAGE_KV_MAX
    names = [f"trafo:{index}" for index in trafo.index]
    return pd.DataFrame(
        {
            "element_id": pd.Series(names, dtype=object),
            "name": pd.Series(trafo.name.tolist(), dtype=object),
            "role": pd.Series(["main" if main else "distribution" for main in is_main], dtype=object),
            "model": pd.Series(trafo.std_type.tolist(), dtype=object),
            "sn_kva": trafo.sn_mva.to_numpy(dtype=float) * trafo.parallel.to_numpy(dtype=float) * 1000.0,
            "feeder_id": pd.Series([supply.feeder[b] for b in hv], dtype=object),
            "substation_id": pd.Series(
                [f"bus:{h}" if m else supply.substation[h] for h, m in zip(hv, is_main, strict=True)], dtype=object
            ),
            "area_id": pd.Series(
                [None if m else supply.area.get(b, n) for b, m, n in zip(lv, is_main, names, strict=True)], dtype=object
            ),
            "measured_max_kva": np.full(len(trafo), np.nan),
            "measured_on": pd.Series([None] * len(trafo), dtype=object),
        }
    ).set_axis(trafo.index, axis=0)


def _feeders(net: Net, supply: _Supply) -> pd.DataFrame:
    """One row per feeder (馈线). ``main_transformer`` is -1 where there is none with two windings."""
    rows = []
    for feeder, (element, bus) in sorted(supply.heads.items()):
        main, line = supply.main[bus], net.line.loc[element]
        rows.append(
            {
                "feeder_id": feeder,
                "name": line["name"] if isinstance(line["name"], str) else None,
                "substation_id": supply.substation[bus],
                "main_transformer": main[1] if main is not None and main[0] == "trafo" else -1,
                "head_line": element,
                "rating_a": float(line.max_i_ka * line.df * line.parallel * 1000.0),
                "measured_max_a": math.nan,
                "measured_on": None,
            }
        )
    frame = pd.DataFrame(rows, columns=["feeder_id", *_FEEDER_TYPES]).set_index("feeder_id")
    return frame.astype(_FEEDER_TYPES)


_FEEDER_TYPES = {
    "name": "object",
    "substation_id": "object",
    "main_transformer": "int64",
    "head_line": "int64",
    "rating_a": "float64",
    "measured_max_a": "float64",
    "measured_on": "object",
}
