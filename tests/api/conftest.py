"""A two-node snapshot made by hand and calculations that answer at once, for tests of store, HTTP and command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from api.services import Parts, Services
from gridmodel.errors import InputError
from gridmodel.findings import TableCount
from gridmodel.net import build_net
from gridmodel.readers.pandapower_frames import empty_in_flight
from gridmodel.snapshot import Snapshot
from scheme.disclosure.rules import ApplicationLimits
from scheme.disclosure.site_check import SiteCheck
from scheme.model import Provenance, Reason, Scheme
from scheme.store import Store

AS_OF = date(2026, 3, 2)
REQUEST: dict[str, Any] = {
    "request_id": "R-1",
    "applicant": {"name": "周口某机械厂", "category": "industrial_commercial"},
    "business": "new",
    "location": {"lon_deg": 115.1, "lat_deg": 33.4, "datum": "CGCS2000"},
    "demand": {"installed_kw": 50.0},
    "received_on": "2026-03-01",
}


@dataclass(frozen=True)
class FakePolicy:
    """A policy view without rules."""

    profile: str
    as_of: date
    sha256: str = "p" * 64


@pytest.fixture(scope="session")
def snapshot() -> Snapshot:
    """Two nodes, one of them without a place."""
    bus = pd.DataFrame({"name": ["a", "b"], "vn_kv": [10.0, 10.0], "in_service": [True, True]}, index=[0, 1])
    nodes = pd.DataFrame(
        {
            "node_id": ["n0", "n1"],
            "source_id": ["0", "1"],
            "element_id": ["bus:0", "bus:1"],
            "u_nominal_kv": [10.0, 10.0],
            "lon_deg": [115.1, np.nan],
            "lat_deg": [33.4, np.nan],
            "feeder_id": [None, None],
            "status": ["assessable", "assessable"],
        },
        index=[0, 1],
    )
    return Snapshot(
        net=build_net({"bus": bus}),
        nodes=nodes,
        lines=pd.DataFrame(),
        transformers=pd.DataFrame(),
        feeders=pd.DataFrame(),
        in_flight=empty_in_flight(),
        findings=(),
        counts=(TableCount(table="bus", read=2, accepted=2, quarantined=0, merged=0),),
        source_name="two.json",
        source_format="pandapower",
    )


def fake_capacity(snapshot: Snapshot, **_: Any) -> pd.DataFrame:
    """1,200 kVA at the first node, not assessable at the second."""
    nodes = snapshot.nodes
    return pd.DataFrame(
        {
            "node_id": nodes["node_id"],
            "source_id": nodes["source_id"],
            "u_nominal_kv": nodes["u_nominal_kv"],
            "lon_deg": nodes["lon_deg"],
            "lat_deg": nodes["lat_deg"],
            "status": ["assessed", "not_assessable"],
            "administrative_kva": [1500.0, np.nan],
            "physical_kva": [1200.0, np.nan],
            "open_kva": [1200.0, np.nan],
            "limit_kind": ["voltage_low", None],
            "limit_element_id": ["bus:0", None],
            "limit_hour": [None, None],
            "name": ["=1+1", "村东"],
        },
        index=nodes.index,
    )


def fake_scheme(request: Any, *, snapshot: Snapshot, policy: FakePolicy, as_of: date, **_: Any) -> Scheme:
    """An answer that refuses requests above 1,000 kW."""
    if request.location.lat_deg > 60.0:
        raise InputError("outside the service area", field="location", allowed="a place inside")
    is_refused = request.demand.installed_kw > 1000.0
    given: dict[str, Any] = {
        "scheme_id": f"sch_{request.request_id}",
        "request_id": request.request_id,
        "request": request.model_dump(mode="json"),
        "verdict": "joint_work" if is_refused else "answered",
        "reasons": (Reason(code="capacity", text="容量不足"),) if is_refused else (),
        "provenance": Provenance(
            snapshot_sha256=snapshot.sha256,
            policy_sha256=policy.sha256,
            catalogue_sha256="c" * 64,
            engine="fake",
            version="0",
            as_of=as_of.isoformat(),
            profile=policy.profile,
        ),
    }
    empty = {f.name: () if "tuple" in str(f.type) else None for f in fields(Scheme)}
    return Scheme(**{**empty, **given})


def fake_documents(scheme: Scheme, snapshot: Snapshot, folder: Path) -> Scheme:
    """Write the two documents the tests read."""
    (folder / "scheme.json").write_text(json.dumps(scheme.as_dict(), ensure_ascii=False), encoding="utf-8")
    (folder / "scheme.pdf").write_bytes(b"%PDF-1.7 fake")
    return scheme


def fake_customer_files(scheme: Scheme, policy: FakePolicy) -> dict[str, bytes]:
    """What a customer may read: nothing but the verdict."""
    record = {"scheme_id": scheme.scheme_id, "request_id": scheme.request_id, "verdict": scheme.verdict}
    return {"scheme.json": json.dumps(record).encode(), "scheme.pdf": b"%PDF-1.7 for the customer"}


def fake_site_check(scheme: Scheme, policy: FakePolicy) -> dict[str, Any]:
    """What a check of a site tells: the verdict, and nothing else is known."""
    is_refused = scheme.verdict == "joint_work"
    view: dict[str, Any] = {f.name: () if "tuple" in str(f.type) else None for f in fields(SiteCheck)}
    told = {"answer": "review" if is_refused else "yes", "verdict": scheme.verdict, "as_of": policy.as_of.isoformat()}
    return SiteCheck(**{**view, "text": "", "rounding_note": "", **told}).as_dict()


def fake_parts(**changes: Any) -> Parts:
    """Calculations that answer at once."""
    parts: dict[str, Any] = {
        "load_policy": lambda profile, as_of: FakePolicy(profile, as_of),
        "capacity_settings": lambda policy: {"power_factor": 0.95},
        "node_capacity": fake_capacity,
        "generate_scheme": fake_scheme,
        "write_documents": fake_documents,
        "show_customer": fake_customer_files,
        "check_site": fake_site_check,
        "application_limits": lambda policy: ApplicationLimits(days=30, allows=lambda applications: True),
    }
    return Parts(**{**parts, **changes})


@pytest.fixture
def open_services(tmp_path: Path) -> Callable[..., Services]:
    """Return a maker of services over a store in the test's own folder."""

    def make(**changes: Any) -> Services:
        store = Store(str(tmp_path / "store.db"))
        return Services(store, profile="shenqiu-2022", clock=lambda: AS_OF, parts=fake_parts(**changes))

    return make
