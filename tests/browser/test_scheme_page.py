"""The queue and a scheme's page: found, opened, compared, issued with what it takes, given back, handed on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.serve_command import Service

REQUESTS = Path(__file__).parents[2] / "fixtures" / "requests"
HOSTILE = "<img src=x onerror=document.title='broken'>商店"
WAIT_S_MAX = 240.0
expect.set_options(timeout=60_000)


def ask(service: Service, file: str, **changes: Any) -> dict[str, Any]:
    """Answer a request of the fixtures as the engineer; return the record."""
    body = json.loads((REQUESTS / file).read_text(encoding="utf-8")) | changes
    headers = {"X-API-Key": service.keys["engineer"], "Idempotency-Key": body["request_id"]}
    answer = httpx2.post(f"{service.url}/v1/schemes", json=body, headers=headers, timeout=WAIT_S_MAX)
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()
    return record


def read(service: Service, path: str) -> Any:
    """Return what the service tells the engineer, once it is worked out."""
    end = time.monotonic() + WAIT_S_MAX
    while True:
        answer = httpx2.get(f"{service.url}{path}", headers={"X-API-Key": service.keys["engineer"]}, timeout=WAIT_S_MAX)
        if answer.status_code != 503:
            assert answer.status_code == 200, answer.text
            return answer.json()
        assert time.monotonic() < end, answer.text
        time.sleep(0.2)  # as the answer's Retry-After asks, but shorter


@pytest.fixture(scope="module")
def scheme(service: Service) -> dict[str, Any]:
    """A low-voltage shop whose second variant starts at the board of its transformer area."""
    applicant = {"name": HOSTILE, "category": "small_micro"}
    return ask(service, "lv_small_micro.json", request_id="REQ-PAGE-1", applicant=applicant)


@pytest.fixture(scope="module")
def refused(service: Service) -> dict[str, Any]:
    """A demand above the 10 kV range, which nothing is computed for."""
    file = "mv_10kv_no_capacity.json"
    demand = {"installed_kw": 200_000.0, "capacity_kva": 250_000.0, "power_factor": 0.95}
    return ask(service, file, request_id="REQ-PAGE-2", demand=demand)


def path_of(record: dict[str, Any]) -> str:
    return f"/console/schemes/{record['scheme_id']}"


def take_step(page: Page, button: str, reason: str) -> None:
    """Press a button, give the reason, confirm."""
    page.locator(".actions").get_by_role("button", name=button).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("理由").fill(reason)
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_have_count(0, timeout=WAIT_S_MAX * 1000)


def test_case_is_found_in_the_queue_by_words_and_opened_by_keyboard(
    open_page: OpenPage,
    scheme: dict[str, Any],
    refused: dict[str, Any],
    check_accessible: Callable[[Page], None],
) -> None:
    page = open_page("/console/queue", "engineer")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(page.locator("tr", has_text="REQ-PAGE-1")).to_contain_text("还剩")
    expect(page.locator("tr", has_text="REQ-PAGE-2")).to_contain_text("转专业联动")
    assert page.locator("tbody img").count() == 0
    expect(page.locator("tr", has_text="REQ-PAGE-1").get_by_role("link")).to_have_text(HOSTILE)
    check_accessible(page)
    page.locator("tbody a").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("tbody a").nth(1)).to_be_focused()
    page.get_by_label("查找申请人").fill("page-1")
    expect(rows).to_have_count(1)
    assert "q=page-1" in page.url
    page.locator("tbody a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path_of(scheme)}*")
    expect(page.locator("h1")).to_have_text(HOSTILE)


def test_scheme_shows_its_variants_and_what_they_do_to_the_grid(
    open_page: OpenPage, service: Service, scheme: dict[str, Any], check_accessible: Callable[[Page], None]
) -> None:
    page = open_page(path_of(scheme), "engineer")
    expect(page.locator("h1")).to_have_text(HOSTILE)
    expect(page.locator("input[name=variant]")).to_have_count(len(scheme["variants"]))
    expect(page.locator(".conclusion")).to_contain_text(scheme["variants"][0]["connection_point"]["name"])
    page.get_by_label("方案 2").check()
    expect(page.locator(".conclusion")).to_contain_text(scheme["variants"][1]["connection_point"]["name"])
    profile = read(service, f"/v1/schemes/{scheme['scheme_id']}/profile?variant_no=2")
    end = next(node for node in profile["nodes"] if node["kind"] == "customer")
    expect(page.locator("svg.plot").first).to_contain_text(f"客户 {round(end['u_pu_after'], 4):.4f}".rstrip("0"))
    expect(page.locator("canvas")).to_be_visible()
    check_accessible(page)
    page.get_by_role("tab", name="一次接线图").click()
    picture = page.locator(".diagram img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    page.get_by_role("tab", name="政策依据").click()
    page.get_by_label("按名称").fill("在途容量")
    expect(page.locator("[role=tabpanel]:not(.hidden) tbody tr")).to_have_count(1)
    page.locator("summary", has_text="落选接入点").click()
    first = scheme["rejected"][0]
    page.get_by_role("button", name=first["connection_point"]["name"]).first.click()
    expect(page.locator(".map-told")).to_contain_text(first["reasons"][0]["text"])


def test_issuing_takes_the_capacity_and_withdrawing_gives_it_back(
    open_page: OpenPage, service: Service, scheme: dict[str, Any]
) -> None:
    point = scheme["variants"][1]["connection_point"]
    assert point["kind"] == "lv_board"
    node = f"/v1/nodes/{point['element_source_id']}"
    before_kva = read(service, node)["open_kva"]
    page = open_page(f"{path_of(scheme)}?variant=2", "engineer")
    page.locator(".actions").get_by_role("button", name="答复").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(point["name"])
    expect(dialog).to_contain_text("66.7 kVA")
    dialog.get_by_role("button", name="取消").click()
    take_step(page, "答复", "现场答复客户")
    expect(page.locator(".facts .badge").first).to_have_text("已占用")
    entries = page.locator("[role=tabpanel]:not(.hidden) tbody tr", has_text="答复占用")
    expect(entries.first).to_contain_text("+66.667")
    assert read(service, node)["open_kva"] == pytest.approx(before_kva - 66.667, abs=0.01)
    take_step(page, "撤回", "客户放弃")
    expect(page.locator(".facts .badge").first).to_have_text("已撤回")
    assert read(service, node)["open_kva"] == pytest.approx(before_kva, abs=0.01)


def test_case_is_handed_to_joint_work_and_says_so(
    open_page: OpenPage, scheme: dict[str, Any], refused: dict[str, Any]
) -> None:
    page = open_page(path_of(refused), "engineer")
    expect(page.locator(".reasons")).to_contain_text(refused["reasons"][0]["text"])
    assert page.get_by_role("button", name="答复").count() == 0
    page.locator(".actions").get_by_role("button", name="转专业联动").click()
    page.get_by_role("dialog").get_by_label("接手部门").fill("<b>发展</b>")
    page.get_by_role("dialog").get_by_role("button", name="取消").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    take_step(page, "转专业联动", "<i>超出 10 kV 范围</i>")
    expect(page.locator("main .notice").first).to_contain_text("<i>超出 10 kV 范围</i>")
    assert page.locator(".actions").count() == 0
    queue = open_page("/console/queue?state=handed_over", "engineer")
    expect(queue.locator("tbody tr")).to_have_count(1)
    expect(queue.locator("tbody tr")).to_contain_text("REQ-PAGE-2")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_fit_a_phone(open_page: OpenPage, scheme: dict[str, Any], language: str) -> None:
    for path, seen in ((path_of(scheme), "svg.plot"), ("/console/queue", "tbody a")):
        page = open_page(path, "engineer", width=360, height=740, language=language)
        expect(page.locator(seen).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_others_see_no_scheme(open_page: OpenPage, scheme: dict[str, Any]) -> None:
    page = open_page(path_of(scheme), "customer")
    expect(page.locator("main .refusal")).to_be_visible()
    assert page.locator("main").locator("table, canvas").count() == 0
