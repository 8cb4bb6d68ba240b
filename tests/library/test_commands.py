"""``gridscheme projects`` as a planner sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api.cli import main
from tests.library.test_importing import GOOD, csv_of


def run(capsys: pytest.CaptureFixture[str], url: str, *arguments: object) -> tuple[int, Any]:
    """Run a command with ``--json`` and return its status and document."""
    status = main(["projects", *map(str, arguments), "--db", url, "--json"])
    out = capsys.readouterr().out
    return status, json.loads(out) if out else None


def test_a_file_is_taken_and_its_bad_rows_make_the_status_one(
    tmp_path: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file, findings = tmp_path / "a.csv", tmp_path / "f.csv"
    file.write_bytes(csv_of(GOOD, {**GOOD, "source_id": "2", "datum": ""}))
    status, outcome = run(capsys, sqlite_url, "import", file, "--all-or-nothing")
    assert (status, outcome["is_taken"]) == (1, False)
    status, outcome = run(capsys, sqlite_url, "import", file, "--findings", findings)
    assert (status, outcome["created"], outcome["refused"]) == (1, 1, 1)
    assert "place_incomplete" in findings.read_text("utf-8-sig")
    file.write_bytes(csv_of(GOOD))
    status, outcome = run(capsys, sqlite_url, "import", file)
    assert (status, outcome["unchanged"]) == (0, 1)
    status, listed = run(capsys, sqlite_url, "list", "--stage", "reserve", "--text", "甲")
    assert (status, [row["entry"]["source_id"] for row in listed["projects"]]) == (0, ["1"])
    assert run(capsys, sqlite_url, "list", "--stage", "formal")[1] == {"projects": []}


def test_the_template_is_written_once_and_taken_back(
    tmp_path: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "t.xlsx"
    assert run(capsys, sqlite_url, "template", file) == (0, {"out": str(file)})
    assert run(capsys, sqlite_url, "import", file)[0] == 0
    assert main(["projects", "template", str(file)]) == 2
    assert "overwrite" in capsys.readouterr().err


def test_a_folder_is_emptied(tmp_path: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "a.csv").write_bytes(csv_of(GOOD))
    status, told = run(capsys, sqlite_url, "take", folder)
    assert (status, [(take["take_no"], take["created"]) for take in told["takes"]]) == (0, [(1, 1)])
    (folder / "b.csv").write_bytes(b"colour\n")
    assert run(capsys, sqlite_url, "take", folder)[0] == 1
    assert [path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")] == []


def test_people_are_told_in_words(tmp_path: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(csv_of({**GOOD, **dict.fromkeys(("lon_deg", "lat_deg", "datum"), "")}))
    assert main(["projects", "import", str(file), "--db", sqlite_url]) == 0
    assert main(["projects", "list", "--db", sqlite_url]) == 0
    shown = capsys.readouterr().out
    assert "新增 1" in shown
    assert "缺位置" in shown
    assert main(["projects", "import", str(tmp_path / "absent.csv"), "--db", sqlite_url]) == 2
