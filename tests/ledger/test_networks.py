"""A new network under live holds: each is mapped once or waits on the orphan list; accounts of real networks."""

from __future__ import annotations

from datetime import date

import pytest

from gridmodel.capacity.nodes import node_capacity
from gridmodel.errors import InputError, NotFoundError
from gridmodel.snapshot import Snapshot, in_force_on
from scheme.ledger import Hold, Ledger, SourceShare
from scheme.ledger.accounts import build_accounts
from scheme.ledger.auditor import audit
from scheme.limits import capacity_settings
from scheme.policy.loader import load_policy
from tests.capacity.snapshots import snapshot_of
from tests.capacity.two_feeders import TIE, two_feeders
from tests.ledger.cases import ENGINEER, KVA, PATHS, ROOT, accounts, open_ledger, reserve, used_kva, wanted

MOVED = ("transformer:T2", "feeder:F2", *ROOT)


def remap(ledger: Ledger, mapping: dict[tuple[str, int], tuple[str, ...] | None]) -> list[Hold]:
    with ledger.store.write() as connection:
        ledger.open_accounts(connection, accounts())
        return ledger.remap(connection, mapping, ENGINEER)


def assert_sound(ledger: Ledger) -> None:
    with ledger.store.read() as connection:
        report = audit(connection)
    assert report.is_clean, [f.details for f in report.findings if f.verdict == "broken"]


def test_a_hold_whose_feeder_changed_counts_on_the_new_one_and_no_longer_on_the_old(store_url: str) -> None:
    ledger = open_ledger(store_url)
    hold, stays = reserve(ledger, wanted("N2", 100)), reserve(ledger, wanted("N1", 50))
    [moved] = remap(ledger, {(hold.hold_id, 1): MOVED, (stays.hold_id, 1): PATHS["N1"]})
    assert moved.sources[0].path == MOVED
    assert used_kva(ledger) == {
        "transformer:T1": 50.0, "transformer:T2": 100.0, "feeder:F1": 50.0, "feeder:F2": 100.0,
        **dict.fromkeys(ROOT, 150.0),
    }  # fmt: skip
    assert_sound(ledger)


def test_a_hold_without_a_place_waits_for_a_person_and_is_not_lost(store_url: str) -> None:
    ledger = open_ledger(store_url)
    hold = reserve(ledger, wanted("N2", 100))
    before = ledger.head().seq
    remap(ledger, {(hold.hold_id, 1): None})
    assert len(ledger.list_orphans()) == 1
    orphan = ledger.list_orphans()[0]
    assert (orphan.hold_id, orphan.state, orphan.sources[0].path) == (hold.hold_id, "held", ())
    assert ledger.list_live() == [orphan]
    assert used_kva(ledger) == {}
    assert ledger.live_at(before) == [hold]
    assert ledger.live_at(ledger.head().seq) == [orphan]
    assert_sound(ledger)
    placed = ledger.place_orphan(
        hold.hold_id, 1, node_element_id="N4", path=PATHS["N4"], actor=ENGINEER, reason="the customer moved"
    )
    assert (placed.sources[0].node_element_id, placed.sources[0].path) == ("N4", PATHS["N4"])
    assert ledger.list_orphans() == []
    assert used_kva(ledger) == dict.fromkeys(PATHS["N4"], 100.0)
    assert_sound(ledger)


