"""The township with a canary in every identifier and name, moved east by whole degrees; and what finds them again."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2

from tests.document.reading import pdf_text, squeezed, word_text

TOWNSHIP = Path(__file__).parents[2] / "fixtures" / "township"
ID, NAME = "CNRY", "金丝雀"
SHIFT_DEG = 107.0
"""Puts the township between 114 and 115 degrees east: nothing else in the service has such figures."""
NEAR_DEG = 1e-4
_AREAS = ("T047", "T118", "T119")
"""Transformer areas beside the low-voltage customer."""
_ID_COLUMNS = frozenset(
    {"node_id", "section_id", "feeder_id", "busbar_id", "substation_id", "transformer_id", "board_id"}
    | {"main_transformer_id", "switch_id", "load_id", "commitment_id", "from_node", "to_node", "other_node_id"}
    | {"head_section_id", "element_id"}
)
_NAME_COLUMNS = frozenset({"name"})
_LONGITUDES = frozenset({"lon_deg"})
_NUMBER = re.compile(r"-?\d{1,3}\.\d{3,}")
_SPELLED = (ID.lower(), NAME, NAME.encode("unicode_escape").decode())


@dataclass(frozen=True)
class CanaryGrid:
    """Where the tables stand, and where the equipment is."""

    folder: Path

    @cached_property
    def places(self) -> np.ndarray:
        """Longitude and latitude of every node and substation."""
        rows = [row for file in ("nodes.csv", "substations.csv") for row in read_rows(self.folder / file)]
        return np.array([[float(row["lon_deg"]), float(row["lat_deg"])] for row in rows if row["lon_deg"]])


def write_canary_township(folder: Path) -> CanaryGrid:
    """Write the tables of the township with canaries into ``folder``; of its low voltage a few areas only."""
    folder.mkdir()
    tables = {file.name: read_rows(file) for file in TOWNSHIP.glob("*.csv")}
    _keep_areas(tables)
    for file, rows in tables.items():
        with (folder / file).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0].keys())
            writer.writeheader()
            writer.writerows({column: _changed(column, cell) for column, cell in row.items()} for row in rows)
    return CanaryGrid(folder)


def read_rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _keep_areas(tables: dict[str, list[dict[str, str]]]) -> None:
    """Leave out the low-voltage lines, nodes, loads and switches of all but a few areas, so that answers come soon."""
    tables["lv_lines.csv"] = [row for row in tables["lv_lines.csv"] if row["transformer_id"] in _AREAS]
    kept = {row[end] for row in tables["lv_lines.csv"] for end in ("from_node", "to_node")}
    tables["nodes.csv"] = [row for row in tables["nodes.csv"] if row["node_id"] in kept or row["node_id"][0] != "L"]
    nodes = {row["node_id"] for row in tables["nodes.csv"]}
    tables["loads.csv"] = [row for row in tables["loads.csv"] if row["node_id"] in nodes]
    lines = {row["section_id"] for name in ("line_sections.csv", "lv_lines.csv") for row in tables[name]}
    tables["switches.csv"] = [
        row
        for row in tables["switches.csv"]
        if row["node_id"] in nodes and (not row["section_id"] or row["section_id"] in lines)
    ]


def _changed(column: str, cell: str) -> str:
    if not cell:
        return cell
    if column in _ID_COLUMNS:
        return ID + cell
    if column in _NAME_COLUMNS:
        return NAME + cell
    if column in _LONGITUDES:
        return f"{float(cell) + SHIFT_DEG:.6f}"
    if column == "vertices":
        points = [point.split() for point in cell.split(";")]
        return "; ".join(f"{float(lon) + SHIFT_DEG:.6f} {lat}" for lon, lat in points)
    return cell


def moved(request: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a request of the township at the place it was moved to."""
    plain: dict[str, Any] = json.loads(json.dumps(request))
    plain["location"]["lon_deg"] = round(plain["location"]["lon_deg"] + SHIFT_DEG, 6)
    return {**plain, **changes}


def texts_of(content: bytes, media_type: str) -> Iterator[str]:
    """Yield every text in a body: printed, hidden, in properties and in parts of archives."""
    yield content.decode("utf-8", "replace")
    if content.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name
                yield archive.read(name).decode("utf-8", "replace")
        if "wordprocessingml" in media_type:
            yield word_text(content)
    elif content.startswith(b"%PDF") and len(content) > 100:
        yield pdf_text(content)
        with pypdfium2.PdfDocument(content) as document:
            yield squeezed(json.dumps(document.get_metadata_dict(), ensure_ascii=False))
    elif "json" in media_type:
        yield json.dumps(json.loads(content), ensure_ascii=False)


def find_names(text: str) -> list[str]:
    """Return where canaries sing, with what stands around them."""
    lowered = text.lower()
    places = [match.start() for spelled in _SPELLED for match in re.finditer(re.escape(spelled), lowered)]
    return [text[max(0, place - 30) : place + 40] for place in places]


def find_places(text: str, grid: CanaryGrid) -> list[tuple[float, float]]:
    """Return the pairs of figures next to each other that lie on a piece of equipment, in either order."""
    figures = np.array([float(figure) for figure in _NUMBER.findall(text)])
    if len(figures) < 2:
        return []
    found = []
    for first, second in (figures[:-1], figures[1:]), (figures[1:], figures[:-1]):
        likely = (np.abs(first - 114.9) < 1.0) & (np.abs(second - 48.4) < 1.0)
        for lon, lat in zip(first[likely], second[likely], strict=True):
            near = (np.abs(grid.places[:, 0] - lon) < NEAR_DEG) & (np.abs(grid.places[:, 1] - lat) < NEAR_DEG)
            if near.any():
                found.append((float(lon), float(lat)))
    return found
