"""Hand-written schemes and a small grid around them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import TypeAdapter

from gridmodel.net import build_net
from gridmodel.snapshot import Snapshot
from scheme.document.write import render_documents
from scheme.model import Scheme

SCHEMES = Path(__file__).parents[2] / "fixtures" / "schemes"
NAMES = (
    "lv_resident_220v",
    "lv_small_micro_380v",
    "hv_single_source_10kv",
    "hv_dual_source_10kv",
    "residential_area_10kv",
    "consultation_10kv",
    "transition_10kv",
    "joint_work_10kv",
)


def load_plain(name: str) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads((SCHEMES / f"{name}.json").read_text(encoding="utf-8"))
    return plain


def as_scheme(plain: dict[str, Any]) -> Scheme:
    return TypeAdapter(Scheme).validate_python(plain)


@functools.cache
def rendered_files(name: str) -> dict[str, bytes]:
    """The documents of a hand-written scheme, rendered once."""
    return render_documents(as_scheme(load_plain(name)), small_snapshot())


@pytest.fixture(params=NAMES)
def scheme(request: pytest.FixtureRequest) -> Scheme:
    """Each of the hand-written schemes."""
    return as_scheme(load_plain(request.param))


@pytest.fixture
def load() -> Callable[[str], Scheme]:
    return lambda name: as_scheme(load_plain(name))


@pytest.fixture(scope="session")
def snapshot() -> Snapshot:
    """A 10 kV chain and a low-voltage chain beside every customer of the hand-written schemes."""
    return small_snapshot()


@functools.cache
def small_snapshot() -> Snapshot:
    nodes: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for place, name in enumerate(NAMES):
        at = load_plain(name)["request"]["location_cgcs2000"]
        _add_chain(nodes, lines, at, prefix=f"M{place}", u_nominal_kv=10.0, step_deg=0.0013, count=12)
        _add_chain(nodes, lines, at, prefix=f"L{place}", u_nominal_kv=0.4, step_deg=0.00035, count=10)
    node_frame = pd.DataFrame(nodes)
    line_frame = pd.DataFrame(lines)
    buses = pd.DataFrame({"name": node_frame["name"], "vn_kv": node_frame["u_nominal_kv"]})
    net = build_net({"bus": buses, "line": line_frame[["name", "from_bus", "to_bus", "length_km"]]}, name="sketch")
    empty = pd.DataFrame()
    return Snapshot(
        net=net,
        nodes=node_frame,
        lines=line_frame[["element_id", "name", "laying", "u_nominal_kv"]],
        transformers=empty,
        feeders=empty,
        in_flight=empty,
        findings=(),
        counts=(),
        source_name="sketch",
        source_format="tables",
        sha256="0" * 64,
    )


def _add_chain(
    nodes: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    at: dict[str, float],
    *,
    prefix: str,
    u_nominal_kv: float,
    step_deg: float,
    count: int,
) -> None:
    kinds = ("pole", "ring_main_unit", "station") if u_nominal_kv > 1.0 else ("lv_pole", "branch_box", "lv_board")
    first = len(nodes)
    for i in range(count):
        nodes.append(
            {
                "node_id": f"{prefix}-{i}",
                "source_id": f"{prefix}-{i}",
                "element_id": f"node:{prefix}-{i}",
                "name": f"{prefix}-{i}",
                "kind": "substation_busbar" if u_nominal_kv > 1.0 and i == 0 else kinds[i % 3],
                "u_nominal_kv": u_nominal_kv,
                "lon_deg": at["lon_deg"] + step_deg * (i - count / 2),
                "lat_deg": at["lat_deg"] - step_deg * (0.9 + 0.35 * (i % 3)),
                "status": "assessable",
            }
        )
        if i:
            lines.append(
                {
                    "element_id": f"section:{prefix}-{i}",
                    "name": f"{prefix}-{i}",
                    "from_bus": first + i - 1,
                    "to_bus": first + i,
                    "length_km": 0.1,
                    "laying": "overhead",
                    "u_nominal_kv": u_nominal_kv,
                }
            )
