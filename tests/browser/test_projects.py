"""The reserve library in a browser: a list taken, assessed together, looked at, compared, converted."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import read_pixels, share_of_colour
from tests.browser.conftest import OpenPage
from tests.conftest import FIXTURES
from tests.serve_command import Service

SLOW_MS = 90_000
PAGE = "/console/projects"
SCRIPT = "<img src=x onerror=alert(1)>"
FITS_KVA, TOO_MUCH_KVA, BEYOND_KVA = 40.0, 7_000.0, 100_000.0
"""What a low-voltage node of the township carries, more than its feeders do (5,543 kVA), more than 10 kV may."""
BLUE = "#0062a3"
ELSEWHERE = {"lon_deg": "7.896556", "lat_deg": "48.4573"}
COLUMNS = (
    "source_system", "source_id", "name", "category", "lon_deg", "lat_deg", "datum", "capacity_kva", "works_stage",
    "received_on", "needed_on",
)  # fmt: skip


def a_list(path: Path, *rows: dict[str, str]) -> Path:
    asked = json.loads((FIXTURES / "township" / "requests" / "lv.json").read_text(encoding="utf-8"))
    place = {name: str(value) for name, value in asked["location"].items()}
    common = {"source_system": "gov", "category": "small_micro", "received_on": "2026-03-01", "needed_on": "2027-05-31"}
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, COLUMNS)
        table.writeheader()
        table.writerows({**common, **place, **row} for row in rows)
    return path


def call(service: Service, method: str, path: str, key: str = "", **given: Any) -> Any:
    headers = {
        "X-API-Key": service.keys["planner"],
        **({"Idempotency-Key": key} if key else {}),
        **given.pop("headers", {}),
    }
    answer = httpx2.request(method, service.url + path, headers=headers, timeout=60.0, **given)
    assert answer.status_code < 300, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def library(service: Service, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Projects: one that fits, one in part, one beyond the grid, one nobody knows the demand of."""
    file = a_list(
        tmp_path_factory.mktemp("library") / "list.csv",
        {"source_id": "XM-1", "name": SCRIPT, "capacity_kva": str(FITS_KVA)},
        {
            **ELSEWHERE,
            "source_id": "XM-2",
            "name": "冶炼项目",
            "category": "industrial_commercial",
            "capacity_kva": str(TOO_MUCH_KVA),
            "works_stage": "planned",
        },
        {"source_id": "XM-3", "name": "意向项目"},
        {"source_id": "XM-4", "name": "化工项目", "category": "industrial_commercial", "capacity_kva": str(BEYOND_KVA)},
    )
    call(
        service,
        "POST",
        "/v1/projects:import",
        "library",
        content=file.read_bytes(),
        headers={"Content-Type": "text/csv"},
    )
    items = call(service, "GET", "/v1/projects")["items"]
    return {item["entry"]["source_id"]: item["project_id"] for item in items}


def test_a_list_is_looked_at_row_by_row_before_it_is_taken(
    open_page: OpenPage, service: Service, library: dict[str, str], tmp_path: Path
) -> None:
    page = open_page(f"{PAGE}?view=import", "planner")
    rows = [
        {
            **ELSEWHERE,
            "source_id": "XM-2",
            "name": "冶炼项目",
            "category": "industrial_commercial",
            "capacity_kva": str(TOO_MUCH_KVA),
            "works_stage": "approved",
        },
        {"source_id": "XM-9", "name": SCRIPT, "capacity_kva": "三百"},
    ]
    page.locator("input[type=file]").set_input_files(a_list(tmp_path / "list.csv", *rows))
    fault = page.get_by_role("region", name="逐格问题").locator("tbody tr")
    expect(fault).to_have_count(1, timeout=SLOW_MS)
    expect(fault).to_contain_text("三百")
    page.get_by_text("逐行处理").click()
    expect(page.get_by_role("region", name="逐行处理")).to_contain_text("planned → approved")
    assert call(service, "GET", f"/v1/projects/{library['XM-2']}")["entry"]["works_stage"] == "planned"
    page.get_by_role("button", name="确认入库 1 项").click()
    expect(page.get_by_role("heading", name="导入结果")).to_be_visible(timeout=SLOW_MS)
    assert call(service, "GET", f"/v1/projects/{library['XM-2']}")["entry"]["works_stage"] == "approved"
    assert page.locator("main img").count() == 0, "a name is text"


