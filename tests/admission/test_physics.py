"""The physical audit: what was admitted breaks nothing, and what was smuggled in is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from api.physics_audit import audit_store
from gridmodel.in_flight import Commitment
from gridmodel.snapshot import Snapshot
from scheme.admission.errors import CertificateRefusedError
from scheme.admission.physics import audit_physics
from scheme.ledger import CapacityExhaustedError
from scheme.limits import operating_limits
from scheme.policy.loader import load_policy
from tests.admission.utility import DAY, ENGINEER, PROFILE, Utility, open_utility, solved_with

LV = {"voltage": "380V", "length_m": 10.0}


def no_questions_asked(*_: Any, **__: Any) -> Mapping[str, Any]:
    """A certificate that looks at nothing."""
    return {}


def test_grid_filled_up_to_refusal_keeps_every_limit(utility: Utility) -> None:
    for node, kva, more in (("bus:4", 40.0, LV), ("bus:3", 700.0, {}), ("bus:7", 700.0, {})):
        refused = False
        while not refused:
            try:
                utility.issue(node, kva, **more)
            except (CapacityExhaustedError, CertificateRefusedError):
                refused = True
    report = audit_store(utility.services)
    assert report.is_clean, report
    assert (report.islands_checked, report.commitments_checked) == (1, len(utility.ledger.list_live()))
    assert report.commitments_checked >= 10


def test_hold_without_a_load_flow_is_found(utility: Utility, tmp_path: Path) -> None:
    """250 kVA pass the counter (280 kVA) and overload the transformer beside the 104 kVA it carries."""
    smuggler = open_utility(str(tmp_path / "store.db"), None, certify=no_questions_asked)
    hold = smuggler.issue("bus:4", 250.0, **LV)
    report = audit_store(utility.services)
    assert not report.is_clean
    found = {(violation.kind, violation.element_id): violation for violation in report.violations}
    violation = found["transformer_loading", "trafo:1"]
    assert violation.commitment_ids == (f"hold:{hold.hold_id}:1",)
    net = solved_with(utility.services.get_live().imported.net, {4: 250.0})
    loading = max(
        (net.res_trafo[f"p_{side}_mw"][1] ** 2 + net.res_trafo[f"q_{side}_mvar"][1] ** 2) ** 0.5
        for side in ("hv", "lv")
    )
    assert violation.value == pytest.approx(loading / 0.4, abs=1e-5)


def test_what_the_imported_grid_breaks_already_is_not_blamed_on_holds(grid: Snapshot) -> None:
    """The transformer stands at 1.3 without any hold; 1 kVA more is nothing new."""
    limits = operating_limits(load_policy(PROFILE, DAY))
    loaded = Commitment(commitment_id="imported", bus=4, capacity_kva=420.0, power_factor=0.95)
    from gridmodel.in_flight import with_commitments

    broken = with_commitments(grid, [loaded])
    own = Commitment(commitment_id="hold:x:1", bus=4, capacity_kva=1.0, power_factor=0.95)
    assert audit_physics(broken, [own], limits=limits, in_flight_coincidence_ratio=1.0).violations == ()


def test_load_that_no_grid_carries_is_reported_as_such(grid: Snapshot) -> None:
    limits = operating_limits(load_policy(PROFILE, DAY))
    own = Commitment(commitment_id="hold:x:1", bus=4, capacity_kva=90_000.0, power_factor=0.95)
    (violation,) = audit_physics(grid, [own], limits=limits, in_flight_coincidence_ratio=1.0).violations
    assert violation.kind == "convergence"


def test_orphans_are_no_clean_audit(utility: Utility, grid: Snapshot) -> None:
    from tests.admission.test_activation import without_bus_4

    hold = utility.issue("bus:4", 50.0, **LV)
    utility.admission.activate(without_bus_4(grid), actor=ENGINEER)
    report = audit_store(utility.services)
    assert (report.is_clean, report.unplaced) == (False, (hold.hold_id,))


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any]]:
    from api.cli import main

    def call() -> tuple[int, Any]:
        capsys.readouterr()
        status = main(["--db", str(tmp_path / "store.db"), "--as-of", str(DAY), "--json", "audit", "--physics"])
        return status, json.loads(capsys.readouterr().out)

    return call


def test_audit_command_solves_the_grid_on_request(utility: Utility, tmp_path: Path, run: Any) -> None:
    utility.issue("bus:4", 50.0, **LV)
    status, told = run()
    assert (status, told["physics"]["is_clean"], told["physics"]["commitments_checked"]) == (0, True, 1)
    open_utility(str(tmp_path / "store.db"), None, certify=no_questions_asked, numbers=iter([90])).issue(
        "bus:4", 220.0, **LV
    )
    status, told = run()
    assert (status, told["physics"]["is_clean"]) == (1, False)
    assert told["physics"]["violations"][0]["element_id"] == "trafo:1"
