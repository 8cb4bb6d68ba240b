"""The customer map in a browser, over a service that has published the township to anyone."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, Route, expect

from api.capacity_tables import CapacityTables
from api.demo import publish_map
from api.services import Services, product_parts
from scheme.store import Store
from tests.browser.chromium import read_pixels, share_of_colour, wire_bytes
from tests.browser.conftest import OpenPage
from tests.publication.examples import write_public_policy
from tests.serve_command import Service, wait_for

FIRST_VIEW_BYTES_MAX = 600_000
BANDS = {"10_50": "#ffffcc", "50_100": "#7fcdbb", "100_200": "#41b6c4", "200_500": "#225ea8", "ge_500": "#0c2c84"}
"""Colours of YlGnBu in the order the map gives them to the classes above the lowest."""
ZERO = "#b2182b"
SELECTED = "#d6006c"
_DRAWN_WITHIN_MS = 30_000
_LV_POWER_FACTOR = 0.9
"""What turns kW into kVA at 380 V by the shipped rules (demand.power_factor_default)."""


@pytest.fixture(scope="module")
def service(township_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service over a store with the map in public, under rules of a utility that shows it to anyone."""
    folder = tmp_path_factory.mktemp("published")
    file = folder / "store.db"
    shutil.copy(township_file, file)
    policy = write_public_policy(folder / "policy")
    services = Services(
        Store(str(file)), profile="our-county", clock=lambda: datetime.now(UTC).date(), parts=product_parts(policy)
    )
    assert publish_map(services, CapacityTables(services)) is not None
    services.store.close()
    running = Service(str(file), "--policy", str(policy), "--profile", "our-county")
    wait_for(f"{running.url}/health")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def squares(service: Service) -> list[dict[str, Any]]:
    """The published squares, each with its class and its middle."""
    found = httpx2.get(f"{service.url}/v1/public/capacity").json()["features"]
    return [
        {"id": item["id"], **item["properties"], "middle": middle(item["geometry"]["coordinates"][0][:4])}
        for item in found
    ]


def middle(ring: list[list[float]]) -> tuple[float, float]:
    lon_deg, lat_deg = zip(*ring, strict=True)
    return sum(lon_deg) / len(ring), sum(lat_deg) / len(ring)


