"""One flat record of printed texts for a scheme: both the Word reply and the PDF are filled from it and nothing else.

Values are ready texts (units, rounding, dates done) or lists of rows of such texts, never objects: a template can read
them and do nothing with them.
"""

from __future__ import annotations

import re

from scheme.document.checks import check_result, list_quality, list_source_checks, security_text
from scheme.document.comparison import list_variants
from scheme.document.conclusion import list_conclusion
from scheme.document.customer_texts import list_customer, list_housing, list_load
from scheme.document.forms import find_layout, layout_id
from scheme.document.glyphs import list_codes, replace_directions
from scheme.document.layout import Form, LayoutId
from scheme.document.orders import list_consultation, list_order, list_transition
from scheme.document.route_texts import laying_text, list_crossings
from scheme.document.tables import (
    Payload,
    Row,
    dashes,
    list_customer_duties,
    list_fees,
    list_materials,
    list_provenance,
    list_refused,
    list_timeline,
    list_works,
    number_texts,
)
from scheme.document.wording import (
    LAYING,
    NOT_APPLICABLE,
    UTILITY_FILLS,
    VOLTAGES,
    fixed,
    number,
    percent,
    quantity,
    text_or_dash,
    text_or_utility,
)
from scheme.model import MeteringPoint, Scheme, Source, Variant


def build_payload(scheme: Scheme, form: LayoutId | None = None) -> Payload:
    """Return every text the documents print; ``form`` is the one filled, by default the reply."""
    best = scheme.variants[0] if scheme.variants else None
    payload: Payload = {
        **list_customer(scheme),
        **list_housing(scheme),
        **list_load(scheme),
        **list_conclusion(scheme, best),
        "fees": list_fees(scheme),
        "sources": [_source(source, scheme, best) for source in scheme.supply.sources] if scheme.supply else [],
        **_receiving(scheme),
        "metering": [_metering_point(point) for point in scheme.metering],
        **_tariff(scheme),
        **_investment(scheme),
        **list_works(best),
        **list_materials(best),
        **list_timeline(scheme),
        **_verification(scheme, best),
        **list_source_checks(scheme, best),
        **list_quality(best),
        "crossings": list_crossings(best),
        "customer_duties": list_customer_duties(scheme),
        "notices": number_texts(scheme.notices),
        **list_variants(scheme),
        **list_refused(scheme),
        **list_transition(scheme),
        **list_order(scheme),
        **list_consultation(scheme),
        **list_provenance(scheme),
    }
    return _undirected({**payload, "to_be_filled": _to_be_filled(scheme, payload, form or layout_id(scheme))})


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
    note = f"改变书写方向的控制符以“〓”代替：{list_codes(lost)}。"
    return {**result, "glyph_note": note} if lost else result


def _to_be_filled(scheme: Scheme, payload: Payload, form: LayoutId) -> str:
    """Return the fields left to the utility: those the scheme names, then every other one so marked on the form."""
    names = dict.fromkeys(scheme.to_be_filled)
    for section in find_layout(form, scheme).sections:
        if isinstance(section, Form):
            marked = [payload] if section.repeat is None else payload[section.repeat]
            labels = [f.label for row in marked for f in section.fields if row.get(f.key) == UTILITY_FILLS]  # type: ignore[union-attr]
            names.update(dict.fromkeys(labels))
    return "、".join(names) or "无"


def _source(source: Source, scheme: Scheme, best: Variant | None) -> Row:
    routes = [best.route, *(further.route for further in best.further_sources)] if best else []
    route = routes[source.source_no - 1] if source.source_no <= len(routes) else None
    estimated = "（估算）" if route is not None and route.is_estimated else ""
    circuits = f"，{route.circuits}回" if route is not None and route.circuits > 1 else ""
    return {
        "title": f"电源{source.source_no}",
        "no": str(source.source_no),
        "role": source.role,
        "kind": source.kind,
        "supply_voltage": VOLTAGES.get(source.supply_voltage, source.supply_voltage),
        "capacity": quantity(source.capacity_kva, "kVA", 1),
        "substation": text_or_utility(source.substation),
        "busbar": text_or_utility(source.busbar),
        "outgoing": UTILITY_FILLS,
        "feeder": text_or_utility(source.feeder),
        "transformer_area": text_or_dash(source.transformer_area),
        "point": text_or_dash(source.point),
        "connection_mode": text_or_dash(source.connection_mode),
        "laying": laying_text(route) if route else LAYING.get(source.laying, text_or_dash(source.laying)),
        "line_type": text_or_dash(source.line_label or source.line_type_id),
        "length": quantity(source.length_m, "m", 0) + circuits + estimated,
        "entry_mode": text_or_dash(source.entry_mode),
        "boundary": text_or_dash(source.ownership_boundary),
        "phase": _phase(scheme, best),
    }


def _phase(scheme: Scheme, best: Variant | None) -> str:
    if scheme.supply is None or scheme.supply.phases != "单相":
        return "三相"
    proposed = best.power_quality.proposed_phase if best is not None and best.power_quality is not None else None
    return f"{proposed}相（建议）" if proposed else UTILITY_FILLS


