from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from gridmodel.snapshot import Snapshot
from scheme.document.chains import _wrapped
from scheme.document.diagram import render_diagram
from scheme.document.single_line import Boundary, Stage, plan_steps
from scheme.document.sketch import _beside, render_sketch
from scheme.document.sketch_sheet import find_bar_m
from scheme.model import Scheme
from tests.document.conftest import NAMES, as_scheme, load_plain

SVG = "{http://www.w3.org/2000/svg}"


def chain(scheme: Scheme) -> list[str]:
    steps = plan_steps(scheme, scheme.variants[0])
    return ["boundary" if isinstance(step, Boundary) else step.symbol for step in steps]


def test_high_voltage_chain_runs_from_main_transformer_to_load() -> None:
    scheme = as_scheme(load_plain("hv_single_source_10kv"))
    assert chain(scheme) == [
        *("transformer", "busbar", "breaker", "bay", "cable", "boundary_switch", "boundary"),
        *("breaker", "meter", "transformer", "load"),
    ]


def test_low_voltage_chain_runs_from_the_transformer_area_to_load() -> None:
    scheme = as_scheme(load_plain("lv_resident_220v"))
    assert chain(scheme) == [
        *("arrow_in", "transformer", "busbar", "breaker", "pole", "overhead", "meter_box_direct", "boundary"),
        *("breaker", "load"),
    ]


def test_line_the_customer_pays_for_lies_below_the_boundary() -> None:
    plain = load_plain("hv_single_source_10kv")
    for material in plain["variants"][0]["bill_of_materials"]:
        material["side"] = "customer"
    symbols = chain(as_scheme(plain))
    assert symbols.index("boundary") < symbols.index("cable")


def test_metering_on_the_low_side_stands_below_the_transformer() -> None:
    plain = load_plain("hv_single_source_10kv")
    plain["metering"][0]["mode"] = "高供低计"
    symbols = chain(as_scheme(plain))
    assert symbols[-3:] == ["transformer", "meter", "load"]


def test_two_transformers_are_drawn_as_two() -> None:
    plain = load_plain("hv_single_source_10kv")
    plain["receiving"]["transformers"][0]["count"] = 2
    scheme = as_scheme(plain)
    stage = plan_steps(scheme, scheme.variants[0])[-2]
    assert isinstance(stage, Stage)
    assert (stage.symbol, stage.copies) == ("transformer", 2)
    assert render_diagram(scheme).count("<circle") == render_diagram(_single(plain)).count("<circle") + 2


def _single(plain: dict[str, Any]) -> Scheme:
    plain["receiving"]["transformers"][0]["count"] = 1
    return as_scheme(plain)


def test_diagram_names_every_asset_of_the_chosen_variant() -> None:
    titles = "".join(
        t.text or "" for t in ElementTree.fromstring(_diagram("hv_single_source_10kv")).iter(f"{SVG}title")
    )
    for text in (
        "产业园110千伏变电站",
        "1号主变",
        "10千伏Ⅰ段母线",
        "10千伏园区07线",
        "园区07线3号环网柜904间隔",
        "3x300",
    ):
        assert text in titles


def test_diagram_of_joint_work_draws_no_connection() -> None:
    root = ElementTree.fromstring(_diagram("joint_work_10kv"))
    assert [t.text for t in root.iter(f"{SVG}title")] == ["无可直接接入的方案，不绘制接线示意图。"]
    assert not list(root.iter(f"{SVG}circle"))


@pytest.mark.parametrize("name", NAMES)
def test_diagram_stays_on_its_sheet(name: str) -> None:
    """Every coordinate of every outline lies inside 170 mm by 137 mm."""
    paths = [path.get("d", "") for path in ElementTree.fromstring(_diagram(name)).iter(f"{SVG}path")]
    numbers = [float(n) for path in paths for n in re.findall(r"-?\d+\.\d+", path)]
    assert numbers
    assert min(numbers[0::2]) >= 0
    assert max(numbers[0::2]) <= 170
    assert min(numbers[1::2]) >= 0
    assert max(numbers[1::2]) <= 137


