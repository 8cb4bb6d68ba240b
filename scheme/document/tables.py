"""Rows of the reply's tables as printed texts: fees, works, costs, dates, comparison of variants, policy values."""

from __future__ import annotations

import math

from scheme.document.alike import group_alike
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
from scheme.model import CostItem, Material, Milestone, PolicyRead, Scheme, Variant, Work

Row = dict[str, str]
Payload = dict[str, str | list[Row]]

REJECTED_SHOWN_MAX = 10
_PROVISIONAL_NOTE = "所涉年度的法定节假日安排尚未公布，标“暂定”的日期以公布后的工作日为准。"
_PRICES = ("low", "typical", "high", "price_basis")
_MILESTONES_MIN = 3
"""Acceptance and the whole process alone are told by the form above already."""
_RECEIPT = "　"
"""Left blank to be filled by hand."""
_COST_NOTE = "本表仅供方案比较，不作为报价或结算依据。"


def list_fees(scheme: Scheme) -> list[Row]:
    """Return the fees due; no row where none is."""
    return [
        {
            "name": fee.name,
            "unit_price": text_or_utility(fee.unit_price_cny),
            "quantity": number(fee.quantity, 3),
            "amount": UTILITY_FILLS if fee.amount_cny is None else f"{fee.amount_cny} 元",
            "basis": text_or_dash(fee.basis),
        }
        for fee in scheme.fees
    ]


def list_works(best: Variant | None) -> Payload:
    """Return what is built, each item with its estimate and who pays: all of it, and by side."""
    if best is None:
        return {"works": [], "utility_works": [], "customer_works": [], "cost_note": "", "order_cost_note": ""}
    cost = best.cost
    priced = _priced(best)
    utility = [row for row, side in priced if side == "utility"]
    customer = [row for row, side in priced if side == "customer"]
    total = (cost.total_low_cny10k, cost.total_typical_cny10k, cost.total_high_cny10k)
    share = (cost.utility_low_cny10k, cost.utility_typical_cny10k, cost.utility_high_cny10k)
    not_priced = f"未计价项目：{'、'.join(cost.not_priced)}。" if cost.not_priced else ""
    return {
        "works": _numbered([*(row for row, _ in priced)], total),
        "utility_works": _numbered(utility, share)
        or [{**dashes("no", "quantity", "unit", *_PRICES), "text": "本方案没有由供电企业投资建设的配套工程"}],
        "customer_works": _numbered(customer, None),
        "cost_note": _COST_NOTE + not_priced,
        "order_cost_note": _COST_NOTE if utility else "",
    }


def _priced(best: Variant) -> list[tuple[Row, str]]:
    """Return every work with the estimate made for it, and every estimate that belongs to no listed work; what many
    have alike in one row."""
    left = list(best.cost.items)
    pairs: list[tuple[Work | CostItem, CostItem | None]] = []
    for work in best.works:
        item = next((item for item in left if _is_of(item, work)), None)
        if item is not None:
            left.remove(item)
        pairs.append((work, item))
    pairs += [(item, item) for item in left]
    kinds = [(work.unit, work.side, item.price_basis if item else None) for work, item in pairs]
    groups = group_alike([work.text for work, _ in pairs], kinds)
    return [(_work(text, [pairs[i] for i in places]), pairs[places[0]][0].side) for text, places in groups]


def _is_of(item: CostItem, work: Work) -> bool:
    same_name = work.code == item.code or work.text == item.text
    return same_name and work.side == item.side and math.isclose(work.quantity, item.quantity)


def _work(text: str, pairs: list[tuple[Work | CostItem, CostItem | None]]) -> Row:
    """Return the row of one work, or of several alike with their sums."""
    first, items = pairs[0][0], [item for _, item in pairs if item is not None]
    prices = dashes(*_PRICES)
    if items:
        low, typical, high = (
            sum(getattr(item, f"{share}_cny10k") for item in items) for share in ("low", "typical", "high")
        )
        prices = {"low": fixed(low, 2), "typical": fixed(typical, 2), "high": fixed(high, 2)}
        prices["price_basis"] = text_or_dash(items[0].price_basis)
    quantity = number(sum(work.quantity for work, _ in pairs), 3)
    return {"text": text, "quantity": quantity, "unit": first.unit, "side": SIDES[first.side], **prices}


def _numbered(rows: list[Row], total: tuple[float | None, float | None, float | None] | None) -> list[Row]:
    """Return the rows counted from 1, with a line of totals unless there is nothing to add up."""
    counted = [{"no": str(no), **row} for no, row in enumerate(rows, start=1)]
    if not rows or total is None:
        return counted
    sums = {key: fixed(amount, 2) for key, amount in zip(_PRICES, total, strict=False)}
    blank = dict.fromkeys(("no", "quantity", "unit", "side", "price_basis"), "")
    return [*counted, {**blank, "text": "合计", **sums}]


def list_materials(best: Variant | None) -> Payload:
    """Return the bill of materials (物料清单) with stock and supply."""
    bill = best.bill_of_materials if best else ()
    return {
        "materials": [
            {
                "no": str(no),
                "name": item.name,
                "type_id": text_or_dash(item.model),
                "quantity": number(item.quantity, 3),
                "unit": item.unit,
                "side": SIDES[item.side],
                **_stock(item),
            }
            for no, item in enumerate(bill, start=1)
        ],
        "materials_note": _stock_note(best) if best else "",
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
        "critical_path": " → ".join(names.get(code, code) for code in timeline.critical_path if code)
        if timeline and timeline.critical_path
        else NOT_APPLICABLE,
        "contract": contract.text if contract else NOT_APPLICABLE,
        "by_needed_on": _BY_NEEDED_ON[timeline.is_by_needed_on if timeline else None],
        "undated": "、".join(dict.fromkeys(item.needs_text or item.needs for item in steps if item.needs))
        or NOT_APPLICABLE,
        "milestones": [_milestone(item) for item in steps] if len(steps) >= _MILESTONES_MIN else [],
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
    """Return what the customer hands in and what is inspected, a line each."""
    lists = (("申请资料", scheme.required_documents), ("检验范围", scheme.inspection_scope))
    return [{"kind": kind, "text": "；".join(texts)} for kind, texts in lists if texts]


def list_refused(scheme: Scheme) -> Payload:
    """Return points and combinations of points that were looked at and not used."""
    left_out = len(scheme.rejected) - REJECTED_SHOWN_MAX
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
    }


def list_provenance(scheme: Scheme) -> Payload:
    source = scheme.provenance
    return {
        "policy_reads": _policy_reads(scheme),
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


def _policy_reads(scheme: Scheme) -> list[Row]:
    """Return the policy values read: a row per document and day of effect, in it the clauses, each said once."""
    documents: dict[tuple[str, str], dict[str, list[str]]] = {}
    for read in scheme.policy_reads:
        value = policy_value(read.value, unit=read.unit, op=read.op)
        clauses = documents.setdefault((read.document, read.effective_from), {})
        clauses.setdefault(_clause_text(read), []).append(f"{read.name}{read.id}：{value}")
    return [
        {
            "source": f"{document}（{effective_from}起）",
            "texts": "　".join((f"【{clause}】" if clause else "") + "；".join(v) for clause, v in clauses.items()),
        }
        for (document, effective_from), clauses in documents.items()
    ]


def _clause_text(read: PolicyRead) -> str:
    """Return the clause without the document's name, which heads the row."""
    clause = read.clause.removeprefix(read.document)
    if clause == read.clause:  # the clause may leave out the year the document is told apart by
        clause = clause.removeprefix(read.document.partition("(")[0])
    return clause.strip("，：; 　")
