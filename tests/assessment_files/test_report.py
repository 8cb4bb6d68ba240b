"""The printable report: what stands in it, on how many pages, and that nothing a customer writes runs in it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scheme.assessment_files import report_sections
from scheme.assessment_files.grid_places import GridPlaces
from scheme.assessment_files.report import FEEDER_MAPS_MAX, write_report
from scheme.assessment_files.report_chart import draw_years
from scheme.assessment_files.report_map import SYMBOLS, draw_area
from scheme.assessment_files.results import Results
from tests.assessment_files.examples import HOSTILE, grid, results, source
from tests.document.reading import pdf_page_count, pdf_text, squeezed

SVG = "{http://www.w3.org/2000/svg}"


def test_every_part_of_the_assessment_is_printed(tmp_path: Path) -> None:
    made = source(tmp_path)[1]
    content = write_report(made, grid())
    text = pdf_text(content)
    for wanted in (
        "业扩储备项目评估报告",
        "共评估3个项目",
        "1个可足额接入，1个部分接入，1个不可接入，0个无法评估",
        "2个项目单独可以足额接入",
        "a" * 64,
        "b" * 64,
        "c" * 64,
        "2026-11-22",
        "全区项目与队列接入结论",
        "冲突馈线1",
        "冲突设备",
        "2027年1台（条）",
        "配电变压器一村配变由100kVA更换为400kVA",
        "2027-04-16",
        "2027Q2",
        "JKLYJ-1-70",
        "未评估的数据行",
        "方法与口径",
        "评估不占用容量",
        *("A1", "A2", "A4"),
    ):
        assert wanted in text, wanted
    assert squeezed(HOSTILE) in text
    assert write_report(made, grid()) == content


def test_a_name_that_is_markup_is_printed_as_it_is_written() -> None:
    found = results(names=("#panic()", "</text><script>甲</script>", "$x$ *粗* 〿\U0001f600"))
    text = pdf_text(write_report(found, grid()))
    for name in ("#panic()", "</text><script>甲</script>", "$x$*粗*"):
        assert name in text
    assert "U+1F600" in text


def test_tables_are_bounded_and_say_what_they_leave_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_sections, "PROJECTS_MAX", 2)
    text = pdf_text(write_report(results(), grid()))
    assert "共3项，此处列前2项，其余1项见结果工作簿" in text


def test_few_pages_for_few_projects_and_none_for_what_was_not_asked() -> None:
    made = results()
    whole = write_report(made, grid())
    assert pdf_page_count(whole) <= 8 + FEEDER_MAPS_MAX
    lean = replace(made, assessment=replace(made.assessment, works=(), project_works=(), quotas=(), conflicts=()))
    text = pdf_text(write_report(lean, grid()))
    assert "超前启动" not in text
    assert "冲突设备：" not in text
    assert pdf_page_count(write_report(lean, grid())) < pdf_page_count(whole)


def test_an_assessment_of_nothing_is_a_report_too() -> None:
    made = results()
    empty = replace(made.assessment, projects=(), conflicts=(), years=(), works=(), project_works=(), quotas=())
    assert "共评估0个项目" in pdf_text(write_report(Results(assessment=empty, projects=()), grid()))


def test_two_scenarios_are_compared() -> None:
    made = results()
    first, *others = made.assessment.projects
    worse = replace(made.assessment, scenario="负荷增长", projects=(replace(first, queue=others[1].queue), *others))
    text = pdf_text(write_report(replace(made, before=worse), grid()))
    assert "前：负荷增长" in text
    assert "情景对比" in text


def test_verdicts_differ_on_the_map_in_shape_and_colour() -> None:
    drawing = ElementTree.fromstring(draw_area(results(), GridPlaces(grid())))
    names = {text.text for text in drawing.iter(f"{SVG}text")}
    assert {"可接入", "部分接入", "不可接入", "10千伏线路"} <= names
    shapes = {re.sub(r'(stroke|fill)="[^"]*"', "", symbol) for symbol in SYMBOLS.values()}
    colours = {tuple(sorted(set(re.findall("#[0-9a-f]{6}", symbol)) - {"#ffffff"})) for symbol in SYMBOLS.values()}
    assert len(shapes) == len(colours) == len(SYMBOLS)


def test_a_year_above_the_limit_is_marked() -> None:
    """Loads 62.5, 242.5 and 250 kVA against 80: two triangles, one circle."""
    drawing = ElementTree.fromstring(draw_years(results().assessment.years))
    marks = [path.get("d", "") for path in drawing.iter(f"{SVG}path") if "l1.1,1.9h-2.2z" in path.get("d", "")]
    assert len(marks) == 2
    assert len(list(drawing.iter(f"{SVG}circle"))) == 1
    assert "配电变压器，2027 年耗尽" in {text.text for text in drawing.iter(f"{SVG}text")}