def test_sketch_shows_the_point_where_it_is(snapshot: Snapshot) -> None:
    """At 33.4127 N, 0.00029 degrees of longitude are 26.95 m and of latitude 32.16 m (GRS80 series), so the chosen pole
    lies south-west of the customer in the ratio 26.95 : 32.16 on paper."""
    svg = render_sketch(as_scheme(load_plain("lv_resident_220v")), snapshot)
    route = re.search(r'<path d="M([\d.]+),([\d.]+)L([\d.]+),([\d.]+)" fill="none" stroke="#c00000"', svg)
    assert route is not None
    x_point, y_point, x_customer, y_customer = (float(value) for value in route.groups())
    assert x_point < x_customer
    assert y_point > y_customer
    assert (x_customer - x_point) / (y_point - y_customer) == pytest.approx(26.95 / 32.16, rel=2e-3)


def test_sketch_draws_the_grid_of_its_own_voltage_only(snapshot: Snapshot) -> None:
    high = render_sketch(as_scheme(load_plain("hv_single_source_10kv")), snapshot)
    low = render_sketch(as_scheme(load_plain("lv_resident_220v")), snapshot)
    assert ("10千伏线路" in high, "低压线路" in high, "低压线路" in low) == (True, False, True)


def test_sketch_without_grid_or_place_still_draws(snapshot: Snapshot) -> None:
    scheme = as_scheme(load_plain("lv_resident_220v"))
    empty = replace(snapshot, nodes=snapshot.nodes.iloc[:0])
    assert "推荐接入点" in render_sketch(scheme, empty)
    nowhere = replace(scheme, request={k: v for k, v in scheme.request.items() if k != "location_cgcs2000"})
    assert "申请位置未知" in render_sketch(nowhere, snapshot)


def test_sketch_skips_nodes_without_coordinates(snapshot: Snapshot) -> None:
    scheme = as_scheme(load_plain("hv_single_source_10kv"))
    lost = replace(snapshot, nodes=snapshot.nodes.assign(lon_deg=float("nan")))
    assert "nan" not in render_sketch(scheme, lost)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("高供高计　三相三线　TA 20/5　TV 10/0.1kV", 17.0, ["高供高计　三相三线　TA 20/5　", "TV 10/0.1kV"]),
        ("供电电压交流10千伏　供电容量 630 kVA", 16.0, ["供电电压交流10千伏　供电容量", "630 kVA"]),
        ("红线外第一断路器（环网柜）", 9.0, ["红线外第一断路器", "（环网柜）"]),
        ("ABCDEFGHIJ", 3.0, ["ABCDE", "FGHIJ"]),  # longer than a line: 0.56 of a character each
    ],
)
def test_label_is_not_parted_inside_a_figure_or_a_code(text: str, width: float, lines: list[str]) -> None:
    assert _wrapped(text, width) == lines


def test_mark_beside_the_customer_does_not_cover_its_symbol() -> None:
    """3-4-5: a point 1.5 mm right and 2 mm down is drawn at 5 mm in the same direction."""
    assert _beside((11.5, 22.0), (10.0, 20.0)) == pytest.approx((13.0, 24.0))
    assert _beside((40.0, 20.0), (10.0, 20.0)) == (40.0, 20.0)


@pytest.mark.parametrize(("mm_per_m", "length_m"), [(1.0, 20.0), (0.1, 200.0), (0.5, 50.0), (0.013, 2000.0)])
def test_scale_bar_is_a_round_length_that_fits(mm_per_m: float, length_m: float) -> None:
    """26 mm of room: at 1 mm per metre the longest of 1, 2, 5 times a power of ten is 20 m."""
    assert find_bar_m(mm_per_m) == length_m


def _diagram(name: str) -> str:
    return render_diagram(as_scheme(load_plain(name)))