def banded(squares: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a square with a class of its own above the lowest."""
    return next(item for item in squares if item["class"] in BANDS)


def wait_until_drawn(page: Page) -> None:
    page.wait_for_selector("canvas.maplibregl-canvas", timeout=_DRAWN_WITHIN_MS)
    page.wait_for_load_state("networkidle")


def link_to(square: dict[str, Any], **more: Any) -> str:
    lon_deg, lat_deg = square["middle"]
    query = {"lon": f"{lon_deg:.6f}", "lat": f"{lat_deg:.6f}", "datum": "CGCS2000", **more}
    return "/?" + "&".join(f"{name}={value}" for name, value in query.items())


def test_first_view_draws_every_class_within_its_bytes_and_without_the_whole_file(
    open_page: OpenPage, service: Service, squares: list[dict[str, Any]]
) -> None:
    page = open_page("/health")
    finished: list[Any] = []
    page.on("requestfinished", lambda request: finished.append(request))
    page.goto(f"{service.url}/")
    wait_until_drawn(page)
    page.wait_for_function("document.querySelector('.pm-legend-list').children.length > 5")
    pixels = read_pixels(page)
    for code in {item["class"] for item in squares} & set(BANDS):
        assert share_of_colour(pixels, BANDS[code], tolerance=3) > 2e-4, code
    urls = {request.url.removeprefix(service.url) for request in finished}
    total_bytes = sum(wire_bytes(f"{service.url}{url}") for url in urls)
    assert 300_000 < total_bytes < FIRST_VIEW_BYTES_MAX
    assert any("/tiles/" in url for url in urls)
    assert "/v1/public/capacity" not in urls
    expect(page.locator("h1")).to_have_text("可开放容量地图")
    expect(page.get_by_text("不可相加").first).to_be_visible()


def test_clicking_a_square_chooses_it_and_the_question_is_answered_with_the_way_to_apply(
    open_page: OpenPage, squares: list[dict[str, Any]]
) -> None:
    square = banded(squares)
    lon_deg, lat_deg = square["middle"]
    page = open_page(f"/?at=13/{lat_deg:.5f}/{lon_deg:.5f}")
    wait_until_drawn(page)
    assert share_of_colour(read_pixels(page), SELECTED) == 0.0
    page.locator("canvas.maplibregl-canvas").click()  # its middle, which is that of the square
    expect(page.locator(".pm-square")).to_contain_text(square["id"])
    page.wait_for_function("new URLSearchParams(location.search).get('datum') === 'CGCS2000'")
    assert share_of_colour(read_pixels(page), SELECTED) > 1e-3
    low_kva = float(square["class"].split("_")[0] if square["class"] != "ge_500" else 500)
    page.fill("#pm-kw", f"{low_kva * _LV_POWER_FACTOR * 0.9:g}")  # a tenth below what half of the transformers can take
    page.select_option("#pm-category", "small_micro")
    page.get_by_role("button", name="查询").click()
    expect(page.locator(".pm-answer .notice.good")).to_contain_text("多半可以")
    expect(page.locator(".pm-answer")).to_contain_text("15 个工作日")  # SQ-2022 二(二)2
    expect(page.locator(".pm-answer")).to_contain_text("参考,不是承诺")
    page.fill("#pm-kw", f"{low_kva * _LV_POWER_FACTOR * 1.1:g}")
    page.keyboard.press("Enter")
    expect(page.locator(".pm-answer .notice.warn")).to_contain_text(f"{low_kva:g}")
    apply = page.get_by_role("link", name="申请用电").last.get_attribute("href") or ""
    assert apply.startswith("/apply?lon=")
    assert "datum=CGCS2000" in apply
    assert "category=small_micro" in apply


def test_ten_kilovolts_is_not_judged_by_a_low_voltage_class(open_page: OpenPage, squares: list[dict[str, Any]]) -> None:
    page = open_page(link_to(banded(squares), kw=500, category="industrial_commercial"))
    expect(page.locator(".pm-answer")).to_contain_text("能否接入:未知", timeout=_DRAWN_WITHIN_MS)
    expect(page.locator(".pm-answer")).to_contain_text("10 kV")
    expect(page.locator(".pm-answer")).to_contain_text("T接 4 个工作日")  # XY-2021 三(二)6
    expect(page.locator(".pm-answer")).to_contain_text("变电站间隔 未知")


def test_a_place_needs_its_datum_and_is_found_in_it(open_page: OpenPage, squares: list[dict[str, Any]]) -> None:
    square = banded(squares)
    page = open_page("/")
    wait_until_drawn(page)
    page.fill("#pm-place", "33.41, 115.02")
    page.get_by_role("button", name="定位").click()
    expect(page.locator("#pm-place")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#pm-place-told")).to_contain_text("请选择坐标系")
    page.fill("#pm-place", "{:.6f}, {:.6f}".format(*square["middle"]))
    page.select_option("#pm-datum", "WGS84")
    page.locator("#pm-datum").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".pm-square")).to_contain_text(square["id"])
    page.fill("#pm-place", "0.5, 0.5")
    page.locator("#pm-place").press("Enter")
    expect(page.locator(".pm-square")).to_contain_text("不等于没有可开放容量")


def test_the_list_holds_the_same_squares_and_chooses_on_the_map_by_keyboard(
    open_page: OpenPage, squares: list[dict[str, Any]]
) -> None:
    page = open_page("/")
    wait_until_drawn(page)
    toggle = page.get_by_role("button", name="显示列表")
    toggle.focus()
    page.keyboard.press("Enter")
    rows = page.locator(".pm-list tbody tr")
    expect(rows).to_have_count(min(200, len(squares)))
    code = banded(squares)["class"]
    page.select_option("#pm-filter-code", code)
    expect(rows).to_have_count(sum(item["class"] == code for item in squares))
    page.get_by_role("button", name="中心经度").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="中心经度")).to_have_attribute("aria-sort", "descending")
    easternmost = max((item for item in squares if item["class"] == code), key=lambda item: item["middle"][0])
    expect(rows.first).to_contain_text(easternmost["id"])
    rows.first.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(rows.first).to_have_attribute("aria-selected", "true")
    expect(page.locator(".pm-square")).to_contain_text(easternmost["id"])
    assert "view=list" in page.url
    assert share_of_colour(read_pixels(page), SELECTED) > 1e-3


def test_enter_on_the_map_chooses_what_lies_in_its_middle(open_page: OpenPage, squares: list[dict[str, Any]]) -> None:
    square = banded(squares)
    lon_deg, lat_deg = square["middle"]
    page = open_page(f"/?at=13/{lat_deg:.5f}/{lon_deg:.5f}")
    wait_until_drawn(page)
    page.locator("canvas.maplibregl-canvas").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pm-square")).to_contain_text(square["id"])


def test_both_files_can_be_saved(open_page: OpenPage, squares: list[dict[str, Any]]) -> None:
    page = open_page("/")
    with page.expect_download() as kept:
        page.get_by_role("button", name="下载 CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(kept.value.path()).read_bytes().decode("utf-8-sig"))))
    assert [row["cell_id"] for row in rows] == [item["id"] for item in squares]
    assert re.fullmatch(r"open_capacity_\d{4}-\d{2}\.csv", kept.value.suggested_filename)
    with page.expect_download() as kept:
        page.get_by_role("button", name="下载 GeoJSON").click()
    assert len(json.loads(Path(kept.value.path()).read_bytes())["features"]) == len(squares)


def test_a_customer_has_the_site_checked_on_the_grid(open_page: OpenPage, squares: list[dict[str, Any]]) -> None:
    page = open_page(link_to(banded(squares), kw=8, category="resident"), role="customer")
    page.get_by_role("button", name="按电网实况核实").click(timeout=_DRAWN_WITHIN_MS)
    checked = page.locator(".pm-checked")
    expect(checked).to_be_visible(timeout=60_000)
    expect(checked).to_contain_text("核实不占用容量")
    expect(checked).to_contain_text("结论")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_phone_shows_map_and_sheet_without_scrolling_sideways_and_axe_finds_nothing_serious(
    open_page: OpenPage, squares: list[dict[str, Any]], check_accessible: Callable[[Page], None], language: str
) -> None:
    link = link_to(banded(squares), kw=40, category="small_micro", view="list")
    page = open_page(link, width=360, height=740, language=language)
    wait_until_drawn(page)
    expect(page.locator(".pm-answer .facts")).to_be_visible(timeout=_DRAWN_WITHIN_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    canvas, panel = (page.locator(css).bounding_box() for css in ("canvas.maplibregl-canvas", ".pm-panel"))
    assert canvas is not None
    assert panel is not None
    assert canvas["y"] + canvas["height"] <= panel["y"]
    check_accessible(page)


def test_markup_from_outside_stays_text(open_page: OpenPage, service: Service, squares: list[dict[str, Any]]) -> None:
    evil = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"

    def with_markup(route: Route) -> None:
        answer = route.fetch()
        told = re.sub(r'("(?:text|boundary|name|clause|label|note|data_month)": ?)"[^"]*"',
                      lambda found: found[1] + json.dumps(evil), answer.text())  # fmt: skip
        route.fulfill(response=answer, body=told)

    page = open_page("/health")
    page.route("**/v1/public/legend", with_markup)
    page.route("**/v1/public/guide", with_markup)
    page.goto(
        f"{service.url}{link_to(banded(squares), kw=40, category='small_micro', business=evil.replace(' ', '+'))}"
    )
    page.wait_for_selector(".pm-answer .facts", timeout=_DRAWN_WITHIN_MS)
    assert "<img src=x" in page.locator(".pm-answer").inner_text()
    assert "<img src=x" in page.locator(".pm-panel .badge").first.inner_text()
    assert page.locator("img[src=x]").count() == 0
    assert "pwned" not in page.title()


def test_without_a_publication_the_page_says_so_and_the_rules_still_answer(
    open_page: OpenPage, service: Service, check_accessible: Callable[[Page], None]
) -> None:
    page = open_page("/health", refuses=(404,))
    missing = json.dumps({"code": "not_found", "title": "no capacity is published", "status": 404})
    for path in ("legend", "tiles.json"):
        page.route(
            f"**/v1/public/{path}",
            lambda route: route.fulfill(status=404, body=missing, content_type="application/problem+json"),
        )
    page.goto(f"{service.url}/?kw=8&category=resident")
    expect(page.locator(".notice").first).to_contain_text("目前没有可供您查看的地图")
    expect(page.locator(".pm-answer")).to_contain_text("办电时限")
    expect(page.locator(".pm-answer")).to_contain_text("能否接入:未知")
    assert page.locator("canvas").count() == 0
    check_accessible(page)
