"""A feeder of the shipped township filled up with schemes: by counters, by load flows, and checked by plain pandapower.

At transformer T117 (400 kVA, 156 kVA measured) the formula leaves 0.8 * 400 - 156 = 164 kVA. At main transformer S1-T1
it leaves 1590 kVA; the load flow, which knows of losses and reactive power, stops before that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from api.physics_audit import audit_store
from gridmodel.in_flight import Commitment
from gridmodel.snapshot import Snapshot
from scheme.admission.errors import CertificateRefusedError
from scheme.admission.physics import PhysicsAudit, audit_physics
from scheme.ledger import CapacityExhaustedError
from scheme.limits import operating_limits
from scheme.policy.loader import load_policy
from tests.admission.utility import DAY, PROFILE, Utility, open_utility

LV: dict[str, Any] = {"voltage": "380V", "length_m": 15.0}
FEEDER, MAIN = "F11", "S1-T1"
BOARD, TRANSFORMER, BOARD_KVA, FORMULA_KVA = "B117", "T117", 30.0, 164.0
POLE_KVA = 80.0


@dataclass
class Filled:
    """What became of the schemes."""

    utility: Utility
    by_counter: list[CapacityExhaustedError] = field(default_factory=list)
    by_load_flow: list[tuple[str, CertificateRefusedError]] = field(default_factory=list)

    def offer(self, node: str, kva: float, **more: Any) -> None:
        try:
            self.utility.issue(node, kva, **more)
        except CapacityExhaustedError as error:
            self.by_counter.append(error)
        except CertificateRefusedError as error:
            self.by_load_flow.append((node, error))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, township: Snapshot) -> Filled:
    """One transformer filled by small schemes, then boards and poles of its feeder until poles are refused."""
    found = Filled(open_utility(str(tmp_path_factory.mktemp("township") / "store.db"), township))
    nodes = township.nodes[(township.nodes.feeder_id == FEEDER) & (township.nodes.status == "assessable")]
    for _ in range(7):
        found.offer(BOARD, BOARD_KVA, **LV)
    for board in nodes.element_id[nodes.kind == "lv_board"].tolist()[:8]:
        found.offer(board, 20.0, **LV)
    for pole in nodes.element_id[nodes.kind == "pole"]:
        found.offer(pole, POLE_KVA)
        if len(found.by_load_flow) == 2:
            break
    return found


def audited(utility: Utility, *more: Commitment) -> PhysicsAudit:
    live = utility.services.get_live()
    limits = operating_limits(load_policy(PROFILE, DAY))
    return audit_physics(live.imported, [*live.commitments, *more], limits=limits, in_flight_coincidence_ratio=1.0)


def test_transformer_is_filled_to_the_last_scheme_that_fits(filled: Filled) -> None:
    (balance,) = filled.utility.ledger.find_accounts([f"transformer:{TRANSFORMER}"])
    assert balance.account.limit_va == FORMULA_KVA * 1e3
    assert balance.used_va == 5 * BOARD_KVA * 1e3  # 150 of 164 kVA
    refused = [error.account_id for error in filled.by_counter]
    assert refused == [f"transformer:{TRANSFORMER}"] * 2


def test_feeder_is_filled_until_the_load_flow_refuses_though_the_counter_would_not(filled: Filled) -> None:
    assert len(filled.utility.ledger.list_live()) >= 24
    (balance,) = filled.utility.ledger.find_accounts([f"main_transformer:{MAIN}"])
    assert balance.account.limit_va == 1_590_000
    assert balance.used_va <= 1_590_000
    assert [error.context["element_id"] for _, error in filled.by_load_flow] == [MAIN, MAIN]
    filled.utility.check_ledger()


def test_everything_admitted_together_breaks_no_limit(filled: Filled) -> None:
    report = audit_store(filled.utility.services)
    assert report.is_clean, report
    assert report.commitments_checked == len(filled.utility.ledger.list_live())


def test_what_the_load_flow_refused_would_have_broken_a_limit(filled: Filled) -> None:
    for node, _ in filled.by_load_flow:
        bus = filled.utility.services.get_live().bus_of[node]
        report = audited(
            filled.utility,
            Commitment(commitment_id="refused", bus=bus, capacity_kva=POLE_KVA, power_factor=0.95),
        )
        assert (report.violations[0].kind, report.violations[0].element_id) == ("transformer_loading", MAIN)


def test_hold_smuggled_past_the_load_flow_is_found(filled: Filled) -> None:
    """The counter of the main transformer still has room for it; the last one, because it spoils the filled feeder."""
    node = filled.by_load_flow[0][0]
    smuggler = open_utility(str(filled.utility.store.file), None, numbers=iter([9_000]), certify=lambda *_, **__: {})
    hold = smuggler.issue(node, 70.0)
    report = audit_store(filled.utility.services)
    assert not report.is_clean
    assert report.violations[0].element_id == MAIN
    assert f"hold:{hold.hold_id}:1" in report.violations[0].commitment_ids
