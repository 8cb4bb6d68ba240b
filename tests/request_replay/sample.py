"""Seeded requests around the nodes of a network: an ordinary mix of customers, and more than the grid carries."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridmodel.snapshot import Snapshot
from scheme.request import SupplyRequest, parse_request
from tests.request_replay.networks import Network

Fields = dict[str, Any]
SPREAD_DEG: Mapping[str, float] = {"lv": 0.0012, "mv": 0.003}
"""How far a customer stands from a node, each way: 100 m in a village, 300 m on the land."""
MV_KVA = (315, 400, 500, 630, 800, 1000, 1250, 1600, 2000, 2500, 3150, 4000, 5000, 6000)


@dataclass(frozen=True, kw_only=True)
class Demand:
    """One category of demand."""

    name: str
    weight: float
    """Share of the requests."""
    level: str
    draw: Callable[[random.Random], Fields]
    """Fields of the request beside place, dates and applicant's name."""


def _fields(category: str, demand: Fields, **more: Any) -> Fields:
    applicant = {"name": "某客户", "category": category, **more.pop("applicant", {})}
    return {"applicant": applicant, "business": "new", "demand": demand, **more}


def _business(drawn: random.Random) -> str:
    return drawn.choices(("new", "increase"), (0.8, 0.2))[0]


def _resident(drawn: random.Random) -> Fields:
    kw = drawn.choice((4, 6, 8, 10))
    return _fields("resident", {"installed_kw": kw, "single_phase": True, "power_factor": 0.95})


def _small_micro(drawn: random.Random) -> Fields:
    kw = drawn.choice((15, 20, 30, 40, 60, 80, 100))
    demand = {"installed_kw": kw, "single_phase": False, "power_factor": 0.9}
    return _fields("small_micro", demand, business=_business(drawn))


def _commerce(drawn: random.Random) -> Fields:
    kw = drawn.choice((20, 30, 40, 50, 60, 80, 100, 120, 160))
    demand = {"installed_kw": kw, "single_phase": False, "power_factor": 0.9}
    return _fields("industrial_commercial", demand, business=_business(drawn))


def _agriculture(drawn: random.Random) -> Fields:
    """A pump or a dryer with one large motor."""
    kw = drawn.choice((11, 15, 22, 30, 45, 75))
    demand = {"installed_kw": kw, "single_phase": False, "power_factor": 0.85}
    if drawn.random() < 0.5:
        demand |= {"largest_motor_kw": round(kw * 0.6), "start_method": "soft_starter"}
    return _fields("agriculture", demand)


def _charging_lv(drawn: random.Random) -> Fields:
    kw = drawn.choice((14, 21, 42, 60, 80))
    demand = {"installed_kw": kw, "single_phase": False, "power_factor": 0.95, "nonlinear_kva": round(kw / 0.95)}
    return _fields("ev_charging", demand)


def _medium_voltage(drawn: random.Random, sizes_kva: tuple[int, ...] = MV_KVA) -> Fields:
    # Many small ones, few large ones: the larger of two draws counts from the small end.
    kva = sizes_kva[min(drawn.randrange(len(sizes_kva)), drawn.randrange(len(sizes_kva)))]
    return {"installed_kw": round(kva * 0.9), "capacity_kva": kva, "power_factor": 0.95}


def _charging_mv(drawn: random.Random) -> Fields:
    return _fields("ev_charging", _medium_voltage(drawn, (630, 800, 1250, 1600, 2500)), voltage="10kV")


def _industry(drawn: random.Random) -> Fields:
    return _fields("industrial_commercial", _medium_voltage(drawn), business=_business(drawn), voltage="10kV")


def _dual_source(drawn: random.Random) -> Fields:
    """Half by wish, half because the customer is an important one with class 1 and 2 loads."""
    demand = _medium_voltage(drawn, (315, 400, 630, 800, 1250, 1600, 2500))
    if drawn.random() < 0.5:
        sources = drawn.choice(("dual_source", "dual_circuit"))
        return _fields("industrial_commercial", demand, sources=sources, voltage="10kV")
    kw = demand["installed_kw"]
    facts = {"load_class1_kw": round(kw * 0.1), "load_class2_kw": round(kw * 0.2), "security_load_kw": round(kw * 0.1)}
    return _fields("other", demand, applicant={"importance": "second"}, circumstances=facts)


