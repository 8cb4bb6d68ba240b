"""Seeded requests around the nodes of a network."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gridmodel.snapshot import Snapshot
from scheme.request import SupplyRequest, parse_request

LV_KW = (20, 40, 80, 120, 160)
MV_KVA = (315, 630, 1000, 1600, 2500, 4000)
SPREAD_DEG = 0.003


@dataclass(frozen=True, kw_only=True)
class Case:
    """One network."""

    name: str
    source: str
    """Under ``fixtures``."""
    levels: tuple[str, ...]


CASES = (
    Case(name="township", source="township", levels=("lv", "mv")),
    Case(name="schutterwald", source="pandapower/oberrhein_schutterwald/lv_schutterwald.json", levels=("lv",)),
    Case(name="oberrhein", source="pandapower/oberrhein_schutterwald/mv_oberrhein_load.json", levels=("mv",)),
    Case(name="simbench", source="pandapower/simbench_10kv_urban/1-MV-urban--0-sw.json", levels=("mv",)),
)


def draw(snapshot: Snapshot, case: Case, *, seed: int) -> Iterator[SupplyRequest]:
    """Yield requests without end, near nodes of the voltage class asked for."""
    drawn = random.Random(f"{case.name} {seed}")
    nodes = snapshot.nodes[np.isfinite(snapshot.nodes.lon_deg.astype(float))]
    for number in range(1_000_000):
        level = drawn.choice(case.levels)
        near = nodes[(nodes.u_nominal_kv <= 1.0) == (level == "lv")]
        row = near.iloc[drawn.randrange(len(near))]
        demand: dict[str, object] = {"power_factor": 0.95}
        if level == "lv":
            demand |= {"installed_kw": drawn.choice(LV_KW), "single_phase": False}
        else:
            kva = drawn.choice(MV_KVA)
            demand |= {"installed_kw": round(kva * 0.9), "capacity_kva": kva}
        yield parse_request(
            json.dumps(
                {
                    "request_id": f"RATE-{case.name}-{number}",
                    "applicant": {"name": "某客户", "category": "industrial_commercial"},
                    "business": "new",
                    "location": {
                        "lon_deg": float(row.lon_deg) + drawn.uniform(-SPREAD_DEG, SPREAD_DEG),
                        "lat_deg": float(row.lat_deg) + drawn.uniform(-SPREAD_DEG, SPREAD_DEG),
                        "datum": "CGCS2000",
                    },
                    "demand": demand,
                    "received_on": "2026-11-20",
                    "needed_on": "2027-01-31",
                }
            )
        )
