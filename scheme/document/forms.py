"""The forms a scheme is answered with (答复单): labels, fields and order of each."""

from __future__ import annotations

from scheme.document.layout import Column, Field, Figure, Form, Grid, Heading, Layout, LayoutId, Signature
from scheme.model import Scheme


def layout_id(scheme: Scheme) -> LayoutId:
    """Return which form answers this scheme: by verdict first, then by voltage level."""
    if scheme.verdict == "joint_work" or scheme.supply is None or not scheme.variants:
        return "joint_work"
    return "lv_reply" if scheme.supply.voltage in {"220V", "380V"} else "hv_reply"


def _field(label: str, key: str) -> Field:
    return Field(label=label, key=key)


def _wide(label: str, key: str) -> Field:
    return Field(label=label, key=key, is_wide=True)


def _column(label: str, key: str, share: float) -> Column:
    return Column(label=label, key=key, share=share)


def _number(label: str, key: str, share: float) -> Column:
    return Column(label=label, key=key, share=share, align="right")


def _centred(label: str, key: str, share: float) -> Column:
    return Column(label=label, key=key, share=share, align="center")


def _customer(capacity_label: str) -> Form:
    return Form(
        title="客户基本信息",
        fields=(
            _field("户号", "customer_no"),
            _field("申请编号", "application_no"),
            _wide("户名", "customer_name"),
            _wide("用电地址", "address"),
            _wide("用电点坐标", "location"),
            _field("用电类别", "category"),
            _field("行业分类", "industry"),
            _field("重要用户等级", "importance"),
            _field("业务类型", "business"),
            _field(capacity_label, "capacity"),
            _field("供电电压", "voltage"),
            _wide("联系人及电话", "contact"),
            _wide("客户经理及联系电话", "utility_contact"),
            _field("申请日期", "received_on"),
            _field("答复日期", "replied_on"),
            _field("需要用电日期", "needed_on"),
            _field("申请单号", "request_id"),
        ),
    )


_LOAD_LV = (
    _field("用电设备总容量", "installed_kw"),
    _field("申请容量", "requested_kva"),
    _field("计算负荷", "calculated_load"),
    _field("功率因数", "power_factor"),
)
_LOAD = Form(
    title="用电负荷",
    fields=(
        *_LOAD_LV,
        _field("一级负荷", "load_class1"),
        _field("二级负荷", "load_class2"),
        _field("保安负荷", "security_load"),
        _field("负荷特性", "special_loads"),
    ),
)
_ANSWER = Form(
    title="答复结论",
    fields=(
        _wide("结论", "verdict"),
        _wide("说明", "reasons_text"),
        _wide("方案有效期", "validity"),
        _field("是否业扩受限", "is_restricted"),
        _field("计划送电日期", "planned_on"),
    ),
)
_FEES = Grid(
    title="营业费用",
    rows="fees",
    columns=(
        _column("费用名称", "name", 2.8),
        _column("单价", "unit_price", 2.5),
        _number("数量", "quantity", 1.2),
        _number("应收金额", "amount", 2.5),
        _column("收费依据", "basis", 3.6),
    ),
)
_SOURCE_HV = Form(
    title="接入系统方案",
    repeat="sources",
    fields=(
        _field("电源编号", "no"),
        _field("电源性质", "role"),
        _field("电源类型", "kind"),
        _field("供电电压", "supply_voltage"),
        _field("供电容量", "capacity"),
        _field("接入方式", "connection_mode"),
        _field("变电站", "substation"),
        _field("母线", "busbar"),
        _field("供电线路", "feeder"),
        _field("接入点", "point"),
        _field("敷设方式", "laying"),
        _field("进线方式", "entry_mode"),
        _field("线路型号", "line_type"),
        _field("线路长度", "length"),
        _wide("产权分界点", "boundary"),
    ),
)
_SOURCE_LV = Form(
    title="供电方案",
    repeat="sources",
    fields=(
        _field("电源编号", "no"),
        _field("电源性质", "role"),
        _field("供电电压", "supply_voltage"),
        _field("供电容量", "capacity"),
        _field("变电站", "substation"),
        _field("10千伏线路", "feeder"),
        _field("公变台区", "transformer_area"),
        _field("接入点", "point"),
        _field("接入方式", "connection_mode"),
        _field("进线方式", "entry_mode"),
        _field("接户线型号", "line_type"),
        _field("接户线长度", "length"),
        _field("敷设方式", "laying"),
        _field("相别分配", "phase"),
        _wide("产权分界点", "boundary"),
    ),
)
_RECEIVING_HV = Form(
    title="受电系统方案",
    fields=(
        _field("受电点类型", "receiving_kind"),
        _field("电气主接线", "main_connection"),
        _wide("受电变压器", "transformers"),
        _field("受电总容量", "receiving_kva"),
        _field("运行方式", "operation_mode"),
        _wide("进线保护", "protection_incoming"),
        _wide("分界开关", "boundary_switch"),
        _wide("保护要求", "protection_notes"),
        _wide("无功补偿", "compensation"),
        _wide("自备应急电源", "emergency"),
        _wide("谐波治理", "harmonics"),
        _field("调度通信", "dispatch"),
        _field("高压柜配置", "cubicles"),
    ),
)
_RECEIVING_LV = Form(
    title="受电与保护",
    fields=(
        _wide("进线保护", "protection_incoming"),
        _wide("保护要求", "protection_notes"),
        _wide("无功补偿", "compensation"),
        _wide("自备应急电源", "emergency"),
    ),
)


