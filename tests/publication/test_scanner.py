"""Leaks of each kind are planted into a clean file of the shipped township; every one must be found."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rfc8785

from gridmodel.snapshot import Snapshot
from scheme.publication.cells import classify
from scheme.publication.document import digest_of, head, write_publication
from scheme.publication.grid import CellGrid, found_grid
from scheme.publication.rows import TransformerRow, list_transformers
from scheme.publication.scanner import LeakReport, scan_file
from scheme.publication.secrets import GridSecrets, collect_secrets
from tests.publication.examples import BASIS, KEY, rules

Document = dict[str, Any]


class Clean:
    """The township's file and everything the scanner is given with it."""

    def __init__(self, township: Snapshot) -> None:
        boards = township.nodes.index
        table = pd.DataFrame({"status": "assessed", "open_kva": np.arange(len(boards)) % 300.0}, index=boards)
        self.rows = list_transformers(township, table, negative_list=None)
        self.secrets = collect_secrets(township, further=["hld_0123456789", "某纺织厂"])
        places = ([row.lon_deg for row in self.rows], [row.lat_deg for row in self.rows])
        self.grid = CellGrid(found_grid(*places, key=KEY, cell_side_m=1000.0, block_side_cells=4))
        classes = classify(self.rows, self.grid, rules(), previous={})
        self.told = {"publication_id": "pub_1", "data_month": "2026-11", "basis": BASIS}
        self.content = write_publication(classes, self.grid, rules(), **self.told)  # type: ignore[arg-type]
        self.document: Document = json.loads(self.content)

    def scan(self, content: bytes, rows: tuple[TransformerRow, ...] | None = None) -> LeakReport:
        return scan_file(
            content,
            content_sha256=digest_of(content),
            expected_head=head(rules(), self.grid, "pub_1", "2026-11", BASIS),
            secrets=self.secrets,
            grid=self.grid,
            rules=rules(),
            rows=self.rows if rows is None else rows,
        )


@pytest.fixture(scope="module")
def clean(township: Snapshot) -> Clean:
    return Clean(township)


def kinds(report: LeakReport) -> set[str]:
    return {finding.kind for finding in report.findings}


def shown(document: Document) -> Document:
    """Return the first square with a class of its own."""
    found: Document = next(item for item in document["features"] if item["properties"]["class"] != "suppressed")
    return found


def test_the_township_itself_is_clean_and_its_transformers_are_counted(clean: Clean) -> None:
    report = clean.scan(clean.content)
    assert report.is_clean
    assert report.findings == ()
    # 66 of the 99 utility transformers stand in squares with three or more, 21 more in remainders: counted by hand from
    # floor((x + shift) / 1000 m) of their places
    assert (report.transformers_behind_squares, report.transformers_behind_remainders) == (66, 21)
    assert report.squares == sum(report.by_class.values()) == 160
    assert report.places_known >= 3305


Plant = Callable[[Document], None]


def _put(place: str, value: object) -> Plant:
    def plant(document: Document) -> None:
        shown(document)["properties"][place] = value

    return plant


def _top(name: str, value: object) -> Plant:
    return lambda document: document.update({name: value})


def _feature(name: str, value: object) -> Plant:
    return lambda document: shown(document).update({name: value})


def _corner(document: Document) -> None:
    """Move one corner onto a transformer."""
    shown(document)["geometry"]["coordinates"][0][2] = [7.765226, 48.410916]


def _point(document: Document) -> None:
    shown(document)["geometry"] = {"type": "Point", "coordinates": [7.76523, 48.41091]}


def _shifted(document: Document) -> None:
    ring = shown(document)["geometry"]["coordinates"][0]
    ring[:] = [[lon + 0.000001, lat] for lon, lat in ring]


def _fine(document: Document) -> None:
    ring = shown(document)["geometry"]["coordinates"][0]
    ring[1] = [ring[1][0] + 1e-9, ring[1][1]]


def _hole(document: Document) -> None:
    shown(document)["geometry"]["coordinates"].append([[7.7, 48.4], [7.8, 48.4], [7.8, 48.5], [7.7, 48.4]])


