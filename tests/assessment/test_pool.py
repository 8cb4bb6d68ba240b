"""However many processes work, whichever of them dies, and whatever they were given the grid by: the same bytes."""

from __future__ import annotations

import json
import os
import platform
import signal
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.errors import InputError, SnapshotFormatError
from scheme.assessment import task_host
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.parcel import content_of, pack, unpack
from scheme.assessment.pool import LOSSES_MAX, ProcessPool, run_task
from scheme.assessment.records import Assessment
from scheme.assessment.task_host import TaskReport, do_task, pack_rows, read_result
from scheme.assessment.tasks import TASKS
from scheme.assessment.workers import ThisProcess
from scheme.errors import CancelledError, PolicyNotInForceError, WorkersDifferError, WorkersLostError
from tests.assessment.grids import assess, long_line, policy, project, two_villages
from tests.assessment.held import Killer, end_own_process, hold_first, tell_process, wait_for_end

PROJECTS = [
    project(f"P{number:02d}", kva=18, at=(40_000.0 * (number % 2), 0.0), received_on=date(2026, 1, 1 + number))
    for number in range(4)
]


def grid(**more: Any) -> AssessedGrid:
    return AssessedGrid(two_villages(), policy(), load_catalogue(), **({"capacity": None} | more))


@pytest.fixture(scope="module")
def shared_grid() -> AssessedGrid:
    return grid()


@pytest.fixture(scope="module")
def alone() -> Assessment:
    found = assess(PROJECTS, two_villages())
    assert {result.queue.verdict for result in found.projects} == {"yes", "no"}
    return found


@pytest.fixture
def no_open_grids() -> Iterator[None]:
    task_host._GRIDS.clear()
    yield
    task_host._GRIDS.clear()


def test_two_processes_of_which_one_is_killed_at_work_give_the_bytes_of_one(alone: Assessment, tmp_path: Path) -> None:
    """The task that is held cannot end but with its process."""
    seen: list[int] = []
    reports: list[TaskReport] = []
    killer = Killer(tmp_path)
    killer.start()
    with ProcessPool(2, report=reports.append) as workers:
        workers.task = partial(hold_first, str(tmp_path), run_task)
        together = assess(PROJECTS, two_villages(), workers=workers, progress=lambda done, total: seen.append(done))
    killer.join()
    assert killer.killed_pid is not None
    assert f"{platform.node()}:{killer.killed_pid}" not in {report.process for report in reports}
    assert together.to_json() == alone.to_json()
    assert seen[-1] == 2 * len(PROJECTS)
    assert sorted(seen) == seen
    assert all(report.peak_bytes > 50_000_000 for report in reports)


def test_a_task_that_ends_its_process_every_time_is_named_and_the_others_are_done(shared_grid: AssessedGrid) -> None:
    inputs = [(number, [{"project_id": f"P{number}"}]) for number in range(6)]
    kept: list[int] = []
    with ProcessPool(2) as workers:
        workers.task = partial(end_own_process, 3)
        with pytest.raises(WorkersLostError, match="task alone 3 ended") as caught:
            list(workers.run("alone", inputs, shared_grid, lambda _: None, keep=lambda place, rows: kept.append(place)))
        assert caught.value.context["project_ids"] == ["P3"]
        assert {0, 1, 2} <= set(kept)
        assert LOSSES_MAX == 3
        again = [item for item in inputs if item[0] != 3]
        assert list(workers.run("alone", again, shared_grid, lambda _: None)) == [rows for _, rows in again]


def test_a_run_that_is_cancelled_ends_its_processes_at_work(shared_grid: AssessedGrid, tmp_path: Path) -> None:
    """The task would wait for ever; the next run has processes again."""

    def stop(projects: int) -> None:
        if (tmp_path / "held").exists():
            raise CancelledError("enough")

    inputs = [(number, [{"project_id": f"P{number}"}]) for number in range(2)]
    with ProcessPool(1) as workers:
        workers.task = partial(hold_first, str(tmp_path), partial(end_own_process, -1))
        with pytest.raises(CancelledError, match="enough"):
            list(workers.run("alone", inputs, shared_grid, stop))
        wait_for_end(int((tmp_path / "held").read_text(encoding="utf-8")))
        assert list(workers.run("alone", inputs, shared_grid, lambda _: None)) == [rows for _, rows in inputs]


def fail_by_mistake(*_: Any) -> bytes:
    raise ZeroDivisionError


def test_an_error_of_the_program_ends_the_run_at_once(shared_grid: AssessedGrid, capfd: Any) -> None:
    with ProcessPool(1) as workers:
        workers.task = fail_by_mistake
        with pytest.raises(WorkersLostError, match=r"task alone 0 .* by the error printed above"):
            list(workers.run("alone", [(0, [])], shared_grid, lambda _: None))
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_process_that_died_with_nothing_to_do_is_replaced(shared_grid: AssessedGrid, tmp_path: Path) -> None:
    inputs = [(0, [{"project_id": "P0"}])]
    with ProcessPool(1) as workers:
        workers.task = partial(tell_process, str(tmp_path), partial(end_own_process, -1))
        for _ in range(2):
            assert list(workers.run("alone", inputs, shared_grid, lambda _: None)) == [inputs[0][1]]
            [told] = tmp_path.glob("pid-*")
            pid = int(told.read_text(encoding="utf-8"))
            told.unlink()
            os.kill(pid, signal.SIGKILL)
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def test_a_pool_without_processes_is_refused() -> None:
    with pytest.raises(InputError, match="no processes"):
        ProcessPool(0)


