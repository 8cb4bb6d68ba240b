"""The import page: check first, look at every row, activate, and what became of it; the real service with a worker."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.conftest import FIXTURES
from tests.serve_command import Service

SLOW_MS = 60_000
"""Checking and importing read a whole network on a machine that does other things as well."""
SCRIPT = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The township with one load that is larger, one that is no number, and a name that is markup."""
    path = tmp_path_factory.mktemp("upload") / "edited.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((FIXTURES / "township").glob("*.csv")):
            archive.writestr(file.name, edit(file.name, file.read_text(encoding="utf-8-sig")))
    return path


def edit(name: str, text: str) -> str:
    lines = text.splitlines()
    if name == "loads.csv":
        lines[1] = lines[1].replace(",60,", ",75,", 1)
        lines[-1] = re.sub(r"^(\w+,\w+),[^,]*,", r"\1,viel,", lines[-1])
    if name == "feeders.csv":
        cells = lines[1].split(",")
        lines[1] = ",".join([cells[0], SCRIPT, *cells[2:]])
    return "\n".join(lines) + "\n"


def hand_in(page: Page, file: Path) -> None:
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("heading", name="预检结果")).to_be_visible(timeout=SLOW_MS)


def test_network_is_checked_looked_at_and_made_the_current_one(
    open_page: OpenPage, edited: Path, check_accessible: Callable[[Page], None]
) -> None:
    page = open_page("/console/import", "engineer")
    before = (
        page.locator("section", has=page.get_by_role("heading", name="现行断面", exact=True))
        .locator("code")
        .inner_text()
    )
    hand_in(page, edited)
    expect(page.get_by_text("有 1 条错误")).to_be_visible()
    page.get_by_label("级别").select_option("error")
    findings = page.get_by_role("region", name="逐行问题").locator("tbody tr")
    expect(findings).to_have_count(1, timeout=SLOW_MS)
    expect(findings.first).to_contain_text("loads")
    expect(findings.first).to_contain_text("viel")
    changes = page.get_by_role("region", name="与现行断面的差异").last.locator("tbody tr")
    page.get_by_label("变化的列").select_option("p_mw")
    expect(changes).to_have_count(1, timeout=SLOW_MS)
    expect(changes.first).to_contain_text("C000")
    expect(changes.first.locator("del")).to_have_text("0.06")
    expect(changes.first.locator("ins")).to_have_text("0.075")
    page.get_by_label("变化的列").select_option("")
    page.get_by_role("row", name="馈线").get_by_role("button").first.click()
    expect(changes.filter(has_text=SCRIPT)).to_be_visible(timeout=SLOW_MS)
    assert page.locator("main img").count() == 0, "a name is text"
    with page.expect_download() as report:
        page.get_by_role("button", name="下载报告(xlsx)").click()
    assert zipfile.is_zipfile(io.BytesIO(Path(report.value.path()).read_bytes()))
    check_accessible(page)
    activate = page.get_by_role("button", name="启用为现行断面")
    expect(activate).to_be_disabled()
    page.get_by_label("我已核对").check()
    activate.click()
    expect(page.get_by_text(re.compile("已启用为现行断面"))).to_be_visible(timeout=SLOW_MS)
    current = page.locator("section", has=page.get_by_role("heading", name="现行断面", exact=True)).locator("code")
    expect(current).not_to_have_text(before, timeout=SLOW_MS)


def test_upload_of_another_person_is_not_shown(open_page: OpenPage, edited: Path, service: Service) -> None:
    page = open_page("/console/import", "engineer")
    hand_in(page, edited)
    other = open_page(page.url.removeprefix(service.url), "operator", refuses=(404,))
    expect(other.get_by_text("这次上传已不在")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="放弃本次上传").click()
    expect(page.get_by_role("button", name="选择文件")).to_be_visible(timeout=SLOW_MS)


def test_planner_sees_the_current_network_and_uploads_nothing(open_page: OpenPage) -> None:
    page = open_page("/console/import", "planner", width=360, height=740)
    expect(page.get_by_role("heading", name="现行断面", exact=True)).to_be_visible(timeout=SLOW_MS)
    assert page.locator("input[type=file]").count() == 0
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
