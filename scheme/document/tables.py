"""Rows of the reply's tables as printed texts: fees, works, costs, dates, comparison of variants, policy values."""

from __future__ import annotations

from scheme.document.wording import (
    NOT_APPLICABLE,
    POINT_KINDS,
    SIDES,
    STOCK,
    UTILITY_FILLS,
    day,
    duration,
    fixed,
    number,
    policy_value,
    text_or_dash,
    text_or_utility,
)
from scheme.model import Material, Milestone, PolicyRead, Scheme, Variant

Row = dict[str, str]
Payload = dict[str, str | list[Row]]

REJECTED_SHOWN_MAX = 10
PROFILE_SHOWN_MAX = 12
_PROVISIONAL_NOTE = "所涉年度的法定节假日安排尚未公布，标“暂定”的日期以公布后的工作日为准。"
_STOCK_KEYS = ("stock", "store", "supply")
_RECEIPT = "　"
"""Left blank to be filled by hand."""
_COST_NOTE = "本表仅供方案比较，不作为报价或结算依据。"


def list_fees(scheme: Scheme) -> list[Row]:
    rows = [
        {
            "name": fee.name,
            "unit_price": text_or_utility(fee.unit_price_cny),
            "quantity": number(fee.quantity, 3),
            "amount": UTILITY_FILLS if fee.amount_cny is None else f"{fee.amount_cny} 元",
            "basis": text_or_dash(fee.basis),
        }
        for fee in scheme.fees
    ]
    return rows or [{**dashes("unit_price", "quantity", "amount", "basis"), "name": "无"}]


def list_works(best: Variant | None) -> Payload:
    if best is None:
        return {"works": [], "materials": [], "materials_note": "", "costs": [], "cost_note": _COST_NOTE}
    works: list[Row] = [
        {
            "no": str(no),
            "text": work.text,
            "quantity": number(work.quantity, 3),
            "unit": work.unit,
            "side": SIDES[work.side],
        }
        for no, work in enumerate(best.works, start=1)
    ]
    materials = [
        {
            "no": str(no),
            "name": item.name,
            "type_id": text_or_dash(item.model),
            "quantity": number(item.quantity, 3),
            "unit": item.unit,
            "side": SIDES[item.side],
            **_stock(item),
        }
        for no, item in enumerate(best.bill_of_materials, start=1)
    ]
    return {
        "works": works or [dashes("no", "text", "quantity", "unit", "side")],
        "materials": materials
        or [dashes("no", "name", "type_id", "quantity", "unit", "side", "stock", "store", "supply")],
        "materials_note": _stock_note(best),
        "costs": _costs(best),
        "cost_note": _COST_NOTE
        + (f"未计价项目：{'、'.join(best.cost.not_priced)}。" if best.cost.not_priced else "")
        + f"其中供电企业投资约{fixed(best.cost.utility_typical_cny10k, 2)}万元，"
        + f"客户投资约{fixed(best.cost.customer_typical_cny10k, 2)}万元（中值）。",
    }


def _stock(item: Material) -> Row:
    """Return stock, place and state of supply; what no stock table tells is left to the store, or to the customer."""
    if item.stock_status is None:
        blank = NOT_APPLICABLE if item.side == "customer" else _RECEIPT
        return {"stock": blank, "store": blank, "supply": "客户自备" if item.side == "customer" else _RECEIPT}
    state = [STOCK[item.stock_status], item.stock_order, f"{day(item.ready_on)}到货" if item.ready_on else ""]
    return {
        "stock": number(item.stock_quantity, 3),
        "store": text_or_dash(item.stock_location),
        "supply": "，".join(text for text in state if text),
    }


def _stock_note(best: Variant) -> str:
    dates = sorted({item.stock_as_of for item in best.bill_of_materials if item.stock_as_of})
    known = f"库存数据日期：{'、'.join(day(date) for date in dates)}。" if dates else ""
    is_open = any(item.stock_status is None and item.side == "utility" for item in best.bill_of_materials)
    return known + ("空白处由物资部门填写。" if is_open else "")


def _costs(best: Variant) -> list[Row]:
    rows = [
        {
            "text": item.text,
            "quantity": number(item.quantity, 3),
            "unit": item.unit,
            "low": fixed(item.low_cny10k, 2),
            "typical": fixed(item.typical_cny10k, 2),
            "high": fixed(item.high_cny10k, 2),
            "side": SIDES[item.side],
            "price_basis": text_or_dash(item.price_basis),
        }
        for item in best.cost.items
    ]
    total = {
        **dashes("quantity", "unit", "side", "price_basis"),
        "text": "合计",
        "low": fixed(best.cost.total_low_cny10k, 2),
        "typical": fixed(best.cost.total_typical_cny10k, 2),
        "high": fixed(best.cost.total_high_cny10k, 2),
    }
    return [*rows, total]


