"""The forms a scheme is answered with (答复单) in every version: sections and their order; which form when."""

from __future__ import annotations

from gridmodel.errors import InputError
from scheme.document.form_numbers import HV_NUMBERS, LV_NUMBERS, RESIDENTIAL_NUMBERS
from scheme.document.layout import (
    Figure,
    Form,
    Grid,
    Heading,
    Layout,
    LayoutId,
    Section,
    Signature,
    centred,
    column,
    numbered,
    optional,
    wide,
)
from scheme.document.sections_orders import (
    ALTERNATIVES,
    FAILED,
    FORMAL_STEPS,
    LEAVES_OPEN,
    ORDER,
    ORDER_DATES,
    ORDER_DEPARTMENTS,
    ORDER_MATERIALS,
    ORDER_ORIGIN,
    ORDER_WORKS,
    STAGES,
    TASKS,
    TELLS,
)
from scheme.document.sections_reply import (
    ANSWER,
    ENQUIRER,
    FEES,
    HOUSING,
    INVESTMENT,
    LOAD,
    LOAD_LV,
    OPINION,
    RECEIVING_HV,
    RECEIVING_LV,
    SOURCE_CONSULTATION,
    SOURCE_HV,
    SOURCE_LV,
    TARIFF,
    customer,
    metering,
)
from scheme.document.sections_works import (
    COMPARISON,
    CROSSINGS,
    DOCUMENTS,
    FIGURES,
    MATERIALS,
    NOTICES,
    PROVENANCE,
    QUALITY,
    REJECTED,
    SIGNATURE,
    SOURCE_CHECKS,
    TIMELINE,
    UTILITY_FILLS,
    VERIFICATION,
    WORKS,
)
from scheme.model import Scheme

_RULES_1996 = "依据《供电营业规则》（1996年）编制"
_RULES_2024 = "依据《供电营业规则》（国家发展改革委令第14号，2024年6月1日起施行）编制"
_SIGNED_ON = "日期：　　　　年　　月　　日"
_APPENDICES: tuple[Section, ...] = (
    *COMPARISON,
    ALTERNATIVES,
    Heading(title="附录二　规定参数与计算依据"),
    *PROVENANCE,
)
"""Without field numbers."""

_SIGNED = (
    INVESTMENT,
    WORKS,
    CROSSINGS,
    *TIMELINE,
    DOCUMENTS,
    NOTICES,
    UTILITY_FILLS,
    SIGNATURE,
)
"""How every binding reply ends: what both sides sign."""

_PROOF = (VERIFICATION, SOURCE_CHECKS, QUALITY, *FIGURES)
"""What it rests on: behind the signatures, so that these stand on the first pages and never alone on one."""

