"""The engineer's map: its colours, figures, marks and plots say what the interface says, and names stay text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chromium import read_pixels, share_of_colour
from tests.browser.conftest import OpenPage
from tests.serve_command import Service

NEAR = 17
SEQUENCE = ("#ffffcc", "#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#0c2c84")
"""ColorBrewer's YlGnBu in seven steps, from little to much."""
ZERO = "#b2182b"
LIMIT = "#c2185b"
HOSTILE = "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>\"'"


@pytest.fixture
def ask(service: Service) -> Callable[[str], Any]:
    """Return a reader of the interface as an engineer."""

    def read(path: str) -> Any:
        answer = httpx2.get(f"{service.url}{path}", headers={"X-API-Key": service.keys["engineer"]}, timeout=60.0)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return read


@pytest.fixture
def nodes(ask: Callable[[str], Any]) -> dict[str, dict[str, Any]]:
    """All nodes of the table of capacity by id, those with a spot of their own."""
    features = ask("/v1/capacity?limit=5000")["features"]
    places = [tuple(one["geometry"]["coordinates"]) for one in features]
    alone = [one for one, place in zip(features, places, strict=True) if places.count(place) == 1]
    return {one["id"]: one["properties"] for one in alone}


def ready(page: Page) -> Page:
    page.locator(".map[data-idle]").wait_for(timeout=60_000)
    return page


def at(node: dict[str, Any], zoom: float = NEAR) -> str:
    return f"{node['lon_deg']:.6f},{node['lat_deg']:.6f},{zoom}"


def hide_names(page: Page) -> None:
    """Names may lie over nodes; where pixels are looked at they are off."""
    page.locator("summary", has_text="图层").click()
    page.get_by_label("名称与数值").uncheck()


def go_to(page: Page, node: dict[str, Any]) -> None:
    """Move the map by the address, as going back does, and wait until it has drawn."""
    before = page.locator(".map").get_attribute("data-idle")
    page.evaluate(
        "at => { history.pushState(null, '', `/console?at=${at}`); dispatchEvent(new PopStateEvent('popstate')); }",
        at(node),
    )
    expect(page.locator(".map")).not_to_have_attribute("data-idle", before or "")


def around_middle(page: Page, half: int = 5) -> Any:
    pixels = read_pixels(page)
    row, column = pixels.shape[0] // 2, pixels.shape[1] // 2
    return pixels[row - half : row + half, column - half : column + half]


def number_in(text: str) -> float:
    found = re.search(r"-?[\d,]+(\.\d+)?", text)
    assert found is not None, text
    return float(found[0].replace(",", ""))


def class_colours(classes: list[dict[str, Any]]) -> list[str]:
    """Return as many colours as there are classes, spread evenly over the sequence."""
    last = len(classes) - 1
    return [SEQUENCE[int(place * 6 / last + 0.5)] for place in range(last + 1)]


def test_node_has_the_colour_of_its_class_and_zero_its_own(
    open_page: OpenPage, ask: Callable[[str], Any], nodes: dict[str, dict[str, Any]]
) -> None:
    classes = ask("/v1/grid")["classes"]
    wanted = {ZERO: next(one for one in nodes.values() if one["open_kva"] == 0)}
    for band, colour in list(zip(classes, class_colours(classes), strict=True))[::2]:
        below = band["open_kva_below"] or float("inf")
        some = [one for one in nodes.values() if max(band["open_kva_min"], 1e-6) <= (one["open_kva"] or 0) < below]
        if some:
            wanted[colour] = some[0]
    assert len(wanted) >= 3
    page = ready(open_page(f"/console?at={at(wanted[ZERO])}", "engineer", width=820, height=500))
    hide_names(page)
    for colour, node in wanted.items():
        go_to(page, node)
        assert share_of_colour(around_middle(page), colour, tolerance=6) > 0.3, (colour, node["node_id"])
    features = ask("/v1/capacity?limit=5000")["features"]
    go_to(page, next(one["properties"] for one in features if one["properties"]["open_kva"] is None))
    expect(page.locator("[data-class='unknown'] td.number")).not_to_have_text("0")
    assert not any(share_of_colour(around_middle(page), colour, tolerance=6) > 0.3 for colour in wanted)