def test_projects_are_assessed_together_and_two_assessments_compared(
    open_page: OpenPage, service: Service, library: dict[str, str], check_accessible: Callable[[Page], None]
) -> None:
    page = open_page(PAGE, "planner")
    page.get_by_role("button", name="评估全部在库项目").click(timeout=SLOW_MS)
    page.get_by_label("情景名称").fill(SCRIPT)
    page.get_by_role("button", name="开始评估").click()
    expect(page.get_by_role("button", name="取消任务")).to_be_visible(timeout=SLOW_MS)
    page.reload()
    rows = page.get_by_role("region", name="项目", exact=True).locator("tbody tr")
    expect(rows).to_have_count(3, timeout=SLOW_MS)
    expect(page.locator(f'tr[data-project="{library["XM-1"]}"]')).to_have_attribute("data-verdict", "yes")
    expect(page.locator(f'tr[data-project="{library["XM-2"]}"]')).to_have_attribute("data-verdict", "partly")
    expect(page.get_by_text("1 项(行)缺少位置或容量等")).to_be_visible()
    expect(page.locator(".assess-map[data-idle]")).to_be_visible(timeout=SLOW_MS)
    assert share_of_colour(read_pixels(page), BLUE) > 0.0002, "the sign of what can be supplied"
    page.locator(f'tr[data-project="{library["XM-1"]}"]').get_by_role("button").click()
    expect(page.locator(".assess-map")).to_have_attribute("data-looked", library["XM-1"])
    expect(page.get_by_role("region", name="竞争与所选对象")).to_contain_text(SCRIPT)
    with page.expect_download() as found:
        page.get_by_role("button", name="GeoJSON").click()
    assert json.loads(Path(found.value.path()).read_text(encoding="utf-8"))["type"] == "FeatureCollection"
    for tab in ("竞争", "用尽年份", "配套工程", "物料", "依据"):
        page.get_by_role("tab", name=tab).click()
        check_accessible(page)
    assert page.locator("main img").count() == 0, "a name is text"
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360

    first = page.url.partition("assessment=")[2].partition("&")[0]
    page.set_viewport_size({"width": 1280, "height": 800})
    without = {"name": "不含冶炼", "excluded_ids": [library["XM-2"]]}
    second = call(service, "POST", "/v1/projects:assess", "second", json={"scenario": without})["assessment_id"]
    page.goto(f"{service.url}{PAGE}?assessment={second}")
    expect(page.get_by_role("tab", name="依据")).to_be_visible(timeout=SLOW_MS)
    page.get_by_label("与另一次对比").select_option(first)
    different = page.get_by_role("region", name="结论不同的项目").locator("tbody tr")
    expect(different).to_have_count(1, timeout=SLOW_MS)
    expect(different).to_contain_text("未参加")
    check_accessible(page)

    page.get_by_role("link", name="储备项目", exact=True).last.click()
    page.get_by_label("最近评估(现状)").select_option("yes")
    expect(page.get_by_role("region", name="储备项目列表").locator("tbody tr")).to_have_count(1, timeout=SLOW_MS)


def test_an_assessment_is_cancelled(open_page: OpenPage, service: Service, library: dict[str, str]) -> None:
    started = call(service, "POST", "/v1/projects:assess", "cancelled", json={"with_works": True})
    page = open_page(f"{PAGE}?assessment={started['assessment_id']}", "planner")
    page.get_by_role("button", name="取消任务").click(timeout=SLOW_MS)
    expect(page.get_by_text("评估已停止,没有结果。")).to_be_visible(timeout=SLOW_MS)


def test_a_scenario_is_saved_and_taken_again(open_page: OpenPage, service: Service, library: dict[str, str]) -> None:
    page = open_page(f"{PAGE}?view=assess", "planner")
    page.get_by_label("情景名称").fill("增长五成", timeout=SLOW_MS)
    page.get_by_label("优先项目").fill("冶炼")
    page.get_by_role("button", name="冶炼项目").click()
    page.get_by_role("button", name="添加年份").click()
    page.get_by_label("年份", exact=True).fill("2030")
    page.get_by_label("年增长 %").fill("50")
    page.get_by_role("button", name="保存情景").click()
    expect(page.get_by_role("button", name="保存为新版本")).to_be_visible(timeout=SLOW_MS)
    (saved,) = call(service, "GET", "/v1/scenarios")["items"]
    assert (saved["first_ids"], saved["growth_by_year_ratio"]) == ([library["XM-2"]], {"2030": 0.5})
    page.reload()
    page.get_by_label("已保存的情景").select_option(saved["scenario_id"])
    expect(page.get_by_label("年增长 %")).to_have_value("50")


def test_a_project_becomes_an_application_or_is_told_why_not(
    open_page: OpenPage, service: Service, library: dict[str, str], check_accessible: Callable[[Page], None]
) -> None:
    page = open_page(f"{PAGE}?project={library['XM-4']}", "planner", refuses=(409,))
    page.get_by_role("button", name="一键转正式").click(timeout=SLOW_MS)
    expect(page.get_by_role("dialog")).to_contain_text("按今天的电网")
    page.get_by_role("button", name="确认转正式").click()
    expect(page.get_by_text("未能转正式,项目保持原样。")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("dialog").get_by_role("button", name="关闭").click()
    page.locator(f'tr[data-project="{library["XM-1"]}"]').get_by_role("button").click()
    page.get_by_role("region", name="项目详情").get_by_role("heading", name=SCRIPT).wait_for(timeout=SLOW_MS)
    page.get_by_role("button", name="一键转正式").click()
    page.get_by_role("button", name="确认转正式").click()
    expect(page.get_by_role("dialog")).to_contain_text("已转为正式申请", timeout=SLOW_MS)
    check_accessible(page)
    assert call(service, "GET", f"/v1/projects/{library['XM-1']}")["stage"] == "formal"
    assert page.locator("main img, dialog img").count() == 0, "a name is text"