def list_timeline(scheme: Scheme) -> Payload:
    timeline = scheme.timeline
    steps = timeline.milestones if timeline else ()
    names = {item.code: item.text for item in steps}
    provisional = timeline is not None and timeline.is_provisional
    contract = timeline.contract if timeline else None
    return {
        "steps": " → ".join(f"{step.no}．{step.name}" for step in scheme.steps) or NOT_APPLICABLE,
        "time_limit": duration(timeline.limit, timeline.limit_unit) if timeline else NOT_APPLICABLE,
        "limit_on": day(timeline.limit_on) if timeline else NOT_APPLICABLE,
        "promise": text_or_dash(timeline.promise_text if timeline else None),
        "critical_path": " → ".join(names.get(code, code) for code in timeline.critical_path if code)
        if timeline and timeline.critical_path
        else NOT_APPLICABLE,
        "contract": contract.text if contract else NOT_APPLICABLE,
        "by_needed_on": _BY_NEEDED_ON[timeline.is_by_needed_on if timeline else None],
        "undated": "、".join(dict.fromkeys(item.needs_text or item.needs for item in steps if item.needs))
        or NOT_APPLICABLE,
        "milestones": [_milestone(item) for item in steps],
        "timeline_note": _PROVISIONAL_NOTE if provisional else "",
    }


_BY_NEEDED_ON = {True: "能满足", False: "不能满足，应与客户协商", None: NOT_APPLICABLE}


def _milestone(item: Milestone) -> Row:
    notes = ["关键路径"] if item.is_critical else []
    notes += ["暂定"] if item.is_provisional else []
    notes += [f"待定：{item.needs_text or item.needs}"] if item.needs else []
    return {
        "text": item.text,
        "duration": duration(item.duration, item.unit),
        "starts_on": day(item.starts_on),
        "ends_on": day(item.ends_on),
        "note": "、".join(notes) or NOT_APPLICABLE,
    }


def list_customer_duties(scheme: Scheme) -> list[Row]:
    rows = [{"kind": "申请资料", "text": item} for item in scheme.required_documents]
    return rows + [{"kind": "检验范围", "text": item} for item in scheme.inspection_scope]


def list_refused(scheme: Scheme, best: Variant | None) -> Payload:
    left_out = len(scheme.rejected) - REJECTED_SHOWN_MAX
    profile = best.verification.voltage_profile if best else ()
    shown = _spread(len(profile), PROFILE_SHOWN_MAX)
    left_out_nodes = len(profile) - len(shown)
    return {
        "rejected": [
            {
                "point": item.connection_point.name or item.connection_point.element_source_id,
                "kind": POINT_KINDS[item.connection_point.kind],
                "distance": number(item.distance_m, 0),
                "reasons": "；".join(reason.text for reason in item.reasons) or NOT_APPLICABLE,
            }
            for item in scheme.rejected[:REJECTED_SHOWN_MAX]
        ],
        "rejected_note": f"另有{left_out}个接入点未列出，见数据文件。" if left_out > 0 else "",
        "rejected_sets": [
            {
                "points": " ＋ ".join(point.name or point.element_source_id for point in item.connection_points),
                "reasons": "；".join(reason.text for reason in item.reasons) or NOT_APPLICABLE,
            }
            for item in scheme.rejected_sets[:REJECTED_SHOWN_MAX]
        ],
        "voltage_profile": [
            {
                "element_id": _profile_node(item.get("element_id")),
                "distance": fixed(item.get("distance_km"), 3),
                "before": fixed(item.get("u_pu_before"), 4),
                "after": fixed(item.get("u_pu_after"), 4),
            }
            for item in (profile[position] for position in shown)
        ],
        "voltage_profile_note": f"供电路径共{len(profile)}个节点，列出{len(shown)}个。" if left_out_nodes else "",
    }


def _spread(count: int, shown_max: int) -> list[int]:
    """Return at most ``shown_max`` positions spread evenly over ``count``, first and last among them."""
    if count <= shown_max:
        return list(range(count))
    return [round(step * (count - 1) / (shown_max - 1)) for step in range(shown_max)]


def list_provenance(scheme: Scheme) -> Payload:
    source = scheme.provenance
    return {
        "policy_reads": [
            {
                "id": f"{read.name}　{read.id}" if read.name else read.id,
                "value": policy_value(read.value, unit=read.unit, op=read.op),
                "source": _source_text(read),
                "effective_from": day(read.effective_from),
            }
            for read in scheme.policy_reads
        ],
        "profile": source.profile,
        "version": source.version,
        "snapshot_sha256": source.snapshot_sha256,
        "policy_sha256": source.policy_sha256,
        "catalogue_sha256": source.catalogue_sha256,
        "glyph_note": NOT_APPLICABLE,
    }


def number_texts(texts: tuple[str, ...]) -> list[Row]:
    rows = [{"no": str(no), "text": text} for no, text in enumerate(texts, start=1)]
    return rows or [{"no": NOT_APPLICABLE, "text": "无"}]


def dashes(*keys: str) -> Row:
    """Return a row of dashes."""
    return dict.fromkeys(keys, NOT_APPLICABLE)


def _profile_node(element_id: object) -> str:
    return "客户侧" if element_id == "customer" else text_or_dash(element_id)


def _source_text(read: PolicyRead) -> str:
    return read.clause if read.document in read.clause else f"{read.document}　{read.clause}".strip("　")
