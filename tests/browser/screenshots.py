"""Pictures of every page as people see it: ``python -m tests.browser.screenshots [FOLDER [NAME ...]]``.

The demo is made in a folder of its own, under rules of a utility that shows its map to anyone; a customer and an
engineer ask, and every page is taken at the width of a desk and of a phone, with few colours so that the files stay
small.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
from PIL import Image
from playwright.sync_api import Browser

from api.demo import run_demo
from api.services import product_parts
from tests.assessment.projects import draw_projects
from tests.browser.chromium import find_chromium, launched
from tests.conftest import FIXTURES
from tests.publication.examples import write_public_policy
from tests.serve_command import Service, wait_for

FOLDER = FIXTURES / "screenshots"
WIDTHS = {"desk": (1280, 800), "phone": (360, 740)}
COLOURS = 240
_MAP = "/?at=11.2/48.455/7.9&lon=7.88&lat=48.4596&datum=CGCS2000&kw=30&category=small_micro"
_LOAD_MS = 120_000
_PROFILE = "our-county"
_PROJECTS = 24
_KINDS = {
    "resident": "居民用电",
    "small_micro": "小微商铺",
    "industrial_commercial": "加工厂",
    "ev_charging": "充电站",
    "agriculture": "灌溉站",
    "residential_area": "居住小区",
}
_ASKED = {"customer": "lv_small_micro.json", "engineer": "mv_10kv_single.json"}


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One page, as it is opened."""

    name: str
    path: str
    role: str | None = None


def ask(service: Service, role: str) -> str:
    """Ask for a scheme in a role and return its id."""
    body = json.loads((FIXTURES / "requests" / _ASKED[role]).read_text(encoding="utf-8"))
    body |= {"received_on": date.today().isoformat()}
    body.pop("needed_on", None)
    answer = httpx2.post(
        f"{service.url}/v1/schemes",
        json=body,
        headers={"X-API-Key": service.keys[role], "Idempotency-Key": f"screenshot-{role}"},
        timeout=120.0,
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["scheme_id"])


def reserve_table() -> bytes:
    """Return a table of reserve projects of the township."""
    stream = io.StringIO()
    table = csv.writer(stream)
    columns = (
        "category", "lon_deg", "lat_deg", "capacity_kva", "power_factor", "voltage", "sources", "works_stage",
        "likelihood_ratio", "received_on", "needed_on",
    )  # fmt: skip
    table.writerow(("source_system", "source_id", "name", "datum", *columns))
    for number, project in enumerate(draw_projects("township", range(_PROJECTS), seed=1), start=1):
        row = {**project.as_dict(), "capacity_kva": project.demand_kva}
        name = f"{_KINDS.get(project.category, '其他用电')}{number}号"
        cells = ("" if row[column] is None else row[column] for column in columns)
        table.writerow(("gov", f"2026-{number:04d}", name, "CGCS2000", *cells))
    return stream.getvalue().encode()


def assess(service: Service) -> str:
    """Fill the reserve library, have it assessed with works, and return the assessment."""
    headers = {"X-API-Key": service.keys["planner"], "Idempotency-Key": "screenshot"}
    taken = httpx2.post(
        f"{service.url}/v1/projects:import",
        content=reserve_table(),
        headers={**headers, "Content-Type": "text/csv"},
        timeout=60.0,
    )
    assert taken.json()["created"] == _PROJECTS, taken.text
    started = httpx2.post(f"{service.url}/v1/projects:assess", json={"with_works": True}, headers=headers, timeout=60.0)
    place = f"{service.url}/v1/assessments/{started.json()['assessment_id']}"
    while (state := httpx2.get(place, headers=headers).json())["state"] in ("queued", "running"):
        time.sleep(1.0)
    assert state["state"] == "done", state
    return str(state["assessment_id"])


def list_shots(schemes: dict[str, str], assessment_id: str) -> list[Shot]:
    """Return the pages; ``schemes`` names one scheme for each role that asked."""
    return [
        Shot(name="map", path=_MAP),
        Shot(
            name="apply", path="/apply?lon=115.02&lat=33.41&datum=CGCS2000&kw=60&category=small_micro", role="customer"
        ),
        Shot(name="case", path=f"/cases/{schemes['customer']}", role="customer"),
        Shot(name="console", path="/console?node=M050&tab=profile", role="engineer"),
        Shot(name="queue", path="/console/queue", role="engineer"),
        Shot(name="scheme", path=f"/console/schemes/{schemes['engineer']}", role="engineer"),
        Shot(name="import", path="/console/import", role="engineer"),
        Shot(name="projects", path=f"/console/projects?assessment={assessment_id}", role="planner"),
        Shot(name="library", path="/console/projects", role="planner"),
        Shot(name="operator", path="/operator", role="operator"),
    ]


def take(browser: Browser, service: Service, shot: Shot, size: tuple[int, int]) -> bytes:
    """Return the picture of a page once nothing more comes over the wire."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    fragment = "" if shot.role is None else f"#key={service.keys[shot.role]}"
    page.goto(f"{service.url}{shot.path}{fragment}")
    page.locator("main :is(h1, h2)").first.wait_for(timeout=_LOAD_MS)
    page.wait_for_load_state("networkidle", timeout=_LOAD_MS)
    page.wait_for_timeout(1_000)  # the map fades its tiles in
    picture = page.screenshot()
    context.close()
    return picture


def write_small(picture: bytes, file: Path) -> int:
    """Write a picture with few colours and return the size of the file."""
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    return file.stat().st_size


def main(arguments: list[str]) -> None:
    """Take every picture, or those that are named."""
    folder, wanted = (Path(arguments[0]) if arguments else FOLDER), set(arguments[1:])
    folder.mkdir(parents=True, exist_ok=True)
    program: Any = find_chromium()
    with tempfile.TemporaryDirectory() as place:
        policy = write_public_policy(Path(place) / "policy")
        done = run_demo(Path(place), profile=_PROFILE, clock=date.today, parts=product_parts(policy))
        url = done.services.store.address.render_as_string(hide_password=False)
        done.services.store.close()
        service = Service(url, "--policy", str(policy), "--profile", _PROFILE, has_worker=True)
        wait_for(f"{service.url}/health")
        try:
            schemes = {role: ask(service, role) for role in _ASKED}
            shots = [shot for shot in list_shots(schemes, assess(service)) if not wanted or shot.name in wanted]
            with launched(program) as browser:
                for shot in shots:
                    for name, size in WIDTHS.items():
                        file = folder / f"{shot.name}-{name}.png"
                        written = write_small(take(browser, service, shot, size), file)
                        sys.stdout.write(f"{file.name} {written / 1000:.0f} kB\n")
        finally:
            service.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