def _metering(*, has_voltage_transformer: bool) -> Form:
    voltage_transformer = (_field("电压互感器变比", "pt_ratio"), _field("电压互感器精度", "pt_class"))
    return Form(
        title="计量方案",
        repeat="metering",
        fields=(
            _field("计量点编号", "no"),
            _field("计量点用途", "purpose"),
            _field("计量方式", "mode"),
            _field("计量电压", "voltage"),
            _wide("计量装置位置", "position"),
            _field("接线方式", "wiring"),
            _field("电能表精度", "meter_class"),
            _wide("电能表规格", "meter"),
            _field("电流互感器变比", "ct_ratio"),
            _field("电流互感器精度", "ct_class"),
            *(voltage_transformer if has_voltage_transformer else ()),
            _field("定量定比", "fixed_share"),
            _field("损耗分摊", "loss_apportion"),
            _wide("采集终端", "terminal"),
        ),
    )


_TARIFF = Form(
    title="计费方案",
    fields=(
        _field("电价类别", "price_class"),
        _field("是否执行分时电价", "time_of_use"),
        _field("基本电费方式", "capacity_charge"),
        _field("功率因数考核标准", "power_factor_standard"),
    ),
)
_INVESTMENT = Form(
    title="投资界面",
    fields=(
        _wide("分界位置", "investment_boundary"),
        _wide("供电企业投资", "utility_scope"),
        _wide("客户投资", "customer_scope"),
        _wide("依据条款", "investment_clause"),
    ),
)
_WORKS = (
    Grid(
        title="工程内容",
        rows="works",
        columns=(
            _centred("序号", "no", 1),
            _column("工程内容", "text", 7),
            _number("数量", "quantity", 2),
            _centred("单位", "unit", 1.3),
            _centred("投资方", "side", 2),
        ),
    ),
    Grid(
        title="主要设备材料",
        rows="materials",
        columns=(
            _centred("序号", "no", 1),
            _column("名称", "name", 4.5),
            _column("型号", "type_id", 4),
            _number("数量", "quantity", 1.8),
            _centred("单位", "unit", 1.3),
            _centred("投资方", "side", 2),
        ),
    ),
    Grid(
        title="工程费用估算（万元）",
        rows="costs",
        columns=(
            _column("项目", "text", 4),
            _number("数量", "quantity", 1.8),
            _centred("单位", "unit", 1.3),
            _number("低值", "low", 1.6),
            _number("中值", "typical", 1.6),
            _number("高值", "high", 1.6),
            _centred("投资方", "side", 2),
            _column("价格依据", "price_basis", 3),
        ),
        note="cost_note",
    ),
)
_TIMELINE = (
    Form(
        title="办电环节与时限",
        fields=(
            _wide("办电环节", "steps"),
            _field("全过程时限", "time_limit"),
            _field("最迟完成日期", "limit_on"),
        ),
    ),
    Grid(
        title="进度安排",
        rows="milestones",
        columns=(
            _column("环节", "text", 5),
            _centred("时长", "duration", 2),
            _column("开始日期", "starts_on", 3),
            _column("完成日期", "ends_on", 3),
            _centred("备注", "note", 2),
        ),
        note="timeline_note",
        is_optional=True,
    ),
)
_VERIFICATION = Form(
    title="校核结果（交流潮流计算）",
    fields=(
        _wide("校核结论", "check_result"),
        _field("供电路径最低电压", "u_min"),
        _field("供电路径最高电压", "u_max"),
        _field("客户侧电压", "u_customer"),
        _field("网损变化", "losses"),
        _field("线路最大负载率", "line_loading"),
        _field("变压器最大负载率", "transformer_loading"),
        _field("接入点短路电流", "short_circuit"),
        _field("计算引擎", "engine"),
    ),
)
_NOTICES = Grid(
    title="告知事项",
    rows="notices",
    columns=(_centred("序号", "no", 1), _column("内容", "text", 14)),
    is_kept_with_next=True,
)
_UTILITY_FILLS = Form(title="由供电企业填写的项目", fields=(_wide("项目", "to_be_filled"),), is_kept_with_next=True)
_SIGNATURE = Signature(
    title="签署",
    parties=(
        ("供电企业（盖章）", "经办人：", "日期：　　　　年　　月　　日"),
        ("客户（签章）", "签收人：", "日期：　　　　年　　月　　日"),
    ),
)
_COMPARISON = (
    Grid(
        title="可行方案比选",
        rows="variants",
        columns=(
            _centred("序号", "rank", 1),
            _column("接入方式", "kind", 2.4),
            _column("接入点", "point", 3.4),
            _number("距离 m", "distance", 1.7),
            _number("线路长 m", "length", 1.7),
            _number("估算 万元", "cost", 1.7),
            _number("最低电压 p.u.", "u_min", 1.9),
            _number("最大负载率", "loading", 1.8),
            _number("评分", "score", 1.4),
        ),
        note="variants_note",
    ),
    Grid(
        title="未采用的接入点",
        rows="rejected",
        columns=(
            _column("接入点", "point", 3),
            _column("类型", "kind", 2),
            _number("距离 m", "distance", 1.5),
            _column("原因", "reasons", 7),
        ),
        note="rejected_note",
        is_optional=True,
    ),
    Grid(
        title="供电路径电压（标幺值）",
        rows="voltage_profile",
        columns=(
            _column("节点", "element_id", 5),
            _number("距电源 km", "distance", 2),
            _number("接入前", "before", 2),
            _number("接入后", "after", 2),
        ),
        note="voltage_profile_note",
        is_optional=True,
        is_dense=True,
    ),
)
_PROVENANCE = (
    Grid(
        title="采用的规定参数",
        rows="policy_reads",
        columns=(
            _column("参数", "id", 4.4),
            _column("取值", "value", 3.0),
            _column("依据文件及条款", "source", 4.6),
            _column("生效日期", "effective_from", 2.4),
        ),
        is_optional=True,
        is_dense=True,
    ),
    Form(
        title="计算依据",
        fields=(
            _wide("方案编号", "scheme_id"),
            _field("规定口径", "profile"),
            _field("决定日期", "replied_on"),
            _wide("软件版本", "version"),
            _wide("计算引擎", "engine"),
            _wide("电网断面摘要", "snapshot_sha256"),
            _wide("规定数据摘要", "policy_sha256"),
            _wide("设备目录摘要", "catalogue_sha256"),
            _wide("字符说明", "glyph_note"),
        ),
    ),
)
_DOCUMENTS = Grid(
    title="客户应提供的资料及检验范围",
    rows="customer_duties",
    columns=(_centred("类别", "kind", 2), _column("内容", "text", 9)),
    is_optional=True,
)
_FIGURES = (
    Figure(title="附图一　电气接线示意图", name="diagram", height_mm=137.0, starts_page=True),
    Figure(title="附图二　地理位置示意图", name="map", height_mm=94.0),
)