def _receiving(scheme: Scheme) -> Payload:
    receiving, protection = scheme.receiving, scheme.protection
    compensation, emergency = scheme.reactive_compensation, scheme.emergency_source
    transformers = receiving.transformers if receiving else ()
    emergency_text = _at_least(emergency.text, emergency.capacity_kw_min, "kW") if emergency else NOT_APPLICABLE
    compensation_text = _at_least(compensation.text, compensation.kvar_min, "kvar") if compensation else NOT_APPLICABLE
    return {
        "receiving_kind": text_or_dash(receiving.point_kind if receiving else None),
        "main_connection": text_or_dash(receiving.main_connection if receiving else None),
        "operation_mode": text_or_dash(receiving.operation_mode if receiving else None),
        "interlock": text_or_dash(scheme.supply.interlock if scheme.supply else None),
        "transformers": "；".join(f"{t.model}　{number(t.sn_kva, 1)} kVA × {t.count}台" for t in transformers)
        or NOT_APPLICABLE,
        "receiving_kva": quantity(sum(t.sn_kva * t.count for t in transformers) or None, "kVA", 1),
        "protection_incoming": text_or_dash(protection.incoming if protection else None),
        "boundary_switch": text_or_dash(protection.boundary_switch if protection else None),
        "protection_notes": "；".join(protection.notes if protection else ()) or NOT_APPLICABLE,
        "compensation": compensation_text,
        "emergency": emergency_text,
        "dispatch": UTILITY_FILLS,
        "cubicles": UTILITY_FILLS,
        "quality_devices": "申请中未声明",
    }


def _at_least(text: str, least: float | None, unit: str) -> str:
    """Return a demand with its least capacity, unless the text says the figure itself."""
    amount = number(least, 1)
    is_said = amount == NOT_APPLICABLE or re.search(rf"(?<![\d.]){re.escape(amount)} ?{unit}", text) is not None
    return text if is_said else f"{text}（容量不小于{amount} {unit}）"


def _metering_point(point: MeteringPoint) -> Row:
    return {
        "title": f"计量点{point.point_no}",
        "no": str(point.point_no),
        "purpose": text_or_dash(point.purpose),
        "mode": text_or_dash(point.mode),
        "position": text_or_dash(point.position),
        "voltage": VOLTAGES.get(point.voltage, text_or_dash(point.voltage)),
        "wiring": text_or_dash(point.wiring),
        "meter": text_or_dash(point.meter),
        "meter_class": text_or_dash(point.meter_class),
        "ct_ratio": text_or_dash(point.ct_ratio),
        "ct_class": text_or_dash(point.ct_class),
        "pt_ratio": text_or_dash(point.pt_ratio),
        "pt_class": text_or_dash(point.pt_class),
        "fixed_share": NOT_APPLICABLE,
        "terminal": text_or_dash(point.terminal),
        "loss_apportion": text_or_dash(point.loss_apportion),
    }


def _tariff(scheme: Scheme) -> Payload:
    tariff = scheme.tariff
    time_of_use = tariff.is_time_of_use if tariff else None
    factor = tariff.power_factor_standard if tariff else None
    return {
        "price_class": text_or_utility(tariff.price_class if tariff else None),
        "time_of_use": UTILITY_FILLS if time_of_use is None else "执行" if time_of_use else "不执行",
        "capacity_charge": text_or_utility(tariff.capacity_charge if tariff else None),
        "power_factor_standard": UTILITY_FILLS if factor is None else fixed(factor, 2),
    }


def _investment(scheme: Scheme) -> Payload:
    boundary = scheme.investment_boundary
    return {
        "investment_boundary": text_or_dash(boundary.boundary if boundary else None),
        "utility_scope": text_or_dash(boundary.utility_scope if boundary else None),
        "customer_scope": text_or_dash(boundary.customer_scope if boundary else None),
        "investment_clause": text_or_dash(boundary.clause if boundary else None),
        "point_equipment": text_or_dash(boundary.point_equipment if boundary else None),
        "offers": "；".join(boundary.offers if boundary else ()) or NOT_APPLICABLE,
    }


def _verification(scheme: Scheme, best: Variant | None) -> Payload:
    keys = ("u_min", "u_max", "u_customer", "losses", "line_loading", "transformer_loading", "short_circuit")
    shown = {
        "diagram_shown": "是" if best else "",
        "path_checks": "是" if best and not best.further_sources else "",
    }
    if best is None:
        nothing = dashes("check_result", "outage_security", *keys)
        return {**shown, **nothing, "engine": scheme.provenance.engine}
    check = best.verification
    return {
        **shown,
        "check_result": check_result(check),
        "outage_security": security_text(best.outage_security),
        "u_min": f"{fixed(check.u_pu_min, 4)} p.u.",
        "u_max": f"{fixed(check.u_pu_max, 4)} p.u.",
        "u_customer": f"{fixed(check.u_pu_customer, 4)} p.u.",
        "losses": quantity(check.losses_kw, "kW", 2),
        "line_loading": percent(check.line_loading_ratio_max),
        "transformer_loading": percent(check.transformer_loading_ratio_max),
        "short_circuit": quantity(check.ik3_ka, "kA", 2),
        "engine": scheme.provenance.engine,
    }
