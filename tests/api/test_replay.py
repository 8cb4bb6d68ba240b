"""A scheme is reproduced byte for byte from its record, and what stands in the way is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import api.services
from api.cli import main
from tests.api.test_import import six_bus_json
from tests.api.test_main_job import DATE, REQUEST


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a store and two schemes, one answered before the capacity table was there and one after."""
    folder = tmp_path_factory.mktemp("replay")
    (folder / "six.json").write_text(six_bus_json(), encoding="utf-8")
    (folder / "request.json").write_text(json.dumps(REQUEST), encoding="utf-8")
    shared = ("--db", str(folder / "six.db"), "--as-of", DATE)
    assert main([*shared, "import", str(folder / "six.json")]) == 0
    assert main([*shared, "scheme", str(folder / "request.json"), "--out", str(folder / "without")]) == 0
    assert main([*shared, "capacity", "--out", str(folder / "capacity.csv")]) == 0
    assert main([*shared, "scheme", str(folder / "request.json"), "--out", str(folder / "with")]) == 0
    return folder


def replayed(folder: Path, record: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    capsys.readouterr()
    status = main(["--json", "--db", str(folder / "six.db"), "replay", str(record)])
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", ["without", "with"])
def test_scheme_comes_out_the_same_byte_for_byte(answered: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, outcome = replayed(answered, answered / name / "scheme.json", capsys)
    assert (status, outcome["is_identical"], outcome["differences"]) == (0, True, [])


def test_record_says_whether_a_capacity_table_was_at_hand(answered: Path) -> None:
    used = [
        json.loads((answered / name / "scheme.json").read_bytes())["provenance"]["capacity_parameters_sha256"]
        for name in ("without", "with")
    ]
    assert used[0] is None
    assert len(used[1]) == 64


def test_altered_record_is_found_out_by_place(
    answered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = json.loads((answered / "with" / "scheme.json").read_bytes())
    record["variants"][0]["distance_m"] += 1.0
    (tmp_path / "altered.json").write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    status, outcome = replayed(answered, tmp_path / "altered.json", capsys)
    assert (status, outcome["is_identical"]) == (1, False)
    assert [difference["place"] for difference in outcome["differences"]] == ["variants[0].distance_m"]


def test_other_version_of_the_product_is_named_and_nothing_is_computed(
    answered: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api.services, "product_version", lambda: "99.0")
    monkeypatch.setattr(api.services.Services, "write_answer", None)
    status, outcome = replayed(answered, answered / "with" / "scheme.json", capsys)
    assert status == 1
    assert [difference["place"] for difference in outcome["differences"]] == ["provenance.version"]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("[1", ("not valid JSON",)),
        ("{}", ("not a scheme", "request")),
        ('{"request": {}, "scheme_id": "s", "provenance": {}}', ("not a scheme", "provenance.snapshot_sha256")),
    ],
)
def test_file_that_is_no_scheme_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, parts: tuple[str, ...]
) -> None:
    (tmp_path / "x.json").write_text(content, encoding="utf-8")
    assert main(["--db", str(tmp_path / "none.db"), "replay", str(tmp_path / "x.json")]) == 2
    message = capsys.readouterr().err
    for part in ("x.json", *parts):
        assert part in message
