"""The whole way on the product's own calculations: six-bus file in, capacity table, scheme by file and by HTTP."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from api.cli import main
from api.demo import REQUESTS, township_folder
from api.services import Services
from scheme.store import Store
from tests.api.clients import make_client
from tests.api.test_import import six_bus_json

DATE = "2026-03-02"
REQUEST: dict[str, Any] = {
    "request_id": "R-6",
    "applicant": {"name": "村东磨坊", "category": "small_micro"},
    "business": "new",
    "location": {"lon_deg": 115.1312, "lat_deg": 33.4002, "datum": "CGCS2000"},
    "demand": {"installed_kw": 20.0},
    "received_on": "2026-03-01",
}


@dataclass(frozen=True)
class Job:
    """Folder with the results of the three commands, and their statuses."""

    folder: Path
    statuses: tuple[int, ...]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("job")
    (folder / "six.json").write_text(six_bus_json(), encoding="utf-8")
    (folder / "request.json").write_text(json.dumps(REQUEST), encoding="utf-8")
    shared = ("--db", str(folder / "six.db"), "--as-of", DATE)
    statuses = (
        main([*shared, "import", str(folder / "six.json")]),
        main([*shared, "capacity", "--out", str(folder / "capacity.csv")]),
        main([*shared, "scheme", str(folder / "request.json"), "--out", str(folder / "scheme")]),
    )
    return Job(folder=folder, statuses=statuses)


def test_every_command_is_done(job: Job) -> None:
    assert job.statuses == (0, 0, 0)


def test_every_node_has_a_row_and_no_refusal_is_shown_as_zero(job: Job) -> None:
    with (job.folder / "capacity.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["source_id"]: row for row in csv.DictReader(stream)}
    assert sorted(rows) == ["0", "1", "2", "3", "4", "5"]
    for row in rows.values():
        assert (row["status"] == "assessed") == (row["physical_kva"] != "")
    # The pole hangs on 0.1 km of a line rated 0.2 kA at 0.4 kV: 80 % of it is sqrt(3) * 0.4 * 0.16 = 110.9 kVA at most,
    # and the load of 31.6 kVA is there already.
    assert 0.0 < float(rows["5"]["physical_kva"]) < 110.9 - 31.6 + 3.0


def test_all_documents_are_written_and_stored(job: Job) -> None:
    names = ["diagram.dxf", "diagram.svg", "map.svg", "scheme.docx", "scheme.json", "scheme.pdf"]
    names += ["works_order.docx", "works_order.pdf"]  # the utility builds the service line of a small enterprise
    assert sorted(path.name for path in (job.folder / "scheme").iterdir()) == names
    scheme_id = json.loads((job.folder / "scheme/scheme.json").read_text(encoding="utf-8"))["scheme_id"]
    store = Store(str(job.folder / "six.db"))
    for name in names:
        assert store.get_document(scheme_id, name) == (job.folder / "scheme" / name).read_bytes()


def test_http_gives_the_bytes_the_command_line_gave(job: Job) -> None:
    store = Store(str(job.folder / "six.db"))
    services = Services(store, profile="shenqiu-2022", clock=lambda: date.fromisoformat(DATE))
    client = make_client(services)
    created = client.post("/v1/schemes", json=REQUEST, headers={"Idempotency-Key": "k"})
    assert created.status_code == 201
    assert created.content == (job.folder / "scheme/scheme.json").read_bytes()
    for kind, name in (("pdf", "scheme.pdf"), ("docx", "scheme.docx"), ("diagram", "diagram.svg"), ("map", "map.svg")):
        read = client.get(f"{created.headers['location']}/documents/{kind}")
        assert read.content == (job.folder / "scheme" / name).read_bytes()
    capacity = client.get("/v1/capacity")
    assert capacity.status_code == 200, "the table of the command line must be found again"
    assert capacity.json()["numberMatched"] == 6


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"location": {"lon_deg": 116.5, "lat_deg": 33.4, "datum": "CGCS2000"}}, "location"),
        ({"location": {"lon_deg": 33.4002, "lat_deg": 115.1312 - 33.0, "datum": "CGCS2000"}}, "location"),
        ({"received_on": "2026-03-03"}, "received_on"),
    ],
)
def test_request_that_does_not_fit_the_network_is_status_2(
    job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], field: str
) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps({**REQUEST, **changes}), encoding="utf-8")
    before = (job.folder / "six.db").read_bytes()
    status = main(
        ["--db", str(job.folder / "six.db"), "--as-of", DATE, "scheme", str(path), "--out", str(tmp_path / "o")]
    )
    captured = capsys.readouterr()
    assert (status, captured.out) == (2, "")
    assert captured.err.startswith(f"gridscheme: file request.json, field {field}")
    assert (job.folder / "six.db").read_bytes() == before


@pytest.mark.parametrize(
    ("option", "value", "part"),
    [("--profile", "nowhere", "shenqiu-2022, xinyang-2021"), ("--as-of", "1990-01-01", "1990-01-01")],
)
def test_profile_or_date_without_rules_is_status_2(
    job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, part: str
) -> None:
    status = main(["--db", str(job.folder / "six.db"), option, value, "capacity", "--out", str(tmp_path / "a.csv")])
    captured = capsys.readouterr()
    assert (status, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert part in captured.err


def test_demo_requests_are_the_example_requests() -> None:
    examples = township_folder().parent / "requests"
    for file, example in ((REQUESTS["lv"], "lv_small_micro.json"), (REQUESTS["mv"], "mv_10kv_single.json")):
        assert (township_folder() / "requests" / file).read_bytes() == (examples / example).read_bytes()
