"""Forms the reader refuses as a whole, archives it does not open, and the template that shows the right form."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import openpyxl
import pytest

import gridmodel.readers
from gridmodel.errors import InputError
from gridmodel.readers import table_files
from gridmodel.readers.table_cells import CellFault, parse_cell
from gridmodel.readers.table_files import read_raw_tables
from gridmodel.readers.table_schema import find_bands, load_bands, load_tables
from gridmodel.readers.table_template import render_reference
from gridmodel.readers.tables import read_tables, write_template
from tests.readers.small_network import small_network, write_folder, write_workbook


def _refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_tables(path)
    return caught.value.message


def test_an_unknown_datum_is_refused(tmp_path: Path) -> None:
    tables = small_network()
    tables["network"][0]["datum"] = "北京54"
    message = _refusal(write_folder(tables, tmp_path / "net"))
    assert "network.csv, row 1, field network.datum" in message
    assert "BD09" in message


@pytest.mark.parametrize("rows", [0, 2])
def test_the_network_needs_exactly_one_row(tmp_path: Path, rows: int) -> None:
    tables = small_network()
    tables["network"] = tables["network"] * rows
    assert "exactly one row" in _refusal(write_folder(tables, tmp_path / "net"))


def test_a_missing_mandatory_table_is_named(tmp_path: Path) -> None:
    tables = small_network()
    del tables["feeders"]
    message = _refusal(write_folder(tables, tmp_path / "net"))
    assert "mandatory table is missing" in message
    assert "field feeders" in message


def test_a_missing_mandatory_column_is_named(tmp_path: Path) -> None:
    tables = small_network()
    tables["nodes"] = [{k: v for k, v in row.items() if k != "kind"} for row in tables["nodes"]]
    assert "file nodes.csv, field nodes.kind: mandatory column is missing" in _refusal(
        write_folder(tables, tmp_path / "n")
    )


def test_an_unknown_column_is_named_with_those_allowed(tmp_path: Path) -> None:
    tables = small_network()
    tables["loads"] = [{**row, "p_mw": 1} for row in tables["loads"]]
    message = _refusal(write_folder(tables, tmp_path / "net"))
    assert "'p_mw'" in message
    assert "p_kw" in message


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    folder = write_folder(small_network(), tmp_path / "net")
    (folder / "capacitors.csv").write_text("capacitor_id,node_id,q_kvar,q_kvar\nQ1,A0,30,40\n", encoding="utf-8")
    assert "column stands twice" in _refusal(folder)


@pytest.mark.parametrize("kind", ["folder", "workbook"])
def test_an_unknown_table_is_refused(tmp_path: Path, kind: str) -> None:
    if kind == "folder":
        path = write_folder(small_network(), tmp_path / "net")
        (path / "lines.csv").write_text("a\n1\n", encoding="utf-8")
    else:
        path = write_workbook(small_network(), tmp_path / "net.xlsx")
        book = openpyxl.load_workbook(path)
        book.create_sheet("lines").append(["a"])
        book.save(path)
    assert "unknown table" in _refusal(path)


@pytest.mark.parametrize("name", ["missing", "missing.xlsx", "net.ods"])
def test_a_path_without_tables_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "net.ods").write_bytes(b"")
    assert "no tables here" in _refusal(tmp_path / name)


def test_broken_quoting_is_refused_with_its_line(tmp_path: Path) -> None:
    folder = write_folder(small_network(), tmp_path / "net")
    with (folder / "loads.csv").open("a", encoding="utf-8") as file:
        file.write('"C9"x,P2,1,1,,\n')
    assert "file loads.csv, row line 7: not valid CSV" in _refusal(folder)


def test_text_in_no_known_encoding_is_refused(tmp_path: Path) -> None:
    folder = write_folder(small_network(), tmp_path / "net")
    (folder / "loads.csv").write_bytes(b"load_id,node_id,p_kw,q_kvar\n\xff\xff,P2,1,1\n")
    assert "file loads.csv: text encoding is not known" in _refusal(folder)


def test_a_row_of_the_wrong_width_is_left_out_and_its_number_counts_empty_lines(tmp_path: Path) -> None:
    folder = write_folder(small_network(), tmp_path / "net")
    with (folder / "measured_maxima.csv").open("a", encoding="utf-8") as file:
        file.write("\nfeeder,F2,1,234,2024-01-22\n")
    [finding] = [f for f in read_tables(folder).findings if f.code == "wrong_cell_count"]
    assert (finding.table, finding.row, finding.disposition) == ("measured_maxima", 5, "quarantined")


def test_limits_on_rows_and_cells_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(small_network(), tmp_path / "net")
    monkeypatch.setattr(table_files, "ROWS_MAX", 14)
    assert "file nodes.csv, row 15, field nodes: too many rows" in _refusal(folder)
    monkeypatch.setattr(table_files, "ROWS_MAX", 15)
    monkeypatch.setattr(table_files, "CELL_CHARACTERS_MAX", 30)
    assert "cell is too long" in _refusal(folder)


def _zip(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_a_zip_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = _zip(tmp_path / "bomb.xlsx", {"xl/worksheets/sheet1.xml": b"0" * (150 * 2**20)})
    assert path.stat().st_size < 2**20
    assert "expands too far" in _refusal(path)


def test_an_archive_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = _zip(tmp_path / "liar.xlsx", {"xl/workbook.xml": b"0" * 5000})
    content = path.read_bytes()
    path.write_bytes(content.replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    assert "not a readable workbook" in _refusal(path)


def test_too_many_parts_are_refused(tmp_path: Path) -> None:
    path = _zip(tmp_path / "parts.xlsx", {f"p{number}": b"" for number in range(2001)})
    assert "too many parts" in _refusal(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04rubbish", b"not a workbook"])
def test_a_file_that_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.xlsx"
    path.write_bytes(content)
    assert "not a readable workbook" in _refusal(path)


def test_an_archive_that_is_no_spreadsheet_is_refused(tmp_path: Path) -> None:
    assert "workbook cannot be read" in _refusal(_zip(tmp_path / "net.xlsx", {"readme.txt": b"hello"}))


def test_a_value_in_the_last_cell_of_a_sheet_does_not_take_the_program_down(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "nodes"
    sheet.cell(1, 1, "node_id")
    sheet.cell(1_048_576, 16_384, "x")
    book.save(tmp_path / "net.xlsx")
    assert "needs too much memory or time" in _refusal(tmp_path / "net.xlsx")


@pytest.mark.parametrize("name", ["template", "template.xlsx"])
def test_the_template_has_every_table_and_column_and_no_row(tmp_path: Path, name: str) -> None:
    write_template(tmp_path / name)
    raw = read_raw_tables(tmp_path / name)
    assert {n: list(t.columns) for n, t in raw.items()} == {n: list(t.columns) for n, t in load_tables().items()}
    assert all(not table.rows for table in raw.values())
    assert "the network needs exactly one row" in _refusal(tmp_path / name)


@pytest.mark.parametrize("name", ["template", "template.xlsx"])
def test_a_template_overwrites_nothing(tmp_path: Path, name: str) -> None:
    write_template(tmp_path / name)
    with pytest.raises(InputError, match="overwrite"):
        write_template(tmp_path / name)


def test_the_examples_of_the_template_are_allowed_values(tmp_path: Path) -> None:
    write_template(tmp_path / "template")
    for table in load_tables().values():
        with (tmp_path / "template" / "EXAMPLES" / f"{table.name}.csv").open(encoding="utf-8-sig", newline="") as file:
            [row] = csv.DictReader(file)
        for name, text in row.items():
            value = parse_cell(text, table.columns[name])
            assert not isinstance(value, CellFault), (table.name, name, text)
            if isinstance(value, float):
                assert all(band.holds(value) for band in find_bands(table.name, name)), (table.name, name)


def test_the_column_reference_is_current() -> None:
    shipped = Path(gridmodel.readers.__file__).with_name("TABLES.md").read_text(encoding="utf-8")
    assert shipped == render_reference()


def test_every_band_belongs_to_a_column_or_a_named_quotient_and_says_why() -> None:
    named = {"straight_km", "distance_km", "u_high_kv/u_nominal_kv", "u_low_kv/u_nominal_kv"}
    named |= {"length_km/straight", "max_kva/rating"}
    for band in load_bands():
        assert band.column in (*load_tables()[band.table].columns, *named), band
        assert band.reason
        assert band.minimum < band.maximum
