"""Parts of the forms about works, dates, proof, comparison and origin."""

from __future__ import annotations

from scheme.document.layout import (
    Comparison,
    Figure,
    Form,
    Grid,
    Heading,
    Section,
    Signature,
    centred,
    column,
    field,
    number,
    wide,
)

WORKS = (
    Grid(
        title="工程内容",
        rows="works",
        columns=(
            centred("序号", "no", 1),
            column("工程内容", "text", 7),
            number("数量", "quantity", 2),
            centred("单位", "unit", 1.3),
            centred("投资方", "side", 2),
        ),
    ),
    Grid(
        title="主要设备材料",
        rows="materials",
        columns=(
            centred("序号", "no", 1),
            column("名称", "name", 4.5),
            column("型号", "type_id", 4),
            number("数量", "quantity", 1.8),
            centred("单位", "unit", 1.3),
            centred("投资方", "side", 2),
        ),
    ),
    Grid(
        title="工程费用估算（万元）",
        rows="costs",
        columns=(
            column("项目", "text", 4),
            number("数量", "quantity", 1.8),
            centred("单位", "unit", 1.3),
            number("低值", "low", 1.6),
            number("中值", "typical", 1.6),
            number("高值", "high", 1.6),
            centred("投资方", "side", 2),
            column("价格依据", "price_basis", 3),
        ),
        note="cost_note",
    ),
)
TIMELINE = (
    Form(
        title="办电环节与时限",
        fields=(
            wide("办电环节", "steps"),
            field("全过程时限", "time_limit"),
            field("最迟完成日期", "limit_on"),
            wide("送电承诺", "promise"),
            wide("关键路径", "critical_path"),
            wide("配套工程约定", "contract"),
        ),
    ),
    Grid(
        title="进度安排",
        rows="milestones",
        columns=(
            column("环节", "text", 4.6),
            centred("时长", "duration", 2),
            column("开始日期", "starts_on", 2.7),
            column("完成日期", "ends_on", 2.7),
            column("备注", "note", 3),
        ),
        note="timeline_note",
        is_optional=True,
    ),
)
VERIFICATION = Form(
    title="校核结果（交流潮流计算）",
    shown_if="comparison",
    fields=(
        wide("校核结论", "check_result"),
        field("供电路径最低电压", "u_min"),
        field("供电路径最高电压", "u_max"),
        field("客户侧电压", "u_customer"),
        field("网损变化", "losses"),
        field("线路最大负载率", "line_loading"),
        field("变压器最大负载率", "transformer_loading"),
        field("接入点短路电流", "short_circuit"),
        field("计算引擎", "engine"),
    ),
)
SOURCE_CHECKS = Grid(
    title="各路电源校核",
    rows="source_checks",
    columns=(
        column("电源及运行方式", "source", 4.2),
        number("承担容量", "capacity", 1.9),
        number("最低电压 p.u.", "u_min", 1.8),
        number("客户侧 p.u.", "u_customer", 1.8),
        number("线路负载率", "line_loading", 1.8),
        number("变压器负载率", "transformer_loading", 1.9),
        number("网损变化", "losses", 1.8),
        number("短路电流", "short_circuit", 1.6),
    ),
    is_optional=True,
)
NOTICES = Grid(
    title="告知事项",
    rows="notices",
    columns=(centred("序号", "no", 1), column("内容", "text", 14)),
    is_kept_with_next=True,
)
UTILITY_FILLS = Form(title="由供电企业填写的项目", fields=(wide("项目", "to_be_filled"),), is_kept_with_next=True)
SIGNATURE = Signature(
    title="签署",
    parties=(
        ("供电企业（盖章）", "经办人：", "日期：　　　　年　　月　　日"),
        ("客户（签章）", "签收人：", "日期：　　　　年　　月　　日"),
    ),
)
REJECTED = Grid(
    title="未采用的接入点",
    rows="rejected",
    columns=(
        column("接入点", "point", 3),
        column("类型", "kind", 2),
        number("距离 m", "distance", 1.5),
        column("原因", "reasons", 7),
    ),
    note="rejected_note",
    is_optional=True,
)
COMPARISON: tuple[Section, ...] = (
    Heading(title="附录一　方案比选", shown_if="comparison"),
    Comparison(
        title="可行方案并列比较",
        head="comparison_head",
        rows="comparison",
        count="comparison_count",
        note="comparison_note",
    ),
    Figure(title="评分构成", name="scores", shown_if="comparison"),
    REJECTED,
    Grid(
        title="未采用的电源组合",
        rows="rejected_sets",
        columns=(column("接入点组合", "points", 5), column("原因", "reasons", 8)),
        is_optional=True,
    ),
    Grid(
        title="供电路径电压（标幺值）",
        rows="voltage_profile",
        columns=(
            column("节点", "element_id", 5),
            number("距电源 km", "distance", 2),
            number("接入前", "before", 2),
            number("接入后", "after", 2),
        ),
        note="voltage_profile_note",
        is_optional=True,
        is_dense=True,
    ),
)
PROVENANCE: tuple[Section, ...] = (
    Grid(
        title="采用的规定参数",
        rows="policy_reads",
        columns=(
            column("参数", "id", 4.4),
            column("取值", "value", 3.0),
            column("依据文件及条款", "source", 4.6),
            column("生效日期", "effective_from", 2.4),
        ),
        is_optional=True,
        is_dense=True,
    ),
    Form(
        title="计算依据",
        fields=(
            wide("方案编号", "scheme_id"),
            field("规定口径", "profile"),
            field("决定日期", "replied_on"),
            wide("软件版本", "version"),
            wide("计算引擎", "engine"),
            wide("电网断面摘要", "snapshot_sha256"),
            wide("规定数据摘要", "policy_sha256"),
            wide("设备目录摘要", "catalogue_sha256"),
            wide("字符说明", "glyph_note"),
        ),
    ),
)
DOCUMENTS = Grid(
    title="客户应提供的资料及检验范围",
    rows="customer_duties",
    columns=(centred("类别", "kind", 2), column("内容", "text", 9)),
    is_optional=True,
)
FIGURES = (
    Figure(title="附图一　电气接线示意图", name="diagram", height_mm=137.0, starts_page=True),
    Figure(title="附图二　地理位置示意图", name="map", height_mm=94.0),
)
STAGES = Grid(
    title="过渡方案与分阶段实施",
    rows="stages",
    columns=(
        centred("阶段", "no", 0.9),
        number("可用容量", "capacity", 1.6),
        column("接入点及接入方式", "point", 3.2),
        column("电网改造措施", "measures", 4.2),
        column("校核", "check", 2.6),
        number("估算 万元", "cost", 1.4),
        column("工期与条件", "dates", 2.6),
    ),
    note="stages_note",
    is_optional=True,
)
ALTERNATIVES = Grid(
    title="其他可行的改造路径",
    rows="alternatives",
    columns=(
        column("路径", "text", 5),
        number("容量", "capacity", 1.8),
        column("校核", "check", 3),
        number("估算 万元", "cost", 1.6),
        centred("工期", "dates", 2),
    ),
    is_optional=True,
)
FAILED = Grid(
    title="已试而不可行的路径",
    rows="failed_options",
    columns=(column("路径", "text", 5), column("接入点", "point", 2.5), column("原因", "reason", 5)),
    is_optional=True,
)
TASKS = Grid(
    title="专业联动任务",
    rows="tasks",
    columns=(
        centred("部门", "department", 2),
        column("任务", "text", 7),
        column("时限", "due", 4),
        column("签收", "receipt", 2),
    ),
    is_optional=True,
)
ORDER = Form(
    title="任务概况",
    fields=(
        field("任务单编号", "order_no"),
        field("申请编号", "application_no"),
        wide("方案编号", "scheme_id"),
        wide("户名", "customer_name"),
        wide("用电地址", "address"),
        wide("用电点坐标", "location"),
        field("业务类型", "business"),
        field("供电容量", "capacity"),
        field("供电电压", "voltage"),
        field("是否业扩受限", "is_restricted"),
        wide("接入点", "order_points"),
        wide("投资界面", "investment_boundary"),
        wide("供电企业投资", "utility_scope"),
        wide("任务要求", "order_terms"),
    ),
)
ORDER_DATES = Form(
    title="时间要求",
    fields=(
        field("申请日期", "received_on"),
        field("方案答复日期", "replied_on"),
        field("配套工程开始", "works_from"),
        field("配套工程完成", "works_to"),
        field("计划送电日期", "planned_on"),
        field("客户需要用电日期", "needed_on"),
    ),
)


