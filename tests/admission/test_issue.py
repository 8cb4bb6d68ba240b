"""Issuing: capacity falls once, by counters and by load flow, whatever happens at the same time."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandapower as pp
import pandas as pd
import pytest

from gridmodel.capacity.nodes import node_capacity
from gridmodel.in_flight import Commitment, with_commitments
from gridmodel.snapshot import Snapshot
from scheme.admission.certificate import certify_promise
from scheme.admission.errors import CertificateRefusedError, ConcurrencyError, NotIssuableError
from scheme.ledger import CapacityExhaustedError, HoldStateError, IdempotencyClaim
from scheme.limits import capacity_settings
from scheme.policy.loader import load_policy
from tests.admission.utility import DAY, ENGINEER, NOON, PROFILE, Utility, open_utility, same_numbers, solved_with
from tests.capacity.snapshots import snapshot_of

LV = {"voltage": "380V", "length_m": 10.0}
LOW_VOLTAGE_PU = 0.93 * 0.38 / 0.4
"""7 % below 380 V, per unit of the 0.4 kV of the bus."""
PATH_OF_BUS_4 = ("transformer:trafo:1", "feeder:line:0", "main_transformer:trafo:0")


def with_measured(grid: Snapshot, measured_kva: float) -> Snapshot:
    """Return the grid whose small transformer has drawn ``measured_kva`` already."""
    transformers = grid.transformers.copy()
    transformers.loc[1, "measured_max_kva"] = measured_kva
    return replace(grid, transformers=transformers)


def test_hold_takes_every_level_of_its_path(on_store: Callable[..., Utility]) -> None:
    utility = on_store()
    hold = utility.issue("bus:4", 50.0, **LV)
    assert (hold.state, hold.capacity_va, hold.expires_on) == ("held", 50_000, date(2026, 6, 2))  # 3 months
    assert set(PATH_OF_BUS_4) <= set(hold.sources[0].path)
    assert [utility.used_va(name) for name in PATH_OF_BUS_4] == [50_000] * 3
    utility.check_ledger()


def test_customer_at_10_kv_is_promised_a_year(utility: Utility) -> None:
    assert utility.issue("bus:2", 500.0).expires_on == date(2027, 3, 2)


def test_capacity_table_is_that_of_the_grid_with_the_hold_connected(utility: Utility, grid: Snapshot) -> None:
    before = utility.tables.get()
    utility.issue("bus:3", 500.0)
    after = utility.tables.get()
    promised = with_commitments(grid, [Commitment(commitment_id="x", bus=3, capacity_kva=500.0, power_factor=0.95)])
    settings = capacity_settings(load_policy(PROFILE, DAY))
    same_numbers(after, node_capacity(promised, **settings, confirm="none"))
    assert after.attrs["ledger_seq"] == utility.ledger.head().seq > before.attrs["ledger_seq"]
    assert (after.open_kva[[1, 2, 3]] < before.open_kva[[1, 2, 3]]).all()
    assert after.open_kva[[5, 6, 7]].tolist() == before.open_kva[[5, 6, 7]].tolist()


def test_map_of_the_store_shows_what_is_left_beside_the_hold(postgres_url: str, grid: Snapshot) -> None:
    """Row by row what node_capacity says of the grid with the hold connected; given back, what it says without."""
    utility = open_utility(postgres_url, grid)
    utility.tables.compute(confirm="none")
    settings = capacity_settings(load_policy(PROFILE, DAY))
    promised = with_commitments(grid, [Commitment(commitment_id="x", bus=3, capacity_kva=500.0, power_factor=0.95)])
    hold = utility.issue("bus:3", 500.0)
    for expected in (promised, grid):
        utility.tables.wait()
        head = utility.ledger.head().seq
        with utility.store.read() as connection:
            shown = pd.read_sql_query("select * from v_open_capacity order by bus", connection).set_index("bus")
            layer = "select is_current, ledger_seq from v_layer_state where layer = 'live'"
            assert pd.read_sql_query(layer, connection).to_numpy().tolist() == [[True, head]]
        same_numbers(shown, node_capacity(expected, **settings, confirm="none"))
        if expected is promised:
            utility.admission.withdraw(hold.hold_id, actor=ENGINEER)


def test_capacity_given_back_gives_the_table_of_before(utility: Utility) -> None:
    before = utility.tables.get()
    hold = utility.issue("bus:3", 500.0)
    assert not utility.tables.get().open_kva.equals(before.open_kva)
    utility.admission.withdraw(hold.hold_id, actor=ENGINEER)
    assert utility.tables.get().open_kva.equals(before.open_kva)


def test_only_the_part_concerned_is_computed_again(on_store: Callable[..., Utility]) -> None:
    sizes: list[int] = []

    def calculate(snapshot: Snapshot, **settings: Any) -> Any:
        sizes.append(len(snapshot.nodes))
        return node_capacity(snapshot, **settings)

    utility = on_store(node_capacity=calculate)
    utility.tables.compute(confirm="none")
    sizes.clear()
    utility.issue("bus:3", 500.0)
    utility.tables.wait()
    utility.tables.get()
    assert sizes == [4]  # buses 1 to 4 of the eight, once


def test_another_process_sees_the_hold_at_its_next_question(on_store: Callable[..., Utility]) -> None:
    one = on_store()
    one.tables.compute(confirm="none")
    other = on_store()
    before = other.tables.get()
    hold = one.issue("bus:3", 500.0)
    assert [c.commitment_id for c in other.services.get_live().commitments] == [f"hold:{hold.hold_id}:1"]
    assert other.tables.get().open_kva.equals(one.tables.get().open_kva)
    assert other.tables.get().open_kva[3] < before.open_kva[3]
    one.admission.withdraw(hold.hold_id, actor=ENGINEER)
    assert other.services.get_live().commitments == ()


def fill(utility: Utility, kva: float, refusal: type[Exception]) -> int:
    """Issue equal schemes at the low-voltage side until one is refused; return how many went."""
    for number in range(100):
        try:
            utility.issue("bus:4", kva, **LV)
        except refusal:
            return number
    raise AssertionError("never refused")


def test_counter_is_filled_to_its_limit_and_not_beyond(tmp_path: Path, grid: Snapshot) -> None:
    """0.8 * 400 kVA - 250 kVA measured = 70 kVA: seven schemes of 10 kVA, of which the AC load flow carries more."""
    utility = open_utility(str(tmp_path / "store.db"), with_measured(grid, 250.0))
    assert fill(utility, 10.0, CapacityExhaustedError) == 7
    (balance,) = utility.ledger.find_accounts(["transformer:trafo:1"])
    assert (balance.used_va, balance.account.limit_va) == (70_000, 70_000)
    utility.check_ledger()


def loading_of_small_transformer(grid: Snapshot, kva: float) -> float:
    net = solved_with(grid.net, {4: kva})
    sides = [(net.res_trafo[f"p_{s}_mw"][1] ** 2 + net.res_trafo[f"q_{s}_mvar"][1] ** 2) ** 0.5 for s in ("hv", "lv")]
    return max(sides) / 0.4


def test_load_flow_refuses_what_the_counters_would_let_pass(utility: Utility, grid: Snapshot) -> None:
    """The counters have 0.8 * 400 - 40 = 280 kVA; the transformer carries 104 kVA already and stops at 320 kVA."""
    count = fill(utility, 20.0, CertificateRefusedError)
    assert utility.used_va("transformer:trafo:1") == count * 20_000 < 280_000 - 20_000
    assert (
        loading_of_small_transformer(grid, 20.0 * count) <= 0.8 < loading_of_small_transformer(grid, 20.0 * (count + 1))
    )


def test_refusal_names_the_element_in_its_context(utility: Utility) -> None:
    with pytest.raises(CertificateRefusedError) as caught:
        utility.issue("bus:4", 250.0, **LV)
    assert (caught.value.context["limit_kind"], caught.value.context["element_id"]) == (
        "transformer_loading",
        "trafo:1",
    )
    assert "trafo" not in caught.value.message


def test_long_route_is_part_of_the_certificate(utility: Utility) -> None:
    """150 kVA over 2.5 km of low-voltage line drop far below the band; over 10 m they do not."""
    scheme_id = utility.quote("bus:4", 150.0, voltage="380V", length_m=2500.0)
    with pytest.raises(CertificateRefusedError) as caught:
        utility.admission.issue(scheme_id, actor=ENGINEER)
    assert caught.value.context["limit_kind"] in ("voltage_low", "convergence", "line_loading")
    assert utility.issue("bus:4", 150.0, **LV).state == "held"


def with_weak_end(grid: Snapshot) -> Snapshot:
    """Return the grid with a low-voltage line to bus 8, whose voltage stands a hair above the lower limit."""
    net = copy.deepcopy(grid.net)
    pp.create_bus(net, 0.4, name="node 8")
    pp.create_line_from_parameters(net, 4, 8, 0.5, 0.3, 0.1, 0.0, 0.4)
    load = pp.create_load(net, 8, p_mw=0.0)
    low_mw, high_mw = 0.0, 0.15
    for _ in range(40):
        net.load.at[load, "p_mw"] = (low_mw + high_mw) / 2.0
        is_kept = solved_with(net, {}).res_bus.vm_pu[8] > LOW_VOLTAGE_PU + 1e-4
        low_mw, high_mw = ((low_mw + high_mw) / 2.0, high_mw) if is_kept else (low_mw, (low_mw + high_mw) / 2.0)
    net.load.at[load, "p_mw"] = low_mw
    found = snapshot_of(net)
    nodes = found.nodes.copy()
    nodes["lon_deg"], nodes["lat_deg"] = 115.0 + 0.01 * nodes.index, 33.4
    return replace(found, nodes=nodes)


def test_what_breaks_by_a_hair_far_from_the_path_is_refused_too(tmp_path: Path, grid: Snapshot) -> None:
    """200 kVA at bus 2 move bus 8 by less than the 0.005 pu a customer is blamed for, and yet below its limit."""
    weak = with_weak_end(grid)
    before, after = (solved_with(weak.net, loads).res_bus.vm_pu[8] for loads in ({}, {2: 200.0}))
    assert before > LOW_VOLTAGE_PU > after > before - 0.005
    utility = open_utility(str(tmp_path / "store.db"), weak)
    with pytest.raises(CertificateRefusedError) as caught:
        utility.issue("bus:2", 200.0)
    assert (caught.value.context["limit_kind"], caught.value.context["element_id"]) == ("voltage_low", "bus:8")
    assert utility.issue("bus:6", 200.0).state == "held"  # under the other main transformer it moves nothing


def test_two_sources_are_held_at_both_points(on_store: Callable[..., Utility]) -> None:
    utility = on_store()
    hold = utility.issue(["bus:2", "bus:6"], 600.0, normal_kva=300.0)
    assert [(s.node_element_id, s.share_va) for s in hold.sources] == [("bus:2", 600_000), ("bus:6", 600_000)]
    assert [utility.used_va(f"main_transformer:trafo:{number}") for number in (0, 2)] == [600_000, 600_000]
    assert len(utility.services.get_live().commitments) == 2
    utility.check_ledger()


class Interfering:
    """Certifies as the product does, and lets something happen right before the certificate is done."""

    def __init__(self) -> None:
        self.certificates = 0
        self.meanwhile: Callable[[int], None] = lambda number: None

    def __call__(self, *given: Any, **named: Any) -> Mapping[str, Any]:
        self.certificates += 1
        content = certify_promise(*given, **named)
        self.meanwhile(self.certificates)
        return content


def test_certificate_is_worked_out_again_when_the_ledger_moved_under_it(on_store: Callable[..., Utility]) -> None:
    certify = Interfering()
    one, other = on_store(certify=certify), on_store()
    other.issue("bus:2", 10.0)  # opens the accounts
    certify.meanwhile = lambda number: other.issue("bus:2", 10.0) and None if number == 1 else None
    hold = one.issue("bus:3", 500.0)
    assert (certify.certificates, hold.state) == (2, "held")
    with one.store.read() as connection:
        from scheme.ledger.auditor import audit

        assert audit(connection).is_clean  # every certificate stands on the versions it was admitted at
    assert one.used_va("main_transformer:trafo:0") == 520_000


def test_caller_is_told_to_come_again_when_the_ledger_moves_every_time(on_store: Callable[..., Utility]) -> None:
    certify = Interfering()
    one, other = on_store(certify=certify), on_store()
    other.issue("bus:2", 10.0)
    certify.meanwhile = lambda number: other.issue("bus:2", 10.0) and None
    scheme_id = one.quote("bus:3", 500.0)
    with pytest.raises(ConcurrencyError):
        one.admission.issue(scheme_id, actor=ENGINEER)
    assert certify.certificates == 3
    assert one.ledger.find_by_scheme(scheme_id) is None
    certify.meanwhile = lambda number: None
    assert one.admission.issue(scheme_id, actor=ENGINEER).state == "held"


def test_what_hangs_on_another_root_disturbs_nobody(on_store: Callable[..., Utility]) -> None:
    certify = Interfering()
    one, other = on_store(certify=certify), on_store()
    other.issue("bus:6", 10.0)
    certify.meanwhile = lambda number: other.issue("bus:6", 10.0) and None
    one.issue("bus:3", 500.0)
    assert certify.certificates == 1


def test_two_that_fit_one_by_one_do_not_both_go_when_their_certificates_cross(on_store: Callable[..., Utility]) -> None:
    """120 kVA twice beside 104 kVA on a transformer that stops at 320 kVA: the later certificate sees the other."""
    certify = Interfering()
    one, other = on_store(certify=certify), on_store()
    other.issue("bus:2", 10.0)
    certify.meanwhile = lambda number: other.issue("bus:4", 120.0, **LV) and None if number == 1 else None
    with pytest.raises(CertificateRefusedError):
        one.issue("bus:4", 120.0, **LV)
    assert one.used_va("transformer:trafo:1") == 120_000


def test_certificate_of_another_snapshot_is_not_taken(on_store: Callable[..., Utility], grid: Snapshot) -> None:
    certify = Interfering()
    one = on_store(certify=certify)
    one.issue("bus:2", 10.0)
    newer = replace(grid, source_name="newer")
    certify.certificates = 0
    certify.meanwhile = lambda number: one.admission.activate(newer, actor=ENGINEER) and None if number == 1 else None
    hold = one.issue("bus:3", 500.0)
    assert certify.certificates == 2
    assert hold.snapshot_sha256 == one.store.find_current_sha256()


def test_newer_scheme_of_a_request_takes_the_place_of_the_older(on_store: Callable[..., Utility]) -> None:
    """150 and 200 kVA do not fit together; the newer one is certified without the older."""
    utility = on_store()
    old = utility.issue("bus:4", 150.0, request_id="R", **LV)
    new = utility.issue("bus:4", 200.0, request_id="R", **LV)
    assert (utility.ledger.find_hold(old.hold_id).state, new.state, new.predecessor_id) == (
        "superseded",
        "held",
        old.hold_id,
    )
    assert utility.used_va("transformer:trafo:1") == 200_000
    utility.check_ledger()


def test_newer_scheme_that_does_not_fit_leaves_the_older_hold(on_store: Callable[..., Utility]) -> None:
    utility = on_store()
    old = utility.issue("bus:4", 150.0, request_id="R", **LV)
    with pytest.raises(CertificateRefusedError):
        utility.issue("bus:4", 260.0, request_id="R", **LV)
    assert utility.ledger.find_hold(old.hold_id).state == "held"
    assert utility.used_va("transformer:trafo:1") == 150_000


def test_newer_scheme_beyond_a_counter_leaves_the_older_hold(tmp_path: Path, grid: Snapshot) -> None:
    """70 kVA are left; 80 kVA do not fit although the 30 kVA of the older scheme would go."""
    utility = open_utility(str(tmp_path / "store.db"), with_measured(grid, 250.0))
    old = utility.issue("bus:4", 30.0, request_id="R", **LV)
    with pytest.raises(CapacityExhaustedError):
        utility.issue("bus:4", 80.0, request_id="R", **LV)
    assert utility.ledger.find_hold(old.hold_id).state == "held"
    assert utility.issue("bus:4", 65.0, request_id="R", **LV).predecessor_id == old.hold_id
    utility.check_ledger()


def test_contract_is_not_superseded(utility: Utility) -> None:
    old = utility.issue("bus:4", 100.0, request_id="R", **LV)
    utility.admission.commit(old.hold_id, actor=ENGINEER)
    with pytest.raises(HoldStateError):
        utility.issue("bus:4", 100.0, request_id="R", **LV)


def test_contract_reduced_keeps_the_smaller_part_in_every_calculation(utility: Utility) -> None:
    old = utility.issue("bus:3", 500.0)
    utility.admission.commit(old.hold_id, actor=ENGINEER)
    new = utility.admission.reduce(old.hold_id, capacity_va=200_000, actor=ENGINEER)
    (commitment,) = utility.services.get_live().commitments
    assert (commitment.commitment_id, commitment.capacity_kva) == (f"hold:{new.hold_id}:1", 200.0)
    utility.admission.energise(new.hold_id, actor=ENGINEER)
    assert [c.capacity_kva for c in utility.services.get_live().commitments] == [200.0]  # posted, still counted


def test_same_key_gives_the_same_hold_without_another_certificate(on_store: Callable[..., Utility]) -> None:
    certify = Interfering()
    utility = on_store(certify=certify)
    claim = IdempotencyClaim("engineer", "issue", "key-1", "f" * 64)
    scheme_id = utility.quote("bus:3", 500.0)
    first = utility.admission.issue(scheme_id, actor=ENGINEER, claim=claim)
    again = utility.admission.issue(scheme_id, actor=ENGINEER, claim=claim)
    assert (again.hold_id, certify.certificates) == (first.hold_id, 1)


def test_scheme_is_issued_once(utility: Utility) -> None:
    scheme_id = utility.quote("bus:3", 500.0)
    hold = utility.admission.issue(scheme_id, actor=ENGINEER)
    with pytest.raises(HoldStateError):
        utility.admission.issue(scheme_id, actor=ENGINEER)
    utility.admission.withdraw(hold.hold_id, actor=ENGINEER)
    with pytest.raises(HoldStateError):
        utility.admission.issue(scheme_id, actor=ENGINEER)


def test_scheme_out_of_date_is_not_issued(utility: Utility) -> None:
    scheme_id = utility.quote("bus:3", 500.0, validity={"from": "2025-11-01", "to": "2026-03-01"})
    with pytest.raises(NotIssuableError):
        utility.admission.issue(scheme_id, actor=ENGINEER)
    last_day = utility.quote("bus:3", 500.0, validity={"from": "2025-12-02", "to": "2026-03-02"})
    assert datetime(2026, 3, 2, 16, tzinfo=UTC) > NOON  # the day ends in Asia/Shanghai
    assert utility.admission.issue(last_day, actor=ENGINEER).state == "held"


@pytest.mark.parametrize("changes", [{"voltage": "380V"}, {}], ids=["another voltage", "no such node"])
def test_point_that_is_gone_is_refused(utility: Utility, changes: Mapping[str, Any]) -> None:
    with pytest.raises(NotIssuableError):
        utility.issue("bus:3" if changes else "bus:99", 5.0, **changes)


def test_scheme_of_an_older_snapshot_is_issued_where_its_point_still_stands(utility: Utility, grid: Snapshot) -> None:
    scheme_id = utility.quote("bus:3", 500.0)
    utility.admission.activate(replace(grid, source_name="newer"), actor=ENGINEER)
    hold = utility.admission.issue(scheme_id, actor=ENGINEER)
    assert hold.snapshot_sha256 == utility.store.find_current_sha256()


def test_tee_is_held_at_the_end_fed_through_its_line(utility: Utility) -> None:
    """Line 1 leads from bus 2 to bus 3; a tee halfway loads it, as a hold at bus 3 does and one at bus 2 would not."""
    hold = utility.issue("line:1", 300.0, kind="line_tee", place_deg=(115.025, 33.4))
    assert hold.sources[0].node_element_id == "bus:3"
    with pytest.raises(NotIssuableError):
        utility.issue("line:1", 300.0, kind="line_tee", place_deg=(115.025, 33.5))  # the line runs elsewhere
