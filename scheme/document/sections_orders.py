"""Parts of the forms about transition, joint work, the works order and the preliminary reply."""

from __future__ import annotations

from scheme.document.layout import Form, Grid, centred, column, field, number, optional, wide

STAGES = Grid(
    title="过渡方案与分阶段实施",
    rows="stages",
    columns=(
        centred("阶段", "no", 1.1),
        number("可用容量/kVA", "capacity", 1.6),
        column("接入点及接入方式", "point", 2.8),
        column("电网改造措施", "measures", 4.6),
        column("校核", "check", 2.5),
        number("估算/万元", "cost", 2),
        column("工期与条件", "dates", 3.4),
    ),
    note="stages_note",
    is_optional=True,
)
ALTERNATIVES = Grid(
    title="其他可行的改造路径",
    rows="alternatives",
    columns=(
        column("路径", "text", 7),
        number("容量/kVA", "capacity", 1.7),
        column("校核", "check", 3),
        number("估算/万元", "cost", 2),
        centred("工期", "dates", 2),
    ),
    is_optional=True,
)
FAILED = Grid(
    title="已试而不可行的路径",
    rows="failed_options",
    columns=(column("路径", "text", 9), column("接入点", "point", 2), column("原因", "reason", 4)),
    is_optional=True,
    is_dense=True,
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
ORDER_ORIGIN = Form(
    title="依据与说明",
    fields=(
        field("规定口径", "profile"),
        field("决定日期", "replied_on"),
        wide("软件版本", "version"),
        optional("字符说明", "glyph_note"),
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
        optional("送电承诺", "promise"),
    ),
)


ORDER_WORKS = (
    Grid(
        title="配套工程内容及费用估算（供电企业投资建设，万元）",
        rows="utility_works",
        columns=(
            centred("序号", "no", 1),
            column("工程内容", "text", 6),
            number("数量", "quantity", 1.3),
            centred("单位", "unit", 1),
            number("低值", "low", 1.3),
            number("中值", "typical", 1.3),
            number("高值", "high", 1.3),
            centred("价格依据", "price_basis", 1.7),
        ),
        note="order_cost_note",
    ),
    Grid(
        title="客户工程内容（界面以下，供参考）",
        rows="customer_works",
        columns=(
            centred("序号", "no", 1),
            column("工程内容", "text", 8),
            number("数量", "quantity", 1.6),
            centred("单位", "unit", 1.2),
        ),
        is_optional=True,
        is_dense=True,
    ),
)
ORDER_MATERIALS = Grid(
    title="物料清单",
    rows="materials",
    columns=(
        centred("序号", "no", 1.1),
        column("物料名称", "name", 3.9),
        column("型号", "type_id", 2.9),
        number("数量", "quantity", 1.2),
        centred("单位", "unit", 1.1),
        centred("投资方", "side", 1.9),
        number("库存", "stock", 1.4),
        column("存储点", "store", 2),
        column("供货状态", "supply", 2.4),
    ),
    note="materials_note",
    is_optional=True,
)
ORDER_DEPARTMENTS = Grid(
    title="部门分工",
    rows="departments",
    columns=(centred("部门", "department", 3), column("工作内容", "text", 8), column("签收", "receipt", 2.2)),
)
FORMAL_STEPS = Form(title="正式报装的办电环节", fields=(wide("办电环节", "steps"),))
TELLS = Grid(
    title="本意见说明的事项",
    rows="tells",
    columns=(centred("序号", "no", 1), column("内容", "text", 14)),
    has_head=False,
)
LEAVES_OPEN = Grid(
    title="本意见不说明、以正式答复为准的事项",
    rows="leaves_open",
    columns=(centred("序号", "no", 1), column("内容", "text", 14)),
    has_head=False,
)
