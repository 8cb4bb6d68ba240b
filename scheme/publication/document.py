"""The publication as one immutable file: canonical JSON (RFC 8785) that is GeoJSON at the same time, and its digest.

The file is all the public side has; CSV and tiles are made of it and of nothing else.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import rfc8785

from scheme.publication.cells import AreaClass, MapClasses
from scheme.publication.grid import CellGrid
from scheme.publication.rules import MapRules, list_band_codes
from scheme.publication.wording import NOT_ADDITIVE, SUPPRESSED_LABEL, UNKNOWN_LABEL, band_label, method_text

FORMAT = "gridscheme-publication/1"
CSV_COLUMNS = (
    "cell_id",
    "lon_min_deg",
    "lat_min_deg",
    "lon_max_deg",
    "lat_max_deg",
    "class",
    "is_restricted",
    "surroundings_class",
    "surroundings_is_restricted",
    "data_month",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The frozen pair every number of a publication comes from."""

    snapshot_sha256: str
    ledger_seq: int
    ledger_sha256: str

    @property
    def sha256(self) -> str:
        """Digest that names the pair in public: the ledger's number would say how many promises a month had."""
        pair: dict[str, str | int] = {
            "snapshot_sha256": self.snapshot_sha256,
            "ledger_seq": self.ledger_seq,
            "ledger_sha256": self.ledger_sha256,
        }
        return hashlib.sha256(rfc8785.dumps(pair)).hexdigest()


def digest_of(content: bytes) -> str:
    """Return the digest a file is known by."""
    return hashlib.sha256(content).hexdigest()


def write_publication(
    classes: MapClasses, grid: CellGrid, rules: MapRules, *, publication_id: str, data_month: str, basis: Basis
) -> bytes:
    """Return the file.

    Args:
        classes: What may be published.
        grid: The fixed squares.
        rules: What the legend says.
        publication_id: Random, says nothing about how many there were.
        data_month: ``YYYY-MM``.
        basis: Named by its digest.
    """
    codes = list_band_codes(rules.band_edges_kva)
    corners = grid.corners([item.square for item in classes.squares])
    features = [
        {
            "type": "Feature",
            "id": grid.cell_id(item.square),
            "geometry": {"type": "Polygon", "coordinates": [[list(place) for place in (*ring, ring[0])]]},
            "properties": {
                **_described(item.own, codes, ""),
                **_described(item.surroundings, codes, "surroundings_"),
                "block_id": grid.block_id(grid.block_of(item.square)),
            },
        }
        for item, ring in zip(classes.squares, corners, strict=True)
    ]
    document: dict[str, Any] = {**head(rules, grid, publication_id, data_month, basis), "features": features}
    return rfc8785.dumps(document)


def head(rules: MapRules, grid: CellGrid, publication_id: str, data_month: str, basis: Basis) -> dict[str, Any]:
    """Return everything of a file but its squares."""
    cell_side_m = grid.secret.cell_side_m
    block_side_m = cell_side_m * grid.secret.block_side_cells
    return {
        "type": "FeatureCollection",
        "format": FORMAT,
        "publication_id": publication_id,
        "data_month": data_month,
        "basis_sha256": basis.sha256,
        "note": NOT_ADDITIVE,
        "method": list(
            method_text(
                transformers_min=rules.transformers.value,
                customers_min=rules.customers.value,
                hysteresis_ratio=rules.hysteresis.value,
                cell_side_m=cell_side_m,
                block_side_m=block_side_m,
            )
        ),
        "legend": _legend(rules),
    }


def list_bands(rules: MapRules) -> list[dict[str, Any]]:
    """Return code, edges and label of every class of open capacity, the lowest first."""
    edges_kva = rules.band_edges_kva
    lows, highs = (0, *edges_kva), (*edges_kva, None)
    return [
        {"class": code, "open_kva_min": low, "open_kva_below": high, "label": band_label(low, high)}
        for code, low, high in zip(list_band_codes(edges_kva), lows, highs, strict=True)
    ]


def _legend(rules: MapRules) -> list[dict[str, Any]]:
    without = (("unknown", UNKNOWN_LABEL), ("suppressed", SUPPRESSED_LABEL))
    rest = [{"class": code, "open_kva_min": None, "open_kva_below": None, "label": label} for code, label in without]
    return [*list_bands(rules), *rest]


def _described(area: AreaClass | None, codes: Sequence[str], prefix: str) -> dict[str, Any]:
    if area is None:
        return {f"{prefix}class": None, f"{prefix}is_restricted": None}
    code = area.status if area.band is None else codes[area.band]
    return {f"{prefix}class": code, f"{prefix}is_restricted": area.is_restricted}


def read_legend(content: bytes) -> dict[str, Any]:
    """Return everything of a file but its squares."""
    return {name: value for name, value in json.loads(content).items() if name not in ("type", "features")}


def write_csv(content: bytes) -> bytes:
    """Return the squares of a file as CSV (UTF-8 with its mark, so that spreadsheets read it); every text is quoted."""
    document = json.loads(content)
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for feature in document["features"]:
        ring, told = feature["geometry"]["coordinates"][0], feature["properties"]
        lon_deg, lat_deg = zip(*ring, strict=True)
        box = (min(lon_deg), min(lat_deg), max(lon_deg), max(lat_deg))
        cells = (told[name] for name in CSV_COLUMNS[5:9])
        writer.writerow([feature["id"], *box, *map(_csv_cell, cells), document["data_month"]])
    return b"\xef\xbb\xbf" + stream.getvalue().encode()


def _csv_cell(value: object) -> str:
    """Return a class or flag; nothing said is an empty text."""
    return "" if value is None else str(value).lower()


def find_square(content: bytes, lon_deg: float, lat_deg: float) -> Mapping[str, Any] | None:
    """Return the square of the file a place lies in, the same for all its places; ``None``: not published."""
    for feature in json.loads(content)["features"]:
        if is_inside(feature["geometry"]["coordinates"][0], lon_deg, lat_deg):
            found: Mapping[str, Any] = feature
            return found
    return None


def is_inside(ring: Sequence[Sequence[float]], lon_deg: float, lat_deg: float) -> bool:
    """Return whether a place lies in a counter-clockwise convex ring; the south and west sides belong to it."""
    for (ax, ay), (bx, by) in pairwise(ring):
        side = (bx - ax) * (lat_deg - ay) - (by - ay) * (lon_deg - ax)
        goes_south_or_east = by < ay or (by == ay and bx > ax)
        if side < 0.0 or (side == 0.0 and not goes_south_or_east):
            return False
    return True
