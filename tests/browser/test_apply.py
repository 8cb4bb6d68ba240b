"""A customer applies in the browser: typed by keyboard, checked as one types, answered, compared, downloaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from scheme.disclosure.customer_view import customer_view
from scheme.policy.loader import load_policy
from tests.browser.conftest import OpenPage
from tests.document.conftest import as_scheme, load_plain

ANSWER_MS = 120_000
NO_MAP = (404,)
"""Nothing is published for customers, so that the form has no map."""
XSS = '<img src=x onerror="window.broken=1"><b>厂</b>'
SITE = {"lon": "7.879986", "lat": "48.4596"}
"""Beside the low-voltage customer of the township."""


def is_within_the_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def type_application(page: Page) -> None:
    """Fill the form in from its first field on with nothing but the keyboard, and send it."""
    keys = page.keyboard
    page.get_by_label("户名").focus()
    keys.type(XSS)
    for move, text in (
        (3, ""),  # 用电类别: the third is 小微企业
        (0, "13800000000"),
        (2, ""),  # 坐标系: the second is WGS84
        (0, SITE["lon"]),
        (0, SITE["lat"]),
        (0, ""),  # 业务类型 stays
        (0, "60"),
    ):
        keys.press("Tab")
        for _ in range(move):
            keys.press("ArrowDown")
        keys.type(text)
    keys.press("Enter")


def test_application_is_typed_answered_compared_and_downloaded(
    open_page: OpenPage, check_accessible: Callable[[Page], None]
) -> None:
    page = open_page("/apply", "customer", refuses=NO_MAP)
    expect(page.get_by_role("heading", name="用电申请")).to_be_visible()
    check_accessible(page)
    type_application(page)
    expect(page.get_by_text("正在形成供电方案")).to_be_visible()
    expect(page.locator(".stages [aria-current]")).to_contain_text("潮流", timeout=ANSWER_MS)
    page.wait_for_url("**/cases/sch_*", timeout=ANSWER_MS)

    expect(page.locator("h1")).to_contain_text("可以供电:380 V")
    expect(page.locator(".conclusion")).to_contain_text(XSS)
    assert page.evaluate("window.broken") is None
    assert page.locator(".conclusion img, .conclusion b").count() == 0
    heads = page.locator(".side-by-side thead th")
    expect(heads).to_have_count(4)
    expect(heads.nth(1)).to_contain_text("推荐")
    expect(page.locator(".side-by-side tr.differs")).not_to_have_count(0)
    expect(page.locator(".reach canvas")).to_be_visible()
    check_accessible(page)

    with page.expect_download() as waiting:
        page.get_by_role("button", name="下载 PDF").click()
    content = Path(waiting.value.path()).read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")

    page.set_viewport_size({"width": 360, "height": 740})
    assert is_within_the_window(page)
    page.get_by_role("link", name="我的申请").click()
    expect(page.locator(".cases tbody tr")).to_have_count(1)
    assert is_within_the_window(page)
    page.get_by_role("link", name="用电申请", exact=True).click()
    expect(page.get_by_label("户名")).to_have_value("")


def test_wrong_input_is_told_beside_the_field_and_above_the_form(open_page: OpenPage) -> None:
    page = open_page("/apply?kw=80&category=small_micro", "customer", width=360, refuses=NO_MAP)
    expect(page.get_by_label("用电设备总容量")).to_have_value("80")
    expect(page.get_by_label("用电类别")).to_have_value("small_micro")
    expect(page.get_by_label("坐标系")).to_have_value("")
    page.get_by_label("经度").fill("191")
    page.get_by_label("纬度").focus()
    expect(page.locator("#f-location-lon_deg-wrong")).to_have_text("不得大于 180 °")
    page.get_by_label("申请容量").fill("50")
    expect(page.locator("#f-demand-capacity_kva-doubt")).to_contain_text("小于设备总容量")
    page.get_by_role("button", name="提交申请").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_text(["户名", "坐标系", "经度", "纬度"])
    assert is_within_the_window(page)
    summary.get_by_role("link", name="坐标系").click()
    expect(page.get_by_label("坐标系")).to_be_focused()
    expect(page.get_by_label("坐标系")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("坐标系").select_option("GCJ02")
    expect(page.get_by_label("坐标系")).to_have_attribute("aria-invalid", "false")


def test_refusal_of_the_service_stands_at_its_field_and_loses_nothing(open_page: OpenPage) -> None:
    page = open_page("/apply?lon=100&lat=30&datum=WGS84&kw=80&category=small_micro", "customer", refuses=NO_MAP)
    page.get_by_label("户名").fill("某厂")
    number = page.get_by_label("申请编号").input_value()
    page.get_by_role("button", name="提交申请").click()
    expect(page.locator("#f-location-lon_deg-wrong")).to_contain_text("不在供电服务区内", timeout=ANSWER_MS)
    expect(page.get_by_label("户名")).to_have_value("某厂")
    page.goto(page.url.partition("?")[0])  # as when one comes back
    expect(page.get_by_label("户名")).to_have_value("某厂")
    expect(page.get_by_label("经度")).to_have_value("100")
    expect(page.locator("#f-request_id")).to_have_value(number)


def customer_record(name: str) -> dict[str, Any]:
    view = customer_view(as_scheme(load_plain(name)), load_policy("shenqiu-2022", date(2026, 11, 20)))
    return json.loads(json.dumps(view.as_dict()))  # type: ignore[no-any-return]


def answer_with(record: dict[str, Any]) -> Callable[[Route], None]:
    """Return what answers the page's questions about one scheme with a record."""

    def answer(route: Route) -> None:
        is_list = "?" in route.request.url
        body = {"items": [], "next_cursor": None} if is_list else record
        route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    return answer


@pytest.mark.parametrize(
    ("name", "conclusion", "variants", "stages", "is_full_record"),
    [
        ("transition_10kv", "现可先供", 1, 2, False),
        ("joint_work_10kv", "已转供电企业各专业联动办理", 0, 0, False),
        ("consultation_10kv", "初步答复(不具约束力)", 3, 0, False),
        ("hv_dual_source_10kv", "可以供电:10 kV", 3, 0, False),
        ("hv_dual_source_10kv", "可以供电:10 kV", 5, 0, True),
    ],
)
def test_every_kind_of_answer_has_its_page(
    open_page: OpenPage, name: str, conclusion: str, variants: int, stages: int, is_full_record: bool
) -> None:
    record = as_scheme(load_plain(name)).as_dict() if is_full_record else customer_record(name)
    page = open_page("/sign-in", "engineer" if is_full_record else "customer", width=360)
    page.route("**/v1/schemes**", answer_with(json.loads(json.dumps(record))))
    page.goto(page.url.partition("/sign-in")[0] + "/cases/sch_1")
    expect(page.locator("h1")).to_contain_text(conclusion)
    expect(page.locator(".side-by-side thead th")).to_have_count(variants + 1 if variants else 0)
    expect(page.locator(".stage-list li")).to_have_count(stages)
    assert is_within_the_window(page)
