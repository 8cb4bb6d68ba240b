"""The comparison page: variants side by side, the recommended one marked, why the others are lower."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gridmodel.snapshot import Snapshot
from scheme.document.checks import list_quality, list_source_checks
from scheme.document.comparison import list_variants
from scheme.document.profile import render_profile
from scheme.document.scores import render_scores
from scheme.document.write import render_documents
from scheme.model import Scheme
from tests.document.conftest import as_scheme, load_plain, rendered_files
from tests.document.reading import pdf_text, word_text


def lines(scheme: Scheme) -> dict[str, list[str]]:
    """Label -> texts of the variants."""
    payload = list_variants(scheme)
    rows: Any = payload["comparison"]
    count = int(str(payload["comparison_count"]))
    return {row["label"]: [row[f"v{n}"] for n in range(1, count + 1)] for row in rows}


def test_figures_of_the_record_stand_side_by_side() -> None:
    """By hand: 45.1 + 3.5 + 151.6 + 4.5 = 204.7 paid by the utility, 190 by the customer, 394.7 together."""
    found = lines(as_scheme(load_plain("hv_dual_source_10kv")))
    assert found["估算造价 万元"][0] == "394.70"
    assert found["　供电企业投资"][0] == "204.70"
    assert found["接入方式"] == ["环网柜间隔", "环网柜间隔", "环网柜间隔", "杆塔T接", "变电站间隔（专线）"]
    assert found["电源2 接入方式"][2:] == ["杆塔T接", "开关站间隔", "变电站间隔（专线）"]
    assert found["客户侧电压"][3] == "0.9852"
    assert "另一路电源" in found["故障后供电"][0]
    assert found["故障后供电"][1:] == ["—"] * 4
    assert found["线路负载率"][4] == "40.2% ★"


def test_what_all_variants_have_alike_is_said_once_below_the_table() -> None:
    """All five pay 190 on the customer's side and take their second source from the same substation."""
    payload = list_variants(as_scheme(load_plain("hv_dual_source_10kv")))
    note = str(payload["comparison_note"])
    assert "客户投资 190.00" in note
    assert "电源2 变电站 城西110千伏变电站" in note
    rows: Any = payload["comparison"]
    assert not {"　客户投资", "电源2 变电站"} & {row["label"] for row in rows}


def test_best_value_of_a_line_is_marked_and_ties_share_the_mark() -> None:
    """Read off the record: 394.53 of variant 3 is the least, 6.1 kW of variant 5, 1.0102 of variant 5 the highest; the
    points of variants 1 and 3 are both 318.4 m away."""
    found = lines(as_scheme(load_plain("hv_dual_source_10kv")))
    marked = {label: [n for n, text in enumerate(texts, 1) if text.endswith("★")] for label, texts in found.items()}
    wanted = {"估算造价 万元": [3], "网损变化": [5], "最低电压": [5], "直线距离": [1, 3], "综合评分": [1], "接入点": []}
    assert {label: marked[label] for label in wanted} == wanted


def test_each_lower_variant_says_where_it_loses() -> None:
    """Parts of variant 1 and 5 differ by 0.58 in cost (weight 0.3: 0.174) and 0.65 in distance (0.15: 0.0975)."""
    reasons = lines(as_scheme(load_plain("hv_dual_source_10kv")))["与推荐方案相比"]
    assert reasons[0] == "推荐方案"
    assert "造价−0.174" in reasons[4]
    assert "距离−0.098" in reasons[4]
    assert all(text.startswith("总分低") for text in reasons[1:])


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_page_fits_any_count_of_variants(count: int) -> None:
    plain = load_plain("hv_dual_source_10kv")
    plain["variants"] = plain["variants"][:count]
    scheme = as_scheme(plain)
    payload = list_variants(scheme)
    assert payload["comparison_count"] == str(count)
    head: Any = payload["comparison_head"]
    assert list(head[0].values()) == ["比较项目", "方案1（推荐）", *(f"方案{n}" for n in range(2, count + 1))]
    assert render_scores(scheme).count("（推荐）") == 1


def test_single_variant_is_compared_with_nothing_and_that_is_said(snapshot: Snapshot) -> None:
    plain = load_plain("hv_dual_source_10kv")
    plain["variants"] = plain["variants"][:1]
    files = render_documents(as_scheme(plain), snapshot)
    for text in (word_text(files["scheme.docx"]), pdf_text(files["scheme.pdf"])):
        assert "可行方案仅此一个，不作比选" in text
        assert "可行方案并列比较" not in text