def _works_of(title: str, rows: str, note: str | None = None) -> Grid:
    return Grid(
        title=title,
        rows=rows,
        columns=(
            centred("序号", "no", 1),
            column("工程内容", "text", 7),
            number("数量", "quantity", 1.8),
            centred("单位", "unit", 1.3),
            centred("实施", "side", 2),
        ),
        note=note,
    )


ORDER_WORKS = (
    _works_of("配套工程内容（供电企业投资建设）", "utility_works", "utility_works_note"),
    _works_of("客户工程内容（界面以下，供参考）", "customer_works"),
)
ORDER_MATERIALS = Grid(
    title="物料清单",
    rows="materials",
    columns=(
        centred("序号", "no", 0.9),
        column("物料名称", "name", 3),
        column("型号", "type_id", 3),
        number("数量", "quantity", 1.3),
        centred("单位", "unit", 0.9),
        centred("投资方", "side", 1.9),
        number("库存", "stock", 1.4),
        column("存储点", "store", 2),
        column("供货状态", "supply", 2.4),
    ),
    note="materials_note",
)
ORDER_DEPARTMENTS = Grid(
    title="部门分工",
    rows="departments",
    columns=(centred("部门", "department", 3), column("工作内容", "text", 8), column("签收", "receipt", 2.2)),
)
TELLS = Grid(
    title="本意见说明的事项",
    rows="tells",
    columns=(centred("序号", "no", 1), column("内容", "text", 14)),
)
LEAVES_OPEN = Grid(
    title="本意见不说明、以正式答复为准的事项",
    rows="leaves_open",
    columns=(centred("序号", "no", 1), column("内容", "text", 14)),
)