def test_click_on_a_node_tells_its_figures_and_marks_what_limits_it(
    open_page: OpenPage, ask: Callable[[str], Any], nodes: dict[str, dict[str, Any]]
) -> None:
    chosen = next(
        one for one in nodes.values() if one["kind"] == "pole" and one["open_kva"] and one["limit_element_id"]
    )
    page = ready(open_page(f"/console?at={at(chosen)}", "engineer"))
    box = page.locator("canvas.maplibregl-canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#three-numbers")).to_be_visible()
    told = ask(f"/v1/nodes/{quote(chosen['node_id'], safe='')}")
    figures = [number_in(text) for text in page.locator("#three-numbers .value").all_inner_texts()]
    assert figures == pytest.approx([told[f"{name}_kva"] for name in ("administrative", "physical", "open")], abs=0.5)
    assert told["open_kva"] == pytest.approx(chosen["open_kva"])
    expect(page.locator("#limit-name")).to_contain_text(told["limit"]["name"] or told["limit"]["element_id"])
    limits = page.locator("#accounts tbody td:nth-child(2)").all_inner_texts()
    assert len(limits) == len(told["path"]) > 0
    for text, account in zip(limits, told["path"], strict=True):
        known = account["limit_kva"]
        assert text == "未知" if known is None else number_in(text) == pytest.approx(known, abs=0.5)
    before = page.locator(".map").get_attribute("data-idle")
    page.get_by_role("button", name="在地图上显示").click()
    expect(page.locator(".map")).not_to_have_attribute("data-idle", before or "")
    assert share_of_colour(read_pixels(page), LIMIT) > 1e-4
    assert f"node={chosen['node_id']}" in page.url
    link = page.get_by_role("link", name="在此编制方案").get_attribute("href")
    assert link == f"/apply?lon={told['lon_deg']}&lat={told['lat_deg']}&datum=CGCS2000"


def test_back_and_reload_show_what_was_shown(open_page: OpenPage, nodes: dict[str, dict[str, Any]]) -> None:
    first, second = [one["node_id"] for one in nodes.values() if one["kind"] == "pole"][:2]
    page = ready(open_page(f"/console?node={first}&by=voltage", "engineer"))
    search = page.get_by_role("searchbox")
    search.fill(second)
    page.get_by_role("option").first.wait_for()
    search.press("ArrowDown")
    page.keyboard.press("Enter")
    title = page.locator("aside.right p.quiet").first
    expect(title).to_contain_text(second)
    expect(page.locator("aside.right h2")).to_be_focused()
    page.go_back()
    expect(title).to_contain_text(first)
    page.reload()
    ready(page)
    expect(title).to_contain_text(first)
    expect(page.get_by_role("radio", name="电压")).to_be_checked()


def test_feeders_are_sorted_and_one_is_followed_along_its_voltage(
    open_page: OpenPage, ask: Callable[[str], Any]
) -> None:
    items = ask("/v1/feeders")["items"]
    page = ready(open_page("/console", "engineer"))
    page.get_by_role("tab", name="馈线排行").click()
    rows = page.locator("#league tbody tr")
    for key, column, is_down in (("u_pu_min", "最低电压", False), ("length_km", "长度", True)):
        page.locator("#league").get_by_role("button", name=column).click()
        expected = sorted(items, key=lambda one, key=key: one[key], reverse=is_down)
        shown = rows.evaluate_all("rows => rows.map(row => row.dataset.feeder)")
        assert shown == [one["feeder_id"] for one in expected]
    first = max(items, key=lambda one: one["length_km"])
    rows.first.get_by_role("button").click()
    expect(page.locator("aside.right h2")).to_have_text(first["name"])
    page.get_by_role("button", name="沿线电压").click()
    profile = ask(f"/v1/feeders/{first['feeder_id']}/profile")
    low = min((node for node in profile["nodes"] if node["u_pu"] is not None), key=lambda node: node["u_pu"])
    plot = page.locator("#panel-profile figure").first
    expect(plot.locator("svg text", has_text="最低")).to_contain_text(f"{round(low['u_pu'], 4):g}")
    band = plot.locator("text.limit-label").all_text_contents()
    assert sorted(map(number_in, band)) == pytest.approx(
        [profile["band"]["u_pu_min"], profile["band"]["u_pu_max"]], abs=6e-4
    )
    plot.get_by_role("button", name="以表格显示").click()
    distances = plot.locator("tbody td:nth-child(2)").all_inner_texts()
    assert max(map(float, distances)) == pytest.approx(max(node["distance_km"] for node in profile["nodes"]), abs=6e-3)
    assert len(distances) >= len(profile["nodes"])


def test_loading_is_drawn_with_its_limit(open_page: OpenPage, ask: Callable[[str], Any]) -> None:
    loading, limits = ask("/v1/grid/loading"), ask("/v1/grid")["loading_limits"]
    page = ready(open_page("/console?tab=loading&by=loading", "engineer"))
    plots = page.locator("#panel-loading figure")
    expect(plots).to_have_count(2)
    for place, (kind, limit) in enumerate((("lines", limits["line"]), ("transformers", limits["transformer"]))):
        plot = plots.nth(place)
        expect(plot.locator("text.limit-label")).to_have_text(f"{limit * 100:g}%")
        plot.get_by_role("button").click()
        counts = [number_in(text) for text in plot.locator("tbody td:nth-child(3)").all_inner_texts()]
        assert counts == loading[kind]["counts"]


