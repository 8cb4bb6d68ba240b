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
from api.report import capacity_summary, note, progress_bar
from api.services import Parts, Services
from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.request import SupplyRequest, parse_request
from scheme.store import DEFAULT_FILE, Store

REQUESTS = {"lv": "lv.json", "mv": "mv.json"}
"""Sub-folder of the results, and the request file of the township that fills it."""


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """What the demo leaves behind."""

    services: Services
    snapshot: Snapshot
    capacity: Mapping[str, Any]
    """Summary of the capacity table."""
    schemes: Mapping[str, Mapping[str, Any]]
    """``scheme.json`` by sub-folder."""


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
    with progress_bar("可开放容量") as progress:
        table = CapacityTables(services).compute(progress=progress)
    write_capacity(table, out / "capacity.csv")
    write_capacity(table, out / "capacity.geojson")
    schemes = {}
    for name, file in REQUESTS.items():
        note(f"生成供电方案 {out / name} …")
        request = _received_today(parse_request((folder / "requests" / file).read_bytes(), file=file), clock())
        answer = services.answer(request, find_capacity=lambda _: table, folder=out / name)
        schemes[name] = json.loads(answer.stored.content)
    return DemoResult(services=services, snapshot=snapshot, capacity=capacity_summary(table), schemes=schemes)


def _received_today(request: SupplyRequest, today: date) -> SupplyRequest:
    """Return the example as if it arrived on the date of decision, so that the demo works on any day."""
    if request.needed_on is None:
        return request.model_copy(update={"received_on": today})
    needed_on = today + (request.needed_on - request.received_on)
    return request.model_copy(update={"received_on": today, "needed_on": needed_on})
