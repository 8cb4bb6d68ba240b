"""Parts of the reply forms about customer, sources, receiving station, metering and money."""

from __future__ import annotations

from scheme.document.layout import Form, Grid, column, field, number, optional, wide


def customer(capacity_label: str) -> Form:
    return Form(
        title="客户基本信息",
        fields=(
            field("户号", "customer_no"),
            field("申请编号", "application_no"),
            wide("户名", "customer_name"),
            wide("用电地址", "address"),
            wide("用电点坐标", "location"),
            field("用电类别", "category"),
            field("行业分类", "industry"),
            field("重要用户等级", "importance"),
            field("业务类型", "business"),
            field(capacity_label, "capacity"),
            field("供电电压", "voltage"),
            wide("联系人及电话", "contact"),
            wide("客户经理及联系电话", "utility_contact"),
            field("申请日期", "received_on"),
            field("答复日期", "replied_on"),
            field("需要用电日期", "needed_on"),
            field("申请单号", "request_id"),
        ),
    )


LOAD_LV = (
    field("用电设备总容量", "installed_kw"),
    field("申请容量", "requested_kva"),
    field("计算负荷", "calculated_load"),
    field("功率因数", "power_factor"),
)
LOAD = Form(
    title="用电负荷",
    fields=(
        *LOAD_LV,
        field("一级负荷", "load_class1"),
        field("二级负荷", "load_class2"),
        field("保安负荷", "security_load"),
        field("负荷特性", "special_loads"),
    ),
)
ANSWER = Form(
    title="答复结论",
    fields=(
        wide("结论", "verdict"),
        wide("说明", "reasons_text"),
        wide("供电方式", "answer_supply"),
        wide("接入点", "answer_points"),
        optional("接入条件", "conditions"),
        field("供电企业投资估算", "utility_cost"),
        field("客户投资估算", "customer_cost"),
        wide("营业费用", "fees_text"),
        wide("送电承诺", "promise"),
        field("计划送电日期", "planned_on"),
        field("是否业扩受限", "is_restricted"),
        wide("方案有效期", "validity"),
    ),
)
"""What a reply says in short; it stands first."""
FEES = Grid(
    title="营业费用",
    rows="fees",
    columns=(
        column("费用名称", "name", 2.8),
        column("单价", "unit_price", 2.5),
        number("数量", "quantity", 1.2),
        number("应收金额", "amount", 2.5),
        column("收费依据", "basis", 3.6),
    ),
    is_optional=True,
)
SOURCE_HV = Form(
    title="接入系统方案",
    repeat="sources",
    fields=(
        field("电源编号", "no"),
        field("电源性质", "role"),
        field("电源类型", "kind"),
        field("供电电压", "supply_voltage"),
        field("供电容量", "capacity"),
        field("接入方式", "connection_mode"),
        field("变电站", "substation"),
        field("母线", "busbar"),
        field("出线开关", "outgoing"),
        field("供电线路", "feeder"),
        wide("接入点", "point"),
        field("敷设方式", "laying"),
        field("进线方式", "entry_mode"),
        field("线路型号", "line_type"),
        field("线路长度", "length"),
        wide("产权分界点", "boundary"),
    ),
)
SOURCE_LV = Form(
    title="供电方案",
    repeat="sources",
    fields=(
        field("电源编号", "no"),
        field("电源性质", "role"),
        field("供电电压", "supply_voltage"),
        field("供电容量", "capacity"),
        field("变电站", "substation"),
        field("10千伏线路", "feeder"),
        field("公变台区", "transformer_area"),
        field("接入点", "point"),
        field("接入方式", "connection_mode"),
        field("进线方式", "entry_mode"),
        field("接户线型号", "line_type"),
        field("接户线长度", "length"),
        field("敷设方式", "laying"),
        field("相别分配", "phase"),
        wide("产权分界点", "boundary"),
    ),
)
RECEIVING_HV = Form(
    title="受电系统方案",
    fields=(
        field("受电点类型", "receiving_kind"),
        field("电气主接线", "main_connection"),
        field("受电变压器", "transformers"),
        field("受电总容量", "receiving_kva"),
        wide("运行方式", "operation_mode"),
        wide("闭锁方式", "interlock"),
        wide("进线保护", "protection_incoming"),
        wide("分界开关", "boundary_switch"),
        optional("保护要求", "protection_notes"),
        wide("无功补偿", "compensation"),
        wide("自备应急电源", "emergency"),
        wide("谐波治理", "harmonics"),
        field("调度通信", "dispatch"),
        field("高压柜配置", "cubicles"),
        wide("储能光伏及监测", "quality_devices"),
    ),
)
RECEIVING_LV = Form(
    title="受电与保护",
    fields=(
        wide("进线保护", "protection_incoming"),
        optional("保护要求", "protection_notes"),
        wide("无功补偿", "compensation"),
        wide("自备应急电源", "emergency"),
    ),
)