def test_word_keeps_the_table_that_fits_and_no_other() -> None:
    assert word_text(rendered_files("hv_dual_source_10kv")["scheme.docx"]).count("可行方案并列比较") == 1


def test_bars_are_as_long_as_the_parts_say() -> None:
    """Variant 1 scores 0.62 in margin and 1.0 in cost (parts in the order of their keys): bars in the same ratio."""
    svg = render_scores(as_scheme(load_plain("hv_dual_source_10kv")))
    bars = re.findall(r'y="([\d.]+)" height="3" width="([\d.]+)" fill="#1f5fa8"', svg)
    widths = [float(width) for y, width in bars if y == bars[0][0]]  # those of the first line
    assert widths[0] / widths[1] == pytest.approx(0.62, rel=1e-2)
    assert "权重 0.25" in svg


def test_bars_of_money_show_who_pays() -> None:
    """Variant 1: 204.7 by the utility, 190 by the customer; variant 5 costs most, 680.05, and fills the column."""
    svg = render_scores(as_scheme(load_plain("hv_dual_source_10kv")))
    bars = re.findall(r'x="([\d.]+)" y="([\d.]+)" height="3" width="([\d.]+)" fill="#(1f5fa8|e0a030)"', svg)
    column_mm = max(float(x) for x, _, _, color in bars if color == "1f5fa8")
    utility = [float(width) for x, _, width, color in bars if color == "1f5fa8" and float(x) == column_mm]
    customer = [float(width) for _, _, width, color in bars if color == "e0a030"]
    assert utility[0] / customer[0] == pytest.approx(204.7 / 190.0, rel=1e-3)
    assert (utility[0] + customer[0]) / (utility[4] + customer[4]) == pytest.approx(394.7 / 680.05, rel=1e-3)


def test_voltages_along_the_path_are_drawn_as_recorded() -> None:
    """Of 0, 0.82, 1.97 and 2.36 km the second point lies at 0.82 / 2.36 of the axis; voltages fall along the curve, the
    recorded drops 0.0069, 0.0078 and 0.0012 in the same ratio on paper."""
    svg = render_profile(as_scheme(load_plain("hv_dual_source_10kv")))
    curve = re.search(r'd="M([\d.,L]+)" fill="none" stroke="#1f5fa8" stroke-width="0.6"', svg)
    assert curve is not None
    spots = [tuple(float(n) for n in spot.split(",")) for spot in curve.group(1).split("L")]
    (x0, y0), (x1, y1), (_, y2), (x3, y3) = spots
    assert (x1 - x0) / (x3 - x0) == pytest.approx(0.82 / 2.36, rel=1e-3)
    assert (y2 - y1) / (y1 - y0) == pytest.approx(0.0078 / 0.0069, rel=1e-2)
    assert (y3 - y0) / (y1 - y0) == pytest.approx(0.0159 / 0.0069, rel=1e-2)
    assert "客户 1.0049" in svg


def test_both_sources_are_checked_alone_and_together() -> None:
    pdf = pdf_text(rendered_files("hv_dual_source_10kv")["scheme.pdf"])
    assert "电源2其余电源退出4000kVA0.99210.992157.4%" in pdf
    assert "电源1全部投入2000kVA" in pdf  # 4000 less the 2000 of the other


def test_a_source_is_said_to_be_checked_with_no_less_than_it_carries_every_day() -> None:
    """It must carry 1500 kVA alone but carries 2000 every day: it was verified with 2000."""
    plain = load_plain("hv_dual_source_10kv")
    plain["supply"]["required_share_kva"] = 1500.0
    scheme = as_scheme(plain)
    rows: Any = list_source_checks(scheme, scheme.variants[0])["source_checks"]
    assert [row["capacity"] for row in rows[:2]] == ["2000 kVA", "2000 kVA"]


def test_the_same_check_of_two_sources_stands_in_one_line() -> None:
    plain = load_plain("hv_dual_source_10kv")
    best = plain["variants"][0]
    best["further_sources"][0]["power_quality"] = best["power_quality"]
    rows: Any = list_quality(as_scheme(plain).variants[0])["quality"]
    assert rows[0]["value"] == "电源1：8.31 kA；电源2：8.31 kA"
    assert len({row["text"] for row in rows}) == len(rows)


def test_checks_of_power_quality_are_printed_with_limit_verdict_and_condition() -> None:
    pdf = pdf_text(rendered_files("hv_dual_source_10kv")["scheme.pdf"])
    for text in ("8.31kA20kA符合GB/T15544.1", "3.00%缺资料", "需专题评估", "5次12.4A", "接入条件谐波治理装置"):
        assert text in pdf
