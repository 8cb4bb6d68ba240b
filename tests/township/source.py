"""Read the two source networks of the township as plain tables; nothing of pandapower is needed for that."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

FIXTURES = Path(__file__).parents[2] / "fixtures"
FOLDER = FIXTURES / "pandapower" / "oberrhein_schutterwald"

Row = dict[str, Any]
Table = dict[int, Row]
Point = tuple[float, float]


class Source(NamedTuple):
    """Tables by pandapower name, each by index."""

    mv: dict[str, Table]
    lv: dict[str, Table]
    joins: dict[int, int]
    """Low-voltage transformer (index) to the medium-voltage bus it stands at."""


def read_source(folder: Path = FOLDER) -> Source:
    """Return the medium- and low-voltage networks and how they fit together."""
    with (folder / "join_lv_trafo_to_mv_bus.csv").open(encoding="utf-8", newline="") as handle:
        joins = {
            int(row["lv_trafo_index"]): int(row["mv_oberrhein_bus_index"])
            for row in csv.DictReader(handle)
            if row["mv_oberrhein_bus_index"]
        }
    return Source(
        mv=_read_tables(folder / "mv_oberrhein_load.json"),
        lv=_read_tables(folder / "lv_schutterwald.json"),
        joins=joins,
    )


def points(geo: str) -> list[Point]:
    """Return the positions of a GeoJSON point or line (degrees)."""
    coordinates = json.loads(geo)["coordinates"]
    if isinstance(coordinates[0], float):
        coordinates = [coordinates]
    return [(float(c[0]), float(c[1])) for c in coordinates]


def _read_tables(path: Path) -> dict[str, Table]:
    content = json.loads(path.read_text(encoding="utf-8"))["_object"]
    tables = {}
    for name, value in content.items():
        if isinstance(value, dict) and value.get("_class") == "DataFrame" and not name.startswith(("_", "res_")):
            frame = value["_object"]
            frame = json.loads(frame) if isinstance(frame, str) else frame
            tables[name] = {
                int(index): dict(zip(frame["columns"], cells, strict=True))
                for index, cells in zip(frame["index"], frame["data"], strict=True)
            }
    return tables
