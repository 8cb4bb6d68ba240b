"""The command line with calculations that answer at once: exit status, streams, files; nothing half-written."""

from __future__ import annotations

import csv
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import api.services
from api.cli import main
from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.store import Store
from tests.api.conftest import REQUEST, fake_parts, fake_scheme

Run = Callable[..., "Outcome"]


class Outcome:
    def __init__(self, status: int, stdout: str, stderr: str) -> None:
        self.status, self.stdout, self.stderr = status, stdout, stderr

    @property
    def document(self) -> Any:
        return json.loads(self.stdout)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GRIDSCHEME_DB", raising=False)
    monkeypatch.setattr(api.services, "product_parts", lambda policy_folder=None: fake_parts())

    def call(*arguments: str) -> Outcome:
        status = main(arguments)
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return call


@pytest.fixture
def imported(tmp_path: Path, snapshot: Snapshot) -> Path:
    file = tmp_path / "gridscheme.db"
    Store(str(file)).store_snapshot(snapshot)
    return file


def write_request(folder: Path, **changes: Any) -> Path:
    path = folder / "request.json"
    path.write_text(json.dumps({**REQUEST, **changes}), encoding="utf-8")
    return path


def assert_one_message(outcome: Outcome, *parts: str) -> None:
    assert outcome.status == 2, outcome.stderr
    assert outcome.stdout == ""
    assert outcome.stderr.count("\n") == 1, outcome.stderr
    for part in parts:
        assert part in outcome.stderr


def test_capacity_is_written_with_the_columns_of_the_contract_first(run: Run, imported: Path, tmp_path: Path) -> None:
    outcome = run("capacity", "--out", "capacity.csv")
    assert outcome.status == 0, outcome.stderr
    assert "不可相加" in outcome.stdout
    with (tmp_path / "capacity.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    expected = (
        "node_id,source_id,u_nominal_kv,lon_deg,lat_deg,status,administrative_kva,physical_kva,open_kva,limit_kind,"
        "limit_element_id,limit_hour"
    )
    assert ",".join(list(rows[0])[:12]) == expected
    assert float(rows[0]["open_kva"]) == 1200.0
    assert (rows[1]["status"], rows[1]["open_kva"]) == ("not_assessable", "")
    assert rows[0]["is_additive"] == "False"