def test_this_process_tells_every_result_as_it_comes(shared_grid: AssessedGrid) -> None:
    kept: list[tuple[int, Any]] = []
    rows = [PROJECTS[0].as_dict()]
    done = list(
        ThisProcess().run(
            "alone", [(0, rows), (1, [])], shared_grid, lambda _: None, keep=lambda *item: kept.append(item)
        )
    )
    assert kept == list(enumerate(done))


@pytest.mark.usefixtures("no_open_grids")
def test_a_process_keeps_the_last_grids_and_opens_the_others_again() -> None:
    fetched: list[str] = []
    packed = {}
    for kw in (1.0, 2.0, 3.0):
        content = content_of(AssessedGrid(long_line(load_kw=kw), policy(), load_catalogue(), capacity=None))
        packed[content.grid_id] = pack(content)
    first, second, third = packed
    assert task_host.GRIDS_MAX == 2

    def do(grid_id: str) -> None:
        def fetch() -> bytes:
            fetched.append(grid_id)
            return packed[grid_id]

        result = do_task("alone", grid_id, 0, pack_rows([]), fetch=fetch, is_cancelled=lambda: False)
        assert read_result(result, name="alone", number=0)[0] == []

    for grid_id in (first, second, first, third, first, second):
        do(grid_id)
    assert fetched == [first, second, third, second]


@pytest.mark.usefixtures("no_open_grids")
def test_a_task_whose_run_has_ended_stops_after_the_project_at_hand(shared_grid: AssessedGrid) -> None:
    content = content_of(shared_grid)
    asked: list[int] = []

    def is_cancelled() -> bool:
        asked.append(1)
        return True

    rows = [project.as_dict() for project in PROJECTS]
    result = do_task(
        "alone", content.grid_id, 0, pack_rows(rows), fetch=lambda: pack(content), is_cancelled=is_cancelled
    )
    with pytest.raises(CancelledError):
        read_result(result, name="alone", number=0)
    assert asked == [1]


@pytest.mark.parametrize(
    "error",
    [
        PolicyNotInForceError("reserve.queue_order", profile="p", as_of=date(2026, 1, 1)),
        InputError("wrong", field="kva", value=3, allowed="more"),
        CancelledError("over"),
    ],
)
@pytest.mark.usefixtures("no_open_grids")
def test_an_expected_error_of_a_task_arrives_as_it_was_raised(
    error: Exception, shared_grid: AssessedGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setitem(TASKS, "alone", fail)
    content = content_of(shared_grid)
    result = do_task(
        "alone", content.grid_id, 0, pack_rows([]), fetch=lambda: pack(content), is_cancelled=lambda: False
    )
    with pytest.raises(type(error)) as caught:
        read_result(result, name="alone", number=0)
    assert str(caught.value) == str(error)
    assert vars(caught.value) == vars(error)


def test_a_packed_grid_with_one_byte_changed_is_refused(shared_grid: AssessedGrid) -> None:
    content = content_of(shared_grid)
    packed = pack(content)
    unpack(packed, grid_id=content.grid_id)
    with pytest.raises(SnapshotFormatError):
        unpack(packed, grid_id="0" * 64)
    for part in (content.snapshot, content.capacity):
        at = packed.index(part) + len(part) // 2
        damaged = packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1 :]
        with pytest.raises(SnapshotFormatError):
            unpack(damaged, grid_id=content.grid_id)


def test_a_commitment_or_another_table_makes_another_grid(shared_grid: AssessedGrid) -> None:
    first = content_of(shared_grid).grid_id
    assert content_of(grid()).grid_id == first
    other = shared_grid.capacity.copy()
    other.loc[other.index[0], "open_kva"] = 1.5
    assert content_of(grid(capacity=other)).grid_id != first
    changed = two_villages()
    changed.net.load.loc[0, "p_mw"] += 0.001
    assert content_of(AssessedGrid(changed, policy(), load_catalogue(), capacity=other)).grid_id != first


def test_a_process_with_other_rules_is_refused(shared_grid: AssessedGrid, tmp_path: Path) -> None:
    """The grid was made under the shipped rules; the folder says otherwise."""
    content = content_of(shared_grid)
    (tmp_path / "profile.yaml").write_text("id: own\ntitle: own\ninherits: shenqiu-2022\n", encoding="utf-8")
    with pytest.raises(WorkersDifferError, match="rules"):
        unpack(pack(content, policy_folder=tmp_path), grid_id=content.grid_id)


def test_the_rules_of_a_utility_travel_as_text(shared_grid: AssessedGrid, tmp_path: Path) -> None:
    from scheme.policy.loader import load_policy

    (tmp_path / "profile.yaml").write_text("id: own\ntitle: own\ninherits: shenqiu-2022\n", encoding="utf-8")
    own = load_policy("own", policy().as_of, folder=tmp_path)
    content = content_of(AssessedGrid(two_villages(), own, load_catalogue(), capacity=shared_grid.capacity))
    packed = pack(content, policy_folder=tmp_path)
    (tmp_path / "profile.yaml").unlink()
    opened = unpack(packed, grid_id=content.grid_id)
    assert (opened.policy.profile, opened.policy.sha256) == ("own", own.sha256)


def test_rows_cannot_be_read_off_the_arguments_of_a_task() -> None:
    assert b"P00" not in pack_rows([PROJECTS[0].as_dict()])
    assert json.loads(json.dumps(PROJECTS[0].as_dict())) == PROJECTS[0].as_dict()
