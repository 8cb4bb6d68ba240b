"""The page of reserve projects: a list with faults, what is computed of it, as table, feeders and file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.conftest import FIXTURES
from tests.test_request_table import GOOD, write_csv

SLOW_MS = 90_000
SCRIPT = "<img src=x onerror=alert(1)>"


def a_list(path: Path) -> Path:
    """One project of the township that can be answered and one with a fault."""
    asked = json.loads((FIXTURES / "township" / "requests" / "lv.json").read_text(encoding="utf-8"))
    place = {name: str(value) for name, value in asked["location"].items()}
    good = {**GOOD, **place, "name": SCRIPT, "category": "小微企业", "installed_kw": "40"}
    return write_csv(path, good, {**good, "request_id": "XM-2", "installed_kw": "三百"})


def test_projects_are_read_computed_and_told(
    open_page: OpenPage, tmp_path: Path, check_accessible: Callable[[Page], None]
) -> None:
    page = open_page("/console/projects", "planner")
    expect(page.get_by_text("未计相互影响")).to_be_visible(timeout=SLOW_MS)
    page.locator("input[type=file]").set_input_files(a_list(tmp_path / "list.csv"))
    fault = page.get_by_role("region", name="逐格问题").locator("tbody tr")
    expect(fault).to_have_count(1, timeout=SLOW_MS)
    expect(fault).to_contain_text("三百")
    page.get_by_role("button", name="计算 1 项").click()
    row = page.get_by_role("region", name="结果").locator("tbody tr")
    expect(row).to_have_count(1, timeout=SLOW_MS)
    expect(row).to_contain_text(SCRIPT)
    assert page.locator("main img").count() == 0, "a name is text"
    assert (row.get_by_role("link").get_attribute("href") or "").startswith("/console/schemes/sch_")
    expect(page.get_by_role("region", name="馈线余量").locator("tbody tr")).to_have_count(1, timeout=SLOW_MS)
    expect(page.locator(".batch-map canvas")).to_be_visible(timeout=SLOW_MS)
    with page.expect_download() as found:
        page.get_by_role("button", name="GeoJSON").click()
    features = json.loads(Path(found.value.path()).read_text(encoding="utf-8"))["features"]
    assert [feature["properties"]["request_id"] for feature in features] == ["XM-1"]
    check_accessible(page)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
