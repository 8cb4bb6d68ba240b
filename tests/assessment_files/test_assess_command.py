"""``gridscheme assess`` as a planner sees it: on the township, four rows of which one is bad."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from api.cli import main
from scheme.assessment_store.restore import read_assessment
from scheme.store import Store
from tests.conftest import FIXTURES
from tests.library.test_importing import GOOD, csv_of

TOWNSHIP = FIXTURES / "township"
BAD_KW = "很多"


def table() -> bytes:
    """Beside three poles of the township; the last row says no number of kilowatts."""
    nodes = list(csv.DictReader(io.StringIO((TOWNSHIP / "nodes.csv").read_text("utf-8"))))
    poles = [node for node in nodes if node["u_nominal_kv"] == "10"][5:35:10]
    rows = [
        {**GOOD, "source_id": f"P{number}", "lon_deg": pole["lon_deg"], "lat_deg": pole["lat_deg"], "installed_kw": kw}
        for number, (pole, kw) in enumerate(zip(poles, ("200", "60", "90"), strict=True), start=1)
    ]
    return csv_of(*rows, {**rows[0], "source_id": "P4", "installed_kw": BAD_KW})


@pytest.fixture(scope="module")
def grid_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("assess") / "grid.db"
    assert main(["import", str(TOWNSHIP), "--db", str(file)]) == 0
    return file


def run(capsys: pytest.CaptureFixture[str], grid_file: Path, *arguments: object) -> tuple[int, Any]:
    capsys.readouterr()
    status = main(["assess", *map(str, arguments), "--db", str(grid_file), "--as-of", "2026-11-22", "--json"])
    told = capsys.readouterr()
    return status, json.loads(told.out) if told.out else told.err


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    file = tmp_path / "projects.csv"
    file.write_bytes(table())
    return file


def test_a_folder_takes_every_kind_of_file_and_a_bad_row_makes_the_status_one(
    tmp_path: Path, grid_file: Path, projects: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results"
    status, told = run(capsys, grid_file, projects, "--out", out)
    assert status == 1
    assert told["projects"] == 3
    assert [(finding["row"], finding["value"]) for finding in told["findings"]] == [(4, BAD_KW)]
    assert sorted(path.name for path in tmp_path.glob("**/*") if path.is_file()) == [
        "assessment.geojson",
        "assessment.json",
        "assessment.pdf",
        "assessment.xlsx",
        "projects.csv",
    ], "no journal and no draft is left behind"
    kept = read_assessment((out / "assessment.json").read_bytes())
    assert [result.queue.verdict for result in kept.projects].count("yes") == told["verdicts"]["yes"]
    book = openpyxl.load_workbook(out / "assessment.xlsx")
    sheet = book[book.sheetnames[0]]
    assert [cell.value for cell in sheet["B"]] == ["source_id", "P1", "P2", "P3", "P4"]
    assert (out / "assessment.pdf").read_bytes().startswith(b"%PDF")
    with Store(str(grid_file)).read() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM ledger_hold").scalar()
    assert count == 0, "an assessment holds nothing"


def test_a_reader_is_told_the_row_and_the_value_that_are_wrong(
    tmp_path: Path, grid_file: Path, projects: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    arguments = ["assess", str(projects), "--out", str(tmp_path / "a.json"), "--db", str(grid_file)]
    assert main([*arguments, "--as-of", "2026-11-22"]) == 1
    told = capsys.readouterr().out
    assert "3 个项目" in told
    assert f"projects.csv projects 4 installed_kw 值 {BAD_KW}" in told


def test_who_is_left_out_by_the_scenario_is_told_beside_the_run_before(
    tmp_path: Path, grid_file: Path, projects: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, scenario = tmp_path / "a.json", tmp_path / "b.json", tmp_path / "s.json"
    assert run(capsys, grid_file, projects, "--out", first)[0] == 1
    ids = [result.project_id for result in read_assessment(first.read_bytes()).projects]
    scenario.write_text(json.dumps({"name": "不含第一个", "excluded_ids": ids[:1]}), "utf-8")
    status, told = run(capsys, grid_file, projects, "--out", second, "--scenario", scenario, "--compare-with", first)
    assert (status, told["projects"], told["scenario"]) == (1, 2, "不含第一个")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--out", "result.txt"], "--out"),
        (["--out", "missing/result.xlsx"], "--out"),
        (["--out", "results", "--scenario", "nobody.json"], "nobody.json"),
        (["--out", "r.json", "--scenario", "nobody.json"], "nobody.json"),
        (["--out", "r.json", "--scenario", "bad.json"], "colour"),
        (["--out", "r.json", "--compare-with", "bad.json"], "--compare-with"),
        (["--out", "r.json", "--workers", "2", "--scheduler", "tcp://127.0.0.1:1"], "scheduler"),
        (["--out", "r.json", "--scheduler", "tcp://10.0.0.1:8786"], "scheduler"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_written(
    arguments: list[str],
    named: str,
    tmp_path: Path,
    grid_file: Path,
    projects: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.json").write_text('{"name": "x", "colour": 1}', "utf-8")
    status, told = run(capsys, grid_file, projects, *arguments)
    assert status == 2
    assert named in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.json", "projects.csv"]
