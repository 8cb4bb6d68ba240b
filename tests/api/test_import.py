"""Import, check and template on real readers: a six-bus network written by pandapower, and damaged copies of it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pandapower as pp
import pytest

from api.cli import main
from scheme.store import Store
from tests.api.test_cli import Outcome, Run, assert_one_message


def six_bus_json() -> str:
    """A 10 kV feeder of three sections and one distribution transformer with a board and a pole."""
    net = pp.create_empty_network(name="six")
    mv = [pp.create_bus(net, vn_kv=10.0, name=f"m{no}", geodata=(115.1 + 0.01 * no, 33.4)) for no in range(4)]
    board = pp.create_bus(net, vn_kv=0.4, name="board", geodata=(115.13, 33.4))
    pole = pp.create_bus(net, vn_kv=0.4, name="pole", geodata=(115.131, 33.4))
    pp.create_ext_grid(net, mv[0], vm_pu=1.02)
    for start, end in itertools.pairwise(mv):
        pp.create_line_from_parameters(
            net, start, end, length_km=0.95, r_ohm_per_km=0.27, x_ohm_per_km=0.34, c_nf_per_km=10.0, max_i_ka=0.38
        )
    pp.create_transformer_from_parameters(
        net,
        mv[3],
        board,
        sn_mva=0.4,
        vn_hv_kv=10.0,
        vn_lv_kv=0.4,
        vk_percent=4.0,
        vkr_percent=1.1,
        pfe_kw=0.6,
        i0_percent=0.5,
    )
    pp.create_line_from_parameters(
        net, board, pole, length_km=0.1, r_ohm_per_km=0.3, x_ohm_per_km=0.1, c_nf_per_km=0.0, max_i_ka=0.2
    )
    pp.create_load(net, pole, p_mw=0.03, q_mvar=0.01)
    return str(pp.to_json(net))


@pytest.fixture(scope="module")
def network() -> str:
    return six_bus_json()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GRIDSCHEME_DB", raising=False)

    def call(*arguments: str) -> Outcome:
        status = main(arguments)
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return call


def test_import_stores_the_snapshot_as_current(run: Run, network: str, tmp_path: Path) -> None:
    (tmp_path / "six.json").write_text(network)
    outcome = run("import", "six.json", "--json")
    assert outcome.status == 0, outcome.stderr
    assert outcome.document["nodes"]["total"] == 6
    store = Store(str(tmp_path / "gridscheme.db"))
    assert store.find_current_sha256() == outcome.document["snapshot_sha256"]
    assert len(store.get_snapshot(outcome.document["snapshot_sha256"]).net.bus) == 6


def test_importing_the_same_file_again_gives_the_same_digest(run: Run, network: str, tmp_path: Path) -> None:
    (tmp_path / "six.json").write_text(network)
    first, second = (run("import", "six.json", "--json").document["snapshot_sha256"] for _ in range(2))
    assert first == second


def test_check_reports_without_storing(run: Run, network: str, tmp_path: Path) -> None:
    (tmp_path / "six.json").write_text(network)
    outcome = run("check", "six.json")
    assert outcome.status == 0, outcome.stderr
    assert "节点 6 个" in outcome.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["six.json"]


def damaged(network: str) -> str:
    """A line whose resistance is not a number: mandatory, so the row cannot be used."""
    net = pp.from_json_string(network)
    net.line.loc[1, "r_ohm_per_km"] = float("nan")
    return str(pp.to_json(net))


def test_blocking_findings_are_done_with_status_1(run: Run, network: str, tmp_path: Path) -> None:
    (tmp_path / "six.json").write_text(damaged(network))
    checked = run("check", "six.json", "--json")
    assert checked.status == 1, checked.stderr
    assert checked.document["findings_by_severity"]["error"] >= 1
    assert not (tmp_path / "gridscheme.db").exists()
    imported = run("import", "six.json", "--json")
    assert imported.status == 1
    assert Store(str(tmp_path / "gridscheme.db")).find_current_sha256() == imported.document["snapshot_sha256"]
    assert imported.document["nodes"]["not_assessable"] >= 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("six.json", b"{"),
        ("six.json", b"\x80\x04pickle"),
        ("six.json", b"[]"),
        ("six.json", b"[" * 100_000),
        ("six.json", json.dumps({"_module": "os", "_class": "system", "_object": "id"}).encode()),
        ("six.docx", b"PK"),
        ("cim.xml", b"<rdf/>"),
        ("six.xlsx", b"no workbook"),
    ],
)
def test_wrong_source_is_one_message_and_the_store_stays_as_it_was(
    run: Run, network: str, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / "good.json").write_text(network)
    run("import", "good.json")
    before = (tmp_path / "gridscheme.db").read_bytes()
    (tmp_path / name).write_bytes(content)
    assert_one_message(run("import", name), name)
    assert_one_message(run("check", name), name)
    assert (tmp_path / "gridscheme.db").read_bytes() == before


def test_source_that_is_missing_is_one_message_and_no_store(run: Run, tmp_path: Path) -> None:
    assert_one_message(run("import", "missing.json"), "missing.json")
    assert list(tmp_path.iterdir()) == []


def test_template_is_written_and_asks_for_the_network_first(run: Run, tmp_path: Path) -> None:
    assert run("template", "tables").status == 0
    assert any((tmp_path / "tables").glob("*.csv"))
    assert_one_message(run("check", "tables"), "network.csv")
