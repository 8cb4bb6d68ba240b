"""What was verified beyond the supply path: several sources one by one, short circuit, power quality."""

from __future__ import annotations

from scheme.document.tables import Payload, Row
from scheme.document.wording import (
    LIMIT_KINDS,
    NOT_APPLICABLE,
    OUTAGE_SECURITY,
    UNITS,
    fixed,
    number,
    percent,
    quantity,
    text_or_dash,
)
from scheme.model import Scheme, Variant, Verification
from scheme.model_quality import OutageSecurity, PowerQuality, QualityCheck

_VERDICTS = {"ok": "符合", "exceeded": "超限", "needs_study": "需专题评估", "not_known": "缺资料"}


def largest_loading(check: Verification) -> float:
    """Return the largest loading ratio of lines and transformers on the supply path."""
    return max(check.line_loading_ratio_max, check.transformer_loading_ratio_max or 0.0)


def check_result(check: Verification) -> str:
    """Return in a sentence whether the supply path keeps its limits."""
    if check.is_within_limits:
        return "接入后供电路径各元件负载率及电压均在规定限值以内"
    cause = LIMIT_KINDS.get(check.limit_kind or "", text_or_dash(check.limit_kind))
    return f"接入后越限：{cause}（{text_or_dash(check.limit_element_id)}）"


def list_source_checks(scheme: Scheme, best: Variant | None) -> Payload:
    """Return what was verified for each of several sources: alone, and with all in service; nothing for one source."""
    if best is None or not best.further_sources or scheme.supply is None:
        return {"source_checks": [], "source_checks_note": ""}
    normal_kva = scheme.supply.capacity_kva - sum(source.normal_kva for source in best.further_sources)
    # A source is verified with the share it must carry alone or with what it carries every day, whichever is more.
    alone_kva = max(scheme.supply.required_share_kva or 0.0, normal_kva)
    checks = [(1, alone_kva, best.verification, normal_kva, best.normal_verification)]
    checks += [
        (s.source_no, s.required_share_kva, s.verification, s.normal_kva, s.normal_verification)
        for s in best.further_sources
    ]
    rows: list[Row] = []
    for no, share_kva, alone, everyday_kva, everyday in checks:
        rows.append(_source_check(f"电源{no}　其余电源退出", share_kva, alone))
        if everyday is not None:
            rows.append(_source_check(f"电源{no}　全部投入", everyday_kva, everyday))
    is_kept = all(check.is_within_limits for _, _, check, _, _ in checks)
    results = (
        [check_result(best.verification)]
        if is_kept
        else [f"电源{no}：{check_result(check)}" for no, _, check, _, _ in checks]
    )
    security = security_text(best.outage_security)
    results += [f"故障后供电：{security}"] if security != NOT_APPLICABLE else []
    note = f"{'；'.join(results)}。交流潮流计算，计算引擎 {scheme.provenance.engine}。"
    return {"source_checks": rows, "source_checks_note": note}


def security_text(security: OutageSecurity | None) -> str:
    """Return what single outages leave of a supply."""
    if security is None:
        return NOT_APPLICABLE
    text = OUTAGE_SECURITY[security.status]
    if security.n1_kva is None:
        return text
    return f"{text}，{number(security.n1_kva, 0)} kVA" + ("" if security.is_carried else "（不足）")


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
    groups: dict[tuple[str, ...], list[str]] = {}
    notes: list[str] = []
    for title, quality in studied:
        if quality is None:
            continue
        for check in quality.checks:
            groups.setdefault(_alike(check), []).append(title + _figure(check.value, check.unit))
        said = "".join(check.note + check.remedy for check in quality.checks)
        wanted = [text for text in quality.data_needed if text not in said]
        notes += [f"{title}需补充资料：{'、'.join(wanted)}。"] if wanted else []
        harmonics = "、".join(f"{h.order}次 {number(h.permitted_a, 2)} A" for h in quality.permitted_harmonics)
        notes += [f"{title}谐波电流允许值：{harmonics}。"] if harmonics else []
    keys = ("text", "limit", "verdict", "note")
    return {
        "quality": [
            {**dict(zip(keys, alike, strict=True)), "value": "；".join(dict.fromkeys(values))}
            for alike, values in groups.items()
        ],
        "quality_note": "".join(notes),
    }


def _alike(check: QualityCheck) -> tuple[str, ...]:
    """Return what sources have in common where the same is checked for each: text, limit, verdict, remarks."""
    remarks = "；".join(text for text in (check.clause, check.note, check.remedy) if text)
    return check.text, _figure(check.limit, check.unit), _VERDICTS[check.verdict], remarks or NOT_APPLICABLE


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
