"""One case from the map to the promise, as an engineer goes through it: look, ask, compare, print, issue."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.serve_command import Service

_ANSWER_MS = 120_000
_DRAWN_MS = 60_000
WANTED_KW = 300


def read(service: Service, path: str) -> Any:
    answer = httpx2.get(f"{service.url}{path}", headers={"X-API-Key": service.keys["engineer"]}, timeout=60.0)
    assert answer.status_code == 200, answer.text
    return answer.json()


def open_kva(service: Service) -> dict[str, dict[str, Any]]:
    """Every node's row by its id."""
    found = read(service, "/v1/capacity?limit=5000")["features"]
    return {one["id"]: one["properties"] for one in found}


def fill_in(page: Page) -> None:
    page.locator("#f-applicant-name").fill("一号机械加工厂")
    page.locator("#f-applicant-category").select_option("industrial_commercial")
    page.locator("#f-demand-installed_kw").fill(str(WANTED_KW))


def test_from_the_map_to_the_promise(open_page: OpenPage, service: Service, tmp_path: Path) -> None:
    before = open_kva(service)
    poles = [one for one in before.values() if one["kind"] == "pole" and one["open_kva"]]
    node = max(poles, key=lambda one: one["open_kva"])
    page = open_page(f"/console?node={node['node_id']}", "engineer", refuses=(404,))  # nothing is published
    page.get_by_role("link", name="在此编制方案").click(timeout=_DRAWN_MS)

    page.locator("#f-demand-installed_kw").wait_for()
    assert float(page.locator("#f-location-lon_deg").input_value()) == node["lon_deg"]
    assert page.locator("#f-location-datum").input_value() == "CGCS2000"
    fill_in(page)
    page.locator("form.apply button[type=submit]").click()
    page.wait_for_url("**/cases/sch_*", timeout=_ANSWER_MS)
    scheme_id = page.url.rpartition("/")[2]
    scheme = read(service, f"/v1/schemes/{scheme_id}")
    assert scheme["verdict"] == "answered"
    assert scheme["request"]["received_on"] == date.today().isoformat()
    expect(page.locator("h1")).to_contain_text(f"{scheme['supply']['capacity_kva']:g} kVA")
    columns = page.locator("table").filter(has_text="方案 1").first.locator("thead th")
    assert columns.count() == 1 + len(scheme["variants"])

    with page.expect_download() as waited:
        page.get_by_role("button", name="下载 PDF").click()
    file = tmp_path / "reply.pdf"
    waited.value.save_as(file)
    assert file.read_bytes().startswith(b"%PDF-")

    page.goto(f"{service.url}/console/schemes/{scheme_id}")
    page.get_by_role("button", name=re.compile("^答复")).click(timeout=_DRAWN_MS)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{scheme['supply']['capacity_kva']:g} kVA")
    dialog.locator("textarea").fill("现场答复")
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_be_hidden(timeout=_DRAWN_MS)
    expect(page.locator("main")).to_contain_text("已占用")

    after = open_kva(service)
    change_kva = {one["node_id"]: after[one["node_id"]]["open_kva"] - one["open_kva"] for one in poles}
    fallen = [name for name, kva in change_kva.items() if kva < -1.0]
    assert fallen
    assert max(change_kva.values()) < 1.0
    [promised] = [one for one in read(service, "/v1/feeders")["items"] if one["promised_kva"]]
    assert scheme["variants"][0]["feeder"] in {promised["feeder_id"], promised["name"]}
    assert promised["promised_kva"] == scheme["supply"]["capacity_kva"]
    page.goto(f"{service.url}/console?node={fallen[0]}")
    shown = page.locator("#three-numbers .value").last
    expect(shown).to_be_visible(timeout=_DRAWN_MS)
    figure = float(shown.inner_text().split()[0].replace(",", ""))
    assert abs(figure - after[fallen[0]]["open_kva"]) < 0.6
