"""The township as it stands: a consistent, radial network on an ordinary evening, and the README's figures."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date

import pytest

from gridmodel.net import run_load_flow
from gridmodel.readers.tables import read_tables
from tests.township.convert import TARGET
from tests.township.flow import Flow, solve
from tests.township.sheets import read_sheets

SHEETS = read_sheets(TARGET)
KIND = {row["node_id"]: row["kind"] for row in SHEETS["nodes"]}
README = (TARGET / "README.md").read_text(encoding="utf-8")
LV_MIN_PU, LV_MAX_PU = 0.8835, 1.0165  # 380 V +-7 % as a share of 400 V
MV_MIN_PU, MV_MAX_PU = 0.93, 1.07  # 10 kV +-7 %
LOADING_MAX_RATIO = 0.80
MEDIUM_KINDS = {"substation_busbar", "switching_station", "ring_main_unit", "pole", "station"}


@pytest.fixture(scope="module")
def flow() -> Flow:
    return solve(SHEETS)


def shown(figure: str) -> float:
    """Return a figure of the README's table, percent as a ratio."""
    match = re.search(rf"^\| {re.escape(figure)} \| ([\d.,]+)( %)?", README, re.MULTILINE)
    assert match is not None, figure
    value = float(match[1].replace(",", ""))
    return value / 100.0 if match[2] else value


# --- an ordinary evening ----------------------------------------------------------------------------------------------


def test_main_transformers_stand_between_55_and_70_percent(flow: Flow) -> None:
    for name in ("S1-T1", "S2-T1"):
        assert 0.55 <= flow.transformer_loading_ratio[name] <= 0.70


def test_medium_voltage_has_room(flow: Flow) -> None:
    u_pu = [flow.u_pu[node] for node, kind in KIND.items() if kind in MEDIUM_KINDS]
    assert MV_MIN_PU + 0.02 < min(u_pu) <= max(u_pu) < MV_MAX_PU - 0.02
    assert max(flow.section_loading_ratio.values()) < LOADING_MAX_RATIO


def test_few_transformers_are_constrained_and_most_are_not(flow: Flow) -> None:
    above = {name for name, ratio in flow.transformer_loading_ratio.items() if ratio > LOADING_MAX_RATIO}
    assert above == {"T035", "T077", "T110", "T157", "T223"}
    assert max(flow.transformer_loading_ratio.values()) < 1.0
    below_half = [name for name, ratio in flow.transformer_loading_ratio.items() if ratio < 0.55]
    assert len(below_half) > 0.9 * len(SHEETS["distribution_transformers"])


def test_low_voltage_is_too_low_in_one_area_only(flow: Flow) -> None:
    area = defaultdict(set)
    for row in SHEETS["lv_lines"]:
        area[row["from_node"]].add(row["transformer_id"])
        area[row["to_node"]].add(row["transformer_id"])
    low = [node for node, kind in KIND.items() if kind not in MEDIUM_KINDS and flow.u_pu[node] < LV_MIN_PU]
    assert 20 <= len(low) <= 120
    assert all("T043" in area[node] for node in low)
    assert not [node for node in KIND if LV_MIN_PU <= flow.u_pu[node] < LV_MIN_PU + 0.03]
    assert max(flow.u_pu[node] for node, kind in KIND.items() if kind not in MEDIUM_KINDS) < LV_MAX_PU


def test_energy_is_conserved(flow: Flow) -> None:
    """What the 110 kV network gives is what loads take and elements lose; no load is cut off."""
    assert flow.supplied_kw == pytest.approx(flow.consumed_kw + flow.losses_kw, abs=0.01)
    assert flow.consumed_kw == pytest.approx(sum(float(row["p_kw"]) for row in SHEETS["loads"]), abs=1e-6)


