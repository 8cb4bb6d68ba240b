"""Which form answers which scheme, in which version, with which field numbers."""

from __future__ import annotations

import pytest

from gridmodel.errors import InputError
from scheme.document.forms import LAYOUTS, find_layout, layout_id
from scheme.document.layout import Figure, Form, Grid, Layout, Signature
from scheme.document.payload import build_payload
from scheme.document.write import list_documents
from tests.document.conftest import as_scheme, load_plain, rendered_files
from tests.document.reading import pdf_text, word_text


@pytest.mark.parametrize(
    ("name", "form", "title"),
    [
        ("hv_dual_source_10kv", "hv_reply", "高压供电方案答复单"),
        ("lv_resident_220v", "lv_reply", "低压供电方案答复单"),
        ("residential_area_10kv", "residential_reply", "居民小区供电方案答复单"),
        ("consultation_10kv", "consultation_reply", "供电方案咨询初步答复意见"),
        ("joint_work_10kv", "joint_work", "供电方案转专业联动单"),
    ],
)
def test_form_follows_purpose_verdict_customer_and_voltage(name: str, form: str, title: str) -> None:
    assert layout_id(as_scheme(load_plain(name))) == form
    assert title in pdf_text(rendered_files(name)["scheme.pdf"])


def labels(layout: Layout) -> dict[str, str]:
    """Title of the form and label -> number of every numbered field."""
    forms = [section for section in layout.sections if isinstance(section, Form)]
    return {f"{form.title} {field.label}": field.no for form in forms for field in form.fields if field.no}


def numbers(layout: Layout) -> set[str]:
    sections = {s.no for s in layout.sections if isinstance(s, Grid | Figure | Signature) and s.no}
    return set(labels(layout).values()) | sections


def test_fields_of_the_high_voltage_reply_are_numbered_one_to_sixty_two() -> None:
    """The numbers of the trade's form: 62 fields; some labels share one (24 变电站, 母线, 出线开关)."""
    layout = LAYOUTS["hv_reply"][-1]
    assert numbers(layout) == {str(no) for no in range(1, 63)}
    found = labels(layout)
    wanted = {"客户基本信息 户名": "3", "接入系统方案 产权分界点": "31", "计费方案 功率因数考核标准": "58"}
    assert {label: found[label] for label in wanted} == wanted


def test_fields_of_the_low_voltage_reply_are_numbered_one_to_twenty_three() -> None:
    layout = LAYOUTS["lv_reply"][-1]
    assert numbers(layout) == {str(no) for no in range(1, 24)}
    found = labels(layout)
    wanted = {"客户基本信息 供电电压": "7", "供电方案 供电电压": "11", "供电方案 相别分配": "21"}
    assert {label: found[label] for label in wanted} == wanted


def test_number_is_printed_before_its_label() -> None:
    files = rendered_files("hv_dual_source_10kv")
    for text in (word_text(files["scheme.docx"]), pdf_text(files["scheme.pdf"])):
        assert "3户名" in text
        assert "31产权分界点" in text


def test_version_in_force_on_the_date_is_used_and_printed() -> None:
    plain = load_plain("hv_single_source_10kv")
    plain["forms"] = [{"form": "hv_reply", "version": "1996.1"}]
    scheme = as_scheme(plain)
    layout = find_layout("hv_reply", scheme)
    assert (layout.version, "1996" in layout.basis) == ("1996.1", True)
    assert {(document.form, document.template_version) for document in list_documents(scheme) if document.form} == {
        ("hv_reply", "1996.1"),
        ("works_order", "2024.1"),  # not named: the newest
    }
    assert "模板版本：2024.1" in pdf_text(rendered_files("hv_single_source_10kv")["scheme.pdf"])


def test_version_this_product_does_not_have_is_refused() -> None:
    plain = load_plain("hv_single_source_10kv")
    plain["forms"] = [{"form": "hv_reply", "version": "2031.1"}]
    with pytest.raises(InputError, match=r"2031\.1"):
        find_layout("hv_reply", as_scheme(plain))


def test_preliminary_reply_binds_nobody() -> None:
    """What it must not promise: dates, validity, metering, fees; what it must say instead."""
    files = rendered_files("consultation_10kv")
    pdf = pdf_text(files["scheme.pdf"])
    assert [
        word for word in ("计划送电日期", "计量方案", "营业费用", "方案有效期", "客户受电变压器容量") if word in pdf
    ] == []
    for text in ("有效期无，对双方不具约束力", "不构成供电承诺，不占用电网可开放容量", "营业执照"):
        assert text in pdf
    assert "works_order.pdf" not in files


def test_residential_reply_tells_households_and_who_meters() -> None:
    plain = load_plain("residential_area_10kv")
    payload = build_payload(as_scheme(plain))
    assert payload["households"] == "486 户"
    assert (payload["household_metering"], payload["business"]) == ("一户一表", "小区新装")
    plain["request"]["circumstances"]["is_master_metered"] = True
    assert build_payload(as_scheme(plain))["household_metering"] == "合表"
    assert "小区内分户计量装置" in pdf_text(rendered_files("residential_area_10kv")["scheme.pdf"])


def test_works_order_lists_what_the_utility_builds_with_stock_and_departments() -> None:
    pdf = pdf_text(rendered_files("hv_dual_source_10kv")["works_order.pdf"])
    for text in (
        *("配套工程任务单", "开关站备用间隔启用并配置保护", "ZW32-12/630-20", "周口中心库36套", "缺货"),
        *("已订货，订单已排产，在途，2026年12月8日到货", "客户自备", "调控部门", "2027年1月6日"),
        "配套工程不晚于客户工程完成，且不超过配套工程建设时限",
    ):
        assert text in pdf


def test_sections_crossings_and_permits_of_every_source_are_printed() -> None:
    files = rendered_files("hv_dual_source_10kv")
    for text in (word_text(files["scheme.docx"]), pdf_text(files["scheme.pdf"]), pdf_text(files["works_order.pdf"])):
        assert "电源2新运河支渠河流河道管理范围内建设许可按估算路径判断，以查勘为准" in text
    assert "管沟电缆906m、电缆378m" in pdf_text(files["scheme.pdf"])


def test_transition_tells_stages_measures_and_what_each_stage_gives() -> None:
    files = rendered_files("transition_10kv")
    for text in (word_text(files["scheme.docx"]), pdf_text(files["scheme.pdf"]), pdf_text(files["works_order.pdf"])):
        for wanted in (
            "过渡方案与分阶段实施",
            "园区07线首段更换为ZC-YJV22-8.7/153×400（1.32km）",
            "最大负载率73.1%",
            "业扩项目包",
        ):
            assert wanted in text
    assert "由产业园变新建10千伏线路" in pdf_text(files["scheme.pdf"])
    assert "核定转供电运行方式和保护定值" in pdf_text(files["works_order.pdf"])
    assert "核定转供电运行方式和保护定值" not in pdf_text(files["scheme.pdf"])  # inside the utility


def test_joint_work_names_departments_tasks_and_what_was_tried() -> None:
    pdf = pdf_text(rendered_files("joint_work_10kv")["scheme.pdf"])
    for wanted in ("专业联动任务", "研究城西变主变增容或新建变电站布点", "已试而不可行的路径", "负载率仍为86.2%"):
        assert wanted in pdf
