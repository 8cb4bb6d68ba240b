from __future__ import annotations

from typing import Any

import pytest

from scheme.document.payload import build_payload
from scheme.document.tables import Payload
from scheme.document.wording import day, duration, fixed, number, percent, policy_value
from tests.document.conftest import as_scheme, load_plain


def payload_of(name: str, **changes: Any) -> Payload:
    return build_payload(as_scheme({**load_plain(name), **changes}))


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (382.1, 0, "382"),
        (0.3821, 3, "0.382"),
        (1000.0, 1, "1000"),
        (-0.001, 1, "0"),
        (None, 1, "—"),
        (float("nan"), 1, "—"),
    ],
)
def test_numbers_lose_trailing_zeros_and_unknown_ones_are_dashes(value: float | None, digits: int, text: str) -> None:
    assert number(value, digits) == text


def test_fixed_numbers_percentages_dates_and_durations() -> None:
    assert fixed(84.6, 2) == "84.60"
    assert percent(0.468) == "46.8%"
    assert percent(None) == "—"
    assert day("2026-11-20") == "2026年11月20日"
    assert day(None) == "—"
    assert (duration(5, "workday"), duration(5, "day"), duration(0, "workday"), duration(None, None)) == (
        *("5个工作日", "5天", "当日", "—"),
    )


@pytest.mark.parametrize(
    ("value", "unit", "op", "text"),
    [
        (12.0, "kW", "le", "≤12 kW"),
        (0.8, "ratio", "le", "≤0.8"),
        (5, "workday", "le", "≤5 个工作日"),
        (True, "flag", None, "是"),
        ([200.0, 500.0], "m_list", None, "200、500 m"),
        ([{"part": "cost"}], "table", None, "表（1行）"),
        ([], "text_list", None, "无"),
        ({"cost": 0.2, "distance": 0.3}, "record", None, "记录（2项）"),
        ("甲" * 40, "text", None, "甲" * 35 + "…"),
    ],
)
def test_policy_values_are_printed_in_short(value: Any, unit: str, op: str | None, text: str) -> None:
    assert policy_value(value, unit=unit, op=op) == text


def test_every_field_left_to_the_utility_is_listed_once() -> None:
    payload = payload_of("hv_single_source_10kv", to_be_filled=["户号", "供电企业盖章"])
    names = str(payload["to_be_filled"]).split("、")
    assert len(names) == len(set(names))
    assert {"户号", "申请编号", "用电地址", "行业分类", "一级负荷", "调度通信", "供电企业盖章"} <= set(names)
    assert "重要用户等级" not in names  # the request names it


def test_importance_not_confirmed_is_left_to_the_utility() -> None:
    assert payload_of("lv_resident_220v")["importance"] == "由供电企业填写"


def test_fee_without_a_rate_is_left_to_the_utility_and_not_zero() -> None:
    fee = {"name": "高可靠性供电费", "unit_price_cny": None, "quantity": 500.0, "amount_cny": None, "basis": "双电源"}
    row = payload_of("hv_single_source_10kv", fees=[fee])["fees"][0]
    assert isinstance(row, dict)
    assert (row["unit_price"], row["amount"]) == ("由供电企业填写", "由供电企业填写")


def test_no_fee_is_said_in_words() -> None:
    row = payload_of("lv_resident_220v")["fees"][0]
    assert isinstance(row, dict)
    assert row["name"] == "无"


def test_long_voltage_profile_is_thinned_and_keeps_both_ends() -> None:
    plain = load_plain("lv_resident_220v")
    plain["variants"][0]["verification"]["voltage_profile"] = [
        {"element_id": f"P{i}", "distance_km": i / 10, "u_pu_before": 1.0, "u_pu_after": 0.99} for i in range(60)
    ]
    payload = build_payload(as_scheme(plain))
    shown = [row["element_id"] for row in payload["voltage_profile"]]  # type: ignore[index]
    assert (len(shown), shown[0], shown[-1]) == (12, "P0", "P59")
    assert payload["voltage_profile_note"] == "供电路径共60个节点，列出12个。"


def test_violated_limit_is_named() -> None:
    plain = load_plain("lv_resident_220v")
    plain["variants"][0]["verification"].update(
        is_within_limits=False, limit_kind="voltage_low", limit_element_id="bus:17"
    )
    assert build_payload(as_scheme(plain))["check_result"] == "接入后越限：电压低于下限（bus:17）"


def test_model_is_printed_for_lines_and_no_internal_code_for_the_rest() -> None:
    plain = load_plain("hv_single_source_10kv")
    codes = {m["type_id"] for m in plain["variants"][0]["bill_of_materials"] if "model" not in m}
    rows = build_payload(as_scheme(plain))["materials"]
    assert isinstance(rows, list)
    assert "ZC-YJV22-8.7/15 3×300" in {row["type_id"] for row in rows}
    assert codes
    assert not codes & {row["type_id"] for row in rows}
    assert "—" in {row["type_id"] for row in rows}


def test_load_classes_are_printed_as_stated_and_left_to_the_utility_where_not() -> None:
    plain = load_plain("hv_single_source_10kv")
    facts = {"load_class1_kw": 60.0, "load_class2_kw": 0.0}
    stated = payload_of("hv_single_source_10kv", request={**plain["request"], "circumstances": facts})
    assert (stated["load_class1"], stated["load_class2"]) == ("60 kW", "0 kW")
    silent = payload_of("hv_single_source_10kv", request={**plain["request"], "circumstances": {}})
    assert silent["load_class1"] == silent["load_class2"] == "由供电企业填写"