def test_readme_shows_the_figures_of_the_load_flow(flow: Flow) -> None:
    medium = [flow.u_pu[node] for node, kind in KIND.items() if kind in MEDIUM_KINDS]
    boards = [flow.u_pu[node] for node, kind in KIND.items() if kind == "lv_board"]
    low = [flow.u_pu[node] for node, kind in KIND.items() if kind not in MEDIUM_KINDS]
    sections = {row["section_id"] for row in SHEETS["line_sections"]}
    main = flow.transformer_loading_ratio
    figures = {
        "main transformer S1-T1, 10 MVA, loading": main["S1-T1"],
        "main transformer S2-T1, 8 MVA, loading": main["S2-T1"],
        "highest loading of a 10 kV section": max(flow.section_loading_ratio[name] for name in sections),
        "lowest 10 kV voltage": min(medium),
        "highest 10 kV voltage": max(medium),
        "lowest voltage of a low-voltage board": min(boards),
        "highest voltage of a low-voltage board": max(boards),
        "lowest low voltage": min(low),
        "losses": flow.losses_kw / flow.supplied_kw,
    }
    for name, value in figures.items():
        assert shown(name) == pytest.approx(value, abs=0.000501), name
    assert shown("low-voltage nodes below 0.8835 pu (380 V - 7 %)") == sum(u < LV_MIN_PU for u in low)
    assert shown("distribution transformers above 80 %") == sum(
        main[row["transformer_id"]] > LOADING_MAX_RATIO for row in SHEETS["distribution_transformers"]
    )


def test_readme_counts_the_rows() -> None:
    for table in ("feeders", "nodes", "line_sections", "switches", "distribution_transformers", "lv_lines", "loads",
                  "measured_maxima", "in_flight"):  # fmt: skip
        assert shown(table) == len(SHEETS[table]), table


# --- consistency ------------------------------------------------------------------------------------------------------


def test_identifiers_are_unique_and_references_resolve() -> None:
    keys = {
        "nodes": "node_id", "switches": "switch_id", "loads": "load_id", "feeders": "feeder_id",
        "distribution_transformers": "transformer_id", "in_flight": "commitment_id",
    }  # fmt: skip
    for table, key in keys.items():
        assert len({row[key] for row in SHEETS[table]}) == len(SHEETS[table])
    sections = [row["section_id"] for row in [*SHEETS["line_sections"], *SHEETS["lv_lines"]]]
    assert len(set(sections)) == len(sections)
    ends = {row["section_id"]: {row["from_node"], row["to_node"]} for row in SHEETS["line_sections"]}
    ends |= {row["section_id"]: {row["from_node"], row["to_node"]} for row in SHEETS["lv_lines"]}
    assert all(pair <= set(KIND) and len(pair) == 2 for pair in ends.values())
    assert all(row["node_id"] in ends[row["section_id"]] for row in SHEETS["switches"])
    assert all(row["node_id"] in KIND for row in [*SHEETS["loads"], *SHEETS["in_flight"]])
    for row in SHEETS["distribution_transformers"]:
        assert KIND[row["node_id"]] in MEDIUM_KINDS
        assert KIND[row["board_id"]] == "lv_board"


def test_product_reader_builds_the_same_network(flow: Flow) -> None:
    """Two independent ways from the tables to a load flow: the product's reader and this folder's ``flow``."""
    snapshot = read_tables(TARGET)
    assert [f for f in snapshot.findings if f.severity == "error" or f.disposition != "accepted"] == []
    assert (snapshot.nodes["status"] == "assessable").all()
    run_load_flow(snapshot.net)
    u_pu = dict(zip(snapshot.net.bus.name, snapshot.net.res_bus.vm_pu, strict=True))
    assert len(u_pu) == len(flow.u_pu)
    assert max(abs(u_pu[node] - flow.u_pu[node]) for node in KIND) < 1e-9