LAYOUTS: dict[LayoutId, Layout] = {
    "hv_reply": Layout(
        id="hv_reply",
        title="高压供电方案答复单",
        sections=(
            _customer("供电容量（核定）"),
            _LOAD,
            _ANSWER,
            _FEES,
            _SOURCE_HV,
            _RECEIVING_HV,
            _metering(has_voltage_transformer=True),
            _TARIFF,
            _INVESTMENT,
            *_WORKS,
            *_TIMELINE,
            _VERIFICATION,
            _DOCUMENTS,
            _NOTICES,
            _UTILITY_FILLS,
            _SIGNATURE,
            *_FIGURES,
            Heading(title="附录一　方案比选"),
            *_COMPARISON,
            Heading(title="附录二　规定参数与计算依据"),
            *_PROVENANCE,
        ),
    ),
    "lv_reply": Layout(
        id="lv_reply",
        title="低压供电方案答复单",
        sections=(
            _customer("供电容量"),
            Form(title="用电负荷", fields=_LOAD_LV),
            _ANSWER,
            _FEES,
            _SOURCE_LV,
            _metering(has_voltage_transformer=False),
            _TARIFF,
            _RECEIVING_LV,
            _INVESTMENT,
            *_WORKS,
            *_TIMELINE,
            _VERIFICATION,
            _DOCUMENTS,
            _NOTICES,
            _UTILITY_FILLS,
            _SIGNATURE,
            *_FIGURES,
            Heading(title="附录一　方案比选"),
            *_COMPARISON,
            Heading(title="附录二　规定参数与计算依据"),
            *_PROVENANCE,
        ),
    ),
    "joint_work": Layout(
        id="joint_work",
        title="供电方案转专业联动单",
        sections=(
            _customer("申请容量"),
            Form(title="用电负荷", fields=_LOAD_LV),
            Form(
                title="处理结论",
                fields=(
                    _wide("结论", "verdict"),
                    _wide("说明", "verdict_note"),
                ),
            ),
            Grid(
                title="转专业联动的原因",
                rows="reasons",
                columns=(_centred("序号", "no", 1), _column("原因", "text", 11), _centred("代码", "code", 4)),
            ),
            *(section for section in _COMPARISON if section.rows == "rejected"),
            _NOTICES,
            _UTILITY_FILLS,
            Signature(
                title="签署",
                parties=(
                    ("发起部门（营销）", "经办人：", "日期：　　　　年　　月　　日"),
                    ("接收部门（运检、发展、建设）", "经办人：", "日期：　　　　年　　月　　日"),
                ),
            ),
            Figure(title="附图　地理位置示意图", name="map", height_mm=94.0),
            Heading(title="附录　规定参数与计算依据"),
            *_PROVENANCE,
        ),
    ),
}
