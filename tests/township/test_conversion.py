"""The conversion of the source networks into the township: same bytes, same physics, nothing lost."""

from __future__ import annotations

import math
import warnings
from collections import defaultdict
from itertools import pairwise
from typing import Any

import pandapower
import pandas as pd
import pyproj
import pytest

from tests.township.convert import TARGET, convert, read_choices
from tests.township.scaling import to_lower_voltage
from tests.township.sheets import COLUMNS, read_sheets, to_bytes
from tests.township.source import Point, Source, Table, points, read_source

CHOICES = read_choices()
SHEETS = read_sheets(TARGET)


CORRECTED_LENGTHS = 16
"""Medium-voltage lines of the source shorter than 92 % of the straight line between their ends."""


def ellipsoid_m(a: Point, b: Point) -> float:
    """Return the geodesic distance on WGS84."""
    return float(pyproj.Geod(ellps="WGS84").inv(*a, *b)[2])


@pytest.fixture(scope="module")
def source() -> Source:
    return read_source()


def solved(tables: dict[str, Table]) -> Any:
    """Return the load flow of source tables, read into pandapower column by column."""
    net = pandapower.create_empty_network()
    for name in ("bus", "load", "switch", "ext_grid", "line", "trafo"):
        frame = pd.DataFrame.from_dict(tables[name], orient="index")
        for column in net[name].columns:
            if column not in frame:
                frame[column] = None
        net[name] = frame.astype({c: t for c, t in net[name].dtypes.items() if t.kind == "f" or frame[c].notna().all()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pandapower.runpp(net, calculate_voltage_angles=True, tolerance_mva=1e-10, trafo_loading="power", numba=False)
    return net


def test_regenerated_tables_have_the_same_bytes() -> None:
    files = to_bytes(convert())
    assert sorted(files) == sorted(f"{name}.csv" for name in COLUMNS)
    for name, content in files.items():
        assert content == (TARGET / name).read_bytes(), name
        assert len(content) < 1_000_000


def test_source_has_the_figures_its_publisher_shows(source: Source) -> None:
    """SOURCE.md of the pandapower fixture: 0.9756 to 1.0288 pu, line 57.8 %, transformer 85.5 %."""
    net = solved(source.mv)
    assert net.res_bus.vm_pu[net.bus.vn_kv < 100].agg(["min", "max"]).round(4).tolist() == [0.9756, 1.0288]
    assert net.res_line.loading_percent.max() == pytest.approx(57.8, abs=0.05)
    assert net.res_trafo.loading_percent.max() == pytest.approx(85.5, abs=0.1)


def test_scaled_network_keeps_voltages_and_halves_currents(source: Source) -> None:
    """Z S / U^2 and B U^2 / S are the same at half the voltage and a quarter of the power; I = S / U is halved."""
    before = solved(source.mv)
    after = solved(to_lower_voltage(source.mv, **CHOICES["scaling"]))
    assert (after.res_bus.vm_pu - before.res_bus.vm_pu).abs().max() < 1e-9
    assert (after.res_bus.va_degree - before.res_bus.va_degree).abs().max() < 1e-7
    assert (after.res_line.i_ka / before.res_line.i_ka - 0.5).abs().max() < 1e-6
    assert after.res_trafo.loading_percent.tolist() == pytest.approx(before.res_trafo.loading_percent.tolist())
    assert after.res_line.pl_mw.sum() == pytest.approx(0.25 * before.res_line.pl_mw.sum(), rel=1e-6)


def test_line_lengths_add_up_to_the_source(source: Source) -> None:
    """Where the source is shorter than the straight line between its ends, the drawn route counts instead."""
    lengths_km: dict[int, float] = defaultdict(float)
    for row in SHEETS["line_sections"]:
        lengths_km[int(row["section_id"][1:4])] += float(row["length_km"])
    assert set(lengths_km) == set(source.mv["line"])
    corrected = []
    for index, line in source.mv["line"].items():
        ends = [points(source.mv["bus"][line[end]]["geo"])[0] for end in ("from_bus", "to_bus")]
        straight_km = ellipsoid_m(*ends) / 1000.0
        if lengths_km[index] == pytest.approx(line["length_km"], abs=2e-6):
            assert line["length_km"] > 0.91 * straight_km
        else:
            corrected.append(index)
            assert line["length_km"] < 0.93 * straight_km
            assert straight_km * 0.997 <= lengths_km[index] < 1.6 * straight_km
    assert len(corrected) == CORRECTED_LENGTHS


def test_low_voltage_lengths_are_the_sources(source: Source) -> None:
    for row in SHEETS["lv_lines"]:
        length_km = source.lv["line"][int(row["section_id"][1:])]["length_km"]
        assert float(row["length_km"]) == pytest.approx(length_km, abs=5.1e-7)
    assert len(SHEETS["lv_lines"]) == 3000 - 28  # 28 lines belong to the area without a partner


def test_conductors_keep_impedance_and_ampacity(source: Source) -> None:
    types = {row["type_id"]: row for row in SHEETS["conductor_types"]}
    replaced = set(CHOICES["poles"]["replaced_lines"])
    for row in SHEETS["line_sections"]:
        line = source.mv["line"][int(row["section_id"][1:4])]
        if int(row["section_id"][1:4]) in replaced:
            assert row["conductor_type"] == CHOICES["poles"]["replaced_conductor"]
            continue
        kind = types[row["conductor_type"]]
        assert float(kind["r_ohm_per_km"]) == line["r_ohm_per_km"]
        assert float(kind["x_ohm_per_km"]) == line["x_ohm_per_km"]
        assert float(kind["c_nf_per_km"]) == line["c_nf_per_km"]
        assert float(kind["rating_a"]) == pytest.approx(line["max_i_ka"] * 1000.0)


def test_powers_are_a_quarter_of_the_source(source: Source) -> None:
    """By hand for one public and one dedicated station: 630 kVA x 0.25 x 0.60 and x 0.44."""
    owner = {row["board_id"]: row["ownership"] for row in SHEETS["distribution_transformers"]}
    p_kw = {row["node_id"]: float(row["p_kw"]) for row in SHEETS["loads"]}
    seen = set()
    for load in source.mv["load"].values():
        board = f"B{load['bus']:03d}"
        if load["p_mw"] != 0.63 or board not in p_kw or load["bus"] in CHOICES["evening"]["crowded_stations"]:
            continue
        assert p_kw[board] == pytest.approx({"public": 94.5, "dedicated": 69.3}[owner[board]])
        seen.add(owner[board])
    assert seen == {"public", "dedicated"}


def test_thirteen_areas_hang_on_their_buses(source: Source) -> None:
    areas = {row["transformer_id"] for row in SHEETS["lv_lines"]}
    assert areas == {f"T{bus:03d}" for bus in source.joins.values()}
    assert len(areas) == 13
    houses = [row for row in SHEETS["loads"] if row["load_id"].startswith("H")]
    assert len(houses) == 1506 - 15  # 15 houses belong to the area without a partner


def test_poles_stand_50_to_80_m_apart() -> None:
    lengths_km = [float(row["length_km"]) for row in SHEETS["line_sections"] if "-" in row["section_id"]]
    assert len(lengths_km) > 80
    assert min(lengths_km) >= 0.050
    assert max(lengths_km) <= 0.080
    place = {row["node_id"]: (float(row["lon_deg"]), float(row["lat_deg"])) for row in SHEETS["nodes"]}
    for row in SHEETS["line_sections"]:
        if "-" not in row["section_id"]:
            continue
        corners = [tuple(map(float, text.split())) for text in row["vertices"].split("; ") if text]
        path = [place[row["from_node"]], *corners, place[row["to_node"]]]
        drawn_m = sum(
            math.hypot((b[0] - a[0]) * math.cos(math.radians(48.44)), b[1] - a[1]) * 111_195.0
            for a, b in pairwise(path)
        )
        assert drawn_m == pytest.approx(float(row["length_km"]) * 1000.0, rel=0.25)  # as the source draws it
