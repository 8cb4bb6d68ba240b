"""Changes of the stored snapshot: what is kept, what is shared, what the running service sees, what is refused."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import api.services
from api.capacity_tables import CapacityTables
from api.cli import main
from api.services import Services
from api.updates import Updates
from gridmodel.capacity.nodes import node_capacity
from gridmodel.changes import Change, CommitmentAdded, CommitmentEnded, LoadChange, SwitchChange, apply_changes
from gridmodel.errors import EngineDisagreementError, InputError, NotFoundError, SnapshotFormatError
from gridmodel.snapshot import Snapshot
from scheme.store import SnapshotMovedError, Store
from tests.api.conftest import AS_OF, fake_parts
from tests.capacity.snapshots import settings, snapshot_of
from tests.capacity.test_refresh import LIMITS
from tests.capacity.two_feeders import TIE, two_feeders

LOAD = LoadChange(element_id="load:2", p_kw=900.0, q_kvar=300.0)
SETTINGS = {name: value for name, value in settings(LIMITS).items() if name != "confirm"}
PARTS = partial(fake_parts, node_capacity=node_capacity, capacity_settings=lambda policy: SETTINGS)


@pytest.fixture(scope="module")
def grid() -> Snapshot:
    return snapshot_of(two_feeders())


@pytest.fixture
def services(tmp_path: Path, grid: Snapshot) -> Services:
    """Services over a store with a grid and its table."""
    services = make_services(tmp_path)
    services.store.store_snapshot(grid)
    CapacityTables(services).compute()
    return services


def make_services(folder: Path, **changes: Any) -> Services:
    store = Store(str(folder / "store.db"))
    return Services(store, profile="shenqiu-2022", clock=lambda: AS_OF, parts=PARTS(**changes))


def apply(services: Services, *changes: Change, confirm: Any = "none") -> Any:
    return Updates(services).apply(changes, confirm=confirm)


def count(folder: Path, table: str) -> int:
    with sqlite3.connect(folder / "store.db") as connection:
        return int(connection.execute(f"select count(*) from {table}").fetchone()[0])


def whole_table(snapshot: Snapshot) -> pd.DataFrame:
    return node_capacity(snapshot, **SETTINGS, confirm="none")


def test_update_renews_one_part_and_the_running_service_answers_with_it(services: Services, tmp_path: Path) -> None:
    running = CapacityTables(make_services(tmp_path))
    before = running.find()
    parts = count(tmp_path, "capacity_part")
    update = apply(services, LOAD)
    assert sorted(update.rows) == [5]  # the second feeder's part, named after its smallest bus
    assert (count(tmp_path, "capacity_part"), count(tmp_path, "capacity")) == (parts + 1, 2)
    after = running.find()
    assert services.store.find_current_sha256() == update.snapshot_sha256
    expected = whole_table(services.store.get_snapshot(update.snapshot_sha256))
    pd.testing.assert_frame_equal(after, expected, rtol=0.0, atol=1e-9)
    assert after.open_kva[7] < before.open_kva[7]
    assert after.loc[[1, 2, 3, 4]].equals(before.loc[[1, 2, 3, 4]])
    old = Updates(services).rows_before(update)
    assert old.open_kva.tolist() == before.open_kva.loc[old.index].tolist()


def test_many_updates_by_one_process_end_at_the_table_of_the_whole(services: Services) -> None:
    updates = Updates(services)
    for changes in (
        [LOAD],
        [CommitmentAdded(commitment_id="C1", element_id="bus:4", capacity_kva=60.0, valid_to="2026-09-01")],
        [CommitmentAdded(commitment_id="C2", element_id="bus:4", capacity_kva=60.0, valid_to="2026-01-01")],  # over
        [SwitchChange(element_id=f"switch:{TIE}", is_closed=True)],
        [LoadChange(element_id="load:3", p_kw=250.0, q_kvar=10.0), CommitmentEnded(commitment_id="C1")],
        [SwitchChange(element_id=f"switch:{TIE}", is_closed=False)],
    ):
        assert updates.apply(changes, confirm="none").rows is not None
    kept = CapacityTables(services).find()
    pd.testing.assert_frame_equal(kept, whole_table(services.get_snapshot()), rtol=0.0, atol=1e-9)


def test_certificates_of_later_parts_are_kept_beside_the_first(services: Services) -> None:
    apply(services, LOAD, confirm="sample")
    told = CapacityTables(services).find().attrs
    assert told["certificate"]["nodes_checked"] > 0
    assert told["certificate_refreshed"]["parts"] == 1
    assert told["certificate_refreshed"]["nodes_checked"] == 3  # the buses 5, 6 and 7


def test_changed_snapshot_is_kept_as_changes_and_read_back(services: Services, tmp_path: Path, grid: Snapshot) -> None:
    first = apply(services, LOAD).snapshot_sha256
    second = apply(services, SwitchChange(element_id=f"switch:{TIE}", is_closed=True)).snapshot_sha256
    with sqlite3.connect(tmp_path / "store.db") as connection:
        sizes = connection.execute("select length(content) from snapshot where parent_sha256 is not null").fetchall()
    assert len(sizes) == 2
    assert max(sizes)[0] < 200
    read = Store(str(tmp_path / "store.db")).get_snapshot(second)  # another process
    assert (read.sha256, bool(read.net.switch.closed[TIE]), read.net.load.p_mw[2]) == (second, True, 0.9)
    assert Store(str(tmp_path / "store.db")).get_snapshot(first).net.switch.closed.tolist() == [False, True]
    assert grid.net.load.p_mw[2] == 0.5


def test_going_back_to_the_imported_snapshot_finds_its_table_again(services: Services, grid: Snapshot) -> None:
    before = CapacityTables(services).find()
    apply(services, LOAD)
    services.store.store_snapshot(grid)
    assert CapacityTables(services).find().equals(before)


def test_update_without_a_table_changes_the_snapshot_only(tmp_path: Path, grid: Snapshot) -> None:
    services = make_services(tmp_path)
    services.store.store_snapshot(grid)
    update = apply(services, LOAD)
    assert update.rows is None
    assert CapacityTables(services).find() is None
    assert services.get_snapshot().net.load.p_mw[2] == 0.9


def test_table_kept_in_other_parts_is_not_patched(services: Services, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("update capacity set manifest = replace(manifest, '\"nodes\":3', '\"nodes\":2')")
    assert apply(services, LOAD).rows is None


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (InputError, {}),
        (EngineDisagreementError, {"node_capacity": None}),
    ],
)
def test_update_that_fails_keeps_nothing(services: Services, tmp_path: Path, error: Any, parts: Any) -> None:
    def disagrees(*_: Any, **__: Any) -> None:
        raise EngineDisagreementError("the reference does not hold at the value")

    before = [count(tmp_path, table) for table in ("snapshot", "capacity", "capacity_part")]
    current = services.store.find_current_sha256()
    broken = make_services(tmp_path, **dict.fromkeys(parts, disagrees))
    change = LOAD if parts else replace(LOAD, element_id="load:99")
    with pytest.raises(error):
        apply(broken, change)
    assert [count(tmp_path, table) for table in ("snapshot", "capacity", "capacity_part")] == before
    assert services.store.find_current_sha256() == current


def test_snapshot_replaced_meanwhile_is_not_overwritten(services: Services, grid: Snapshot) -> None:
    store = services.store
    parent = store.find_current_sha256()
    changed, _ = apply_changes(store.get_snapshot(parent), [LOAD])
    newer = store.store_snapshot(replace(grid, source_name="newer")).sha256
    with pytest.raises(SnapshotMovedError):
        store.store_changed(parent, changed, [LOAD])
    assert store.find_current_sha256() == newer
    with pytest.raises(NotFoundError):
        store.get_snapshot(changed.sha256)


def test_stored_changes_that_were_tampered_with_are_refused(services: Services, tmp_path: Path) -> None:
    sha256 = apply(services, LOAD).snapshot_sha256
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("update snapshot set content = replace(cast(content as text), '900.0', '9.0') "
                           "where parent_sha256 is not null")  # fmt: skip
    with pytest.raises(SnapshotFormatError):
        Store(str(tmp_path / "store.db")).get_snapshot(sha256)


@pytest.fixture
def run(tmp_path: Path, services: Services, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Callable[..., Any]:
    monkeypatch.setattr(api.services, "product_parts", lambda policy_folder=None: PARTS())

    def call(document: object, *arguments: str) -> Any:
        file = tmp_path / "changes.json"
        file.write_text(json.dumps(document), encoding="utf-8")
        status = main(["--db", str(tmp_path / "store.db"), "--as-of", str(AS_OF), "update", str(file), *arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


CHANGE = {"kind": "load", "element_id": "load:2", "p_kw": 900.0, "q_kvar": 300.0}


def test_command_says_what_moved(run: Callable[..., Any], services: Services) -> None:
    before = CapacityTables(services).find().open_kva
    status, out, _ = run({"changes": [CHANGE]}, "--json")
    told = json.loads(out)
    assert (status, told["changes"], told["nodes_refreshed"]) == (0, 1, 3)
    assert told["snapshot_sha256"] == services.store.find_current_sha256()
    after = CapacityTables(services).find().open_kva
    assert told["decrease_kva_max"] == pytest.approx((before - after).max(), abs=0.05)
    level = told["open_kva_by_u_nominal_kv"]["10"]
    assert level["p50_after"] == pytest.approx(after[[5, 6, 7]].median(), abs=0.05)
    status, out, _ = run({"changes": [CHANGE | {"p_kw": 100.0}]})
    assert status == 0
    assert "重算节点 3 个" in out


@pytest.mark.parametrize(
    ("document", "parts"),
    [
        ({"changes": [CHANGE | {"element_id": "load:99"}]}, ("changes.json", "change 1", "element_id", "load:99")),
        ({"changes": [CHANGE | {"p_mw": 1}]}, ("changes.json", "change 1", "p_mw")),
        ({"changes": [{"kind": "commitment_ended", "commitment_id": "C9"}]}, ("changes.json", "C9")),
    ],
)
def test_command_refuses_bad_changes_with_one_message(
    run: Callable[..., Any], services: Services, document: object, parts: tuple[str, ...]
) -> None:
    current = services.store.find_current_sha256()
    status, out, err = run(document)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert all(part in err for part in parts)
    assert services.store.find_current_sha256() == current