def test_csv_text_cannot_run_as_a_formula(run: Run, imported: Path, tmp_path: Path) -> None:
    run("capacity", "--out", "capacity.csv")
    with (tmp_path / "capacity.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == ["'=1+1", "村东"]


def test_geojson_holds_points_and_nulls(run: Run, imported: Path, tmp_path: Path) -> None:
    assert run("capacity", "--out", "capacity.geojson").status == 0
    document = json.loads((tmp_path / "capacity.geojson").read_text(encoding="utf-8"))
    assert [feature["geometry"] for feature in document["features"]] == [
        {"type": "Point", "coordinates": [115.1, 33.4]},
        None,
    ]
    assert document["features"][1]["properties"]["open_kva"] is None


def test_geopackage_and_parquet_hold_the_same_values(run: Run, imported: Path, tmp_path: Path) -> None:
    import geopandas
    import pandas as pd

    assert run("capacity", "--out", "capacity.gpkg").status == 0
    assert run("capacity", "--out", "capacity.PARQUET").status == 0
    layer = geopandas.read_file(tmp_path / "capacity.gpkg", layer="capacity")
    table = pd.read_parquet(tmp_path / "capacity.PARQUET")
    for frame in (layer, table):
        assert frame["node_id"].tolist() == ["n0", "n1"]
        assert frame["open_kva"].isna().tolist() == [False, True]
        assert frame["open_kva"][0] == 1200.0
    assert (layer.geometry[0].x, layer.geometry[0].y) == (115.1, 33.4)
    assert layer.geometry[1] is None


def test_generation_is_a_layer_of_its_own(tmp_path: Path) -> None:
    import geopandas
    import pandas as pd

    from api.capacity_files import write_capacity

    table = pd.DataFrame(
        {"node_id": ["n0"], "source_id": ["0"], "u_nominal_kv": [10.0], "lon_deg": [115.1], "lat_deg": [33.4]}
    ).assign(status="assessed", open_kva=1200.0, generation_kw=350.0, generation_limit_kind="voltage_high")
    write_capacity(table, tmp_path / "capacity.gpkg")
    load, generation = (geopandas.read_file(tmp_path / "capacity.gpkg", layer=n) for n in ("capacity", "generation"))
    assert "generation_kw" not in load
    assert load.open_kva[0] == 1200.0
    assert "open_kva" not in generation
    assert generation.generation_kw[0] == 350.0
    assert (generation.node_id[0], generation.geometry[0].x) == ("n0", 115.1)


def test_certificate_of_both_engines_is_told(run: Run, imported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def certified(*arguments: Any, **options: Any) -> Any:
        asked.append(options["confirm"])
        table = fake_parts().node_capacity(*arguments, **options)
        bulk = {"nodes_checked": 1, "difference_kw_max": 0.125, "nodes_not_checked": 1, "reasons": {"at a source": 1}}
        table.attrs["certificate"] = {"nodes_checked": 1, "difference_kw_max": 0.25, "bulk": bulk}
        return table

    monkeypatch.setattr(api.services, "product_parts", lambda policy_folder=None: fake_parts(node_capacity=certified))
    outcome = run("capacity", "--out", "capacity.csv", "--certify")
    assert asked == ["bulk"]
    assert "0.250 kW" in outcome.stdout
    assert "0.125 kW" in outcome.stdout
    assert "at a source 1" in outcome.stdout


def test_json_is_exactly_one_document_on_stdout(run: Run, imported: Path) -> None:
    document = run("capacity", "--out", "capacity.csv", "--json").document
    assert document["by_status"] == {"assessed": 1, "not_assessable": 1}
    assert document["open_kva_by_u_nominal_kv"]["10"]["p50"] == 1200.0
    assert "不可相加" in document["note"]


def test_scheme_writes_documents_and_keeps_the_scheme(run: Run, imported: Path, tmp_path: Path) -> None:
    outcome = run("scheme", str(write_request(tmp_path)), "--out", "new/folder", "--json")
    assert (outcome.status, outcome.document["verdict"]) == (0, "answered")
    assert sorted(path.name for path in (tmp_path / "new/folder").iterdir()) == ["scheme.json", "scheme.pdf"]
    stored = Store(str(imported)).get_scheme("sch_R-1")
    assert json.loads(stored.content) == outcome.document


def test_documents_of_an_earlier_scheme_are_taken_away(run: Run, imported: Path, tmp_path: Path) -> None:
    """A works order left lying would pass for the new scheme's; a stranger's file stays."""
    folder = tmp_path / "o"
    folder.mkdir()
    for name in ("works_order.pdf", "diagram.dxf", "notes.txt"):
        (folder / name).write_text("older")
    assert run("scheme", str(write_request(tmp_path)), "--out", "o").status == 0
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", "scheme.json", "scheme.pdf"]


def test_refusal_is_done_with_status_1(run: Run, imported: Path, tmp_path: Path) -> None:
    path = write_request(tmp_path, demand={"installed_kw": 5000.0})
    outcome = run("scheme", str(path), "--out", "o")
    assert outcome.status == 1
    assert "转专业联动" in outcome.stdout
    assert "容量不足" in outcome.stdout


@pytest.mark.parametrize("is_before", [True, False])
@pytest.mark.parametrize(
    ("option", "value", "key"),
    [("--profile", "xinyang-2021", "profile"), ("--as-of", "2025-01-31", "as_of")],
)
def test_shared_options_stand_before_or_after_the_command(
    run: Run, imported: Path, tmp_path: Path, is_before: bool, option: str, value: str, key: str
) -> None:
    words = ["scheme", str(write_request(tmp_path)), "--out", "o"]
    words = ["--json", option, value, *words] if is_before else [*words, option, value, "--json"]
    assert run(*words).document["provenance"][key] == value


def test_database_is_named_by_option_before_environment(
    run: Run, tmp_path: Path, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(str(tmp_path / "named.db")).store_snapshot(snapshot)
    url = f"sqlite:///{tmp_path / 'named.db'}"
    for words in (("--db", url, "capacity", "--out", "a.csv"), ("capacity", "--out", "b.csv", "--db", "named.db")):
        monkeypatch.setenv("GRIDSCHEME_DB", str(tmp_path / "other.db"))
        assert run(*words).status == 0
    monkeypatch.setenv("GRIDSCHEME_DB", url)
    assert run("capacity", "--out", "c.csv").status == 0
    assert not (tmp_path / "gridscheme.db").exists()


def test_without_an_import_the_message_says_what_to_do(run: Run, tmp_path: Path) -> None:
    assert_one_message(run("capacity", "--out", "a.csv"), "gridscheme import")
    assert_one_message(run("scheme", str(write_request(tmp_path)), "--out", "o"), "gridscheme import")
    assert not (tmp_path / "gridscheme.db").exists()


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ((), ("command",)),
        (("nonsense",), ("nonsense",)),
        (("assess", "x", "--out", "y"), ("file x", "table of projects")),
        (("assess", "x"), ("--out",)),
        (("capacity",), ("--out",)),
        (("capacity", "--out", "a.csv", "--wrong"), ("--wrong",)),
        (("capacity", "--out", "a.xlsx"), ("--out", "a.xlsx", ".csv, .geojson, .gpkg, .parquet")),
        (("capacity", "--out", "no/such/folder/a.csv"), ("--out", "folder")),
        (("capacity", "--out", "a.csv", "--generation"), ("--generation", "--curves")),
        (("capacity", "--out", "a.csv", "--flexible"), ("--flexible", "--curves")),
        (("capacity", "--out", "a.csv", "--curves", "no.csv"), ("no.csv",)),
        (("capacity", "--out", "a.csv", "--curves", "no.csv", "--certify"), ("--certify",)),
        (("--as-of", "01.02.2026", "capacity", "--out", "a.csv"), ("--as-of", "01.02.2026", "YYYY-MM-DD")),
        (("capacity", "--out", "a.csv", "--as-of", "2026-02-30"), ("--as-of", "2026-02-30")),
        (("capacity", "--out", "a.csv", "--as-of", "20260201"), ("--as-of",)),
        (("--db", "mysql://u:secret@h/d", "capacity", "--out", "a.csv"), ("--db", "postgresql")),
        (("check", "x", "--format", "excel"), ("--format", "excel")),
        (("serve", "--host", "0.0.0.0"), ("--host", "0.0.0.0", "authentication")),
        (("serve", "--host", "192.168.1.9"), ("--host", "authentication")),
        (("serve", "--host", "example.org"), ("--host",)),
        (("serve", "--port", "70000"), ("--port", "70000", "65535")),
        (("serve", "--port", "-1"), ("--port",)),
        (("serve", "--port", "http"), ("--port", "http")),
        (("scheme", "missing.json", "--out", "o"), ("missing.json",)),
    ],
)
def test_wrong_usage_is_one_message_and_status_2(run: Run, words: tuple[str, ...], parts: tuple[str, ...]) -> None:
    outcome = run(*words)
    assert_one_message(outcome, *parts)
    assert "secret" not in outcome.stderr


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"{", ("JSON",)),
        (b"\xff\xfe", ("UTF-8",)),
        (json.dumps({**REQUEST, "colour": "red"}).encode(), ("colour",)),
        (json.dumps({**REQUEST, "demand": {"installed_kw": -1.0}}).encode(), ("demand.installed_kw", "-1", "> 0")),
        (json.dumps({**REQUEST, "location": {"lon_deg": 1.0, "lat_deg": 2.0}}).encode(), ("location.datum",)),
        (b" " * 300_000, ("too large",)),
    ],
)
def test_wrong_request_names_file_field_and_value(
    run: Run, imported: Path, tmp_path: Path, content: bytes, parts: tuple[str, ...]
) -> None:
    before = imported.read_bytes()
    (tmp_path / "request.json").write_bytes(content)
    assert_one_message(run("scheme", "request.json", "--out", "o"), "request.json", *parts)
    assert imported.read_bytes() == before
    assert not (tmp_path / "o").exists()