def metering(*, has_voltage_transformer: bool) -> Form:
    voltage_transformer = (field("电压互感器变比", "pt_ratio"), field("电压互感器精度", "pt_class"))
    return Form(
        title="计量方案",
        repeat="metering",
        fields=(
            field("计量点编号", "no"),
            field("计量点用途", "purpose"),
            field("计量方式", "mode"),
            field("计量电压", "voltage"),
            wide("计量装置位置", "position"),
            field("接线方式", "wiring"),
            field("电能表精度", "meter_class"),
            wide("电能表规格", "meter"),
            field("电流互感器变比", "ct_ratio"),
            field("电流互感器精度", "ct_class"),
            *(voltage_transformer if has_voltage_transformer else ()),
            field("定量定比", "fixed_share"),
            field("损耗分摊", "loss_apportion"),
            wide("采集终端", "terminal"),
        ),
    )


TARIFF = Form(
    title="计费方案",
    fields=(
        field("电价类别", "price_class"),
        field("是否执行分时电价", "time_of_use"),
        field("基本电费方式", "capacity_charge"),
        field("功率因数考核标准", "power_factor_standard"),
    ),
)
INVESTMENT = Form(
    title="投资界面",
    fields=(
        wide("分界位置", "investment_boundary"),
        wide("供电企业投资", "utility_scope"),
        wide("客户投资", "customer_scope"),
        optional("接入点设备", "point_equipment"),
        optional("可提供的服务", "offers"),
        optional("依据条款", "investment_clause"),
    ),
)
HOUSING = Form(
    title="居民小区基本情况",
    fields=(
        field("户数", "households"),
        field("计量方式", "household_metering"),
        field("总建筑面积", "floor_area"),
        field("住宅面积", "dwelling_area"),
        field("商业面积", "shop_area"),
        field("公建配套面积", "public_area"),
        field("开闭所数量", "switching_stations"),
        field("配电站数量", "stations"),
        wide("配电站变压器", "station_transformers"),
        wide("高低压配电装置", "station_equipment"),
    ),
)
ENQUIRER = Form(
    title="咨询客户",
    fields=(
        wide("户名", "customer_name"),
        wide("用电点坐标", "location"),
        field("用电类别", "category"),
        field("业务类型", "business"),
        field("咨询容量", "capacity"),
        field("重要用户等级", "importance"),
        wide("联系人及电话", "contact"),
        wide("提供的资料", "consultation_documents"),
        field("咨询日期", "received_on"),
        field("答复日期", "replied_on"),
        field("咨询编号", "request_id"),
        field("有效期", "validity"),
    ),
)
OPINION = Form(
    title="初步意见",
    fields=(
        wide("意见", "verdict"),
        wide("说明", "reasons_text"),
        wide("供电方式", "answer_supply"),
        wide("接入点", "answer_points"),
        optional("接入条件", "conditions"),
        field("供电企业投资估算", "utility_cost"),
        field("客户投资估算", "customer_cost"),
        field("供电电压", "voltage"),
        field("是否业扩受限", "is_restricted"),
    ),
)
SOURCE_CONSULTATION = Form(
    title="可能的接入方式",
    repeat="sources",
    fields=(
        field("电源性质", "role"),
        field("电源类型", "kind"),
        field("变电站", "substation"),
        field("供电线路", "feeder"),
        wide("接入点", "point"),
        field("接入方式", "connection_mode"),
        field("敷设方式", "laying"),
        field("线路型号", "line_type"),
        field("线路长度", "length"),
    ),
)
