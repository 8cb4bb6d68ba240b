"""The main job on the shipped township: import, capacity of every node, one low-voltage and one 10 kV scheme."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from api.capacity_files import write_capacity
from api.capacity_tables import CapacityTables
from api.publications import Publications, describe_publication
from api.report import capacity_summary, note, progress_bar
from api.services import Parts, Services
from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.errors import PolicyNotInForceError
from scheme.ledger.records import Actor
from scheme.publication.rules import find_map_audience
from scheme.request import SupplyRequest, parse_request
from scheme.store import DEFAULT_FILE, Store

REQUESTS = {"lv": "lv.json", "mv": "mv.json"}
"""Sub-folder of the results, and the request file of the township that fills it."""
PUBLISHERS = ("demo-drafter", "demo-releaser")
"""Nobody releases what the same person drafted, in the demo neither."""
_AUDIENCES = {
    "public": "公开地图:任何人可在首页查看",
    "on_application": "公开地图:规则集只许依申请查询,首页只对登录的员工显示地图;其他人仍可查办电指引",
}


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """What the demo leaves behind."""

    services: Services
    snapshot: Snapshot
    capacity: Mapping[str, Any]
    """Summary of the capacity table."""
    schemes: Mapping[str, Mapping[str, Any]]
    """``scheme.json`` by sub-folder."""
    publication: Mapping[str, Any] | None = None
    """The map in public (公开地图); ``None`` where the rules let nobody decide who reads it."""


def township_folder() -> Path:
    """Return the folder of the shipped township, in an installation or in a checkout.

    Raises:
        InputError: It is in neither place.
    """
    installed = Path(str(files("api") / "township"))
    checkout = Path(str(files("api"))).parent / "fixtures" / "township"
    for folder in (installed, checkout):
        if (folder / "requests").is_dir():
            return folder
    raise InputError("the demo's network is not installed", file="township")


def run_demo(out: Path, *, profile: str, clock: Callable[[], date], parts: Parts | None = None) -> DemoResult:
    """Do the main job on the shipped township; everything written stands below ``out``, the store, too.

    Raises:
        InputError: ``out`` cannot be written, or profile or date are wrong.
    """
    from gridmodel.readers.tables import read_tables

    folder = township_folder()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder cannot be written: {error.strerror}", field="--out", value=out) from error
    services = Services(Store(str(out / DEFAULT_FILE)), profile=profile, clock=clock, parts=parts)
    services.load_policy()
    note("导入示例电网 …")
    snapshot = services.store.store_snapshot(read_tables(folder))
    note("计算全部节点的可开放容量 …")
    tables = CapacityTables(services)
    with progress_bar("可开放容量") as progress:
        table = tables.compute(progress=progress)
    write_capacity(table, out / "capacity.csv")
    write_capacity(table, out / "capacity.geojson")
    schemes = {}
    for name, file in REQUESTS.items():
        note(f"生成供电方案 {out / name} …")
        request = _received_today(parse_request((folder / "requests" / file).read_bytes(), file=file), clock())
        answer = services.answer(request, find_capacity=lambda _: table, folder=out / name)
        schemes[name] = json.loads(answer.stored.content)
    return DemoResult(
        services=services,
        snapshot=snapshot,
        capacity=capacity_summary(table),
        schemes=schemes,
        publication=publish_map(services, tables),
    )


def publish_map(services: Services, tables: CapacityTables) -> Mapping[str, Any] | None:
    """Put the map of the demo's grid into public, one subject drafting and another releasing, and say who reads it.

    Returns:
        The publication; ``None`` where nobody decided who may read one.
    """
    try:
        find_map_audience(services.load_policy())
    except PolicyNotInForceError:
        note(f"公开地图未发布:规则集 {services.profile} 没有规定谁可查看(disclosure.map_audience),须由供电企业自定")
        return None
    publications = Publications(services, tables)
    try:
        shown = publications.register.find_current()
        if shown is None or shown.data_month < f"{services.clock():%Y-%m}":
            note("发布公开地图(两人经手:起草、发布)…")
            drafter, releaser = (Actor(subject_id=name, role="operator", request_id="demo") for name in PUBLISHERS)
            made = publications.draft(drafter)
            made = publications.scan(made.publication_id, drafter)
            shown = publications.release(made.publication_id, content_sha256=made.content_sha256, actor=releaser)
        note(_AUDIENCES[shown.audience or "on_application"])
        return describe_publication(shown)
    finally:
        publications.close()


def _received_today(request: SupplyRequest, today: date) -> SupplyRequest:
    """Return the example as if it arrived on the date of decision, so that the demo works on any day."""
    if request.needed_on is None:
        return request.model_copy(update={"received_on": today})
    needed_on = today + (request.needed_on - request.received_on)
    return request.model_copy(update={"received_on": today, "needed_on": needed_on})