def test_hour_on_the_slider_recolours_the_nodes(
    open_page: OpenPage, service: Service, ask: Callable[[str], Any], nodes: dict[str, dict[str, Any]]
) -> None:
    """The answers of hours are made up: what is told is that the map shows the hour's figure and not the table's."""
    grid = ask("/v1/grid")
    chosen = next(one for one in nodes.values() if one["kind"] == "pole" and one["open_kva"])
    bus = ask(f"/v1/nodes/{chosen['node_id']}")["bus"]
    least, most = class_colours(grid["classes"])[0], class_colours(grid["classes"])[-1]
    figures = [grid["classes"][0]["open_kva_below"] / 2, grid["classes"][-1]["open_kva_min"] * 2]
    page = open_page("/sign-in", "engineer")
    page.route("**/v1/grid", lambda route: answer(route, grid | {"has_hours": True, "hours": ["00:00", "12:00"]}))
    page.route(
        "**/v1/capacity/hours/*",
        lambda route: answer(route, {"hour": 0, "bus": [bus], "open_kva": [figures[int(route.request.url[-1])]]}),
    )
    page.goto(f"{service.url}/console?hour=0&at={at(chosen)}")
    ready(page)
    hide_names(page)
    slider = page.get_by_role("slider", name="时段")
    for press, colour in ((None, least), ("ArrowRight", most)):
        if press:
            slider.press(press)
        expect(
            page.locator(f"[data-class='c{0 if colour == least else len(grid['classes']) - 1}'] td.number")
        ).to_have_text("1")
        assert share_of_colour(around_middle(page), colour, tolerance=6) > 0.3
    assert "hour=1" in page.url


def test_tiles_come_again_only_when_the_ledger_moved(
    open_page: OpenPage, service: Service, ask: Callable[[str], Any]
) -> None:
    grid = ask("/v1/grid")
    moved = {"ledger_seq": grid["ledger_seq"]}
    page = open_page("/sign-in", "engineer")
    page.route("**/v1/grid", lambda route: answer(route, grid | moved))
    page.goto(f"{service.url}/console")
    ready(page)
    tiles: list[str] = []
    page.on("request", lambda request: tiles.append(request.url) if "/v1/tiles/" in request.url else None)
    look = "document.dispatchEvent(new Event('visibilitychange'))"
    with page.expect_response("**/v1/grid"):
        page.evaluate(look)
    assert tiles == []
    moved["ledger_seq"] += 1
    with page.expect_request("**/v1/tiles/**"):
        page.evaluate(look)
    expect(page.locator("#grid-facts")).to_contain_text(str(moved["ledger_seq"]))


def test_names_from_outside_stay_text(open_page: OpenPage, service: Service, nodes: dict[str, dict[str, Any]]) -> None:
    chosen = next(one for one in nodes.values() if one["kind"] == "pole" and one["open_kva"])
    page = open_page("/sign-in", "engineer")
    for path in ("nodes/**", "feeders", "feeders/**", "search**"):
        page.route(f"**/v1/{path}", spoil)
    page.goto(f"{service.url}/console?node={chosen['node_id']}&tab=profile&try=10+{chosen['node_id']}")
    ready(page)
    expect(page.locator("aside.right h2")).to_have_text(HOSTILE)
    expect(page.locator("#panel-profile figcaption").first).to_contain_text(HOSTILE)
    page.get_by_role("searchbox").fill(chosen["node_id"])
    expect(page.get_by_role("option").first).to_contain_text(HOSTILE)
    for tab, place in (("馈线排行", "#league"), ("多点比较", "#several")):
        page.get_by_role("tab", name=tab).click()
        expect(page.locator(place)).to_contain_text(HOSTILE)
    assert page.locator("main img, main script").count() == 0
    assert "taken" not in page.title()
    page.unroute_all(behavior="wait")


@pytest.mark.parametrize("width", [1280, 360])
def test_map_is_usable_by_keyboard_and_on_a_phone(
    open_page: OpenPage, check_accessible: Callable[[Page], None], nodes: dict[str, dict[str, Any]], width: int
) -> None:
    chosen = next(one for one in nodes.values() if one["kind"] == "pole" and one["open_kva"])
    page = ready(open_page(f"/console?at={at(chosen, 15)}", "planner", width=width, height=740))
    page.locator("summary", has_text="视野内的节点").press("Enter")
    page.locator(".in-view [role='option'][tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    name = page.locator(".in-view [role='option']:focus span").first.inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("aside.right h2")).to_have_text(name)
    tab = page.get_by_role("tab", name="馈线排行")
    tab.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="负载率分布")).to_have_attribute("aria-selected", "true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    check_accessible(page)


def answer(route: Route, content: Any) -> None:
    route.fulfill(status=200, content_type="application/json", body=json.dumps(content))


def spoil(route: Route) -> None:
    """Give every name in an answer a hostile one."""
    response = route.fetch()

    def walk(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: HOSTILE if key in {"name", "feeder_name"} else walk(value) for key, value in part.items()}
        return [walk(one) for one in part] if isinstance(part, list) else part

    route.fulfill(response=response, body=json.dumps(walk(response.json())))
