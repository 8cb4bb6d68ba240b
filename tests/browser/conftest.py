"""A browser, a running service on the shipped township, and pages that are watched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from api.capacity_tables import CapacityTables
from api.services import Services, product_parts
from gridmodel.snapshot import Snapshot
from scheme.store import Store
from tests.browser.chromium import PACKAGES, Watch, find_chromium, launched
from tests.debian import install, is_required
from tests.serve_command import Service, wait_for

PROFILE = "shenqiu-2022"
_SERIOUS = {"serious", "critical"}
OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the module: Playwright keeps an event loop running as long as it is there, and modules that come
    later in this process start their own."""
    if find_chromium() is None:
        install(PACKAGES, is_there=lambda: find_chromium() is not None)
    program = find_chromium()
    if program is None:
        refuse = pytest.fail if is_required(os.environ) else pytest.skip
        refuse("no Chromium; packages: " + " ".join(PACKAGES))
    with launched(program) as found:
        yield found


@pytest.fixture(scope="session")
def township_file(tmp_path_factory: pytest.TempPathFactory, township: Snapshot) -> Path:
    """A store with the township and its capacity table."""
    file = tmp_path_factory.mktemp("browser") / "township.db"
    store = Store(str(file))
    services = Services(store, profile=PROFILE, clock=lambda: datetime.now(UTC).date(), parts=product_parts())
    store.store_snapshot(township)
    CapacityTables(services).compute(confirm="none")
    store.close()
    return file


@pytest.fixture(scope="module")
def service(township_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service over a store of the module's own; ``url`` and ``keys`` by role."""
    file = tmp_path_factory.mktemp("served") / "store.db"
    shutil.copy(township_file, file)
    running = Service(str(file), "--profile", PROFILE, has_worker=True)
    wait_for(f"{running.url}/health")
    yield running
    running.stop()


@pytest.fixture
def open_page(browser: Browser, service: Service) -> Iterator[OpenPage]:
    """Return a maker of pages: ``open_page(path, role=None, *, width=1280, height=800, language="zh", refuses=())``.

    The test fails at its end where a page wrote an error to its console, failed, or asked another host; ``refuses``
    names statuses the test provokes.
    """
    contexts, watches = [], []

    def make(
        path: str,
        role: str | None = None,
        *,
        width: int = 1280,
        height: int = 800,
        language: str = "zh",
        refuses: tuple[int, ...] = (),
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        contexts.append(context)
        context.add_init_script(f"localStorage.setItem('gridscheme.language', '{language}')")
        page = context.new_page()
        watch = Watch(origin=service.url, expected_statuses=set(refuses))
        watch.follow(page)
        watches.append(watch)
        fragment = "" if role is None else f"#key={service.keys[role]}"
        page.goto(f"{service.url}{path}{fragment}")
        return page

    yield make
    for context in contexts:
        context.close()
    assert [complaint for watch in watches for complaint in watch.complaints] == []


@pytest.fixture
def check_accessible() -> Callable[[Page], None]:
    """Return a check that axe-core finds nothing serious on a page."""

    def check(page: Page) -> None:
        found: dict[str, Any] = Axe().run(page).response
        serious = [one for one in found["violations"] if one["impact"] in _SERIOUS]
        told = [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in serious]
        assert told == []

    return check