def _temporary(drawn: random.Random) -> Fields:
    if drawn.random() < 0.6:
        demand = {"installed_kw": drawn.choice((20, 40, 60, 80)), "single_phase": False, "power_factor": 0.9}
        return _fields("temporary", demand, business="temporary")
    return _fields("temporary", _medium_voltage(drawn, (315, 400, 500, 630)), business="temporary", voltage="10kV")


MIX = (
    Demand(name="resident 220 V", weight=0.30, level="lv", draw=_resident),
    Demand(name="small and micro", weight=0.15, level="lv", draw=_small_micro),
    Demand(name="commerce", weight=0.12, level="lv", draw=_commerce),
    Demand(name="agriculture", weight=0.10, level="lv", draw=_agriculture),
    Demand(name="charging, 380 V", weight=0.06, level="lv", draw=_charging_lv),
    Demand(name="charging, 10 kV", weight=0.04, level="mv", draw=_charging_mv),
    Demand(name="industry, 10 kV", weight=0.13, level="mv", draw=_industry),
    Demand(name="two sources", weight=0.06, level="mv", draw=_dual_source),
    Demand(name="temporary", weight=0.04, level="lv", draw=_temporary),
)


class Sampler:
    """Draws requests of one network; what is drawn depends on seed and number alone."""

    def __init__(self, snapshot: Snapshot, network: Network, *, seed: int) -> None:
        self._network, self._seed = network, seed
        nodes = snapshot.nodes[np.isfinite(snapshot.nodes.lon_deg.astype(float))]
        is_lv = nodes.u_nominal_kv <= 1.0
        self._near = {"lv": nodes[is_lv], "mv": nodes[~is_lv & (nodes.u_nominal_kv <= 20.0)]}

    def draw(self, number: int) -> tuple[str, SupplyRequest]:
        """Return the category of demand and the request with this number."""
        drawn = random.Random(f"{self._network.name} {self._seed} {number}")
        mix = [demand for demand in MIX if demand.level in self._network.levels]
        chosen = drawn.choices(mix, [demand.weight for demand in mix])[0]
        fields = chosen.draw(drawn)
        place = _place(self._near[chosen.level], SPREAD_DEG[chosen.level], drawn)
        return chosen.name, _request(f"REPLAY-{self._network.name}-{number}", place, fields)


LARGE_LV_KW = (20, 40, 80, 120, 160)
LARGE_MV_KVA = (315, 630, 1000, 1600, 2500, 4000)


def draw_large(snapshot: Snapshot, network: Network, *, seed: int) -> Iterator[SupplyRequest]:
    """Yield requests without end, many of them too large for what is near."""
    drawn = random.Random(f"{network.name} {seed}")
    nodes = snapshot.nodes[np.isfinite(snapshot.nodes.lon_deg.astype(float))]
    for number in range(1_000_000):
        level = drawn.choice(network.levels)
        near = nodes[(nodes.u_nominal_kv <= 1.0) == (level == "lv")]
        row = near.iloc[drawn.randrange(len(near))]
        demand: Fields = {"power_factor": 0.95}
        if level == "lv":
            demand |= {"installed_kw": drawn.choice(LARGE_LV_KW), "single_phase": False}
        else:
            kva = drawn.choice(LARGE_MV_KVA)
            demand |= {"installed_kw": round(kva * 0.9), "capacity_kva": kva}
        place = _beside(row, SPREAD_DEG["mv"], drawn)
        yield _request(f"LARGE-{network.name}-{number}", place, _fields("industrial_commercial", demand))


def _place(near: pd.DataFrame, spread_deg: float, drawn: random.Random) -> Fields:
    return _beside(near.iloc[drawn.randrange(len(near))], spread_deg, drawn)


def _beside(row: Any, spread_deg: float, drawn: random.Random) -> Fields:
    return {
        "lon_deg": float(row.lon_deg) + drawn.uniform(-spread_deg, spread_deg),
        "lat_deg": float(row.lat_deg) + drawn.uniform(-spread_deg, spread_deg),
        "datum": "CGCS2000",
    }


def _request(request_id: str, place: Fields, fields: Fields) -> SupplyRequest:
    dates = {"received_on": "2026-11-20", "needed_on": "2027-01-31"}
    return parse_request(json.dumps({"request_id": request_id, "location": place, **dates, **fields}))