def test_network_is_radial_and_feeders_are_as_stated() -> None:
    """Walk from every feeder head with open switches open: every node once, every closed section of its own feeder."""
    opened = {row["section_id"] for row in SHEETS["switches"] if row["normal_state"] == "open"}
    lines = [*SHEETS["line_sections"], *SHEETS["lv_lines"]]
    at_node = defaultdict(list)
    for row in lines:
        if row["section_id"] not in opened:
            at_node[row["from_node"]].append((row["section_id"], row["to_node"]))
            at_node[row["to_node"]].append((row["section_id"], row["from_node"]))
    for row in SHEETS["distribution_transformers"]:
        at_node[row["node_id"]].append((row["transformer_id"], row["board_id"]))
        at_node[row["board_id"]].append((row["transformer_id"], row["node_id"]))
    stated = {row["section_id"]: row["feeder_id"] for row in SHEETS["line_sections"]}
    busbars = {row["busbar_id"] for row in SHEETS["feeders"]}
    reached: set[str] = set(busbars)
    used: Counter[str] = Counter()
    for feeder in SHEETS["feeders"]:
        (head_end,) = [n for s, n in at_node[feeder["busbar_id"]] if s == feeder["head_section_id"]]
        used[feeder["head_section_id"]] += 1
        stack = [(head_end, feeder["head_section_id"])]
        while stack:
            node, came_by = stack.pop()
            assert node not in reached, f"loop at {node}"
            reached.add(node)
            for edge, other in at_node[node]:
                if edge != came_by:
                    used[edge] += 1
                    assert stated.get(edge, feeder["feeder_id"]) == feeder["feeder_id"]
                    stack.append((other, edge))
    assert reached == set(KIND)
    assert all(count == 1 for count in used.values())


def test_bays_hold_every_line_and_transformer() -> None:
    lines = Counter(
        node for row in SHEETS["line_sections"] for node in (row["from_node"], row["to_node"])
    ) + Counter(row["node_id"] for row in SHEETS["distribution_transformers"])  # fmt: skip
    units = [row for row in SHEETS["nodes"] if row["kind"] in ("ring_main_unit", "switching_station")]
    assert Counter(row["kind"] for row in units) == {"ring_main_unit": 51, "switching_station": 3}
    for row in units:
        assert int(row["bays_spare"]) >= 0
        assert int(row["bays_total"]) >= lines[row["node_id"]] + int(row["bays_spare"])
    assert {int(row["bays_spare"]) for row in units} >= {0, 1, 2}
    assert all((row["can_tee"] == "true") == (row["kind"] == "pole") for row in SHEETS["nodes"])


def test_tie_switches_stand_at_ring_main_units() -> None:
    ties = [row for row in SHEETS["switches"] if row["normal_state"] == "open" and row["section_id"].startswith("W")]
    assert len(ties) == 6
    assert {KIND[row["node_id"]] for row in ties} <= {"ring_main_unit", "switching_station"}


def test_dedicated_share_is_about_40_percent() -> None:
    lumped = [row for row in SHEETS["distribution_transformers"] if "公变" in row["name"] or "专变" in row["name"]]
    areas = {row["transformer_id"] for row in SHEETS["lv_lines"]}
    owners = Counter(row["ownership"] for row in lumped if row["transformer_id"] not in areas)
    assert owners.total() == 135
    assert 0.33 <= owners["dedicated"] / owners.total() <= 0.47


def test_measured_maxima_are_plausible_and_some_are_missing(flow: Flow) -> None:
    rows = {row["element_id"]: row for row in SHEETS["measured_maxima"]}
    main = {row["main_transformer_id"] for row in SHEETS["main_transformers"]}
    assert main | {row["feeder_id"] for row in SHEETS["feeders"]} <= set(rows)
    missing = {row["transformer_id"] for row in SHEETS["distribution_transformers"]} - set(rows)
    assert len(missing) == 9
    assert "T045" in missing
    as_of = date.fromisoformat(SHEETS["network"][0]["data_as_of"])
    for name, row in rows.items():
        assert 0.94 <= float(row["max_kva"]) / flow.apparent_kva[name] <= 1.10
        assert date.fromisoformat(row["measured_on"]) <= as_of


def test_in_flight_projects_are_approved_and_still_valid() -> None:
    as_of = date.fromisoformat(SHEETS["network"][0]["data_as_of"])
    assert sum(float(row["capacity_kva"]) for row in SHEETS["in_flight"]) == 815.0
    for row in SHEETS["in_flight"]:
        assert date.fromisoformat(row["approved_on"]) <= as_of < date.fromisoformat(row["valid_to"])
