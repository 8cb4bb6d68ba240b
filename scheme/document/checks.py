"""What was verified beyond the supply path: several sources one by one, short circuit, power quality."""

from __future__ import annotations

from scheme.document.tables import Payload, Row
from scheme.document.wording import NOT_APPLICABLE, UNITS, fixed, number, percent, quantity, text_or_dash
from scheme.model import Scheme, Variant, Verification
from scheme.model_quality import PowerQuality, QualityCheck

_VERDICTS = {"ok": "符合", "exceeded": "超限", "needs_study": "需专题评估", "not_known": "缺资料"}


def largest_loading(check: Verification) -> float:
    """Return the largest loading ratio of lines and transformers on the supply path."""
    return max(check.line_loading_ratio_max, check.transformer_loading_ratio_max or 0.0)


def list_source_checks(scheme: Scheme, best: Variant | None) -> list[Row]:
    """Return what was verified for each of several sources: alone, and with all in service; nothing for one source."""
    if best is None or not best.further_sources or scheme.supply is None:
        return []
    share_kva = scheme.supply.required_share_kva
    rows = [_source_check("电源1　其余电源退出", share_kva, best.verification)]
    if best.normal_verification is not None:
        others_kva = sum(source.normal_kva for source in best.further_sources)
        rows.append(_source_check("电源1　全部投入", scheme.supply.capacity_kva - others_kva, best.normal_verification))
    for source in best.further_sources:
        rows.append(
            _source_check(f"电源{source.source_no}　其余电源退出", source.required_share_kva, source.verification)
        )
        if source.normal_verification is not None:
            title = f"电源{source.source_no}　全部投入"
            rows.append(_source_check(title, source.normal_kva, source.normal_verification))
    return rows


def _source_check(title: str, capacity_kva: float | None, check: Verification) -> Row:
    return {
        "source": title,
        "capacity": quantity(capacity_kva, "kVA", 1),
        "u_min": fixed(check.u_pu_min, 4),
        "u_customer": fixed(check.u_pu_customer, 4),
        "line_loading": percent(check.line_loading_ratio_max),
        "transformer_loading": percent(check.transformer_loading_ratio_max),
        "losses": quantity(check.losses_kw, "kW", 2),
        "short_circuit": quantity(check.ik3_ka, "kA", 2),
    }


def list_quality(best: Variant | None) -> Payload:
    """Return the checks of short circuit, voltage steps, disturbing loads and phases, and what they ask for."""
    studied = [("", best.power_quality)] if best else []
    if best is not None and best.further_sources:
        studied = [("电源1：", best.power_quality)]
        studied += [(f"电源{source.source_no}：", source.power_quality) for source in best.further_sources]
    rows: list[Row] = []
    notes: list[str] = []
    for title, quality in studied:
        if quality is None:
            continue
        rows += [_quality(check, title) for check in quality.checks]
        notes += [f"{title}接入条件：{'；'.join(quality.conditions)}。"] if quality.conditions else []
        notes += [f"{title}需补充资料：{'、'.join(quality.data_needed)}。"] if quality.data_needed else []
        harmonics = "、".join(f"{h.order}次 {number(h.permitted_a, 2)} A" for h in quality.permitted_harmonics)
        notes += [f"{title}谐波电流允许值：{harmonics}。"] if harmonics else []
    return {
        "quality": rows,
        "quality_note": "".join(notes),
    }


def _quality(check: QualityCheck, title: str) -> Row:
    remarks = "；".join(text for text in (check.note, check.remedy) if text)
    return {
        "text": title + check.text,
        "value": _figure(check.value, check.unit),
        "limit": _figure(check.limit, check.unit),
        "verdict": _VERDICTS[check.verdict],
        "clause": text_or_dash(check.clause),
        "note": remarks or NOT_APPLICABLE,
    }


def _figure(value: float | None, unit: str) -> str:
    return percent(value, 2) if unit == "ratio" else quantity(value, UNITS.get(unit, unit), 3).strip()


def quality_summary(quality: PowerQuality | None) -> str:
    """Return in a word whether the checks of a variant are kept."""
    if quality is None:
        return NOT_APPLICABLE
    if quality.conditions:
        return f"有条件：{'；'.join(quality.conditions)}"
    open_checks = [check.text for check in quality.checks if check.verdict != "ok"]
    return f"待核：{'、'.join(open_checks)}" if open_checks else "符合"
