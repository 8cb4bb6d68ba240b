"""Planted faults: each is found in the right place, and costs exactly the nodes worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmodel.errors import InputError
from gridmodel.readers.tables import read_tables
from gridmodel.snapshot import Snapshot
from tests.readers.small_network import Tables, small_network, write_folder

CASES = json.loads((Path(__file__).parents[2] / "fixtures" / "faults" / "cases.json").read_text(encoding="utf-8"))


def _change(tables: Tables, change: dict[str, Any]) -> None:
    rows = tables[change["table"]]
    if "copy_of_row" in change:
        rows.append({**rows[change["copy_of_row"] - 1], **change["values"]})
    else:
        rows[change["row"] - 1][change["column"]] = change["value"]


def _faulty(case: dict[str, Any], folder: Path) -> Snapshot:
    tables = small_network()
    for change in case["changes"]:
        for name in {change["column"]} if "column" in change else ():
            for row in tables[change["table"]]:
                row.setdefault(name, None)
        _change(tables, change)
    return read_tables(write_folder(tables, folder))


def _assert_counts_add_up(snapshot: Snapshot, tables: Tables) -> None:
    assert {count.table: count.read for count in snapshot.counts} == {name: len(rows) for name, rows in tables.items()}
    for count in snapshot.counts:
        assert count.read == count.accepted + count.quarantined + count.merged
        for disposition in ("quarantined", "merged"):
            rows = {f.row for f in snapshot.findings if f.table == count.table and f.disposition == disposition}
            assert len(rows) == getattr(count, disposition)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_planted_fault_is_found_and_costs_the_nodes_that_depend_on_it(case: dict[str, Any], tmp_path: Path) -> None:
    snapshot = _faulty(case, tmp_path / "net")
    found = {(f.file, f.table, f.row, f.column, f.code, f.disposition) for f in snapshot.findings}
    for expected in case["findings"]:
        place = (f"{expected['table']}.csv", *(expected[key] for key in ("table", "row", "column")))
        assert (*place, expected["code"], expected["disposition"]) in found, sorted(found, key=str)
    lost = snapshot.nodes[snapshot.nodes.status == "not_assessable"]
    assert sorted(lost.node_id) == sorted(case["not_assessable"])
    assert lost.reason.notna().all()
    assert snapshot.nodes[snapshot.nodes.status == "assessable"].reason.isna().all()


def test_the_clean_fixture_is_the_network_the_cases_change(tmp_path: Path) -> None:
    clean = read_tables(Path(__file__).parents[2] / "fixtures" / "faults" / "clean")
    assert clean.findings == ()
    assert clean.sha256 == read_tables(write_folder(small_network(), tmp_path / "clean")).sha256


def test_a_misplaced_node_keeps_its_supply_and_loses_its_place(tmp_path: Path) -> None:
    case = next(case for case in CASES if case["name"] == "longitude and latitude swapped")
    node = _faulty(case, tmp_path / "net").nodes.set_index("node_id").loc["P1"]
    assert node[["lon_deg", "lat_deg"]].isna().all()
    assert (node.feeder_id, node.status) == ("F1", "assessable")


def test_spare_bays_that_cannot_be_are_not_known_rather_than_zero(tmp_path: Path) -> None:
    case = next(case for case in CASES if case["name"] == "more spare bays than bays")
    assert _faulty(case, tmp_path / "net").nodes.set_index("node_id").loc["R1", ["spare_bays"]].isna().all()


def test_an_expired_commitment_holds_nothing(tmp_path: Path) -> None:
    case = next(case for case in CASES if case["name"] == "commitment expired")
    snapshot = _faulty(case, tmp_path / "net")
    assert len(snapshot.in_flight) == 0
    assert [f.severity for f in snapshot.findings] == ["info"]


def test_a_section_with_a_switch_of_unknown_state_is_out_of_service(tmp_path: Path) -> None:
    case = next(case for case in CASES if case["name"] == "switch with two ends")
    line = _faulty(case, tmp_path / "net").net.line.set_index("name")
    assert not line.in_service["L6"]
    assert line.in_service.drop("L6").all()


def test_a_network_without_a_usable_substation_is_refused_with_the_place(tmp_path: Path) -> None:
    tables = small_network()
    tables["substations"][0]["u_source_pu"] = 110
    with pytest.raises(InputError, match=r"substations.csv, row 1, field substations.u_source_pu"):
        read_tables(write_folder(tables, tmp_path / "net"))


_CELLS = [
    (name, row, column) for name, rows in small_network().items() for row, cells in enumerate(rows) for column in cells
]
_RUBBISH = st.one_of(
    st.sampled_from(
        ["", "nan", "-1", "0", "1e9", "1e999", "closed", "P1", "B1", "L1", "T1", "2099-01-01", "1;2", "\x07"]
    ),
    st.floats(allow_nan=True).map(repr),
    st.text(max_size=12).filter(lambda text: not any(0xD800 <= ord(c) <= 0xDFFF for c in text)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(_CELLS), value=_RUBBISH)
def test_any_damaged_cell_is_refused_or_accounted_for(place: tuple[str, int, str], value: str, tmp_path: Path) -> None:
    tables = small_network()
    name, row, column = place
    tables[name][row][column] = value
    folder = write_folder(tables, tmp_path / "net")
    try:
        snapshot = read_tables(folder)
    except InputError:
        return
    _assert_counts_add_up(snapshot, tables)
    assert snapshot.nodes.status.isin(["assessable", "not_assessable"]).all()
    assert list(snapshot.nodes.index) == list(snapshot.net.bus.index)
