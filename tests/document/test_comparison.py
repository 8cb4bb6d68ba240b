"""The comparison page: variants side by side, the recommended one marked, why the others are lower."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gridmodel.snapshot import Snapshot
from scheme.document.comparison import list_variants
from scheme.document.scores import render_scores
from scheme.document.write import render_documents
from scheme.model import Scheme
from tests.document.conftest import as_scheme, load_plain, rendered_files
from tests.document.reading import pdf_text, word_text


def lines(scheme: Scheme) -> dict[str, list[str]]:
    """Label -> texts of the variants."""
    rows: Any = list_variants(scheme)["comparison"]
    return {row["label"]: [row[f"v{n}"] for n in range(1, len(row))] for row in rows}


def test_figures_of_the_record_stand_side_by_side() -> None:
    """By hand: 45.1 + 3.5 + 151.6 + 4.5 = 204.7 paid by the utility, 190 by the customer, 394.7 together."""
    found = lines(as_scheme(load_plain("hv_dual_source_10kv")))
    assert found["估算造价 万元"][0] == "394.70"
    assert found["　供电企业投资"][0] == "204.70"
    assert found["　客户投资"][0] == "190.00"
    assert found["接入方式"] == ["环网柜间隔", "环网柜间隔", "环网柜间隔", "杆塔T接", "变电站间隔（专线）"]
    assert found["电源2 变电站"] == ["城西110千伏变电站"] * 5
    assert found["电源2 接入方式"][2:] == ["杆塔T接", "开关站间隔", "变电站间隔（专线）"]
    assert found["客户侧电压"][3] == "0.9852"
    assert "另一路电源" in found["故障后供电"][0]
    assert found["故障后供电"][1:] == ["—"] * 4
    assert found["线路负载率"][4] == "40.2%"


def test_each_lower_variant_says_where_it_loses() -> None:
    """Parts of variant 1 and 5 differ by 0.58 in cost (weight 0.3: 0.174) and 0.65 in distance (0.15: 0.0975)."""
    reasons = lines(as_scheme(load_plain("hv_dual_source_10kv")))["与推荐方案相比"]
    assert reasons[0] == "推荐方案"
    assert "造价−0.174" in reasons[4]
    assert "距离−0.098" in reasons[4]
    assert all(text.startswith("总分低") for text in reasons[1:])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_page_fits_any_count_of_variants(count: int) -> None:
    plain = load_plain("hv_dual_source_10kv")
    plain["variants"] = plain["variants"][:count]
    scheme = as_scheme(plain)
    payload = list_variants(scheme)
    assert payload["comparison_count"] == str(count)
    head: Any = payload["comparison_head"]
    assert list(head[0].values()) == ["比较项目", "方案1（推荐）", *(f"方案{n}" for n in range(2, count + 1))]
    assert render_scores(scheme).count("（推荐）") == 1


def test_single_variant_is_printed_in_word_and_pdf(snapshot: Snapshot) -> None:
    plain = load_plain("hv_dual_source_10kv")
    plain["variants"] = plain["variants"][:1]
    files = render_documents(as_scheme(plain), snapshot)
    for text in (word_text(files["scheme.docx"]), pdf_text(files["scheme.pdf"])):
        assert "方案1（推荐）" in text
        assert "方案2" not in text


def test_word_keeps_the_table_that_fits_and_no_other() -> None:
    assert word_text(rendered_files("hv_dual_source_10kv")["scheme.docx"]).count("可行方案并列比较") == 1


def test_bars_are_as_long_as_the_parts_say() -> None:
    """Variant 1 scores 0.62 in margin and 1.0 in cost (parts in the order of their keys): bars in the same ratio."""
    svg = render_scores(as_scheme(load_plain("hv_dual_source_10kv")))
    widths = [float(width) for width in re.findall(r'width="([\d.]+)" fill="#1f5fa8"', svg)]
    assert widths[0] / widths[1] == pytest.approx(0.62, rel=1e-2)
    assert "权重 0.25" in svg


def test_both_sources_are_checked_alone_and_together() -> None:
    pdf = pdf_text(rendered_files("hv_dual_source_10kv")["scheme.pdf"])
    assert "电源2其余电源退出4000kVA0.99210.992157.4%" in pdf
    assert "电源1全部投入2000kVA" in pdf  # 4000 less the 2000 of the other


def test_checks_of_power_quality_are_printed_with_limit_verdict_and_condition() -> None:
    pdf = pdf_text(rendered_files("hv_dual_source_10kv")["scheme.pdf"])
    for text in ("8.31kA20kA符合GB/T15544.1", "3.00%缺资料", "需专题评估", "5次12.4A", "接入条件：谐波治理装置"):
        assert text in pdf
