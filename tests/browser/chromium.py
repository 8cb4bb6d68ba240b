"""Debian's Chromium, driven by Playwright; a page that fails, complains or asks another host fails its test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

PACKAGES = ("chromium", "fonts-wqy-microhei")
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """Return the program, ``None`` where there is none."""
    return next((path for name in _NAMES if (path := shutil.which(name)) is not None), None)


@contextmanager
def launched(program: str) -> Iterator[Browser]:
    """Yield a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_SWITCHES))
        try:
            yield browser
        finally:
            browser.close()


@dataclass(kw_only=True)
class Watch:
    """What a page did that it must not do."""

    origin: str
    complaints: list[str] = field(default_factory=list)
    expected_statuses: set[int] = field(default_factory=set)
    """Refusals a test provokes; the browser writes each to its console."""

    def follow(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        is_refusal = any(f"status of {status} " in message.text for status in self.expected_statuses)
        if not is_refusal and "GPU stall due to ReadPixels" not in message.text:
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"blob", "data"} and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.complaints.append(f"request to another host: {request.url}")


def read_pixels(page: Page, selector: str = "canvas.maplibregl-canvas") -> Any:
    """Return the picture of an element as an array (height, width, RGB)."""
    import io

    import numpy as np
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(page.locator(selector).first.screenshot())).convert("RGB"))


def share_of_colour(pixels: Any, colour: str, *, tolerance: int = 12) -> float:
    """Return which share of the pixels has a colour (``#rrggbb``) within a tolerance in each channel."""
    import numpy as np

    wanted = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])
    return float((np.abs(pixels.astype(int) - wanted).max(axis=2) <= tolerance).mean())


def wire_bytes(url: str, key: str | None = None) -> int:
    """Return how much an answer takes on the wire, head and compressed body; the browser does not tell of workers'."""
    named = {} if key is None else {"X-API-Key": key}
    answer = httpx2.get(url, headers={"Accept-Encoding": "gzip, br", **named}, timeout=60.0)
    return answer.num_bytes_downloaded + sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