def _twice(document: Document) -> None:
    document["features"].append(copy.deepcopy(shown(document)))


def _other_id(document: Document) -> None:
    shown(document)["id"] = "T000"


def _legend(document: Document) -> None:
    document["legend"][0]["label"] = "石桥1号公变无容量"


def _method(document: Document) -> None:
    document["method"].append("10kV 东河线")


def _class_as_number(document: Document) -> None:
    shown(document)["properties"]["class"] = 63


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        pytest.param(_put("feeder_id", "F11"), {"unknown_field", "grid_text"}, id="identifier of a feeder"),
        pytest.param(_put("note", "石桥1号公变"), {"unknown_field", "grid_text"}, id="name of a transformer"),
        pytest.param(
            _put("note", "供电线路:10kV 东河线"), {"unknown_field", "grid_text"}, id="name of a line in words"
        ),
        pytest.param(_put("T000", True), {"unknown_field", "grid_text"}, id="identifier as a key"),
        pytest.param(_put("hold", "hld_0123456789"), {"unknown_field", "grid_text"}, id="identifier of a promise"),
        pytest.param(_put("applicant", "某纺织厂"), {"unknown_field", "grid_text"}, id="another applicant"),
        pytest.param(_put("remark", "ok"), {"unknown_field", "unknown_text"}, id="text nobody listed"),
        pytest.param(_put("class", "full"), {"unknown_text"}, id="class that does not exist"),
        pytest.param(_put("class", "T000"), {"grid_text"}, id="identifier as a class"),
        pytest.param(_put("is_restricted", "F11"), {"grid_text"}, id="identifier as a flag"),
        pytest.param(
            _put("surroundings_class", "10_50"), {"contradiction"}, id="class of the remainder beside an own one"
        ),
        pytest.param(_put("transformers", 2), {"unknown_field", "small_count"}, id="count below the threshold"),
        pytest.param(_put("transformers", 12), {"unknown_field", "number"}, id="count above the threshold"),
        pytest.param(_put("open_kva", 63.158), {"unknown_field", "number"}, id="exact capacity"),
        pytest.param(_put("lat", 48.41095), {"unknown_field", "grid_place"}, id="latitude of a transformer alone"),
        pytest.param(_put("at", [7.765226, 48.410916]), {"unknown_field", "grid_place"}, id="place of a transformer"),
        pytest.param(_put("x", 0.123456789), {"precision"}, id="too many digits"),
        pytest.param(_class_as_number, {"unknown_text", "number"}, id="figure in place of a class"),
        pytest.param(_corner, {"foreign_geometry", "grid_place"}, id="corner moved onto a transformer"),
        pytest.param(_point, {"foreign_geometry", "grid_place"}, id="point near a transformer"),
        pytest.param(_shifted, {"foreign_geometry"}, id="square moved by a tenth of a metre"),
        pytest.param(_fine, {"foreign_geometry", "precision"}, id="digits hidden in a corner"),
        pytest.param(_hole, {"foreign_geometry"}, id="hole in a square"),
        pytest.param(_twice, {"twice"}, id="square that stands twice"),
        pytest.param(
            _other_id, {"foreign_geometry", "grid_text"}, id="identifier of a transformer as that of a square"
        ),
        pytest.param(_feature("bbox", [7.7, 48.4]), {"unknown_field"}, id="member of a feature nobody listed"),
        pytest.param(_feature("type", "F22"), {"grid_text"}, id="identifier as the type"),
        pytest.param(_top("crs", "F11"), {"unknown_field", "grid_text"}, id="member of the file nobody listed"),
        pytest.param(_top("total_kva", 5800), {"unknown_field", "number"}, id="total"),
        pytest.param(_top("data_month", "2026-12"), {"head"}, id="another month"),
        pytest.param(_top("basis_sha256", "0" * 64), {"head"}, id="another frozen pair"),
        pytest.param(_legend, {"head", "grid_text"}, id="name within the legend"),
        pytest.param(_method, {"head", "grid_text"}, id="name within the method"),
        pytest.param(_top("features", {"T000": 1}), {"not_a_publication"}, id="squares that are no list"),
    ],
)
def test_planted_leak_is_found(clean: Clean, plant: Plant, expected: set[str]) -> None:
    document = copy.deepcopy(clean.document)
    plant(document)
    report = clean.scan(rfc8785.dumps(document))
    assert not report.is_clean
    assert expected <= kinds(report), report.findings


