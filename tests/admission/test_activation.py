"""Another snapshot becomes the current one while holds live: every hold mapped once, or on the orphan list."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from api.updates import Updates
from gridmodel.changes import SwitchChange
from gridmodel.snapshot import Snapshot
from scheme.ledger import CapacityExhaustedError
from tests.admission.utility import ENGINEER, Utility, small_grid
from tests.capacity.snapshots import snapshot_of
from tests.capacity.two_feeders import SECTION, TIE

LV = {"voltage": "380V", "length_m": 10.0}


def changed(grid: Snapshot, table: str, **columns: Any) -> Snapshot:
    """Return the grid with other values in one table of its net, read anew."""
    import copy

    net = copy.deepcopy(grid.net)
    for name, values in columns.items():
        for index, value in values.items():
            net[table].at[index, name] = value
    found = snapshot_of(net)
    nodes = found.nodes.copy()
    nodes["lon_deg"], nodes["lat_deg"] = grid.nodes.lon_deg, grid.nodes.lat_deg
    return replace(found, nodes=nodes, source_name="changed")


def test_holds_stay_where_nothing_changed(on_store: Callable[..., Utility], grid: Snapshot) -> None:
    utility = on_store()
    holds = [utility.issue("bus:4", 50.0, **LV), utility.issue(["bus:2", "bus:6"], 300.0)]
    done = utility.admission.activate(replace(grid, source_name="newer"), actor=ENGINEER)
    assert (done.outcome.mapped, done.outcome.orphans) == (3, ())
    assert [utility.ledger.find_hold(hold.hold_id).sources for hold in holds] == [hold.sources for hold in holds]
    assert len(utility.services.get_live().commitments) == 3
    utility.check_ledger()


@pytest.mark.parametrize("kva", [250.0, 1000.0])
def test_other_rating_sets_the_limit_and_flags_who_is_over_it(
    on_store: Callable[..., Utility], grid: Snapshot, kva: float
) -> None:
    """0.8 * rating - 0.1 * rating: 175 kVA of 250 kVA carry no 200 kVA any more; 700 kVA of 1000 kVA do."""
    utility = on_store()
    utility.issue("bus:4", 200.0, **LV)
    utility.admission.activate(changed(grid, "trafo", sn_mva={1: kva / 1e3}), actor=ENGINEER)
    (balance,) = utility.ledger.find_accounts(["transformer:trafo:1"])
    assert balance.account.limit_va == pytest.approx(700.0 * kva, abs=1.0)
    assert (balance.is_overcommitted, balance.used_va) == (kva == 250.0, 200_000)
    if balance.is_overcommitted:
        with pytest.raises(CapacityExhaustedError):
            utility.issue("bus:4", 1.0, **LV)
    utility.check_ledger()


def test_feeder_cut_over_takes_its_holds_along(on_store: Callable[..., Utility], grid: Snapshot) -> None:
    """The tie is closed and line 1 opened at bus 2: buses 3 and 4 are fed by the other main transformer."""
    utility = on_store()
    hold = utility.issue("bus:4", 50.0, **LV)
    utility.issue("bus:2", 300.0)
    net_change = changed(grid, "switch", closed={TIE: True})
    net_change.net.line.at[1, "in_service"] = False
    utility.admission.activate(changed(net_change, "bus"), actor=ENGINEER)
    path = utility.ledger.find_hold(hold.hold_id).sources[0].path
    assert "main_transformer:trafo:2" in path
    assert "main_transformer:trafo:0" not in path
    used = [utility.used_va(f"main_transformer:trafo:{number}") for number in (0, 2)]
    assert used == [300_000, 50_000]
    utility.check_ledger()


def without_bus_4(grid: Snapshot) -> Snapshot:
    import copy

    net = copy.deepcopy(grid.net)
    net.trafo = net.trafo.drop(1)
    net.load = net.load[net.load.bus != 4]
    net.bus = net.bus.drop(4)
    found = snapshot_of(net)
    nodes = found.nodes.copy()
    nodes["lon_deg"], nodes["lat_deg"] = grid.nodes.lon_deg, grid.nodes.lat_deg
    return replace(found, nodes=nodes, source_name="without bus 4")


def test_hold_at_a_node_that_is_gone_is_an_orphan_and_comes_back_with_it(
    on_store: Callable[..., Utility], grid: Snapshot
) -> None:
    utility = on_store()
    hold = utility.issue("bus:4", 50.0, **LV)
    other = utility.issue("bus:6", 100.0)
    done = utility.admission.activate(without_bus_4(grid), actor=ENGINEER)
    assert (done.outcome.orphans, done.outcome.mapped) == ((hold.hold_id,), 1)
    assert [orphan.hold_id for orphan in utility.ledger.list_orphans()] == [hold.hold_id]
    live = utility.services.get_live()
    assert (live.unplaced, len(live.commitments)) == ((hold.hold_id,), 1)
    assert utility.ledger.find_hold(hold.hold_id).state == "held"  # never dropped
    utility.check_ledger()
    utility.ledger.place_orphan(
        hold.hold_id, 1, node_element_id="bus:3", path=_path(utility, "bus:3"), actor=ENGINEER, reason="moved up"
    )
    assert utility.services.get_live().unplaced == ()
    assert {c.bus for c in utility.services.get_live().commitments} == {3, 6}
    assert utility.ledger.find_hold(other.hold_id).state == "held"
    utility.check_ledger()


def _path(utility: Utility, node: str) -> tuple[str, ...]:
    from scheme.ledger.accounts import build_accounts

    return build_accounts(utility.services.get_live().imported, utility.services.load_policy()).path_of(node)


def test_number_that_went_to_another_node_is_no_place_for_the_hold(
    on_store: Callable[..., Utility], grid: Snapshot
) -> None:
    """The data only number nodes; number 3 is another node now, by name and place."""
    utility = on_store()
    hold = utility.issue("bus:3", 100.0)
    renumbered = small_grid()
    renumbered.net.bus.at[3, "name"] = "somewhere else"
    nodes = renumbered.nodes.copy()
    nodes.loc[3, ["name", "lon_deg"]] = ["somewhere else", 116.0]
    done = utility.admission.activate(replace(renumbered, nodes=nodes), actor=ENGINEER)
    assert done.outcome.orphans == (hold.hold_id,)


@pytest.mark.parametrize("dies_at", ["accounts", "holds", "end"])
def test_process_killed_half_way_leaves_the_old_snapshot_and_every_hold(
    on_store: Callable[..., Utility], grid: Snapshot, dies_at: str
) -> None:
    """The process ends without a word, as by a kill, after each of the steps of the transaction."""
    utility = on_store()
    hold = utility.issue("bus:4", 50.0, **LV)
    before, head = utility.store.find_current_sha256(), utility.ledger.head()
    utility.tables.wait()  # a thread alive would leave its locks behind in the child
    utility.store.close()
    child = os.fork()
    if child == 0:
        dying = on_store()
        if dies_at == "accounts":
            dying.ledger.list_live = lambda *_: os._exit(9)  # type: ignore[method-assign]
        elif dies_at == "holds":
            dying.ledger.time_in = lambda *_: os._exit(9)  # type: ignore[method-assign]
        dying.admission.activate(without_bus_4(grid), actor=ENGINEER, also=lambda *_: os._exit(9))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert (utility.store.find_current_sha256(), utility.ledger.head()) == (before, head)
    assert utility.ledger.find_hold(hold.hold_id).sources == hold.sources
    assert utility.services.get_live().unplaced == ()
    utility.check_ledger()
    done = utility.admission.activate(without_bus_4(grid), actor=ENGINEER)  # and once more, to the end
    assert done.outcome.orphans == (hold.hold_id,)


@pytest.mark.parametrize(
    ("until", "state", "used_va"),
    [(None, "energised", 50_000), (date(2026, 3, 1), "energised", 50_000), (date(2026, 3, 2), "closed", 0)],
)
def test_energised_hold_is_closed_by_the_first_snapshot_that_contains_its_load(
    on_store: Callable[..., Utility], grid: Snapshot, until: date | None, state: str, used_va: int
) -> None:
    utility = on_store()
    hold, other = utility.issue("bus:4", 50.0, **LV), utility.issue("bus:4", 60.0, **LV)
    utility.admission.energise(hold.hold_id, actor=ENGINEER)  # on 2 March
    newer = replace(grid, source_name="newer")
    done = utility.admission.activate(newer, actor=ENGINEER, contains_energised_until=until)
    assert utility.ledger.find_hold(hold.hold_id).state == state
    assert done.outcome.closed == ((hold.hold_id,) if state == "closed" else ())
    assert utility.used_va("transformer:trafo:1") == used_va + 60_000
    assert utility.ledger.find_hold(other.hold_id).state == "held"
    utility.check_ledger()


def test_update_of_the_snapshot_maps_holds_as_an_import_does(utility: Utility) -> None:
    hold = utility.issue("bus:7", 100.0)
    assert "main_transformer:trafo:2" in hold.sources[0].path
    updates = Updates(utility.services, ledger=utility.ledger)
    updates.apply([SwitchChange(element_id=f"switch:{TIE}", is_closed=True)], confirm="none")
    updates.apply([SwitchChange(element_id=f"switch:{SECTION}", is_closed=False)], confirm="none")
    live = utility.services.get_live()
    assert [commitment.bus for commitment in live.commitments] == [7]
    path = utility.ledger.find_hold(hold.hold_id).sources[0].path
    assert [name for name in path if name.startswith("main_transformer:")] == ["main_transformer:trafo:0"]
    utility.check_ledger()


def test_grid_without_a_ledger_is_imported_as_before(on_store: Callable[..., Utility], grid: Snapshot) -> None:
    utility = on_store()
    done = utility.admission.activate(replace(grid, source_name="newer"), actor=ENGINEER)
    assert (done.outcome.mapped, utility.ledger.head().seq) == (0, 0)
    assert utility.store.find_current_sha256() == done.snapshot.sha256


def test_import_command_tells_what_became_of_the_holds(
    utility: Utility, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pandapower as pp

    from api.cli import main

    hold = utility.issue("bus:4", 50.0, **LV)
    pp.to_json(without_bus_4(small_grid()).net, str(tmp_path / "newer.json"))
    shared = ("--db", str(tmp_path / "store.db"), "--as-of", "2026-03-02", "--json")
    assert main([*shared, "import", str(tmp_path / "newer.json"), "--contains-energised-until", "2026-03-01"]) in (0, 1)
    told = json.loads(capsys.readouterr().out)
    assert told["holds"] == {"mapped": 0, "orphans": [hold.hold_id], "closed": []}
    assert main([*shared, "import", str(tmp_path / "newer.json"), "--contains-energised-until", "March"]) == 2
    assert "--contains-energised-until" in capsys.readouterr().err
