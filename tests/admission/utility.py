"""A utility with a small grid, real rules and a real ledger; schemes are records made by hand, so that tests are quick.

The grid is that of :mod:`tests.capacity.two_feeders`: two main transformers of 6.3 MVA, a feeder each, and at bus 4 the
low-voltage side of a transformer of 400 kVA. Every feeder and transformer has drawn a tenth of its rating.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pandas as pd

from api.admission import Admission
from api.capacity_tables import CapacityTables
from api.services import Parts, Services, product_parts
from gridmodel.net import Net, run_load_flow
from gridmodel.snapshot import Snapshot
from scheme.ledger import Actor, Hold, Ledger
from scheme.ledger.auditor import audit
from scheme.store import Store, StoredScheme
from tests.capacity.snapshots import snapshot_of
from tests.capacity.two_feeders import two_feeders

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
ENGINEER = Actor(subject_id="engineer", role="engineer", request_id="call-1")
PROFILE = "shenqiu-2022"
LINE_TYPE = {"0.4": "JKLYJ-1 4x120 (open wire)", "10": "JKLYJ-10 1x240"}


def small_grid() -> Snapshot:
    """Return the two feeders, named so that nodes can be told apart after an import."""
    net = two_feeders()
    net.ext_grid["vm_pu"] = 0.96  # with it low voltage stands inside its band
    net.bus["name"] = [f"node {bus}" for bus in net.bus.index]
    net.bus["geo"] = [f'{{"coordinates": [{115.0 + 0.01 * bus}, 33.4], "type": "Point"}}' for bus in net.bus.index]
    found = snapshot_of(net)
    nodes = found.nodes.copy()
    nodes["lon_deg"], nodes["lat_deg"] = 115.0 + 0.01 * nodes.index, 33.4
    return replace(found, nodes=nodes)


@dataclass
class Utility:
    """Store, services, ledger and admission of one process."""

    store: Store
    services: Services
    ledger: Ledger
    tables: CapacityTables
    admission: Admission
    _numbers: Any = None

    def quote(self, element_id: str | Iterable[str], kva: float, **more: Any) -> str:
        """Keep a scheme that connects ``kva`` at a node, or at several as sources; return its id."""
        points = [element_id] if isinstance(element_id, str) else list(element_id)
        number = next(self._numbers)
        record = scheme_record(points, kva, scheme_id=f"sch_{number}", **{"request_id": f"R-{number}", **more})
        self.store.store_scheme(
            StoredScheme(
                scheme_id=record["scheme_id"],
                request_id=record["request_id"],
                request_sha256="0" * 64,
                snapshot_sha256=str(self.store.find_current_sha256()),
                verdict=record["verdict"],
                content=json.dumps(record).encode(),
            ),
            (),
        )
        return str(record["scheme_id"])

    def issue(self, element_id: str | Iterable[str], kva: float, **more: Any) -> Hold:
        """Quote and issue."""
        return self.admission.issue(self.quote(element_id, kva, **more), actor=ENGINEER)

    def used_va(self, account_id: str) -> int:
        """Return what live holds take of an account."""
        (balance,) = self.ledger.find_accounts([account_id])
        return balance.used_va

    def check_ledger(self) -> None:
        """Fail where the ledger's own audit finds anything."""
        with self.store.read() as connection:
            report = audit(connection)
        assert report.is_clean, report.as_plain()


def open_utility(url: str, grid: Snapshot | None, *, numbers: Any = None, **changes: Any) -> Utility:
    """Return a process of the utility over a store; ``grid`` is imported where it is given."""
    store = Store(url)
    parts: Parts = replace(product_parts(), **changes)
    services = Services(store, profile=PROFILE, clock=lambda: DAY, parts=parts)
    if grid is not None:
        store.store_snapshot(grid)
    ledger = Ledger(store, now=lambda _: NOON)
    tables = CapacityTables(services)
    admission = Admission(services, ledger, moved=tables.refresh_soon)
    return Utility(store, services, ledger, tables, admission, numbers or count(1))


def scheme_record(
    points: list[str],
    kva: float,
    *,
    scheme_id: str = "sch_1",
    request_id: str = "R-1",
    voltage: str = "10kV",
    power_factor: float = 0.95,
    verdict: str = "answered",
    normal_kva: float = 0.0,
    length_m: float = 50.0,
    kind: str | None = None,
    place_deg: tuple[float, float] = (115.0, 33.4),
    **more: Any,
) -> dict[str, Any]:
    """Return what of ``scheme.json`` an answer is made from."""
    u_kv = 10.0 if voltage == "10kV" else 0.4
    sources = [
        {
            "connection_point": {
                "kind": kind or ("pole" if u_kv > 1.0 else "lv_board"),
                "element_source_id": element_id,
                "u_nominal_kv": u_kv,
                "lon_deg": place_deg[0],
                "lat_deg": place_deg[1],
            },
            "route": {"length_m": length_m, "line_type_id": LINE_TYPE[f"{u_kv:g}"], "circuits": 3},
        }
        for element_id in points
    ]
    further = [
        {**source, "source_no": number, "required_share_kva": kva, "normal_kva": normal_kva}
        for number, source in enumerate(sources[1:], start=2)
    ]
    return {
        "scheme_id": scheme_id,
        "request_id": request_id,
        "verdict": verdict,
        "supply": {
            "voltage": voltage,
            "capacity_kva": kva,
            "power_factor": power_factor,
            "required_share_kva": kva if further else None,
            "sources": [{"source_no": number, "capacity_kva": kva} for number in range(1, len(points) + 1)],
        },
        "variants": [{**sources[0], "rank": 1, "further_sources": further}],
        "validity": {"from": "2026-03-01", "to": "2026-06-01"},
        **more,
    }


def solved_with(net: Net, loads: Mapping[int, float], *, power_factor: float = 0.95) -> Net:
    """Return plain pandapower's solution of ``net`` with further loads (kVA by bus)."""
    import copy
    import math

    import pandapower as pp

    loaded = copy.deepcopy(net)
    for bus, kva in loads.items():
        q_ratio = math.sqrt(1.0 - power_factor**2)
        pp.create_load(loaded, bus, p_mw=kva / 1e3 * power_factor, q_mvar=kva / 1e3 * q_ratio)
    run_load_flow(loaded)
    return loaded


def same_numbers(table: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Fail where two capacity tables differ in what they say of a node."""
    names = ["status", "administrative_kva", "physical_kva", "open_kva", "limit_kind", "limit_element_id"]
    pd.testing.assert_frame_equal(table[names], expected[names], rtol=0.0, atol=1e-6)
