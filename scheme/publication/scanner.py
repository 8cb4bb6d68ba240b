"""Leak scanner (泄漏检查): looks into a finished file from outside and finds whatever does not belong there.

It trusts nothing of how the file was made. What may stand in it is listed, everything else is a finding; the squares
are compared with the fixed grid, and the transformers behind every class are counted anew from their places.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import rfc8785

from scheme.publication.file_parts import count_decimals, leaves_of, pairs_of, properties_of, ring_of
from scheme.publication.grid import CORNER_DECIMALS, CellGrid
from scheme.publication.recount import count_again
from scheme.publication.rows import TransformerRow
from scheme.publication.rules import MapRules, list_band_codes
from scheme.publication.secrets import GridSecrets

FindingKind = Literal[
    "not_a_publication",  # not JSON, not a FeatureCollection
    "not_canonical",  # bytes that say more than the content: spaces, keys that stand twice
    "head",  # legend, method, basis or month are not those of this draft
    "unknown_field",
    "unknown_text",
    "grid_text",  # identifier or name of the grid
    "grid_place",  # place of the grid
    "foreign_geometry",  # not a square of the fixed grid, or under another identifier
    "precision",  # more digits than a corner has
    "number",  # a figure where only classes may stand
    "small_count",  # the same, and below the threshold of transformers
    "thin_area",  # a class that rests on too few transformers or customers
    "contradiction",  # a class of the remainder beside an own one, or none where it belongs
    "twice",  # a square that stands twice
]
FINDINGS_MAX = 200
"""More of them are counted, not listed."""
_SHOWN_CHARACTERS = 80
_FEATURE_KEYS = {"type", "id", "geometry", "properties"}
_PROPERTY_KEYS = {"class", "is_restricted", "surroundings_class", "surroundings_is_restricted", "block_id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakFinding:
    """One thing that does not belong in the file."""

    kind: FindingKind
    place: str
    """Where in the file, as a JSON pointer."""
    shown: str
    """What stands there, shortened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakReport:
    """Outcome of one scan."""

    content_sha256: str
    findings: tuple[LeakFinding, ...]
    findings_total: int
    squares: int
    by_class: Mapping[str, int]
    """Squares by their own class."""
    transformers_behind_squares: int
    """Transformers behind a square's own class, and behind that of a remainder."""
    transformers_behind_remainders: int
    texts_known: int
    """Texts and places of the grid that were looked for."""
    places_known: int

    @property
    def is_clean(self) -> bool:
        """Whether the file may be released."""
        return self.findings_total == 0


@dataclass(kw_only=True)
class _Scan:
    secrets: GridSecrets
    grid: CellGrid
    rules: MapRules
    rows: Sequence[TransformerRow]
    findings: list[LeakFinding] = field(default_factory=list)

    def add(self, kind: FindingKind, place: str, shown: object) -> None:
        self.findings.append(LeakFinding(kind=kind, place=place, shown=str(shown)[:_SHOWN_CHARACTERS]))

    def look_at(self, value: object, place: str) -> None:
        """Judge something that stands where nothing is expected, or something else."""
        if len(self.findings) > FINDINGS_MAX:
            return  # it is refused; one may look for hundreds of thousands of texts
        for where, leaf in leaves_of(value, place):
            if isinstance(leaf, str):
                text = self.secrets.find_text(leaf)
                self.add("unknown_text" if text is None else "grid_text", where, leaf)
            elif isinstance(leaf, int | float) and not isinstance(leaf, bool):
                self._judge_number(leaf, where)

    def _judge_number(self, number: float, where: str) -> None:
        if isinstance(number, float) and self.secrets.has_ordinate(number):
            self.add("grid_place", where, number)
        elif isinstance(number, int) and not self.rules.transformers.allows(number):
            self.add("small_count", where, number)
        else:
            self.add("number", where, number)
        if count_decimals(number) > CORNER_DECIMALS:
            self.add("precision", where, number)


def scan_file(
    content: bytes,
    *,
    content_sha256: str,
    expected_head: Mapping[str, Any],
    secrets: GridSecrets,
    grid: CellGrid,
    rules: MapRules,
    rows: Sequence[TransformerRow],
) -> LeakReport:
    """Return what a file gives away.

    Args:
        content: The file.
        content_sha256: Its digest, for the report.
        expected_head: What must stand beside the squares, word for word.
        secrets: Texts and places of the grid.
        grid: The fixed squares.
        rules: Thresholds and classes.
        rows: The transformers, counted anew here.
    """
    scan = _Scan(secrets=secrets, grid=grid, rules=rules, rows=rows)
    document = _read(content, scan)
    features = document.pop("features", None) if document is not None else None
    behind = (0, 0)
    if document is not None:
        _check_head(document, expected_head, scan)
        if isinstance(features, list) and all(isinstance(item, dict) for item in features):
            _check_features(features, scan)
            if not scan.findings:  # counting needs squares that are squares
                behind = _count_again(features, scan)
        else:
            scan.add("not_a_publication", "/features", type(features).__name__)
    counted = features if isinstance(features, list) else []
    classes = Counter(str(properties_of(item).get("class")) for item in counted if isinstance(item, dict))
    return LeakReport(
        content_sha256=content_sha256,
        findings=tuple(scan.findings[:FINDINGS_MAX]),
        findings_total=len(scan.findings),
        squares=len(counted),
        by_class=dict(sorted(classes.items())),
        transformers_behind_squares=behind[0],
        transformers_behind_remainders=behind[1],
        texts_known=len(secrets.texts),
        places_known=len(secrets.lon_deg),
    )


