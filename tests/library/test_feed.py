"""A folder another system drops files into: each taken once, whatever crash comes between."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridmodel.errors import InputError
from scheme.library import feed as feeds
from scheme.library.feed import FolderFeed, Take, take_files
from scheme.library.reading import ProjectFilter, list_projects
from scheme.store import Store
from tests.library.examples import PLANNER, STAGES
from tests.library.test_importing import GOOD, csv_of


class CrashError(Exception):
    """The process ends here."""


@pytest.fixture
def store(store_url: str) -> Store:
    return Store(store_url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    return made


def take(store: Store, folder: Path) -> list[Take]:
    return take_files(store, FolderFeed(folder), STAGES, actor=PLANNER)


def revisions(store: Store) -> list[tuple[str, int]]:
    with store.read() as connection:
        return [(p.entry.name, p.revision_no) for p in list_projects(connection, ProjectFilter())]


def test_files_are_taken_oldest_first_and_moved_with_their_findings(store: Store, folder: Path) -> None:
    (folder / "b.csv").write_bytes(csv_of(GOOD))
    (folder / "a.csv").write_bytes(csv_of({**GOOD, "name": "乙"}, {**GOOD, "source_id": "2", "datum": ""}))
    import os

    os.utime(folder / "b.csv", (1, 1))
    for ignored in (".half.csv", "notes.txt"):
        (folder / ignored).write_bytes(csv_of(GOOD))
    assert [(t.take_no, t.file, t.report["created"], t.report["updated"]) for t in take(store, folder)] == [
        (1, "b.csv", 1, 0),
        (2, "a.csv", 0, 1),
    ]
    assert sorted(path.name for path in (folder / "taken").iterdir()) == [
        "000001-b.csv",
        "000001-b.csv.findings.csv",
        "000002-a.csv",
        "000002-a.csv.findings.csv",
    ]
    findings = (folder / "taken" / "000002-a.csv.findings.csv").read_text("utf-8-sig")
    assert "place_incomplete" in findings
    assert "datum" in findings
    assert revisions(store) == [("乙", 2)]
    assert take(store, folder) == []


def test_an_unreadable_file_is_put_away_with_the_reason(store: Store, folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"colour\nred\n")
    (made,) = take(store, folder)
    assert [finding["code"] for finding in made.report["findings"]] == ["file_unreadable"]
    assert not (folder / "a.csv").exists()


@pytest.mark.parametrize("step", ["put_away", "_close"])
def test_a_crash_between_the_store_and_the_folder_takes_no_file_twice(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    (folder / "a.csv").write_bytes(csv_of(GOOD))

    def crash(*_: object) -> None:
        raise CrashError

    with monkeypatch.context() as crashing:
        crashing.setattr(FolderFeed if step == "put_away" else feeds, step, crash)
        with pytest.raises(CrashError):
            take(store, folder)
    again = take(store, folder)
    assert [t.take_no for t in again] == ([1] if step == "put_away" else [])
    assert sorted(path.name for path in (folder / "taken").glob("*.csv")) == [
        "000001-a.csv",
        "000001-a.csv.findings.csv",
    ]
    assert revisions(store) == [("甲", 1)]
    (folder / "a.csv").write_bytes(csv_of(GOOD))
    assert [(t.take_no, t.report["unchanged"]) for t in take(store, folder)] == [(2, 1)]


def test_a_crash_in_the_transaction_leaves_the_file_to_be_taken(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.csv").write_bytes(csv_of(GOOD))

    def crash(*_: object) -> None:
        raise CrashError

    with monkeypatch.context() as crashing:
        crashing.setattr(feeds, "to_text", crash)
        with pytest.raises(CrashError):
            take(store, folder)
    assert revisions(store) == []
    assert [t.report["created"] for t in take(store, folder)] == [1]


def test_two_processes_do_not_take_from_one_folder(store: Store, folder: Path) -> None:
    with FolderFeed(folder).turn(), pytest.raises(InputError, match="another process"):
        take(store, folder)
    with pytest.raises(InputError, match="no such folder"):
        FolderFeed(folder / "absent")
