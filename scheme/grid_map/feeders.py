"""Feeders (馈线) against each other, one of them along its lines, and how loaded everything is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gridmodel.capacity.limits import VoltageBand
from gridmodel.feeder_tree import walk_feeder
from scheme.grid_map.layout import texts_of
from scheme.grid_map.mercator import Floats
from scheme.grid_map.sheet import number_of, text_of
from scheme.grid_map.state import KVA_DECIMALS, RATIO_DECIMALS, GridState
from scheme.ledger.records import VA_PER_KVA, Balance

ACCOUNT_PREFIX = "feeder:"
_BIN_RATIO = 0.1
_BINS_MIN = 12
"""Bins of a histogram: up to a fifth over the rating at least, so that the limit stands in the drawing."""
_KM_DECIMALS = 3


def list_feeders(state: GridState, balances: Mapping[str, Balance]) -> list[dict[str, Any]]:
    """Return a row for each feeder: its medium-voltage nodes and lines, and what the ledger says of it.

    Args:
        state: The map.
        balances: Accounts by id, those of feeders among them.
    """
    nodes, lines = _node_groups(state), _line_groups(state)
    feeders, found = state.grid.snapshot.feeders, []
    for feeder_id in map(str, feeders.index):
        of_nodes, of_lines = nodes.get(feeder_id, {}), lines.get(feeder_id, {})
        balance = balances.get(f"{ACCOUNT_PREFIX}{feeder_id}")
        limit_va = None if balance is None else balance.account.limit_va
        found.append(
            {
                "feeder_id": feeder_id,
                "name": state.grid.name_of_feeder(feeder_id),
                "substation_id": text_of(feeders.at[feeder_id, "substation_id"]),
                "length_km": of_lines.get("length_km"),
                "node_count": of_nodes.get("node_count", 0),
                "u_pu_min": of_nodes.get("u_pu_min"),
                "loading_ratio_max": of_lines.get("loading_ratio_max"),
                "open_kva_max": of_nodes.get("open_kva_max"),
                "open_kva_median": of_nodes.get("open_kva_median"),
                "promised_kva": None if balance is None else balance.used_va / VA_PER_KVA,
                "limit_kva": None if limit_va is None else limit_va / VA_PER_KVA,
                "bounds": of_nodes.get("bounds"),
            }
        )
    return found


def _node_groups(state: GridState) -> dict[str, dict[str, Any]]:
    nodes, frame = state.layout.nodes, state.grid.snapshot.nodes
    columns = {
        "feeder_id": nodes.feeder_id,
        "u_pu": state.nodes.u_pu,
        "open_kva": state.nodes.open_kva,
        "lon_deg": frame["lon_deg"].to_numpy(dtype=float),
        "lat_deg": frame["lat_deg"].to_numpy(dtype=float),
    }
    grouped = pd.DataFrame(columns)[nodes.is_medium].groupby("feeder_id")
    found = {}
    for feeder_id, rows in grouped:
        low, high = rows.min(numeric_only=True), rows.max(numeric_only=True)
        bounds = [number_of(side[name]) for side in (low, high) for name in ("lon_deg", "lat_deg")]
        found[str(feeder_id)] = {
            "node_count": len(rows),
            "u_pu_min": number_of(low["u_pu"]),
            "open_kva_max": number_of(high["open_kva"]),
            "open_kva_median": number_of(round(rows["open_kva"].median(), KVA_DECIMALS)),
            "bounds": None if None in bounds else bounds,
        }
    return found


def _line_groups(state: GridState) -> dict[str, dict[str, Any]]:
    lines = state.layout.lines
    columns = {
        "feeder_id": lines.feeder_id,
        "loading_ratio": state.lines.ratio,
        "length_km": state.grid.snapshot.net.line["length_km"].reindex(lines.line).to_numpy(dtype=float),
    }
    grouped = pd.DataFrame(columns)[lines.is_medium].groupby("feeder_id")
    return {
        str(feeder_id): {
            "length_km": number_of(round(rows["length_km"].sum(), _KM_DECIMALS)),
            "loading_ratio_max": number_of(rows["loading_ratio"].max()),
        }
        for feeder_id, rows in grouped
    }


def feeder_profile(state: GridState, feeder_id: str, bands: tuple[VoltageBand, ...]) -> dict[str, Any]:
    """Return a feeder from its busbar down: voltages and capacities by distance, loadings of all its elements.

    Args:
        state: The map.
        feeder_id: One of the feeders of the snapshot.
        bands: Voltage bands; the first one that covers the feeder's voltage counts.
    """
    grid, nodes, lines = state.grid, state.layout.nodes, state.layout.lines
    of_feeder = np.flatnonzero((nodes.feeder_id == feeder_id) & nodes.is_medium)
    own_lines = lines.line[np.flatnonzero((lines.feeder_id == feeder_id) & lines.is_medium)]
    tree = walk_feeder(grid.snapshot.net, nodes.bus[of_feeder].tolist(), own_lines.tolist())
    voltages_kv = nodes.u_kv[of_feeder]
    return {
        "feeder_id": feeder_id,
        "name": grid.name_of_feeder(feeder_id),
        "nodes": [
            {
                "bus": one.bus,
                **_of_node(state, one.bus),
                "parent_bus": one.parent_bus,
                "distance_km": round(one.distance_km, _KM_DECIMALS),
            }
            for one in tree.nodes
        ],
        "lines": [
            {
                "line": one.line,
                **_of_line(state, one.line),
                "from_bus": one.from_bus,
                "to_bus": one.to_bus,
            }
            for one in tree.lines
        ],
        "transformers": _transformers(state, feeder_id),
        "band": _band(float(np.median(voltages_kv)), bands) if len(voltages_kv) else None,
    }


def _of_node(state: GridState, bus: int) -> dict[str, Any]:
    at, nodes = state.grid.position_of_bus[bus], state.layout.nodes
    return {
        "node_id": nodes.node_id[at],
        "name": nodes.name[at],
        "u_pu": number_of(state.nodes.u_pu[at]),
        "open_kva": number_of(state.nodes.open_kva[at]),
    }


def _of_line(state: GridState, line: int) -> dict[str, Any]:
    at = state.grid.position_of_line[line]
    return {
        "line_id": state.layout.lines.line_id[at],
        "name": state.layout.lines.name[at],
        "loading_ratio": number_of(state.lines.ratio[at]),
    }


def _transformers(state: GridState, feeder_id: str) -> list[dict[str, Any]]:
    frame = state.grid.snapshot.transformers
    if frame.empty:
        return []
    at = np.flatnonzero(texts_of(frame, "feeder_id") == feeder_id)
    ids, names = frame["element_id"].tolist(), texts_of(frame, "name")
    return [
        {"element_id": str(ids[one]), "name": names[one], "loading_ratio": number_of(state.transformers.ratio[one])}
        for one in at.tolist()
    ]


def _band(u_kv: float, bands: tuple[VoltageBand, ...]) -> dict[str, float] | None:
    for band in bands:
        if band.u_nominal_kv_min <= u_kv <= band.u_nominal_kv_max:
            return {name: round(getattr(band, name), RATIO_DECIMALS) for name in ("u_pu_min", "u_pu_max")}
    return None


def loading_histograms(state: GridState) -> dict[str, Any]:
    """Return how many lines and transformers are loaded how much; those of which it is not known are counted apart."""
    return {"lines": _histogram(state.lines.ratio), "transformers": _histogram(state.transformers.ratio)}


def _histogram(ratio: Floats) -> dict[str, Any]:
    known = ratio[np.isfinite(ratio)]
    bins = max(_BINS_MIN, math.ceil(float(known.max(initial=0.0)) / _BIN_RATIO))
    edges = np.round(np.arange(bins + 1) * _BIN_RATIO, RATIO_DECIMALS)
    return {
        "edges": edges.tolist(),
        "counts": np.histogram(known, edges)[0].tolist(),
        "unknown_count": int(len(ratio) - len(known)),
    }
