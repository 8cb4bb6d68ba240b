from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook

from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.policy.loader import load_policy
from scheme.policy.parameter import PolicyView
from scheme.publication.monthly_list import build_monthly_list
from scheme.publication.negative_list import Restriction, read_negative_list
from scheme.publication.spreadsheet import Sheet, harmless, to_csv, to_xlsx, write_sheets

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=1+1", "+1", "-1", "@x", "  =1", "\u200b=1"]


def city() -> PolicyView:
    return load_policy("xinyang-2021", date(2026, 11, 20))


def test_profile_that_publishes_by_month_gets_its_four_tables(sealed: Snapshot) -> None:
    listed = [Restriction(element_id="F11", reason="重载"), Restriction(element_id="T000", reason="")]
    head, bays, feeders, areas, negative = build_monthly_list(sealed, city(), negative_list=listed)
    assert [sheet.title for sheet in (bays, feeders, areas, negative)] == [
        "变电站间隔位置",
        "10千伏线路运行负荷",
        "公用变压器台区负荷",
        "电网负面清单",
    ]
    assert ("依据", "XY-2021 三(三)8") in head.rows
    assert bays.rows == (("S1", "青溪变10kV I 段母线", 4), ("S2", "云禾变10kV I 段母线", 3))
    # 143.760217 A measured, 400 A allowed: 35.9 %
    assert feeders.rows[0] == ("10kV 东河线", "S1", 143.8, 400, 35.9, "2026-07-29")
    assert len(areas.rows) == 99  # the utility's own transformers, not the 49 dedicated ones
    [first] = [found for found in areas.rows if found[0] == "石桥1号公变"]
    assert first == ("石桥1号公变", "10kV 荷塘线", 125, 60.0, 48.0, "2026-07-29")  # 60 of 125 kVA
    assert negative.rows == (("10kV 东河线", "10千伏线路", "重载"), ("石桥1号公变", "台区", ""))


def test_profile_that_publishes_nothing_by_month_gets_none(sealed: Snapshot) -> None:
    county = load_policy("shenqiu-2022", date(2026, 11, 20))
    with pytest.raises(InputError, match="no monthly list"):
        build_monthly_list(sealed, county, negative_list=None)


def test_not_measured_and_not_supplied_are_words_and_never_zero(sealed: Snapshot) -> None:
    feeders = sealed.feeders.copy()
    feeders.loc["F11", ["measured_max_a", "rating_a"]] = float("nan")
    nodes = sealed.nodes.copy()
    nodes.loc[nodes.kind == "substation_busbar", "spare_bays"] = float("nan")
    changed = replace(sealed, feeders=feeders, nodes=nodes)
    _, bays, loads, _, negative = build_monthly_list(changed, city(), negative_list=None)
    assert {found[2] for found in bays.rows} == {"未知"}
    assert loads.rows[0][2:5] == ("未测", "未知", "未知")
    assert negative.rows == (("供电企业未提供清单", None, None),)


def test_row_of_the_negative_list_that_names_nothing_is_refused(sealed: Snapshot) -> None:
    with pytest.raises(InputError, match="no such transformer or feeder"):
        build_monthly_list(sealed, city(), negative_list=[Restriction(element_id="F99", reason="")])


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_begins_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["10kV 东河线", "a=b", "", " ", "'=1", "1-2", "邮箱 a@b"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


def test_names_that_are_formulas_are_texts_in_both_files() -> None:
    sheet = Sheet(title="=表", columns=("=甲", "数"), rows=tuple((text, -1.5) for text in FORMULAS if "\r" not in text))
    rows = list(csv.reader(io.StringIO(to_csv([sheet]).decode("utf-8-sig"))))
    assert rows[0] == ["'=表"]
    assert all(cell.startswith("'") for cell in [rows[1][0], *(row[0] for row in rows[2:])])
    assert {row[1] for row in rows[2:]} == {"-1.5"}  # a number stays a number

    page = load_workbook(io.BytesIO(to_xlsx([replace(sheet, title="表")])))["表"]
    for found in page.iter_rows(min_row=2):
        assert found[0].data_type == "s"
        assert found[1].data_type == "n"
    assert page["A1"].data_type == "s"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    sheet = Sheet(title="表", columns=("甲",), rows=(("乙",),))
    for name in ("x.csv", "x.xlsx", "x.XLSX"):
        write_sheets([sheet], tmp_path / name)
        assert (tmp_path / name).stat().st_size > 0
    with pytest.raises(InputError, match="no format"):
        write_sheets([sheet], tmp_path / "x.ods")
    with pytest.raises(InputError, match="cannot be written"):
        write_sheets([sheet], tmp_path / "none" / "x.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.XLSX", "x.csv", "x.xlsx"]


def test_negative_list_is_read_with_its_reasons(tmp_path: Path) -> None:
    file = tmp_path / "n.csv"
    file.write_text('\ufeffelement_id,reason\nF11,重载\n\nT000,"停电, 检修"\n', encoding="utf-8")
    assert read_negative_list(file) == (
        Restriction(element_id="F11", reason="重载"),
        Restriction(element_id="T000", reason="停电, 检修"),
    )


@pytest.mark.parametrize(
    ("content", "row", "field"),
    [
        (b"", 0, None),
        (b"id,reason\nF11,x\n", 0, None),
        (b"element_id,reason\nF11\n", 1, None),
        (b"element_id,reason\nF11,a\nF11,b\n", 2, "element_id"),
        (b"element_id,reason\n,a\n", 1, "element_id"),
        (b"element_id,reason\n" + b"F" * 201 + b",a\n", 1, "element_id"),
        (b'element_id,reason\nF11,"a\nb"\n', 1, "reason"),
        (b"element_id,reason\nF11,\xff\n", None, None),
        (b'element_id,reason\n"F11,a\n', None, None),
        (b"element_id,reason\n" + b"".join(b"F%d,x\n" % n for n in range(5_001)), None, None),
        (b"x" * 1_000_001, None, None),
    ],
)
def test_faulty_negative_list_is_refused_with_its_place(
    tmp_path: Path, content: bytes, row: int | None, field: str | None
) -> None:
    file = tmp_path / "n.csv"
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_negative_list(file)
    assert caught.value.context["file"] == "n.csv"
    assert (caught.value.context["row"], caught.value.context["field"]) == (row, field)


def test_absent_negative_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_negative_list(tmp_path / "none.csv")
