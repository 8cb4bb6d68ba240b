"""Files of projects: each row judged by itself, good ones kept in one transaction; what is no table is refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gridmodel.errors import InputError
from gridmodel.findings import Finding
from scheme.ledger.auditor import audit
from scheme.library import files
from scheme.library.files import ReadProjects, read_project_bytes
from scheme.library.importing import ImportOutcome, import_projects, try_projects
from scheme.library.library import Library
from scheme.library.reading import ProjectFilter, list_changes, list_projects
from scheme.library.records import Project
from scheme.library.template import template_bytes, write_template
from scheme.store import Store
from tests.library.examples import CALL, PLANNER, STAGES, read

GOOD: dict[str, str] = {
    "source_system": "gov", "source_id": "1", "name": "甲", "category": "industrial_commercial", "lon_deg": "115.04",
    "lat_deg": "33.4", "datum": "CGCS2000", "installed_kw": "500", "received_on": "2026-10-01",
}  # fmt: skip


def csv_of(*rows: Mapping[str, str], columns: Sequence[str] = tuple(GOOD)) -> bytes:
    lines = [",".join(columns), *(",".join(row.get(name, "") for name in columns) for row in rows)]
    return "\r\n".join(lines).encode()


def xlsx_of(*rows: Sequence[object], sheet: str = "projects") -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def geojson_of(*features: Mapping[str, Any]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


def feature(geometry: Mapping[str, Any] | None, **properties: Any) -> dict[str, Any]:
    own = {name: value for name, value in GOOD.items() if name not in ("lon_deg", "lat_deg")}
    return {"type": "Feature", "geometry": geometry, "properties": {**own, **properties}}


def read_csv(*rows: Mapping[str, str], columns: Sequence[str] = tuple(GOOD)) -> ReadProjects:
    return read_project_bytes(csv_of(*rows, columns=columns), "a.csv", STAGES)


def take(store: Store, read: ReadProjects, **options: Any) -> ImportOutcome:
    outcome = import_projects(store, read, actor=PLANNER, **options)
    assert outcome is not None
    return outcome


def counts(outcome: ImportOutcome) -> tuple[int, int, int, int]:
    assert outcome.rows == outcome.created + outcome.updated + outcome.unchanged + outcome.refused
    return outcome.created, outcome.updated, outcome.unchanged, outcome.refused


def places(findings: Sequence[Finding]) -> list[tuple[int | None, str | None, str | None, str]]:
    return [(finding.row, finding.column, finding.value, finding.code) for finding in findings]


def projects_in(store: Store) -> list[Project]:
    with store.read() as connection:
        return list_projects(connection, ProjectFilter())


@pytest.fixture
def store(store_url: str) -> Store:
    return Store(store_url)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ({"category": "factory"}, "unknown_word"),
        ({"installed_kw": "-5"}, "out_of_range"),
        ({"installed_kw": "=1+1"}, "not_a_number"),
        ({"received_on": "2026/10/01"}, "not_a_date"),
        ({"datum": ""}, "place_incomplete"),
        ({"lat_deg": ""}, "place_incomplete"),
        ({"lon_deg": "191"}, "place_out_of_range"),
        ({"source_id": ""}, "missing_value"),
        ({"name": "x" * 250}, "value_refused"),
        ({"works_stage": "dreaming"}, "unknown_word"),
        ({"demand_by_year_kva": "2028"}, "years_unreadable"),
        ({"demand_by_year_kva": "2028:5;2027:3"}, "value_refused"),
        ({"likelihood_ratio": "1.2"}, "out_of_range"),
        ({"source_system": "a b"}, "value_refused"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value,
)
def test_a_wrong_cell_is_named_and_leaves_its_row_out(cell: dict[str, str], code: str) -> None:
    columns = (*GOOD, "works_stage", "demand_by_year_kva", "likelihood_ratio")
    found = read_csv({**GOOD, "source_id": "2"}, {**GOOD, **cell}, columns=columns)
    assert [one.row for one in found.entries] == [1]
    ((name, value),) = cell.items()
    assert places(found.findings) == [(2, name, value[:80] or None, code)]
    assert all(finding.expected and finding.disposition == "quarantined" for finding in found.findings)


def test_every_wrong_cell_of_a_row_is_named_at_once() -> None:
    found = read_csv({**GOOD, "category": "x", "installed_kw": "y", "received_on": "z"})
    assert [finding.column for finding in found.findings] == ["category", "installed_kw", "received_on"]


def test_a_project_without_place_or_demand_is_kept_and_said_so() -> None:
    bare = {**GOOD, **dict.fromkeys(("lon_deg", "lat_deg", "datum", "installed_kw"), "")}
    found = read_csv(bare)
    assert len(found.entries) == 1
    assert [(f.code, f.severity, f.disposition) for f in found.findings] == [
        ("not_placed", "warning", "accepted"),
        ("demand_unknown", "warning", "accepted"),
    ]


def test_a_project_that_stands_twice_is_taken_from_neither_row() -> None:
    found = read_csv(GOOD, {**GOOD, "source_id": "2"}, {**GOOD, "name": "乙"})
    assert [one.row for one in found.entries] == [2]
    assert [(f.row, f.code) for f in found.findings] == [(1, "project_twice"), (3, "project_twice")]


def test_good_rows_are_taken_and_bad_ones_reported(store: Store) -> None:
    outcome = take(store, read_csv(GOOD, {**GOOD, "source_id": "2", "datum": ""}))
    assert (counts(outcome), outcome.is_taken) == ((1, 0, 0, 1), True)
    assert [project.entry.name for project in projects_in(store)] == ["甲"]


def test_all_or_nothing_takes_nothing_where_a_row_is_bad(store: Store) -> None:
    found = read_csv(GOOD, {**GOOD, "source_id": "2", "datum": ""})
    outcome = take(store, found, is_all_or_nothing=True)
    assert (counts(outcome), outcome.is_taken) == ((0, 0, 0, 2), False)
    assert projects_in(store) == []
    assert counts(take(store, read_csv(GOOD), is_all_or_nothing=True)) == (1, 0, 0, 0)


def test_a_fault_in_the_middle_leaves_nothing_of_the_file(store: Store) -> None:
    def fail(*_: object) -> None:
        raise InputError("the power goes")

    with pytest.raises(InputError):
        import_projects(store, read_csv(GOOD), actor=PLANNER, also=fail)
    assert projects_in(store) == []


def test_the_same_file_again_makes_no_history(store: Store) -> None:
    for expected in ((1, 0, 0, 0), (0, 0, 1, 0)):
        assert counts(take(store, read_csv(GOOD))) == expected
    (project,) = projects_in(store)
    assert project.revision_no == 1
    assert counts(take(store, read_csv({**GOOD, "installed_kw": "900"}))) == (0, 1, 0, 0)
    with store.read() as connection:
        last = list_changes(connection, project.project_id)[-1]
        assert audit(connection).is_clean
    assert (last.revision_no, last.reason) == (2, "import a.csv")
    assert last.changes == {"demand.installed_kw": {"before": 500.0, "after": 900.0}}


def test_a_file_says_nothing_about_columns_it_has_not(store: Store) -> None:
    """A fact entered by hand stays; an empty cell of a column that is there takes it back."""
    take(store, read_csv({**GOOD, "note": "一"}, columns=(*GOOD, "note")))
    library = Library(store)
    (project,) = projects_in(store)
    by_hand = {
        "circumstances": {"security_load_kw": 30.0, "is_urgent": True},
        "area": {"text": "城东"},
        "demand": {"installed_kw": 500.0, "power_factor": 0.9},
    }
    library.update(project.project_id, by_hand, CALL)
    before = read(library, project.project_id)
    assert counts(take(store, read_csv(GOOD))) == (0, 0, 1, 0)
    assert counts(take(store, read_csv(GOOD, columns=(*GOOD, "is_urgent", "note")))) == (0, 1, 0, 0)
    after = read(library, project.project_id).entry
    assert (after.circumstances.is_urgent, after.note) == (None, None)
    assert after.circumstances.security_load_kw == 30.0
    assert (after.area, after.demand) == (before.entry.area, before.entry.demand)


def test_a_closed_project_is_not_changed_by_a_file(store: Store) -> None:
    take(store, read_csv(GOOD))
    (project,) = projects_in(store)
    Library(store).update(project.project_id, {}, CALL, stage="closed")
    assert counts(take(store, read_csv(GOOD))) == (0, 0, 1, 0)
    outcome = take(store, read_csv({**GOOD, "name": "乙"}))
    assert (counts(outcome), [f.code for f in outcome.findings]) == ((0, 0, 0, 1), ["project_fixed"])
    assert projects_in(store)[0].entry.name == "甲"


def test_xlsx_csv_and_geojson_say_the_same() -> None:
    columns = (*GOOD, "demand_by_year_kva", "single_phase")
    cells = {**GOOD, "demand_by_year_kva": "2027:600;2028:800.5", "single_phase": "false"}
    from_csv = read_csv(cells, columns=columns)
    typed = [115.04 if n == "lon_deg" else 33.4 if n == "lat_deg" else cells[n] for n in columns]
    typed[columns.index("installed_kw")] = 500
    typed[columns.index("single_phase")] = False
    from_xlsx = read_project_bytes(xlsx_of(columns, typed), "a.xlsx", STAGES)
    point = {"type": "Point", "coordinates": [115.04, 33.4]}
    years = {"2027": 600, "2028": 800.5}
    made = feature(point, installed_kw=500, demand_by_year_kva=years, single_phase=False)
    from_geojson = read_project_bytes(geojson_of(made), "a.geojson", STAGES)
    entries = [[one.entry for one in found.entries] for found in (from_csv, from_xlsx, from_geojson)]
    assert entries[0] == entries[1] == entries[2]
    assert [(d.year, d.capacity_kva) for d in entries[0][0].demand.by_year] == [(2027, 600.0), (2028, 800.5)]


def test_a_polygon_is_an_area_until_somebody_places_the_project() -> None:
    ring = [[115.0, 33.0], [115.0, 34.0], [116.0, 34.0], [115.0, 33.0]]
    good = feature({"type": "Polygon", "coordinates": [ring]})
    unnamed = feature({"type": "Polygon", "coordinates": [ring]}, source_id="2", datum=None)
    line = feature({"type": "LineString", "coordinates": ring}, source_id="3")
    found = read_project_bytes(geojson_of(good, unnamed, line), "a.geojson", STAGES)
    (one,) = found.entries
    assert one.entry.location is None
    assert one.entry.area is not None
    assert (one.entry.area.datum, one.entry.area.polygon is not None) == ("CGCS2000", True)
    assert {(f.row, f.code) for f in found.findings} == {(1, "not_placed"), (2, "value_refused"), (3, "value_refused")}


def test_formulas_are_text_and_run_nowhere() -> None:
    """A workbook holds the formula without a result, as openpyxl writes it; the cell then says nothing."""
    row = list(GOOD.values())
    row[2] = '=HYPERLINK("http://x","y")'
    found = read_project_bytes(xlsx_of(tuple(GOOD), row), "a.xlsx", STAGES)
    assert (len(found.entries), [f.column for f in found.findings]) == (0, ["name"])
    in_csv = read_csv({**GOOD, "name": "=1+1"})
    assert in_csv.entries[0].entry.name == "=1+1"


@pytest.mark.parametrize(
    ("content", "file", "problem"),
    [
        (csv_of(GOOD, columns=(*GOOD, "colour")), "a.csv", "unknown column"),
        (csv_of(GOOD, columns=("source_system", "source_id", "name")), "a.csv", "mandatory column is missing"),
        (b"", "a.csv", "no header row"),
        (xlsx_of(tuple(GOOD), sheet="Sheet1"), "a.xlsx", "sheet is missing"),
        (b"not a workbook", "a.xlsx", "not a readable workbook"),
        (b"{", "a.geojson", "not valid JSON"),
        (b'{"type": "FeatureCollection"}', "a.geojson", "no features"),
        (b"[" * 100_000, "a.geojson", "not valid JSON"),
        (geojson_of(feature(None, colour="red")), "a.geojson", "unknown column"),
        (b"x", "a.exe", "no project table"),
    ],
)
def test_a_file_that_is_no_table_is_refused_as_a_whole(content: bytes, file: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        read_project_bytes(content, file, STAGES)


def test_a_workbook_that_unpacks_without_end_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (120 * 2**20))
    with pytest.raises(InputError, match="expands too far"):
        read_project_bytes(stream.getvalue(), "a.xlsx", STAGES)


def test_more_rows_or_bytes_than_allowed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROWS_MAX", 1)
    with pytest.raises(InputError, match="too many rows"):
        read_csv(GOOD, {**GOOD, "source_id": "2"})
    monkeypatch.setattr(files, "FILE_BYTES_MAX", 10)
    with pytest.raises(InputError, match="too large"):
        read_csv(GOOD)


def test_the_example_of_the_template_is_a_good_row(tmp_path: Path) -> None:
    write_template(tmp_path / "t.xlsx", STAGES)
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    rows = list(book["EXAMPLES"].iter_rows(values_only=True))
    filled = read_project_bytes(xlsx_of(*[list(row) for row in rows]), "t.xlsx", STAGES)
    assert (len(filled.entries), filled.findings) == (1, ())
    assert read_project_bytes(template_bytes(".csv", STAGES), "t.csv", STAGES).rows == 0
    documented = [row[0] for row in book["README"].iter_rows(min_row=2, values_only=True)]
    assert documented == list(next(book["projects"].iter_rows(values_only=True)))
    with pytest.raises(InputError, match="overwrite"):
        write_template(tmp_path / "t.xlsx", STAGES)


def test_a_trial_says_what_becomes_of_each_row_and_does_none_of_it(store_url: str) -> None:
    store = Store(store_url)
    take(store, read_csv(GOOD, {**GOOD, "source_id": "2"}))
    file = read_csv(
        {**GOOD, "installed_kw": "600"},
        {**GOOD, "source_id": "2"},
        {**GOOD, "source_id": "3"},
        {**GOOD, "source_id": "4", "name": ""},
    )
    with store.read() as connection:
        before = list_projects(connection, ProjectFilter())
    seen = try_projects(store, file)
    assert counts(seen) == (1, 1, 1, 1)
    assert not seen.is_taken
    assert [(line.row, line.source_id, line.fate) for line in seen.lines] == [
        (1, "1", "updated"),
        (2, "2", "unchanged"),
        (3, "3", "created"),
    ]
    assert seen.lines[0].changes == {"demand.installed_kw": {"before": 500.0, "after": 600.0}}
    with store.read() as connection:
        assert list_projects(connection, ProjectFilter()) == before
    assert counts(take(store, file)) == counts(seen)
