"""pandapower files for the reader's tests, written by pandapower itself, and the comparison with its own reader."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandapower
import pandapower.networks
import pandas as pd

from gridmodel.snapshot import Snapshot

FIXTURES = Path(__file__).parents[2] / "fixtures" / "pandapower"
FILES = (
    "oberrhein_schutterwald/mv_oberrhein_load.json",
    "oberrhein_schutterwald/mv_oberrhein_generation.json",
    "oberrhein_schutterwald/lv_schutterwald.json",
    "simbench_10kv_urban/1-MV-urban--0-sw.json",
)

NETWORKS: dict[str, Callable[[], Any]] = {
    "example_multivoltage": pandapower.networks.example_multivoltage,
    "example_simple": pandapower.networks.example_simple,
    "cigre_mv": lambda: pandapower.networks.create_cigre_network_mv(with_der="pv_wind"),
    "cigre_lv": pandapower.networks.create_cigre_network_lv,
    "kerber_landnetz": pandapower.networks.create_kerber_landnetz_freileitung_1,
}


def write(net: Any) -> bytes:
    """Return the file pandapower writes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(pandapower.to_json(net)).encode()


def read_trusted(data: bytes) -> Any:
    """Return the net pandapower's own reader makes of a file that we wrote ourselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pandapower.file_io.from_json_string(data.decode(), convert=True)


def as_object(data: bytes) -> dict[str, Any]:
    """Return a file as a JSON object whose tables are objects too, easy to change."""
    root: dict[str, Any] = json.loads(data)
    for value in root["_object"].values():
        if isinstance(value, dict) and isinstance(value.get("_object"), str):
            value["_object"] = json.loads(value["_object"])
    return root


def as_bytes(root: dict[str, Any]) -> bytes:
    """Return the bytes of a changed file, tables as text again."""
    copy = json.loads(json.dumps(root))
    for value in copy["_object"].values():
        if isinstance(value, dict) and isinstance(value.get("_object"), dict):
            value["_object"] = json.dumps(value["_object"])
    return json.dumps(copy).encode()


def tiny() -> Any:
    """Return a small net: 110/10 kV transformer, three 10 kV lines in a row, a 10/0.4 kV transformer, one cable.

    Buses 0 (110 kV), 1 (busbar), 2, 3, 4 (10 kV), 5, 6 (0.4 kV); index gaps: bus 7 does not exist, bus 9 does (10 kV,
    behind line 7, second feeder).
    """
    net = pandapower.create_empty_network(name="tiny")
    for index, kv in ((0, 110.0), (1, 10.0), (2, 10.0), (3, 10.0), (4, 10.0), (5, 0.4), (6, 0.4), (9, 10.0)):
        place = (114.0 + 0.01 * index, 33.0)
        pandapower.create_bus(net, vn_kv=kv, index=index, geodata=place, name=f"B{index}")
    pandapower.create_ext_grid(net, 0)
    pandapower.create_transformer_from_parameters(
        net, 0, 1, 25.0, 110.0, 10.5, 0.3, 11.0, 25.0, 0.1, shift_degree=150.0, tap_side="hv", tap_neutral=0,
        tap_min=-8, tap_max=8, tap_step_percent=1.25, tap_pos=-1, tap_changer_type="Ratio", name="T1",
    )  # fmt: skip
    for index, a, b in ((0, 1, 2), (1, 2, 3), (2, 3, 4), (7, 1, 9)):
        pandapower.create_line_from_parameters(
            net, a, b, 1.5, 0.2, 0.35, 10.0, 0.4, index=index, name=f"L{index}", type="ol"
        )
    pandapower.create_transformer_from_parameters(
        net, 4, 5, 0.4, 10.0, 0.4, 1.0, 4.0, 0.6, 0.5, shift_degree=150.0, name="T2", index=3
    )
    pandapower.create_line_from_parameters(net, 5, 6, 0.2, 0.2, 0.08, 0.0, 0.25, index=3, name="L3", type="cs")
    for index, bus, p_mw in ((0, 2, 0.5), (1, 3, 0.4), (2, 6, 0.1), (3, 9, 0.3)):
        pandapower.create_load(net, bus, p_mw, 0.2 * p_mw, index=index)
    pandapower.create_switch(net, 1, 0, "l", closed=True, index=0)
    pandapower.create_switch(net, 1, 7, "l", closed=True, index=1)
    return net


def solve(net: Any) -> None:
    """Run pandapower's load flow with its defaults."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pandapower.runpp(net, numba=False, tolerance_mva=1e-9)


def largest_difference(snapshot: Snapshot, trusted: Any) -> float:
    """Return the largest difference between results of the two nets; NaN must stand in the same places."""
    solve(snapshot.net)
    solve(trusted)
    largest = 0.0
    for name in trusted:
        if not name.startswith("res_") or not isinstance(trusted[name], pd.DataFrame) or not len(trusted[name]):
            continue
        ours, theirs = snapshot.net[name], trusted[name]
        assert ours.index.tolist() == theirs.index.tolist(), name
        assert ours.columns.tolist() == theirs.columns.tolist(), name
        a, b = ours.to_numpy(dtype=float), theirs.to_numpy(dtype=float)
        assert (np.isnan(a) == np.isnan(b)).all(), name
        known = ~np.isnan(a)
        if known.any():
            largest = max(largest, float(np.abs(a[known] - b[known]).max()))
    return largest