def _read(content: bytes, scan: _Scan) -> dict[str, Any] | None:
    try:
        document = json.loads(content)
        canonical = rfc8785.dumps(document)
    except (ValueError, RecursionError):
        scan.add("not_a_publication", "", content[:_SHOWN_CHARACTERS])
        return None
    if not isinstance(document, dict):
        scan.add("not_a_publication", "", type(document).__name__)
        return None
    if canonical != content:
        scan.add("not_canonical", "", f"{len(content)} bytes, canonical {len(canonical)}")
    return document


def _check_head(document: Mapping[str, Any], expected: Mapping[str, Any], scan: _Scan) -> None:
    for name in sorted(set(document) | set(expected)):
        if name not in expected:
            scan.add("unknown_field", f"/{name}", name)
            scan.look_at({name: document[name]}, "")
        elif name not in document or document[name] != expected[name]:
            scan.add("head", f"/{name}", document.get(name))
            known = set(map(str, (leaf for _, leaf in leaves_of(expected[name], ""))))
            for where, leaf in leaves_of(document.get(name), f"/{name}"):
                if str(leaf) not in known:
                    scan.look_at(leaf, where)


def _check_features(features: Sequence[Mapping[str, Any]], scan: _Scan) -> None:
    codes = {*list_band_codes(scan.rules.band_edges_kva), "unknown", "suppressed"}
    seen: set[str] = set()
    for number, feature in enumerate(features):
        place = f"/features/{number}"
        _check_keys(feature, _FEATURE_KEYS, place, scan)
        told = properties_of(feature)
        _check_keys(told, _PROPERTY_KEYS, f"{place}/properties", scan)
        for prefix in ("", "surroundings_"):
            _check_told(told, prefix, codes, place, scan)
        _check_square(feature, place, scan)
        if feature.get("type") != "Feature":
            scan.look_at(feature.get("type"), f"{place}/type")
        square_id = str(feature.get("id"))
        if square_id in seen:
            scan.add("twice", f"{place}/id", square_id)
        seen.add(square_id)


def _check_keys(item: Mapping[str, Any], allowed: set[str], place: str, scan: _Scan) -> None:
    for name in sorted(set(item) ^ allowed):
        scan.add("unknown_field", f"{place}/{name}", name)
        if name in item:
            scan.look_at({name: item[name]}, place)


def _check_told(told: Mapping[str, Any], prefix: str, codes: set[str], place: str, scan: _Scan) -> None:
    code, flag = told.get(f"{prefix}class"), told.get(f"{prefix}is_restricted")
    if prefix and (code is None) != (told.get("class") != "suppressed"):
        scan.add("contradiction", f"{place}/properties/{prefix}class", code)
    if not (isinstance(code, str) and code in codes) and not (code is None and prefix):
        scan.add("unknown_text", f"{place}/properties/{prefix}class", code)
        scan.look_at(code, f"{place}/properties/{prefix}class")
    if not (flag is None or isinstance(flag, bool)) or (flag is not None and code in (None, "suppressed")):
        scan.add("unknown_text", f"{place}/properties/{prefix}is_restricted", flag)
        scan.look_at(flag, f"{place}/properties/{prefix}is_restricted")


def _check_square(feature: Mapping[str, Any], place: str, scan: _Scan) -> None:
    """Compare geometry and identifiers with the square of the fixed grid that lies there."""
    ring = ring_of(feature)
    if ring is not None and len(ring) == 5:
        middle = (sum(corner[0] for corner in ring[:4]) / 4, sum(corner[1] for corner in ring[:4]) / 4)
        [square] = scan.grid.locate(*middle)
        if square is not None:
            [corners] = scan.grid.corners([square])
            ids = (scan.grid.cell_id(square), scan.grid.block_id(scan.grid.block_of(square)))
            same_ids = (feature.get("id"), properties_of(feature).get("block_id")) == ids
            if ring == [*corners, corners[0]] and same_ids and set(feature["geometry"]) == {"type", "coordinates"}:
                return
    scan.add("foreign_geometry", f"{place}/geometry", feature.get("id"))
    for name, value in (("id", feature.get("id")), ("block_id", properties_of(feature).get("block_id"))):
        if isinstance(value, str) and (text := scan.secrets.find_text(value)) is not None and len(text) > 2:
            scan.add("grid_text", f"{place}/{name}", value)
    for pair in pairs_of(feature.get("geometry")):
        if scan.secrets.has_place(*pair):
            scan.add("grid_place", f"{place}/geometry", pair)
        if max(map(count_decimals, pair)) > CORNER_DECIMALS:
            scan.add("precision", f"{place}/geometry", pair)


def _count_again(features: Sequence[Mapping[str, Any]], scan: _Scan) -> tuple[int, int]:
    recount = count_again(features, scan.rows, scan.rules)
    for place, shown in recount.thin:
        scan.add("thin_area", place, shown)
    return recount.behind_squares, recount.behind_remainders
