"""Reads the closed-form cases of ``fixtures/cases/capacity``: engineering tables to a pandapower net."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from gridmodel import Limits, VoltageBand
from gridmodel.net import build_net

FOLDER = Path(__file__).parents[2] / "fixtures" / "cases" / "capacity"
NAMES = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())


def load_case(name):
    """Return (net, limits, power factor, expected rows)."""
    tables = json.loads((FOLDER / name / "net.json").read_text())
    case = json.loads((FOLDER / name / "case.json").read_text())
    bands = tuple(VoltageBand(**band) for band in case["limits"]["voltage_bands"])
    return make_net(tables), Limits(**case["limits"] | {"voltage_bands": bands}), case["power_factor"], case["expected"]


def make_net(tables):
    """Return the net of some engineering tables; what is not given is in service, single, at 1.0."""
    keys = {"buses": ("bus", "bus"), "lines": ("line", "line"), "transformers": ("trafo", "trafo")}
    keys |= {"ext_grids": ("ext_grid", None), "loads": ("load", None), "switches": ("switch", None)}
    defaults = {
        "ext_grid": {"va_degree": 0.0},
        "line": {"g_us_per_km": 0.0, "df": 1.0, "parallel": 1},
        "trafo": {"df": 1.0, "parallel": 1},
        "load": {
            "scaling": 1.0,
            **{f"const_{kind}_{part}_percent": 0.0 for kind in "zi" for part in "pq"},
        },
        "switch": {"z_ohm": 0.0},
    }
    frames = {}
    for key, rows in tables.items():
        table, index = keys[key]
        frame = pd.DataFrame([{"in_service": True, **defaults.get(table, {}), **row} for row in rows])
        frames[table] = frame.set_index(index) if index else frame
        frames[table].index.name = None
    return build_net(frames)