def test_bytes_beside_the_content_are_found(clean: Clean) -> None:
    assert kinds(clean.scan(clean.content + b" ")) == {"not_canonical"}
    doubled = clean.content.replace(b'{"basis_sha256"', b'{"data_month":"F11","basis_sha256"', 1)
    assert json.loads(doubled) == clean.document
    assert kinds(clean.scan(doubled)) == {"not_canonical"}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"T000"', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_file_is_refused(clean: Clean, content: bytes) -> None:
    assert "not_a_publication" in kinds(clean.scan(content))


def test_class_over_too_few_transformers_is_found(clean: Clean) -> None:
    """A square that shows a class with two transformers, and one with three of which one is not known."""
    document = copy.deepcopy(clean.document)
    thin = next(item for item in document["features"] if item["properties"]["class"] == "suppressed")
    thin["properties"] |= {"class": "10_50", "surroundings_class": None}
    report = clean.scan(rfc8785.dumps(document))
    assert kinds(report) == {"thin_area"}

    square = clean.grid.locate(*_middle(shown(clean.document)))[0]
    squares = clean.grid.locate([r.lon_deg for r in clean.rows], [r.lat_deg for r in clean.rows])
    members = [number for number, found in enumerate(squares) if found == square]
    known = set(members[:2])
    unknown = tuple(
        replace(row, open_va=None) if n in members and n not in known else row for n, row in enumerate(clean.rows)
    )
    assert kinds(clean.scan(clean.content, unknown)) == {"thin_area"}
    no_customers = tuple(replace(row, customers=0) for row in clean.rows)
    assert kinds(clean.scan(clean.content, no_customers)) == {"thin_area"}


def _middle(feature: Document) -> tuple[float, float]:
    ring = feature["geometry"]["coordinates"][0][:4]
    return sum(corner[0] for corner in ring) / 4, sum(corner[1] for corner in ring) / 4


def test_thin_remainder_of_a_block_is_found(clean: Clean) -> None:
    document = copy.deepcopy(clean.document)
    blocks: dict[str, set[str]] = {}
    for item in document["features"]:
        told = item["properties"]
        if told["class"] == "suppressed":
            blocks.setdefault(told["block_id"], set()).add(told["surroundings_class"])
    thin = next(block_id for block_id, found in blocks.items() if found == {"suppressed"})
    for item in document["features"]:
        if item["properties"]["block_id"] == thin and item["properties"]["class"] == "suppressed":
            item["properties"]["surroundings_class"] = "50_100"
    report = clean.scan(rfc8785.dumps(document))
    assert [finding.kind for finding in report.findings] == ["thin_area"]  # once for the block, not for each square


def test_all_findings_are_counted_and_the_first_of_them_listed(clean: Clean) -> None:
    document = copy.deepcopy(clean.document)
    for item in document["features"]:
        item["properties"] |= {"a": "T000", "b": "x"}
    report = clean.scan(rfc8785.dumps(document))
    assert len(report.findings) == 200
    assert report.findings_total >= 2 * 160


def test_secrets_are_every_name_and_place_of_the_network(township: Snapshot) -> None:
    secrets = collect_secrets(township)
    for text in ("S1-B1", "F22", "10kV 松岭线", "石桥1号公变", "青溪变1号主变", "T000", "荷塘线1号环网柜"):
        assert text in secrets.texts
    assert secrets.has_place(7.7652, 48.41085)
    assert not secrets.has_place(7.7652, 48.5)


def test_bends_of_lines_are_places_of_the_network() -> None:
    secrets = GridSecrets(texts=frozenset({"x"}), lon_deg=np.array([115.0]), lat_deg=np.array([33.0]))
    assert secrets.has_ordinate(33.00005)
    assert not secrets.has_ordinate(34.0)
    assert secrets.find_text("axb") is None  # a single character counts only alone
    assert secrets.find_text("x") == "x"
