"""The maps of a whole county (21,265 nodes): what the first view costs on the wire, and what moving about costs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from api.capacity_tables import CapacityTables
from api.demo import publish_map
from api.services import Services, product_parts
from scheme.store import Store
from tests.browser.chromium import read_pixels, share_of_colour, wire_bytes
from tests.browser.conftest import OpenPage
from tests.county.build import load_county
from tests.publication.examples import write_public_policy
from tests.serve_command import Service, wait_for

FIRST_VIEW_BYTES_MAX = 600_000
SEQUENCE = ("#ffffcc", "#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#0c2c84")
"""ColorBrewer's YlGnBu, the colours of the classes."""
GROUND = "#eef1f4"
_DRAWN_MS = 120_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service over the county, its map in public."""
    folder = tmp_path_factory.mktemp("county")
    file, policy = folder / "store.db", write_public_policy(folder / "policy")
    store = Store(str(file))
    store.store_snapshot(load_county())
    services = Services(
        store, profile="our-county", clock=lambda: datetime.now(UTC).date(), parts=product_parts(policy)
    )
    tables = CapacityTables(services)
    tables.compute(confirm="none")
    assert publish_map(services, tables) is not None
    store.close()
    running = Service(str(file), "--policy", str(Path(policy)), "--profile", "our-county")
    wait_for(f"{running.url}/health", within_s=120.0)
    yield running
    running.stop()


@pytest.mark.parametrize(
    ("path", "role", "cover"), [("/", None, 1.0), ("/console", "engineer", 0.75)], ids=["customers", "engineers"]
)
def test_first_view_of_a_county_is_drawn_within_600_kb_and_nothing_comes_twice(
    open_page: OpenPage, service: Service, path: str, role: str | None, cover: float
) -> None:
    page = open_page("/sign-in", role)
    finished: list[Any] = []
    page.on("requestfinished", lambda request: finished.append(request))
    page.goto(f"{service.url}{path}")
    settle(page)
    pixels = read_pixels(page)
    drawn = [colour for colour in SEQUENCE if share_of_colour(pixels, over_ground(colour, cover), tolerance=6) > 1e-4]
    assert len(drawn) >= 3
    key = None if role is None else service.keys[role]
    total_bytes = sum(wire_bytes(url, key) for url in {request.url for request in finished})
    assert 300_000 < total_bytes < FIRST_VIEW_BYTES_MAX

    canvas = page.locator("canvas.maplibregl-canvas")
    canvas.focus()
    for key in ("ArrowRight", "ArrowLeft"):  # a step aside and back
        canvas.press(key)
        settle(page)
    seen = [request.url for request in finished if "/tiles/" in request.url]
    assert sorted(set(seen)) == sorted(seen), "a tile came twice"
    finished.clear()
    page.reload()
    settle(page)
    files = [request.sizes()["responseBodySize"] for request in finished if "/assets/" in request.url]
    again_bytes = sum(max(0, size) for size in files)  # what comes out of the browser's store counts below nothing
    assert again_bytes == 0, "files of the page are kept by the browser"


def over_ground(colour: str, cover: float) -> str:
    """Return a colour that covers a share of the map's ground."""
    own, ground = ([int(text[at : at + 2], 16) for at in (1, 3, 5)] for text in (colour, GROUND))
    return "#" + "".join(f"{round(cover * a + (1 - cover) * b):02x}" for a, b in zip(own, ground, strict=True))


def settle(page: Page) -> None:
    """Wait until the map is there and nothing more comes."""
    page.wait_for_selector("canvas.maplibregl-canvas", timeout=_DRAWN_MS)
    page.wait_for_load_state("networkidle", timeout=_DRAWN_MS)
    if "/console" in page.url:
        page.locator(".map[data-idle]").wait_for(timeout=_DRAWN_MS)
