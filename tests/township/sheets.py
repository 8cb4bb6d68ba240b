"""The township's tables while they are built, and as CSV: rows of text, in a fixed order, numbers rounded once."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

COLUMNS: dict[str, tuple[str, ...]] = {
    "network": ("name", "datum", "data_as_of"),
    "substations": (
        "substation_id", "name", "lon_deg", "lat_deg", "u_high_kv", "u_source_pu", "s_sc_max_mva", "rx_max",
    ),
    "main_transformers": (
        "main_transformer_id", "name", "substation_id", "busbar_id", "sn_mva", "u_high_kv", "u_low_kv", "vk_percent",
        "vkr_percent", "p0_kw", "i0_percent", "tap_side", "tap_position", "tap_neutral", "tap_min", "tap_max",
        "tap_step_percent", "vector_group", "is_in_service",
    ),
    "nodes": (
        "node_id", "name", "kind", "u_nominal_kv", "lon_deg", "lat_deg", "substation_id", "bays_total", "bays_spare",
        "can_tee",
    ),
    "conductor_types": (
        "type_id", "laying", "u_class", "r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "rating_a", "source",
    ),
    "feeders": ("feeder_id", "name", "busbar_id", "head_section_id", "rating_a"),
    "line_sections": (
        "section_id", "name", "feeder_id", "from_node", "to_node", "length_km", "conductor_type", "vertices",
    ),
    "switches": ("switch_id", "name", "kind", "node_id", "section_id", "normal_state"),
    "distribution_transformers": (
        "transformer_id", "name", "node_id", "board_id", "ownership", "model", "tap_position",
    ),
    "lv_lines": (
        "section_id", "transformer_id", "from_node", "to_node", "length_km", "conductor_type", "vertices",
    ),
    "loads": ("load_id", "node_id", "p_kw", "q_kvar", "category", "customers"),
    "measured_maxima": ("element_kind", "element_id", "max_kva", "measured_on"),
    "in_flight": ("commitment_id", "node_id", "capacity_kva", "power_factor", "approved_on", "valid_to"),
}  # fmt: skip

DECIMALS = {"lon_deg": 6, "lat_deg": 6, "length_km": 6, "p_kw": 3, "q_kvar": 3, "vkr_percent": 4}

Sheets = dict[str, list[dict[str, str]]]


def empty_sheets() -> Sheets:
    """Return the tables without rows."""
    return {name: [] for name in COLUMNS}


def add(sheets: Sheets, table: str, **cells: object) -> None:
    """Append a row; a cell left out is empty (not known)."""
    unknown = set(cells) - set(COLUMNS[table])
    if unknown:
        raise KeyError(f"{table} has no column {sorted(unknown)}")
    sheets[table].append({name: _text(name, cells.get(name)) for name in COLUMNS[table]})


def to_bytes(sheets: Sheets) -> dict[str, bytes]:
    """Return every table as a CSV file (UTF-8, LF)."""
    files = {}
    for table, rows in sheets.items():
        buffer = io.StringIO(newline="")
        writer = csv.DictWriter(buffer, COLUMNS[table], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        files[f"{table}.csv"] = buffer.getvalue().encode("utf-8")
    return files


def read_sheets(folder: Path) -> Sheets:
    """Return the tables of a folder as they stand, no check made."""
    sheets = empty_sheets()
    for table in sheets:
        with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as handle:
            sheets[table] = list(csv.DictReader(handle))
    return sheets


def pick(seed: str, key: str) -> float:
    """Return a number in [0, 1) that depends on the texts alone."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{key}".encode()).digest()[:6], "big") / 2**48


def vertices_text(points: list[tuple[float, float]]) -> str:
    """Return inner vertices as ``lon lat; lon lat``."""
    return "; ".join(f"{lon:.6f} {lat:.6f}" for lon, lat in points)


def _text(column: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = f"{value:.{DECIMALS.get(column, 6)}f}"
        return text.rstrip("0").rstrip(".")
    return str(value)
