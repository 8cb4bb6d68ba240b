"""The customer's files: ``scheme.json``, ``scheme.docx`` and ``scheme.pdf``, made from the customer's scheme alone."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from scheme.disclosure.customer_layout import CUSTOMER_REPLY
from scheme.disclosure.customer_scheme import CustomerMetering, CustomerScheme, CustomerSource
from scheme.document.glyphs import list_codes, replace_directions
from scheme.document.layout import FIGURES
from scheme.document.tables import Payload, Row
from scheme.document.wording import (
    BUSINESS,
    CATEGORIES,
    LAYING,
    NOT_APPLICABLE,
    UTILITY_FILLS,
    VOLTAGES,
    day,
    duration,
    fixed,
    number,
    quantity,
    text_or_dash,
    text_or_utility,
)

CUSTOMER_FILES = ("scheme.json", "scheme.docx", "scheme.pdf")


def customer_documents(view: CustomerScheme) -> dict[str, bytes]:
    """Return the content of every file a customer may download, by its name."""
    return {file: customer_document(view, file) for file in CUSTOMER_FILES}


def customer_document(view: CustomerScheme, file: str) -> bytes:
    """Return one file of ``CUSTOMER_FILES``.

    Raises:
        KeyError: Customers have no such file.
    """
    return {"scheme.json": _json, "scheme.docx": _word, "scheme.pdf": _pdf}[file](view)


def customer_payload(view: CustomerScheme) -> Payload:
    """Return every text the customer's reply prints."""
    payload: Payload = {
        **_conclusion(view),
        **_request(view),
        "sources": [_source(source) for source in view.supply.sources] if view.supply is not None else [],
        **_installation(view),
        "metering": [_metering(point) for point in view.metering],
        **_money(view),
        "works": [
            {"no": str(no), "text": work.text, "quantity": number(work.quantity, 3), "unit": work.unit}
            for no, work in enumerate(view.works, start=1)
        ],
        "rounding_note": view.rounding_note,
        **_dates(view),
        "documents": _numbered(view.required_documents),
        "notices": _numbered(view.notices) or [{"no": NOT_APPLICABLE, "text": "无"}],
    }
    return _undirected(payload)


def _json(view: CustomerScheme) -> bytes:
    from scheme.document.write import canonical_json

    return canonical_json(view.as_dict())


def _word(view: CustomerScheme) -> bytes:
    from scheme.document.word import render_word

    return render_word(
        customer_payload(view), layout=CUSTOMER_REPLY, pictures={}, as_of=_as_of(view), template=BytesIO(_template())
    )


def _pdf(view: CustomerScheme) -> bytes:
    from scheme.document.pdf import render_pdf

    nothing = dict.fromkeys(FIGURES, "")
    return render_pdf(customer_payload(view), layout=CUSTOMER_REPLY, pictures=nothing, as_of=_as_of(view))


@functools.cache
def _template() -> bytes:
    from scheme.document.build_templates import build_template

    return build_template(CUSTOMER_REPLY)


def _as_of(view: CustomerScheme) -> datetime:
    return datetime.fromisoformat(view.replied_on).replace(tzinfo=UTC)


def _conclusion(view: CustomerScheme) -> Payload:
    timeline = view.timeline
    span = f"{day(view.valid_from_on)}至{day(view.valid_to_on)}" if view.valid_from_on else NOT_APPLICABLE
    return {
        "scheme_id": view.scheme_id,
        "verdict": view.verdict_text,
        "reasons": _joined(reason.text for reason in view.reasons),
        "own_site": view.own_site.text,
        "answer": _answer(view),
        "stages": _joined(f"第{stage.stage_no}阶段{quantity(stage.capacity_kva, 'kVA', 1)}" for stage in view.stages),
        "conditions": _joined(view.conditions),
        "data_needed": _joined(view.data_needed),
        "customer_cost": NOT_APPLICABLE
        if view.customer_cost_cny10k is None
        else f"{number(view.customer_cost_cny10k, 2)}万元",
        "promise": text_or_dash(timeline.promise_text if timeline else None),
        "validity": span if view.is_binding else "无，对双方不具约束力",
    }


def _answer(view: CustomerScheme) -> str:
    supply = view.supply
    if supply is None:
        return NOT_APPLICABLE
    level = VOLTAGES.get(supply.voltage, supply.voltage) + supply.phases
    modes = "、".join(dict.fromkeys(source.connection_mode for source in supply.sources))
    return "，".join(filter(None, (level, quantity(supply.capacity_kva, "kVA", 1), modes)))


def _request(view: CustomerScheme) -> Payload:
    request = view.request
    applicant, demand, place = (_part(request, name) for name in ("applicant", "demand", "location"))
    return {
        "request_id": view.request_id,
        "customer_name": text_or_dash(applicant.get("name")),
        "location": f"{place.get('lon_deg')}，{place.get('lat_deg')}（{place.get('datum')}）",
        "category": text_or_dash(CATEGORIES.get(str(applicant.get("category")))),
        "business": text_or_dash(BUSINESS.get(str(request.get("business")))),
        "installed_kw": quantity(demand.get("installed_kw"), "kW", 2),
        "requested_kva": quantity(demand.get("capacity_kva"), "kVA", 1),
        "received_on": day(request.get("received_on")),
        "replied_on": day(view.replied_on),
        "needed_on": day(request.get("needed_on")),
    }


