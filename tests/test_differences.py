"""What another snapshot would change: every edit of a small network made by hand, found once and as it was made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gridmodel.differences import find_differences
from gridmodel.readers.select import read_source
from gridmodel.snapshot import Snapshot
from tests.conftest import FIXTURES
from tests.readers.small_network import KM_PER_DEG_LON, Tables, small_network, write_folder

Edit = Callable[[Tables], Any]


def network(folder: Path, *edits: Edit) -> Snapshot:
    """Return the small network after some edits."""
    tables = small_network()
    for edit in edits:
        edit(tables)
    return read_source(write_folder(tables, folder))


def told(before: Snapshot, after: Snapshot) -> dict[tuple[str, str, str], dict[str, tuple[object, object]]]:
    """Return the differences by table, element and fate, with the columns that are given, not derived."""
    derived = {"feeder_id", "substation_id", "area_id", "status"}
    return {
        (found.table, found.element_id, found.fate): {
            cell.column: (cell.old, cell.new) for cell in found.columns if cell.column not in derived
        }
        for found in find_differences(before, after)
    }


def row(tables: Tables, table: str, number: int) -> dict[str, Any]:
    return tables[table][number]


def extend_the_area(tables: Tables) -> None:
    """Add a pole behind Y2 with its line and a load, and take load C4 away."""
    [end] = [node for node in tables["nodes"] if node["node_id"] == "Y2"]
    east_deg = 0.05 / KM_PER_DEG_LON
    tables["nodes"].append({**end, "node_id": "Y9", "name": "新杆", "lon_deg": round(end["lon_deg"] + east_deg, 7)})
    tables["lv_lines"].append({**tables["lv_lines"][2], "section_id": "W9", "from_node": "Y2", "to_node": "Y9"})
    tables["loads"] = [
        *(load for load in tables["loads"] if load["load_id"] != "C4"),
        {**tables["loads"][0], "load_id": "C9", "node_id": "Y9"},
    ]


def test_same_data_in_another_order_differ_in_nothing(tmp_path: Path) -> None:
    def reverse(tables: Tables) -> None:
        for name in ("nodes", "lv_lines", "loads", "switches"):
            tables[name].reverse()

    assert find_differences(network(tmp_path / "a"), network(tmp_path / "b", reverse)) == ()


@pytest.mark.parametrize(
    ("edit", "element", "changed"),
    [
        (lambda t: row(t, "loads", 0).update(p_kw=75), ("loads", "C1"), {"p_mw": (0.06, 0.075)}),
        (lambda t: row(t, "loads", 0).update(node_id="Y1"), ("loads", "C1"), {"node": ("Y2", "Y1")}),
        (lambda t: row(t, "lv_lines", 1).update(length_km=0.06), ("lines", "W2"), {"length_km": (0.05, 0.06)}),
        (lambda t: row(t, "line_sections", 5).update(parallel=1), ("lines", "L6"), {"parallel": (2, 1)}),
        (lambda t: row(t, "nodes", 1).update(name="改名"), None, {}),
        (lambda t: row(t, "feeders", 0).update(rating_a=420), ("feeders", "F1"), {"rating_a": (400.0, 420.0)}),
    ],
)  # fmt: skip
def test_edit_of_one_cell_is_told_with_old_and_new(
    tmp_path: Path, edit: Edit, element: tuple[str, str] | None, changed: dict[str, tuple[object, object]]
) -> None:
    found = told(network(tmp_path / "a"), network(tmp_path / "b", edit))
    if element is None:
        [(table, _, fate), columns] = next(iter(found.items()))
        assert (table, fate, [new for _, new in columns.values()]) == ("nodes", "changed", ["改名"])
        return
    cells = {name: pair for name, pair in found[(*element, "changed")].items() if name in changed}
    assert cells == {name: (pytest.approx(a), pytest.approx(b)) for name, (a, b) in changed.items()}
    assert {key[:2] for key in found if key[0] not in {"nodes", "transformers"}} == {element}


def test_a_tie_that_moves_is_told_of_its_switches(tmp_path: Path) -> None:
    def move(tables: Tables) -> None:
        row(tables, "switches", 2)["normal_state"] = "closed"
        row(tables, "switches", 3)["normal_state"] = "open"

    found = told(network(tmp_path / "a"), network(tmp_path / "b", move))
    assert found["switches", "K3", "changed"] == {"closed": (False, True)}
    assert found["switches", "K4", "changed"] == {"closed": (True, False)}


def test_what_comes_and_what_goes_is_named(tmp_path: Path) -> None:
    before, after = network(tmp_path / "a"), network(tmp_path / "b", extend_the_area)
    found = {(one.table, one.element_id, one.fate) for one in find_differences(before, after) if one.fate != "changed"}
    assert found == {
        ("nodes", "Y9", "added"),
        ("lines", "W9", "added"),
        ("loads", "C9", "added"),
        ("loads", "C4", "removed"),
    }
    back = {(one.table, one.element_id, one.fate) for one in find_differences(after, before) if one.fate != "changed"}
    turned = {"added": "removed", "removed": "added"}
    assert back == {(table, element, turned[fate]) for table, element, fate in found}


def test_what_was_not_known_and_is_now_is_told_as_unknown_before(tmp_path: Path) -> None:
    found = told(network(tmp_path / "a"), network(tmp_path / "b", lambda t: row(t, "feeders", 1).update(rating_a=500)))
    assert found["feeders", "F2", "changed"]["rating_a"][1] == 500.0
    unnamed = told(
        network(tmp_path / "c", lambda t: row(t, "line_sections", 5).update(name=None)), network(tmp_path / "d")
    )
    assert unnamed["lines", "L6", "changed"] == {"name": (None, "联络")}


def test_numbered_networks_are_compared_by_number() -> None:
    file = FIXTURES / "pandapower/oberrhein_schutterwald"
    load, generation = read_source(file / "mv_oberrhein_load.json"), read_source(file / "mv_oberrhein_generation.json")
    found = find_differences(load, generation)
    assert {one.table for one in found if one.fate == "changed"} >= {"loads"}
    assert all(one.element_id.startswith("load:") for one in found if one.table == "loads")
    assert find_differences(load, load) == ()
