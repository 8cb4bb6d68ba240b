"""Trials on arrays against the reference load flow: every field of the verdict, on seeded points of real networks."""

from __future__ import annotations

import copy
import math
import random
from collections import Counter
from dataclasses import asdict, replace
from typing import Any, Literal

import numpy as np
import pytest

from gridmodel.capacity.limits import Limits, VoltageBand
from gridmodel.catalogue.loader import load_catalogue
from gridmodel.catalogue.records import LineType
from gridmodel.connection import TrialConnection
from gridmodel.in_flight import Commitment, with_commitments
from gridmodel.joint_connection import JointConnectionStudy
from gridmodel.quick_connection import QuickStudy
from gridmodel.snapshot import Snapshot
from tests.request_replay.networks import read_network

BANDS = (
    VoltageBand(u_nominal_kv_min=0.2, u_nominal_kv_max=1.0, u_pu_min=0.8835, u_pu_max=1.0165),
    VoltageBand(u_nominal_kv_min=6.0, u_nominal_kv_max=35.0, u_pu_min=0.93, u_pu_max=1.07),
)
LIMITS = Limits(voltage_bands=BANDS, off_path_voltage_effect_pu=0.005, off_path_loading_effect_ratio=0.01)
STRICT = Limits(voltage_bands=BANDS)
AGREEMENT = 2e-7
"""Both solvers stop at 1e-8 MVA; ratios and voltages then differ by less, currents (kA) and losses (kW) below."""
SETTINGS: dict[str, Any] = {"in_flight_coincidence_ratio": 0.9, "fault_conductor_temperature_c": 80.0}


def draw_trials(snapshot: Snapshot, count: int, *, seed: int) -> list[TrialConnection]:
    """Points at buses and along lines, some single-phase, demands from none the grid feels to more than it carries."""
    rng, net = random.Random(seed), snapshot.net
    kinds: dict[Literal["lv", "mv"], list[LineType]] = {"lv": [], "mv": []}
    for laying in ("overhead", "cable"):
        for level, own in kinds.items():
            own += load_catalogue().find_line_types(laying=laying, u_nominal_kv_class=level)
    trials: list[TrialConnection] = []
    while len(trials) < count:
        bus = rng.choice(net.bus.index.tolist())
        near = net.line.index[(net.line.from_bus == bus) | (net.line.to_bus == bus)].tolist()
        is_lv = float(net.bus.vn_kv[bus]) < 1.0
        is_tee = bool(near) and rng.random() < 0.5
        where: dict[str, Any] = (
            {"line": rng.choice(near), "fraction_along": rng.uniform(0.05, 0.95)} if is_tee else {"bus": bus}
        )
        p_kw = math.exp(rng.uniform(math.log(2.0), math.log(120.0 if is_lv else 9000.0)))
        trials.append(
            TrialConnection(
                **where,
                route_length_km=rng.uniform(0.02, 0.3 if is_lv else 3.0),
                line_type=rng.choice(kinds["lv" if is_lv else "mv"]),
                parallel=rng.choice([1, 1, 2]),
                p_kw=p_kw,
                q_kvar=p_kw * rng.uniform(0.0, 0.6),
                is_single_phase=is_lv and rng.random() < 0.3,
                in_flight=rng.random() < 0.8,
            )
        )
    return trials


def assert_alike(one: Any, other: Any, where: str) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            assert_alike(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), where
        for place, pair in enumerate(zip(one, other, strict=True)):
            assert_alike(*pair, f"{where}[{place}]")
    elif isinstance(one, float) and isinstance(other, float):
        scale = 1e3 if "losses_kw" in where else 10.0 if "ik3" in where else 1.0
        assert one == pytest.approx(other, rel=1e-7, abs=AGREEMENT * scale, nan_ok=True), where
    else:
        assert one == other, where


def with_promises(snapshot: Snapshot, *, seed: int) -> Snapshot:
    rng = random.Random(seed)
    buses = rng.sample(snapshot.net.load.bus.unique().tolist(), 5)
    promised = [
        Commitment(commitment_id=f"c{bus}", bus=bus, capacity_kva=rng.uniform(5.0, 60.0), power_factor=0.93)
        for bus in buses
    ]
    return with_commitments(snapshot, promised)


@pytest.mark.parametrize(
    ("network", "limits"),
    [("township", LIMITS), ("township", STRICT), ("oberrhein", LIMITS), ("simbench", STRICT)],
)
def test_a_trial_on_arrays_says_what_the_reference_says(network: str, limits: Limits) -> None:
    snapshot = with_promises(read_network(network), seed=7)
    quick, plain = QuickStudy(snapshot, **SETTINGS), JointConnectionStudy(snapshot, **SETTINGS)
    verdicts: Counter[str] = Counter()
    for number, trial in enumerate(draw_trials(snapshot, 12, seed=len(network) + (limits is STRICT))):
        expected = plain.assess(trial, limits=limits)
        assert_alike(asdict(quick.assess(trial, limits=limits)), asdict(expected), f"trial {number}")
        verdicts[expected.limit_kind or "holds"] += 1
    assert verdicts["holds"] >= 2
    assert len(verdicts) >= 2, "trials that break nothing alone prove little"


def test_most_trials_of_a_radial_grid_never_ask_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = read_network("township")
    quick, asked = QuickStudy(snapshot, **SETTINGS), list[TrialConnection]()
    monkeypatch.setattr(JointConnectionStudy, "assess", lambda self, trial, *, limits: asked.append(trial))
    trials = [trial for trial in draw_trials(snapshot, 30, seed=5) if trial.p_kw < 100.0]
    for trial in trials:
        quick.assess(trial, limits=LIMITS)
    assert len(asked) < 0.2 * len(trials)


def test_a_ring_is_left_to_the_reference() -> None:
    snapshot = read_network("oberrhein")
    ring = copy.deepcopy(snapshot.net)
    ring.switch["closed"] = True
    closed = replace(snapshot, net=ring)
    quick, plain = QuickStudy(closed, **SETTINGS), JointConnectionStudy(closed, **SETTINGS)
    for trial in draw_trials(closed, 4, seed=3):
        expected = plain.assess(trial, limits=LIMITS)
        assert_alike(asdict(quick.assess(trial, limits=LIMITS)), asdict(expected), "ring")


def test_commitments_that_come_later_count() -> None:
    snapshot = read_network("township")
    study = QuickStudy(snapshot, **SETTINGS)
    trial = next(trial for trial in draw_trials(snapshot, 40, seed=9) if trial.bus is not None and trial.in_flight)
    before = study.assess(trial, limits=LIMITS)
    assert trial.bus is not None
    promise = Commitment(commitment_id="later", bus=trial.bus, capacity_kva=30.0, power_factor=0.95)
    later = with_commitments(snapshot, [promise])
    found = study.with_in_flight(later).assess(trial, limits=LIMITS)
    expected = JointConnectionStudy(later, **SETTINGS).assess(trial, limits=LIMITS)
    assert_alike(asdict(found), asdict(expected), "later")
    assert np.isfinite(found.u_pu_customer)
    assert found.u_pu_customer < before.u_pu_customer