def _source(source: CustomerSource) -> Row:
    return {
        "title": f"电源{source.source_no}",
        "no": str(source.source_no),
        "role": source.role,
        "kind": source.kind,
        "supply_voltage": VOLTAGES.get(source.supply_voltage, source.supply_voltage),
        "capacity": quantity(source.capacity_kva, "kVA", 1),
        "connection_mode": text_or_dash(source.connection_mode),
        "substation": text_or_dash(source.substation),
        "feeder": text_or_dash(source.feeder),
        "point": source.point,
        "laying": LAYING.get(source.laying, text_or_dash(source.laying)),
        "entry_mode": text_or_dash(source.entry_mode),
        "line_type": text_or_dash(source.line_label),
        "length": f"不超过{quantity(source.route_length_m, 'm', 0)}",
        "boundary": text_or_dash(source.ownership_boundary),
    }


def _installation(view: CustomerScheme) -> Payload:
    receiving, protection = view.receiving, view.protection
    return {
        "receiving_kind": text_or_dash(receiving.point_kind if receiving else None),
        "main_connection": text_or_dash(receiving.main_connection if receiving else None),
        "transformers": _joined(receiving.transformers if receiving else ()),
        "operation_mode": text_or_dash(receiving.operation_mode if receiving else None),
        "protection_incoming": text_or_dash(protection.incoming),
        "boundary_switch": text_or_dash(protection.boundary_switch),
        "protection_notes": _joined(protection.notes),
        "compensation": text_or_dash(protection.compensation),
        "emergency": text_or_dash(protection.emergency),
    }


def _metering(point: CustomerMetering) -> Row:
    return {
        "title": f"计量点{point.point_no}",
        "no": str(point.point_no),
        "purpose": text_or_dash(point.purpose),
        "mode": text_or_dash(point.mode),
        "voltage": VOLTAGES.get(point.voltage, text_or_dash(point.voltage)),
        "position": text_or_dash(point.position),
        "wiring": text_or_dash(point.wiring),
        "meter_class": text_or_dash(point.meter_class),
        "meter": text_or_dash(point.meter),
        "ct_ratio": text_or_dash(point.ct_ratio),
        "ct_class": text_or_dash(point.ct_class),
        "pt_ratio": text_or_dash(point.pt_ratio),
        "pt_class": text_or_dash(point.pt_class),
        "terminal": text_or_dash(point.terminal),
        "loss_apportion": text_or_dash(point.loss_apportion),
    }


def _money(view: CustomerScheme) -> Payload:
    tariff, investment = view.tariff, view.investment_boundary
    time_of_use = tariff.is_time_of_use if tariff else None
    factor = tariff.power_factor_standard if tariff else None
    return {
        "price_class": text_or_utility(tariff.price_class if tariff else None),
        "time_of_use": UTILITY_FILLS if time_of_use is None else "执行" if time_of_use else "不执行",
        "capacity_charge": text_or_utility(tariff.capacity_charge if tariff else None),
        "power_factor_standard": UTILITY_FILLS if factor is None else fixed(factor, 2),
        "investment_boundary": text_or_dash(investment.boundary if investment else None),
        "utility_scope": text_or_dash(investment.utility_scope if investment else None),
        "customer_scope": text_or_dash(investment.customer_scope if investment else None),
        "offers": _joined(investment.offers if investment else ()),
        "fees_text": "；".join(f"{fee.name}：{_amount(fee.amount_cny)}" for fee in view.fees) or "无",
        "fees": [
            {
                "name": fee.name,
                "unit_price": text_or_utility(fee.unit_price_cny),
                "quantity": number(fee.quantity, 3),
                "amount": _amount(fee.amount_cny),
                "basis": text_or_dash(fee.basis),
            }
            for fee in view.fees
        ],
    }


def _amount(amount_cny: str | None) -> str:
    return UTILITY_FILLS if amount_cny is None else f"{amount_cny} 元"


def _dates(view: CustomerScheme) -> Payload:
    timeline = view.timeline
    return {
        "steps": " → ".join(view.steps) or NOT_APPLICABLE,
        "time_limit": duration(timeline.limit, timeline.limit_unit) if timeline else NOT_APPLICABLE,
        "milestones": [
            {"text": item.text, "starts_on": day(item.starts_on), "ends_on": day(item.ends_on)}
            for item in (timeline.milestones if timeline else ())
        ],
    }


def _part(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = record.get(key)
    return part if isinstance(part, Mapping) else {}


def _joined(texts: Iterable[str]) -> str:
    return "；".join(texts) or NOT_APPLICABLE


def _numbered(texts: Iterable[str]) -> list[Row]:
    return [{"no": str(no), "text": text} for no, text in enumerate(texts, start=1)]


def _undirected(payload: Payload) -> Payload:
    """Return the payload without signs that turn the direction of writing, with a note that names them."""
    lost: list[str] = []

    def plain(text: str) -> str:
        kept, signs = replace_directions(text)
        lost.extend(signs)
        return kept

    result: Payload = {
        key: plain(value) if isinstance(value, str) else [{k: plain(v) for k, v in row.items()} for row in value]
        for key, value in payload.items()
    }
    note = f"改变书写方向的控制符以“〓”代替：{list_codes(lost)}。" if lost else NOT_APPLICABLE
    return {**result, "glyph_note": note}
