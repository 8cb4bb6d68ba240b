from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from scheme.document.payload import build_payload
from scheme.document.tables import Payload
from scheme.document.wording import day, duration, fixed, number, percent, policy_value
from scheme.policy.loader import load_policy
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
        ([4000, 5000, 6300, 8000, 10000, 12500], "kVA_list", None, "4000、5000、6300、8000…（共6项） kVA"),
        (["甲" * 40, "乙"], "texts", None, "甲" * 23 + "…（共2项）"),
        (["甲" * 40], "texts", None, "甲" * 23 + "…"),
        (["resident", "small_micro"], "texts", None, "居民生活、小微企业"),
        (2, "hour", "le", "≤2 小时"),
        ([{"part": "cost"}], "table", None, "表（1行）"),
        ([], "text_list", None, "无"),
        ({"cost": 0.2, "distance": 0.3}, "record", None, "记录（2项）"),
        ("甲" * 40, "text", None, "甲" * 23 + "…"),
    ],
)
def test_policy_values_are_printed_in_short(value: Any, unit: str, op: str | None, text: str) -> None:
    assert policy_value(value, unit=unit, op=op) == text


def test_no_unit_of_a_policy_value_is_printed_as_a_code() -> None:
    policy = load_policy("shenqiu-2022", as_of=date(2026, 11, 20))
    units = {parameter.unit for parameter in policy.policies.parameters.values()}
    printed = {policy_value(2.5, unit=unit, op=None) for unit in units} | {
        policy_value([2.5], unit=unit, op=None) for unit in units
    }
    letters = {re.sub("^2.5 ?", "", text) for text in printed}
    assert letters <= {"", *("kVA", "kW", "kA", "A", "m", "km", "p.u.", "℃", "元/kVA", "万元"), *WORDS}


WORDS = ("个工作日", "天", "个月", "年", "小时", "分钟", "秒")


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
    payload = payload_of("lv_resident_220v")
    assert (payload["fees"], payload["fees_text"]) == ([], "无")


def test_works_carry_their_estimate_and_add_up() -> None:
    """By hand: 45.1 + 3.5 of the utility and 36 of the customer make 84.6."""
    plain = load_plain("hv_single_source_10kv")
    works = plain["variants"][0]["works"]
    items = plain["variants"][0]["cost"]["items"]
    for work, item in zip(works[:2], items[:2], strict=True):
        item.update(code=work["code"], quantity=work["quantity"], side=work["side"])
    payload = build_payload(as_scheme(plain))
    rows: Any = payload["works"]
    assert [row["typical"] for row in rows[:2]] == ["45.10", "3.50"]
    assert [row["typical"] for row in rows if row["text"] == "合计"] == ["84.60"]
    listed = [row["text"] for row in rows]
    assert [work["text"] for work in works] == listed[: len(works)]
    assert listed.count(items[2]["text"]) == 1  # an estimate of no listed work is not lost


def test_policy_values_of_a_document_stand_together_each_clause_once() -> None:
    read = {"op": None, "profile": "base", "effective_from": "2022-07-20", "unit": "kW", "document": "甲规定"}
    reads = [
        {**read, "id": "a.one", "name": "一", "value": 1, "clause": "甲规定 二(一)"},
        {**read, "id": "b.two", "name": "二", "value": 2, "clause": "乙", "document": "乙"},
        {**read, "id": "c.three", "name": "三", "value": 3, "clause": "甲规定 二(一)"},
        {**read, "id": "d.four", "name": "四", "value": 4, "clause": "甲规定 二(二)"},
    ]
    rows = payload_of("lv_resident_220v", policy_reads=reads)["policy_reads"]
    assert rows == [
        {
            "source": "甲规定（2022-07-20起）",
            "texts": "【二(一)】一a.one：1 kW；三c.three：3 kW　【二(二)】四d.four：4 kW",
        },
        {"source": "乙（2022-07-20起）", "texts": "二b.two：2 kW"},
    ]


def test_a_demand_says_its_figure_once() -> None:
    text = "不少于126kvar，分组自动投切"
    demand = {"is_required": True, "share_of_transformer": 0.2, "target_power_factor": 0.95, "text": text}
    said = payload_of("hv_single_source_10kv", reactive_compensation={**demand, "kvar_min": 126.0})
    assert said["compensation"] == text
    other = payload_of("hv_single_source_10kv", reactive_compensation={**demand, "kvar_min": 26.0})
    assert other["compensation"] == f"{text}（容量不小于26 kvar）"


def test_conclusion_tells_points_money_and_dates_first() -> None:
    """By hand from the record: the utility builds for 204.7, the customer for 190."""
    payload = payload_of("hv_dual_source_10kv")
    assert str(payload["answer_points"]).startswith(
        "电源1：产业园110千伏变电站 10千伏园区07线 园区07线3号环网柜904间隔（"
    )
    assert str(payload["utility_cost"]).startswith("204.70万元")
    assert str(payload["customer_cost"]).startswith("190.00万元")
    assert "4000 kVA，双电源" in str(payload["answer_supply"])


def test_a_side_that_builds_nothing_pays_nothing() -> None:
    plain = load_plain("lv_resident_220v")
    plain["variants"][0]["cost"].update(customer_typical_cny10k=0.0, customer_high_cny10k=0.0)
    assert build_payload(as_scheme(plain))["customer_cost"] == "无"


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


def test_a_day_that_hangs_on_something_open_is_told_by_its_condition_and_never_by_a_dash() -> None:
    plain = load_plain("hv_dual_source_10kv")
    plain["timeline"].update(promise_on=None, promise_text="自物资到位之日起20个工作日内")
    for milestone in plain["timeline"]["milestones"]:
        if milestone["code"] == "supporting_works":
            milestone.update(starts_on=None, ends_on=None)
    payload = build_payload(as_scheme(plain), "works_order")
    assert (payload["planned_on"], payload["promise"]) == ("见送电承诺", "自物资到位之日起20个工作日内")
    assert (payload["works_from"], payload["works_to"]) == ("由供电企业填写", "由供电企业填写")
