"""The equipment catalogue against physics and against published points, never against itself."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from dataclasses import FrozenInstanceError, replace
from itertools import pairwise
from pathlib import Path

import pytest

from gridmodel.catalogue.checks import check_line_type, check_transformer_type, check_unit_cost
from gridmodel.catalogue.loader import (
    LINE_TYPES_FILE,
    TRANSFORMER_TYPES_FILE,
    UNIT_COSTS_FILE,
    load_catalogue,
    read_catalogue,
)
from gridmodel.catalogue.records import LineType, TransformerType
from gridmodel.errors import CatalogueError

CATALOGUE = load_catalogue()
FOLDER = Path(__file__).parents[2] / "gridmodel" / "catalogue"
FILES = (LINE_TYPES_FILE, TRANSFORMER_TYPES_FILE, UNIT_COSTS_FILE)

RESISTIVITY_OHM_MM2_PER_KM = {"copper": 17.241, "aluminium": 28.264, "aluminium_steel": 28.264}  # IEC 60028, IEC 60889


def lines_by_series() -> dict[str, list[LineType]]:
    groups: dict[str, list[LineType]] = defaultdict(list)
    for line in CATALOGUE.line_types.values():
        groups[f"{line.series} {line.u_class} {line.material}"].append(line)
    return {name: sorted(group, key=lambda t: t.section_mm2) for name, group in groups.items()}


def transformers_by_series() -> dict[str, list[TransformerType]]:
    groups: dict[str, list[TransformerType]] = defaultdict(list)
    for transformer in CATALOGUE.transformer_types.values():
        groups[transformer.series].append(transformer)
    return {name: sorted(group, key=lambda t: t.sn_kva) for name, group in groups.items()}


# --- known points -----------------------------------------------------------------------------------------------------


def test_every_type_is_there() -> None:
    """Counted in the sources: 20 + 17 at 10 kV, 23 + 17 at 0.4 kV, 8 series of transformers."""
    assert len(CATALOGUE.find_line_types(laying="cable", u_nominal_kv_class="mv")) == 20
    assert len(CATALOGUE.find_line_types(laying="overhead", u_nominal_kv_class="mv")) == 17
    assert len(CATALOGUE.find_line_types(laying="cable", u_nominal_kv_class="lv")) == 23
    assert len(CATALOGUE.find_line_types(laying="overhead", u_nominal_kv_class="lv")) == 17
    assert {name: len(group) for name, group in transformers_by_series().items()} == {
        "S11": 19, "S13": 19, "S20": 19, "S22": 19, "SBH15": 19,
        "SCB10": 18, "SCB13": 18, "SCB14": 18, "SCB18": 18,
    }  # fmt: skip


@pytest.mark.parametrize(("section_mm2", "r_ohm_per_km", "c_uf_per_km"), [(240, 0.0972, 0.330), (300, 0.0788, 0.370)])
def test_copper_cable_agrees_with_published_project(section_mm2: int, r_ohm_per_km: float, c_uf_per_km: float) -> None:
    """Inventions 2016, 1, 20, tables 2 and 7: resistance when hot, and capacitance within 3 %."""
    cable = CATALOGUE.get_line_type(f"YJV22-8.7/15 3x{section_mm2}")
    assert cable.r_operating_ohm_per_km == pytest.approx(r_ohm_per_km, abs=5e-5)
    assert cable.c_nf_per_km == pytest.approx(c_uf_per_km * 1000.0, rel=0.03)


def test_lgj_240_agrees_with_handbook() -> None:
    """Handbook: 610 A at 25 degC ambient and 70 degC conductor, diameter 21.6 mm."""
    line = CATALOGUE.get_line_type("LGJ-240/30")
    assert (line.rating_reference_a, line.reference_ambient_c, line.diameter_mm) == (610.0, 25.0, 21.6)


@pytest.mark.parametrize(
    ("type_id", "p0_kw", "pk_kw", "vk_percent"),
    [
        ("S13-100/10", 0.150, 1.580, 4.0),
        ("S20-100/10", 0.135, 1.265, 4.0),
        ("S22-100/10", 0.120, 1.140, 4.0),
        ("S22-30/10", 0.065, 0.455, 4.0),
    ],
)
def test_transformer_losses_agree_with_gb_20052(type_id: str, p0_kw: float, pk_kw: float, vk_percent: float) -> None:
    """GB 20052-2024 table 1 (100 kVA, grades 3, 2, 1) and GB 20052-2020 (30 kVA grade 1)."""
    transformer = CATALOGUE.get_transformer_type(type_id)
    assert (transformer.p0_kw, transformer.pk_kw, transformer.vk_percent) == (p0_kw, pk_kw, vk_percent)
    assert (transformer.vector_group, transformer.shift_deg) == ("Dyn11", 330.0)


def test_pk_yyn0_of_30_kva_grade_1() -> None:
    assert CATALOGUE.get_transformer_type("S22-30/10").pk_yyn0_kw == 0.430  # GB 20052-2020


# --- physics ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", CATALOGUE.line_types.values(), ids=lambda t: t.type_id)
def test_resistance_is_resistivity_over_section(line: LineType) -> None:
    expected = RESISTIVITY_OHM_MM2_PER_KM[line.material] / line.section_mm2
    assert line.r20_ohm_per_km == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("line", CATALOGUE.line_types.values(), ids=lambda t: t.type_id)
def test_hot_resistance_follows_the_temperature_coefficient(line: LineType) -> None:
    """R(T) = R20 (1 + alpha (T - 20)); skin and proximity add up to 5 % at the largest sections."""
    direct = line.r20_ohm_per_km * (1.0 + line.alpha_per_k * (line.operating_temperature_c - 20.0))
    assert direct * 0.999 <= line.r_operating_ohm_per_km <= direct * 1.05


OPEN_WIRES = [t for t in CATALOGUE.find_line_types(laying="overhead") if "bundled" not in t.type_id]


@pytest.mark.parametrize("line", OPEN_WIRES, ids=lambda t: t.type_id)
def test_open_wire_reactance_follows_from_geometry(line: LineType) -> None:
    """X = 0.06283 ln(GMD / (f d / 2)) ohm/km at 50 Hz with f = 0.7 to 0.83 for stranded conductors."""
    assert line.gmd_m is not None
    assert line.diameter_mm is not None
    by_factor = [0.06283 * math.log(line.gmd_m / (factor * line.diameter_mm / 2000.0)) for factor in (0.83, 0.70)]
    assert by_factor[0] * 0.99 <= line.x_ohm_per_km <= by_factor[1] * 1.01


@pytest.mark.parametrize("series", lines_by_series())
def test_resistance_falls_and_rating_rises_with_section(series: str) -> None:
    group = lines_by_series()[series]
    for smaller, larger in pairwise(group):
        assert larger.section_mm2 > smaller.section_mm2
        assert larger.r20_ohm_per_km < smaller.r20_ohm_per_km
        assert larger.r_operating_ohm_per_km < smaller.r_operating_ohm_per_km
        assert larger.x_ohm_per_km <= smaller.x_ohm_per_km
        assert larger.rating_a > smaller.rating_a
        assert larger.c_nf_per_km >= smaller.c_nf_per_km


def test_copper_carries_more_than_aluminium_of_the_same_section() -> None:
    for section_mm2 in (35, 50, 70, 95, 120, 150, 185, 240, 300, 400):
        copper = CATALOGUE.get_line_type(f"YJV22-8.7/15 3x{section_mm2}")
        aluminium = CATALOGUE.get_line_type(f"YJLV22-8.7/15 3x{section_mm2}")
        assert copper.rating_a / aluminium.rating_a == pytest.approx(1.29, abs=0.015)  # GB 50217 annex C


@pytest.mark.parametrize("series", transformers_by_series())
def test_losses_rise_and_relative_losses_fall_with_size(series: str) -> None:
    """Losses per kVA may rise a little where the design changes (SBH15 from 500 to 630 kVA: 240 to 320 W)."""
    group = transformers_by_series()[series]
    for smaller, larger in pairwise(group):
        assert larger.sn_kva > smaller.sn_kva
        assert larger.p0_kw > smaller.p0_kw
        assert larger.pk_kw > smaller.pk_kw
        assert larger.vk_percent >= smaller.vk_percent
        assert larger.p0_kw / larger.sn_kva < smaller.p0_kw / smaller.sn_kva * 1.1


@pytest.mark.parametrize("grades", [("S13", "S20", "S22"), ("SCB13", "SCB14", "SCB18")], ids=["oil", "dry"])
def test_better_grade_loses_less(grades: tuple[str, str, str]) -> None:
    for sn_kva in (100.0, 400.0, 630.0, 1000.0, 2500.0):
        p0_kw = [CATALOGUE.find_transformer_types(series=g, sn_kva=sn_kva)[0].p0_kw for g in grades]
        assert p0_kw == sorted(p0_kw, reverse=True)
        assert p0_kw[0] > p0_kw[2]


@pytest.mark.parametrize("transformer", CATALOGUE.transformer_types.values(), ids=lambda t: t.type_id)
def test_transformer_numbers_belong_together(transformer: TransformerType) -> None:
    t = transformer
    assert t.vkr_percent == pytest.approx(t.pk_kw / t.sn_kva * 100.0, abs=1e-3)
    assert 0.0 < t.vkr_percent < t.vk_percent
    assert t.i0_percent / 100.0 * t.sn_kva >= t.p0_kw
    assert t.in_lv_a == pytest.approx(t.sn_kva / (math.sqrt(3.0) * 0.4), rel=0.002)


# --- loader -----------------------------------------------------------------------------------------------------------


def test_found_lines_are_sorted_by_rating() -> None:
    ratings_a = [t.rating_a for t in CATALOGUE.find_line_types(laying="overhead", u_nominal_kv_class="lv")]
    assert ratings_a == sorted(ratings_a)
    assert CATALOGUE.find_line_types(series="no such series") == ()


def test_unknown_type_names_what_is_available() -> None:
    with pytest.raises(CatalogueError, match=r"S13-50/10.*S13-1000/10"):
        CATALOGUE.get_transformer_type("S13-55/10")
    with pytest.raises(CatalogueError, match="JKLYJ-10 1x240"):
        CATALOGUE.get_line_type("JKLYJ-10 1x239")
    with pytest.raises(CatalogueError, match="RMU-4"):
        CATALOGUE.get_unit_cost("RMU-9")


def test_catalogue_is_read_only() -> None:
    with pytest.raises(TypeError):
        CATALOGUE.line_types["x"] = CATALOGUE.get_line_type("LGJ-240/30")  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        CATALOGUE.get_line_type("LGJ-240/30").rating_a = 1.0  # type: ignore[misc]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    return tmp_path


def rewrite(path: Path, row_number: int, **cells: str) -> None:
    """Change cells of one data row (counted from 1)."""
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    rows[row_number - 1].update(cells)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_digest_changes_with_one_byte(folder: Path) -> None:
    assert read_catalogue(folder).sha256 == CATALOGUE.sha256
    rewrite(folder / UNIT_COSTS_FILE, 1, low_cny10k="28.5")
    assert read_catalogue(folder).sha256 != CATALOGUE.sha256


@pytest.mark.parametrize(
    ("file", "cells", "message"),
    [
        (LINE_TYPES_FILE, {"source": ""}, "row 2: source is empty"),
        (LINE_TYPES_FILE, {"type_id": "JKLYJ-10 1x35"}, "row 2, JKLYJ-10 1x35: the id stands twice"),
        (LINE_TYPES_FILE, {"r20_ohm_per_km": "0"}, "r20_ohm_per_km must be > 0"),
        (LINE_TYPES_FILE, {"r20_ohm_per_km": "0.0641"}, "of resistivity over section"),
        (LINE_TYPES_FILE, {"rating_a": "0.181"}, "not the rating of its basis"),
        (LINE_TYPES_FILE, {"x_ohm_per_km": "nan"}, "not a finite number"),
        (LINE_TYPES_FILE, {"x_ohm_per_km": "0,35"}, "x_ohm_per_km cannot be '0,35'"),
        (LINE_TYPES_FILE, {"laying": "sea"}, "laying cannot be 'sea'"),
        (TRANSFORMER_TYPES_FILE, {"vk_percent": "0.04"}, "vk_percent must lie in 3 to 15"),
        (TRANSFORMER_TYPES_FILE, {"vkr_percent": "4.1"}, "vkr_percent <= vk_percent"),
        (TRANSFORMER_TYPES_FILE, {"pk_kw": "910"}, "vkr_percent does not agree"),
        (TRANSFORMER_TYPES_FILE, {"i0_percent": "0.1"}, "no-load apparent power is below"),
        (TRANSFORMER_TYPES_FILE, {"in_lv_a": "2.89"}, "rated current"),
        (TRANSFORMER_TYPES_FILE, {"u_lv_kv": "400"}, "u_hv_kv > u_lv_kv > 0"),
        (UNIT_COSTS_FILE, {"high_cny10k": "1"}, "low_cny10k <= typical_cny10k <= high_cny10k"),
    ],
)
def test_implausible_row_is_refused(folder: Path, file: str, cells: dict[str, str], message: str) -> None:
    rewrite(folder / file, 2, **cells)
    with pytest.raises(CatalogueError) as caught:
        read_catalogue(folder)
    assert message in str(caught.value)
    assert f"{file}, row 2" in str(caught.value)


def test_missing_file_and_wrong_columns_are_refused(folder: Path) -> None:
    text = (folder / LINE_TYPES_FILE).read_text(encoding="utf-8")
    (folder / LINE_TYPES_FILE).write_text(text.replace("rating_a,", "rating_ka,", 1), encoding="utf-8")
    with pytest.raises(CatalogueError, match="columns must be"):
        read_catalogue(folder)
    (folder / LINE_TYPES_FILE).unlink()
    with pytest.raises(CatalogueError, match="cannot be read"):
        read_catalogue(folder)


def test_checks_accept_every_shipped_row_and_refuse_its_broken_copy() -> None:
    for line in CATALOGUE.line_types.values():
        assert check_line_type(line) is None
        assert check_line_type(replace(line, r_operating_ohm_per_km=line.r20_ohm_per_km * 0.99)) is not None
    for transformer in CATALOGUE.transformer_types.values():
        assert check_transformer_type(transformer) is None
        assert check_transformer_type(replace(transformer, tap_min=1)) is not None
    for cost in CATALOGUE.unit_costs.values():
        assert check_unit_cost(cost) is None
        assert check_unit_cost(replace(cost, low_cny10k=cost.high_cny10k * 1.1)) is not None