def test_an_orphan_can_be_withdrawn(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    hold = reserve(ledger, wanted("N2", 100))
    remap(ledger, {(hold.hold_id, 1): None})
    assert ledger.withdraw(hold.hold_id, actor=ENGINEER).state == "withdrawn"
    assert ledger.list_live() == []
    assert_sound(ledger)


def test_what_nobody_mapped_and_has_lost_its_path_becomes_an_orphan(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    lost, stays = reserve(ledger, wanted("N2", 100)), reserve(ledger, wanted("N1", 50))
    with ledger.store.write() as connection:
        ledger.open_accounts(connection, [a for a in accounts() if a.account_id != "transformer:T2"])
        ledger.remap(connection, {}, ENGINEER)
    assert [hold.hold_id for hold in ledger.list_orphans()] == [lost.hold_id]
    assert used_kva(ledger) == dict.fromkeys(stays.sources[0].path, 50.0)
    assert_sound(ledger)


def test_a_new_network_may_overload_an_account_and_then_says_so(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    hold = reserve(ledger, wanted("N2", 400))
    reserve(ledger, wanted("N4", 450))
    remap(ledger, {(hold.hold_id, 1): MOVED})
    [over] = [balance for balance in ledger.find_accounts() if balance.is_overcommitted]
    assert (over.account.account_id, over.open_va) == ("feeder:F2", -250 * KVA)
    assert_sound(ledger)


def test_a_failed_import_leaves_everything_as_it_was(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    hold = reserve(ledger, wanted("N2", 100))
    before = ledger.find_accounts(), ledger.head()

    def fail_late() -> None:
        with ledger.store.write() as connection:
            ledger.open_accounts(connection, accounts({"feeder:F1": 1}))
            ledger.remap(connection, {(hold.hold_id, 1): None}, ENGINEER)
            ledger.close(connection, ["hld_none"], actor=ENGINEER)

    with pytest.raises(NotFoundError):
        fail_late()
    assert (ledger.find_accounts(), ledger.head()) == before
    assert ledger.list_live() == [hold]


def test_what_cannot_be_mapped_is_refused(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    hold = reserve(ledger, wanted("N2", 100))
    with pytest.raises(NotFoundError):
        remap(ledger, {(hold.hold_id, 2): MOVED})
    with pytest.raises(NotFoundError):
        remap(ledger, {("hld_none", 1): MOVED})
    for path in (("feeder:none",), tuple(reversed(MOVED)), ()):
        with pytest.raises(InputError):
            remap(ledger, {(hold.hold_id, 1): path})
    assert ledger.list_live() == [hold]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ((), "would never be counted"),
        (("feeder:F1", "transformer:T1"), "leaf to root"),
        (("feeder:F1", "feeder:F1"), "once"),
        (("pole:P1",), "id of an account"),
        (("feeder:",), "id of an account"),
    ],
)
def test_a_path_is_whole_and_in_order(path: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SourceShare(source_no=1, node_element_id="N1", share_va=1, path=path)


def test_the_room_of_every_node_is_its_administrative_capacity(township: Snapshot) -> None:
    """Where the formula binds the open capacity, the least limit on the node's path is that very number."""
    policy = load_policy("shenqiu-2022", date(2026, 11, 23))
    book = build_accounts(township, policy)
    limit = {account.account_id: account.limit_va for account in book.accounts}
    snapshot = in_force_on(township, policy.as_of)
    table = node_capacity(snapshot, **capacity_settings(policy), confirm="none")
    bound = table[table.limit_kind == "administrative"]
    assert len(bound) > 500
    for bus, open_kva in bound.open_kva.items():
        path = book.path_of(str(snapshot.nodes.element_id[bus]))
        known = [limit[account_id] for account_id in path]
        least = min(va for va in known if va is not None)
        assert max(least, 0) == pytest.approx(open_kva * KVA, abs=1.0)


def test_township_paths_lead_from_the_transformer_to_the_substation(township: Snapshot) -> None:
    book = build_accounts(township, load_policy("shenqiu-2022", date(2026, 11, 23)))
    board = township.nodes[(township.nodes.area_id == "T000") & (township.nodes.kind == "lv_board")].element_id.iloc[0]
    path = book.path_of(board)
    assert path[0] == "transformer:T000"
    assert path[-3:] == ("feeder:F22", "main_transformer:S2-T1", "substation:S2")
    assert book.roots_of(board) == ("main_transformer:S2-T1",)
    assert set().union(*book.paths.values()) == {account.account_id for account in book.accounts}
    with pytest.raises(NotFoundError):
        book.path_of("nowhere")


def test_a_number_that_is_not_known_is_no_limit_of_nought(township: Snapshot) -> None:
    book = build_accounts(township, load_policy("shenqiu-2022", date(2026, 11, 23)))
    limit = {account.account_id: account.limit_va for account in book.accounts}
    unmeasured = township.transformers[township.transformers.measured_max_kva.isna()].element_id
    assert len(unmeasured) > 0
    assert {limit[f"transformer:{element_id}"] for element_id in unmeasured} == {None}
    assert {limit[name] for name in limit if name.startswith(("section:", "substation:", "source:"))} == {None}


def test_limits_of_a_net_worked_out_by_hand() -> None:
    """0.8 of each rating less the tenth of it that was measured: 0.7 of 6.3 MVA, 0.4 MVA, and 300 A at 10 kV."""
    book = build_accounts(snapshot_of(two_feeders()), load_policy("shenqiu-2022", date(2026, 11, 23)))
    limit = {account.account_id: account.limit_va for account in book.accounts}
    path = book.path_of("bus:4")
    assert [name.partition(":")[0] for name in path] == [
        "transformer", "feeder", "main_transformer", "substation"
    ]  # fmt: skip
    assert [limit[name] for name in path] == [
        pytest.approx(280_000, abs=1), pytest.approx(3_637_306, abs=1), pytest.approx(4_410_000, abs=1), None
    ]  # fmt: skip
    assert book.roots_of("bus:4") == ("main_transformer:trafo:0",)
    assert book.roots_of("bus:7") == ("main_transformer:trafo:2",)


def test_a_line_that_carries_less_than_every_line_above_it_is_an_account() -> None:
    net = two_feeders()
    net.line.loc[1, "max_i_ka"] = 0.2
    net.line.loc[3, "max_i_ka"] = 0.4
    book = build_accounts(snapshot_of(net), load_policy("shenqiu-2022", date(2026, 11, 23)))
    assert [account.account_id for account in book.accounts if account.level == 4] == ["section:line:1"]
    assert "section:line:1" in book.path_of("bus:3")
    assert "section:line:1" in book.path_of("bus:4")
    assert "section:line:1" not in book.path_of("bus:2")


def test_what_main_transformers_feed_together_pins_them_together() -> None:
    net = two_feeders()
    net.switch.loc[TIE, "closed"] = True
    book = build_accounts(snapshot_of(net), load_policy("shenqiu-2022", date(2026, 11, 23)))
    both = "main_transformer:trafo:0+trafo:2"
    limit = {account.account_id: account.limit_va for account in book.accounts}
    assert limit[both] == pytest.approx(8_820_000, abs=1)
    for bus in ("bus:2", "bus:7"):
        assert book.path_of(bus)[-2] == both
        assert book.roots_of(bus) == (both,)


def test_where_no_main_transformer_stands_above_the_source_counts() -> None:
    book = build_accounts(snapshot_of(two_feeders()), load_policy("shenqiu-2022", date(2026, 11, 23)))
    assert book.path_of("bus:0") == ("source:bus:0",)
    assert book.find_path("bus:99") is None
