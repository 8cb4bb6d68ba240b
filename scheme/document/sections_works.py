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
    optional,
    wide,
)

WORKS = Grid(
    title="工程内容及费用估算（万元）",
    rows="works",
    columns=(
        centred("序号", "no", 1),
        column("工程内容", "text", 5.5),
        number("数量", "quantity", 1.3),
        centred("单位", "unit", 1),
        centred("投资方", "side", 1.6),
        number("低值", "low", 1.3),
        number("中值", "typical", 1.3),
        number("高值", "high", 1.3),
        centred("价格依据", "price_basis", 1.7),
    ),
    note="cost_note",
    is_optional=True,
)
MATERIALS = Grid(
    title="主要设备材料",
    rows="materials",
    columns=(
        centred("序号", "no", 1),
        column("名称", "name", 5),
        column("型号", "type_id", 4),
        number("数量", "quantity", 1.6),
        centred("单位", "unit", 1.2),
        centred("投资方", "side", 2),
    ),
    is_optional=True,
    is_dense=True,
)
CROSSINGS = Grid(
    title="穿跨越及所需许可",
    rows="crossings",
    columns=(
        centred("电源", "source", 1.4),
        column("穿跨越对象", "name", 4),
        column("类别", "kind", 2.6),
        column("所需许可", "permit", 3.4),
        column("备注", "note", 3),
    ),
    is_optional=True,
)
TIMELINE = (
    Form(
        title="办电环节与时限",
        fields=(
            wide("办电环节", "steps"),
            field("全过程时限", "time_limit"),
            field("最迟完成日期", "limit_on"),
            optional("关键路径", "critical_path"),
            optional("配套工程约定", "contract"),
            optional("客户用电日期", "by_needed_on"),
            optional("待定事项", "undated"),
        ),
    ),
    Grid(
        title="进度安排",
        rows="milestones",
        columns=(
            column("环节", "text", 4.2),
            centred("时长", "duration", 1.9),
            column("开始日期", "starts_on", 3),
            column("完成日期", "ends_on", 3),
            column("备注", "note", 2.9),
        ),
        note="timeline_note",
        is_optional=True,
        is_dense=True,
    ),
)
VERIFICATION = Form(
    title="校核结果（交流潮流计算）",
    shown_if="path_checks",
    fields=(
        wide("校核结论", "check_result"),
        field("供电路径最低电压", "u_min"),
        field("供电路径最高电压", "u_max"),
        field("客户侧电压", "u_customer"),
        field("网损变化", "losses"),
        field("线路最大负载率", "line_loading"),
        field("变压器最大负载率", "transformer_loading"),
        field("接入点短路电流", "short_circuit"),
        optional("故障后供电", "outage_security"),
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
    note="source_checks_note",
    is_optional=True,
    is_dense=True,
)
QUALITY = Grid(
    title="短路电流与电能质量校核",
    rows="quality",
    columns=(
        column("项目", "text", 4.3),
        number("计算值", "value", 2.6),
        number("限值", "limit", 1.5),
        centred("结论", "verdict", 1.7),
        column("依据、说明及措施", "note", 5.4),
    ),
    note="quality_note",
    is_optional=True,
    is_dense=True,
)
NOTICES = Grid(
    title="告知事项",
    rows="notices",
    columns=(centred("序号", "no", 1), column("内容", "text", 14)),
    has_head=False,
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
    is_dense=True,
)
COMPARISON: tuple[Section, ...] = (
    Heading(title="附录一　方案比选及供电路径", shown_if="appendix"),
    Form(title="可行方案", fields=(wide("说明", "comparison_alone"),), shown_if="comparison_alone"),
    Figure(title="评分构成与出资", name="scores", shown_if="comparison"),
    Figure(title="供电路径电压（标幺值）", name="profile", shown_if="profile_shown"),
    Comparison(
        title="可行方案并列比较",
        head="comparison_head",
        rows="comparison",
        count="comparison_count",
        note="comparison_note",
    ),
    REJECTED,
    Grid(
        title="未采用的电源组合",
        rows="rejected_sets",
        columns=(column("接入点组合", "points", 5), column("原因", "reasons", 8)),
        is_optional=True,
        is_dense=True,
    ),
)
PROVENANCE: tuple[Section, ...] = (
    Form(
        title="计算依据",
        fields=(
            field("规定口径", "profile"),
            field("决定日期", "replied_on"),
            field("软件版本", "version"),
            field("计算引擎", "engine"),
            wide("电网断面摘要", "snapshot_sha256"),
            wide("规定数据摘要", "policy_sha256"),
            wide("设备目录摘要", "catalogue_sha256"),
            optional("字符说明", "glyph_note"),
        ),
    ),
    Grid(
        title="采用的规定参数",
        rows="policy_reads",
        columns=(column("依据文件", "source", 1), column("条款、参数及取值", "texts", 1)),
        is_optional=True,
        is_dense=True,
        is_run_in=True,
    ),
)
DOCUMENTS = Grid(
    title="客户应提供的资料及检验范围",
    rows="customer_duties",
    columns=(centred("类别", "kind", 2), column("内容", "text", 13)),
    is_optional=True,
    has_head=False,
)
FIGURES = (
    Figure(title="附图一　电气接线示意图", name="diagram", height_mm=137.0),
    Figure(title="附图二　地理位置示意图", name="map", height_mm=94.0),
)