def test_error_about_the_place_names_the_request_file(run: Run, imported: Path, tmp_path: Path) -> None:
    path = write_request(tmp_path, location={"lon_deg": 115.1, "lat_deg": 70.0, "datum": "CGCS2000"})
    assert_one_message(run("scheme", str(path), "--out", "o"), "request.json", "location", "outside the service area")


def test_folder_as_request_is_refused(run: Run, imported: Path, tmp_path: Path) -> None:
    assert_one_message(run("scheme", str(tmp_path), "--out", "o"))


def test_file_in_place_of_the_output_folder_is_refused(run: Run, imported: Path, tmp_path: Path) -> None:
    (tmp_path / "o").write_text("kept")
    assert_one_message(run("scheme", str(write_request(tmp_path)), "--out", "o"), "--out")
    assert (tmp_path / "o").read_text() == "kept"


def test_port_in_use_is_refused(run: Run, imported: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert_one_message(run("serve", "--port", str(taken.getsockname()[1])), "--port")


def test_interrupt_leaves_nothing_half_written(
    run: Run, imported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(api.services, "product_parts", lambda policy_folder=None: fake_parts(node_capacity=interrupt))
    before = imported.read_bytes()
    (tmp_path / "a.csv").write_text("older")
    outcome = run("capacity", "--out", "a.csv")
    assert (outcome.status, outcome.stderr.count("\n")) == (130, 1)
    assert "interrupted" in outcome.stderr
    assert (tmp_path / "a.csv").read_text() == "older"
    assert imported.read_bytes() == before
    monkeypatch.setattr(api.services, "product_parts", lambda policy_folder=None: fake_parts(write_documents=interrupt))
    assert run("scheme", str(write_request(tmp_path)), "--out", "o").status == 130
    assert not (tmp_path / "o").exists()
    assert imported.read_bytes() == before


def test_refused_request_leaves_no_folder(
    run: Run, imported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise InputError("date is too late to count from", field="as_of", value="9999-12-31")

    monkeypatch.setattr(api.services, "product_parts", lambda policy_folder=None: fake_parts(generate_scheme=refuse))
    outcome = run("scheme", str(write_request(tmp_path)), "--out", "new/deep")
    assert_one_message(outcome, "field --as-of", "9999-12-31")
    assert "request.json" not in outcome.stderr
    assert not (tmp_path / "new").exists()
    (tmp_path / "kept").mkdir()
    assert run("scheme", str(write_request(tmp_path)), "--out", "kept").status == 2
    assert list((tmp_path / "kept").iterdir()) == []


def test_fault_is_one_line_and_status_3(run: Run, imported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken\nin two lines")

    monkeypatch.setattr(api.services, "product_parts", lambda policy_folder=None: fake_parts(node_capacity=fail))
    outcome = run("capacity", "--out", "a.csv")
    assert (outcome.status, outcome.stdout, outcome.stderr.count("\n")) == (3, "", 1)
    debugged = run("capacity", "--out", "a.csv", "--debug")
    assert debugged.status == 3
    assert "Traceback" in debugged.stderr


def test_help_and_version_answer(run: Run) -> None:
    assert run("--help").status == 0
    for name in ("demo", "import", "check", "capacity", "scheme", "serve", "template"):
        outcome = run(name, "--help")
        assert outcome.status == 0
        assert "--as-of" in outcome.stdout
    assert run("--version").stdout.startswith("gridscheme ")


def test_command_line_and_help_import_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "import api.cli\n"
        "api.cli.main(['--help'])\n"
        "heavy = {'pandapower', 'power_grid_model', 'geopandas', 'sqlalchemy', 'fastapi'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_stock_table_reaches_the_calculation(
    run: Run, imported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def keep(request: Any, **more: Any) -> Any:
        given.append(more["stock"])
        return fake_scheme(request, **more)

    monkeypatch.setattr(api.services, "product_parts", lambda policy_folder=None: fake_parts(generate_scheme=keep))
    header, lot = "type_id,name,status,quantity,unit,as_of", "SW-VCB,断路器,in_stock,2,台,2026-06-01"
    (tmp_path / "stock.csv").write_text(f"{header}\n{lot}\n", encoding="utf-8")
    request = str(write_request(tmp_path))
    assert run("scheme", request, "--out", "a", "--stock", "stock.csv").status == 0
    assert run("scheme", request, "--out", "b").status == 0
    assert [None if stock is None else stock.rows[0].type_id for stock in given] == ["SW-VCB", None]


def test_bad_row_of_a_stock_table_is_named(run: Run, imported: Path, tmp_path: Path) -> None:
    (tmp_path / "stock.csv").write_text(
        "type_id,name,status,quantity,unit,as_of\nSW-VCB,断路器,in_stock,-2,台,2026-06-01\n", encoding="utf-8"
    )
    outcome = run("scheme", str(write_request(tmp_path)), "--out", "a", "--stock", "stock.csv")
    assert_one_message(outcome, "file stock.csv", "row 1", "field quantity", "'-2'")
    assert not (tmp_path / "a").exists()