_HV = (
    ANSWER,
    customer("供电容量（核定）"),
    LOAD,
    STAGES,
    FEES,
    SOURCE_HV,
    RECEIVING_HV,
    metering(has_voltage_transformer=True),
    TARIFF,
    *_SIGNED,
    MATERIALS,
    *_PROOF,
)
_LV = (
    ANSWER,
    customer("供电容量"),
    Form(title="用电负荷", fields=LOAD_LV),
    STAGES,
    FEES,
    SOURCE_LV,
    metering(has_voltage_transformer=False),
    TARIFF,
    RECEIVING_LV,
    *_SIGNED,
    *_PROOF,
)
_RESIDENTIAL = (*_HV[:2], HOUSING, *_HV[2:])
_CONSULTATION = (
    OPINION,
    ENQUIRER,
    Form(title="用电负荷", fields=LOAD_LV),
    TELLS,
    LEAVES_OPEN,
    STAGES,
    SOURCE_CONSULTATION,
    INVESTMENT,
    WORKS,
    CROSSINGS,
    FORMAL_STEPS,
    DOCUMENTS,
    NOTICES,
    SIGNATURE,
    VERIFICATION,
    SOURCE_CHECKS,
    QUALITY,
    Figure(title="附图一　电气接线示意图", name="diagram", height_mm=137.0, shown_if="diagram_shown"),
    FIGURES[1],
)
_JOINT_WORK = (
    Form(
        title="处理结论",
        fields=(wide("结论", "verdict"), wide("说明", "verdict_note"), optional("建议电压等级", "higher_voltage")),
    ),
    Grid(
        title="转专业联动的原因",
        rows="reasons",
        columns=(centred("序号", "no", 1), column("原因", "text", 14)),
        has_head=False,
    ),
    customer("申请容量"),
    Form(title="用电负荷", fields=LOAD_LV),
    TASKS,
    STAGES,
    NOTICES,
    UTILITY_FILLS,
    Signature(
        title="签署",
        parties=(
            ("发起部门（营销）", "经办人：", _SIGNED_ON),
            ("接收部门（运检、发展、建设）", "经办人：", _SIGNED_ON),
        ),
    ),
    Figure(title="附图　地理位置示意图", name="map", height_mm=94.0),
    ALTERNATIVES,
    FAILED,
    REJECTED,
    Heading(title="附录　规定参数与计算依据"),
    *PROVENANCE,
)
_WORKS_ORDER = (
    ORDER,
    ORDER_DATES,
    ORDER_WORKS[0],
    ORDER_MATERIALS,
    CROSSINGS,
    STAGES,
    TASKS,
    ORDER_DEPARTMENTS,
    Signature(
        title="签署",
        parties=(
            ("下达部门（营销）", "经办人：", _SIGNED_ON),
            ("实施部门（设备、建设）", "经办人：", _SIGNED_ON),
            ("物资部门", "经办人：", _SIGNED_ON),
        ),
    ),
    TIMELINE[1],
    ORDER_WORKS[1],
    ORDER_ORIGIN,
    *FIGURES,
)


def _versions(layout: LayoutId, title: str, sections: tuple[Section, ...], older: str) -> tuple[Layout, ...]:
    """Return the versions of a form, oldest first: they differ in the rules they follow."""
    return tuple(
        Layout(id=layout, title=title, version=version, basis=basis, sections=sections)
        for version, basis in ((older, _RULES_1996), ("2024.1", _RULES_2024))
    )


LAYOUTS: dict[LayoutId, tuple[Layout, ...]] = {
    "hv_reply": _versions("hv_reply", "高压供电方案答复单", (*numbered(_HV, HV_NUMBERS), *_APPENDICES), "1996.1"),
    "lv_reply": _versions("lv_reply", "低压供电方案答复单", (*numbered(_LV, LV_NUMBERS), *_APPENDICES), "1996.1"),
    "residential_reply": _versions(
        "residential_reply",
        "居民小区供电方案答复单",
        (*numbered(_RESIDENTIAL, RESIDENTIAL_NUMBERS), *_APPENDICES),
        "1996.1",
    ),
    "consultation_reply": _versions(
        "consultation_reply", "供电方案咨询初步答复意见", (*_CONSULTATION, *_APPENDICES), "2022.1"
    ),
    "joint_work": _versions("joint_work", "供电方案转专业联动单", _JOINT_WORK, "2022.1"),
    "works_order": _versions("works_order", "配套工程任务单", _WORKS_ORDER, "2022.1"),
}
"""Every version of every form, oldest first."""


def layout_id(scheme: Scheme) -> LayoutId:
    """Return which form answers this scheme: a consultation, then by verdict, customer and voltage level."""
    if scheme.consultation is not None:
        return "consultation_reply"
    if scheme.verdict == "joint_work" or scheme.supply is None or not scheme.variants:
        return "joint_work"
    if scheme.request["applicant"]["category"] == "residential_area":
        return "residential_reply"
    return "lv_reply" if scheme.supply.voltage in {"220V", "380V"} else "hv_reply"


def find_layout(form: LayoutId, scheme: Scheme) -> Layout:
    """Return the form in the version the scheme names, the newest where it names none.

    Raises:
        InputError: The scheme names a version this product does not have.
    """
    versions = LAYOUTS[form]
    wanted = next((item.version for item in scheme.forms if item.form == form), versions[-1].version)
    for layout in versions:
        if layout.version == wanted:
            return layout
    allowed = ", ".join(layout.version for layout in versions)
    raise InputError("no template of this version", field=f"form.versions.{form}", value=wanted, allowed=allowed)
