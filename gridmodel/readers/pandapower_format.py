"""Bring tables of older pandapower files to the columns of format 3.3, as pandapower itself converts them.

Files of format 2.0 and later are accepted. Their numbers already are in MW; what changed since are column names,
columns that did not exist, separate coordinate tables, and how a tap changer says what kind it is.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from gridmodel.errors import InputError

FORMAT_MIN = (2, 0)
FORMAT_MAX = (3, 3)
TAP_TYPE_SINCE = (3, 0)

_RENAMED: Mapping[str, Mapping[str, str]] = {
    "line": {"imax_ka": "max_i_ka"},
    "gen": {"qmin_mvar": "min_q_mvar", "qmax_mvar": "max_q_mvar"},
}
_ADDED: Mapping[str, Mapping[str, object]] = {
    "line": {"df": 1.0, "g_us_per_km": 0.0},
    "trafo": {"df": 1.0, "tap_changer_type": None, "tap_dependency_table": False},
    "trafo3w": {
        "tap_at_star_point": False,
        "tap_step_degree": 0.0,
        "std_type": None,
        "tap_changer_type": None,
        "tap_dependency_table": False,
    },
    "load": {
        "const_z_p_percent": 0.0,
        "const_i_p_percent": 0.0,
        "const_z_q_percent": 0.0,
        "const_i_q_percent": 0.0,
    },
    "shunt": {"step": 1, "max_step": 1, "step_dependency_table": False},
    "switch": {"z_ohm": 0.0},
    "gen": {"slack": False, "slack_weight": 0.0},
    "ext_grid": {"slack_weight": 1.0},
    "xward": {"slack_weight": 0.0},
    "impedance": {"gf_pu": 0.0, "gt_pu": 0.0, "bf_pu": 0.0, "bt_pu": 0.0},
}
"""Columns younger than format 2.0 and the value that means what the older version meant."""


def parse_format(entry: object, *, file: str) -> tuple[int, int]:
    """Return major and minor format number.

    Raises:
        InputError: Not a version, or one this reader does not know.
    """
    match = re.match(r"(\d{1,4})\.(\d{1,4})", str(entry)) if isinstance(entry, str | int | float) else None
    found = (int(match[1]), int(match[2])) if match else None
    if found is None or not FORMAT_MIN <= found <= FORMAT_MAX:
        raise InputError(
            "pandapower format is not supported",
            file=file,
            field="format_version",
            value=entry,
            allowed=".".join(map(str, FORMAT_MIN)) + " to " + ".".join(map(str, FORMAT_MAX)),
        )
    return found


def convert_tables(tables: Mapping[str, pd.DataFrame], *, version: tuple[int, int]) -> dict[str, pd.DataFrame]:
    """Return the tables with the columns of format 3.3; the given frames are not changed."""
    converted = {name: frame.rename(columns=_new_names(name, frame)) for name, frame in tables.items()}
    _split_load_shares(converted)
    _add_impedance_directions(converted)
    for name, columns in _ADDED.items():
        frame = converted.get(name)
        if frame is not None:
            missing = {column: [value] * len(frame) for column, value in columns.items() if column not in frame}
            converted[name] = frame.assign(**{c: pd.Series(v, frame.index, dtype=object) for c, v in missing.items()})
    _add_current_source(converted)
    _add_shunt_voltage(converted)
    if version < TAP_TYPE_SINCE:
        _name_tap_changers(converted)
    _move_coordinates(converted)
    return converted


def _new_names(table: str, frame: pd.DataFrame) -> dict[str, str]:
    names = {old: new for old, new in _RENAMED.get(table, {}).items() if old in frame and new not in frame}
    if table in ("trafo", "trafo3w"):
        for column in frame.columns:
            if column.startswith(("tp", "vsc")):
                new = column.replace("tp_", "tap_").replace("_st_", "_step_").replace("_mid", "_neutral")
                names[column] = new.replace("vsc", "vk")
    return {old: new for old, new in names.items() if new not in frame}


def _split_load_shares(tables: dict[str, pd.DataFrame]) -> None:
    load = tables.get("load")
    if load is None:
        return
    for kind in ("z", "i"):
        old = f"const_{kind}_percent"
        if old in load:
            load = load.assign(**{f"const_{kind}_p_percent": load[old], f"const_{kind}_q_percent": load[old]})
            load = load.drop(columns=old)
    tables["load"] = load


def _add_impedance_directions(tables: dict[str, pd.DataFrame]) -> None:
    impedance = tables.get("impedance")
    if impedance is not None and {"r_pu", "x_pu"} <= set(impedance.columns):
        r, x = impedance["r_pu"], impedance["x_pu"]
        tables["impedance"] = impedance.assign(rft_pu=r, rtf_pu=r, xft_pu=x, xtf_pu=x)


def _add_current_source(tables: dict[str, pd.DataFrame]) -> None:
    sgen = tables.get("sgen")
    if sgen is not None and "current_source" not in sgen:
        kinds = sgen["type"].tolist() if "type" in sgen else [None] * len(sgen)
        tables["sgen"] = sgen.assign(current_source=[kind != "motor" for kind in kinds])


def _add_shunt_voltage(tables: dict[str, pd.DataFrame]) -> None:
    shunt, bus = tables.get("shunt"), tables.get("bus")
    if shunt is None or "vn_kv" in shunt or bus is None or "bus" not in shunt or not {"vn_kv"} <= set(bus.columns):
        return
    voltage = dict(zip(bus.index.tolist(), bus["vn_kv"].tolist(), strict=True))
    at = [voltage.get(bus) if isinstance(bus, int | float) else None for bus in shunt["bus"].tolist()]
    tables["shunt"] = shunt.assign(vn_kv=pd.Series(at, index=shunt.index, dtype=object))


def _name_tap_changers(tables: dict[str, pd.DataFrame]) -> None:
    """Before format 3.0 the kind of a tap changer followed from its steps."""
    for name in ("trafo", "trafo3w"):
        frame = tables.get(name)
        if frame is None:
            continue
        for tap in ("tap", "tap2"):
            if not {f"{tap}_step_percent", f"{tap}_step_degree"} & set(frame.columns):
                continue
            percent, degree = (_floats(frame, f"{tap}_step_{unit}") for unit in ("percent", "degree"))
            has_percent = np.isfinite(percent) & (percent != 0.0)
            has_degree = np.isfinite(degree) & (degree != 0.0)
            kind = np.full(len(frame), None, dtype=object)
            kind[has_percent & (degree != 90.0)] = "Ratio"
            kind[has_percent & (degree == 90.0)] = "Symmetrical"
            kind[has_degree & ~has_percent] = "Ideal"
            frame = frame.assign(**{f"{tap}_changer_type": kind})
        tables[name] = frame.drop(columns=[c for c in frame.columns if c.endswith("_phase_shifter")])


def _floats(frame: pd.DataFrame, column: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    cells = frame[column].tolist() if column in frame else [None] * len(frame)
    return np.array(
        [float(c) if isinstance(c, int | float) and abs(c) < math.inf else math.nan for c in cells], dtype=float
    )


def _move_coordinates(tables: dict[str, pd.DataFrame]) -> None:
    """Write the coordinate tables of older files into ``geo`` of their elements; ``geo`` that exists is kept."""
    for name, make in (("bus", _point), ("line", _polyline)):
        places, frame = tables.pop(f"{name}_geodata", None), tables.get(name)
        if places is None or frame is None:
            continue
        found = {
            label: make(dict(zip(places.columns, row, strict=True)))
            for label, row in zip(places.index.tolist(), places.to_numpy(dtype=object).tolist(), strict=True)
        }
        old = frame["geo"].tolist() if "geo" in frame else [None] * len(frame)
        new = [
            kept if isinstance(kept, str) else found.get(label) for kept, label in zip(old, frame.index, strict=True)
        ]
        tables[name] = frame.assign(geo=pd.Series(new, index=frame.index, dtype=object))


def _point(row: Mapping[str, object]) -> str | None:
    x, y = row.get("x"), row.get("y")
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in (x, y)):
        return None
    return json.dumps({"coordinates": [x, y], "type": "Point"})


def _polyline(row: Mapping[str, object]) -> str | None:
    coordinates = row.get("coords")
    if not isinstance(coordinates, str):  # a nested list was kept as JSON text
        return None
    try:
        points = json.loads(coordinates)
    except ValueError:
        return None
    return json.dumps({"coordinates": points, "type": "LineString"})
