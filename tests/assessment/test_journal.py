"""A run that is begun again does no task twice, and believes nothing that is not whole."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.errors import InputError
from scheme.assessment import engine
from scheme.assessment import journal as journal_module
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.journal import FileJournal, Journalled, key_of
from scheme.errors import CancelledError
from scheme.policy.loader import load_policy
from tests.assessment.counted import Counted
from tests.assessment.grids import AS_OF, assess, policy, project, two_villages
from tests.assessment.held import wait_for, wait_for_end

PROJECTS = [
    project(f"P{number:02d}", kva=18, at=(40_000.0 * (number % 2), 0.0), received_on=date(2026, 1, 1 + number))
    for number in range(4)
]
KEYS = ["a" * 64, "b" * 64, "c" * 64]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of three entries."""
    path = tmp_path / "journal"
    with FileJournal(path) as journal:
        for number, key in enumerate(KEYS):
            journal.put(key, [{"project_id": f"项目{number}", "u_pu": 0.1 + 0.2}])
    return path


def whole(path: Path) -> list[bool]:
    with FileJournal(path) as journal:
        return [journal.get(key) == [{"project_id": f"项目{n}", "u_pu": 0.1 + 0.2}] for n, key in enumerate(KEYS)]


def test_a_run_that_was_cut_off_is_finished_without_doing_a_task_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_CHUNK", 2)  # a group is a task
    path, seen = tmp_path / "journal", []
    undisturbed = assess(PROJECTS, two_villages())

    def cut_off() -> bool:
        """After all were looked at alone and the first group's task is done."""
        return len(seen) > len(PROJECTS) + 2

    first = Counted()
    with FileJournal(path) as journal, pytest.raises(CancelledError):
        assess(
            PROJECTS,
            two_villages(),
            workers=Journalled(first, journal),
            progress=lambda done, total: seen.append(done),
            cancelled=cut_off,
        )
    assert first.projects_count > len(PROJECTS)
    steps: list[int] = []
    second = Counted()
    with FileJournal(path) as journal:
        found = assess(
            PROJECTS,
            two_villages(),
            workers=Journalled(second, journal),
            progress=lambda done, total: steps.append(done),
        )
    assert found.to_json() == undisturbed.to_json()
    assert 0 < second.projects_count < len(PROJECTS)
    assert steps[-1] == 2 * len(PROJECTS)
    third = Counted()
    with FileJournal(path) as journal:
        assert assess(PROJECTS, two_villages(), workers=Journalled(third, journal)).to_json() == found.to_json()
        journal.remove()
    assert third.projects_count == 0
    assert not path.exists()


RUN_TO_BE_KILLED = """
import sys
from functools import partial
from pathlib import Path

from scheme.assessment.journal import FileJournal, Journalled
from scheme.assessment.pool import ProcessPool, run_task
from tests.assessment.grids import assess, two_villages
from tests.assessment.held import hold_group
from tests.assessment.test_journal import PROJECTS

if __name__ == "__main__":
    folder = sys.argv[1]
    with FileJournal(Path(folder) / "journal") as journal, ProcessPool(2) as workers:
        workers.task = partial(hold_group, folder, run_task)
        assess(PROJECTS, two_villages(), workers=Journalled(workers, journal))
"""


@pytest.mark.slow
def test_a_run_killed_with_its_processes_at_work_is_finished_from_the_journal(tmp_path: Path) -> None:
    """SIGKILL while the first group's task is held; the process that held it ends by itself."""
    (tmp_path / "run.py").write_text(RUN_TO_BE_KILLED, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.Popen([sys.executable, str(tmp_path / "run.py"), str(tmp_path)], env=environment)
    wait_for(tmp_path / "held")
    run.kill()
    run.wait()
    wait_for_end(int((tmp_path / "held").read_text(encoding="utf-8")))
    counted = Counted()
    with FileJournal(tmp_path / "journal") as journal:
        found = assess(PROJECTS, two_villages(), workers=Journalled(counted, journal))
    assert 0 < counted.projects_count <= len(PROJECTS)
    assert found.to_json() == assess(PROJECTS, two_villages()).to_json()


def test_results_come_back_as_they_were_put(path: Path) -> None:
    assert whole(path) == [True, True, True]
    with FileJournal(path) as journal:
        assert journal.get("d" * 64) is None


@pytest.mark.parametrize("damaged", [0, 1, 2])
def test_an_entry_with_one_byte_changed_is_dropped_and_the_others_stand(path: Path, damaged: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    line = bytearray(lines[1 + damaged])
    line[len(line) // 2] ^= 1
    lines[1 + damaged] = bytes(line)
    path.write_bytes(b"".join(lines))
    assert whole(path) == [number != damaged for number in range(3)]


def test_wherever_the_file_ends_what_is_whole_stands_and_more_can_be_written(path: Path) -> None:
    content = path.read_bytes()
    ends = [len(b"".join(content.splitlines(keepends=True)[: 2 + number])) for number in range(3)]
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with FileJournal(path) as journal:
            assert [journal.get(key) is not None for key in KEYS] == [size >= end for end in ends]
            journal.put("d" * 64, [])
        with FileJournal(path) as journal:
            assert journal.get("d" * 64) == []


def test_what_is_put_is_on_the_disk_when_the_call_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with FileJournal(tmp_path / "journal") as journal:
        journal.put(KEYS[0], [])
        assert len(synced) == 1
        assert KEYS[0].encode() in (tmp_path / "journal").read_bytes()


def test_two_runs_do_not_write_one_journal(path: Path) -> None:
    with FileJournal(path), pytest.raises(InputError, match="another run"):
        FileJournal(path)
    FileJournal(path).close()


def test_another_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "projects.xlsx"
    path.write_bytes(b"PK something else\n")
    with pytest.raises(InputError, match="not a journal"):
        FileJournal(path)
    assert path.read_bytes() == b"PK something else\n"


def test_a_key_is_of_everything_the_result_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [PROJECTS[0].as_dict()]
    grid = AssessedGrid(two_villages(), policy(), load_catalogue(), capacity=None)
    capacity = grid.capacity.copy()
    capacity.loc[capacity.index[0], "open_kva"] = 1.5
    committed = two_villages()
    committed.in_flight.loc[0] = ["C1", 2, 5.0, 0.95, "2026-01-01", None]
    upgraded = two_villages()
    upgraded.net.trafo.loc[0, "sn_mva"] = 0.2
    others = [
        AssessedGrid(two_villages(), policy(), load_catalogue(), capacity=capacity),
        AssessedGrid(committed, policy(), load_catalogue(), capacity=grid.capacity),
        AssessedGrid(upgraded, policy(), load_catalogue(), capacity=grid.capacity),
        AssessedGrid(two_villages(), load_policy("xinyang-2021", AS_OF), load_catalogue(), capacity=grid.capacity),
        AssessedGrid(
            two_villages(), load_policy("shenqiu-2022", date(2026, 11, 23)), load_catalogue(), capacity=grid.capacity
        ),
    ]
    changed = [PROJECTS[0].as_dict() | {"demand_kva": 18.000001}]
    keys = [key_of("alone", rows, grid), key_of("groups", rows, grid), key_of("alone", changed, grid)]
    keys += [key_of("alone", rows, other) for other in others]
    monkeypatch.setattr(journal_module, "software_sha256", lambda: "newer")
    keys.append(key_of("alone", rows, grid))
    assert len(set(keys)) == len(keys)
    monkeypatch.undo()
    again = AssessedGrid(two_villages(), policy(), load_catalogue(), capacity=None)
    assert key_of("alone", [dict(reversed(rows[0].items()))], again) == keys[0]
