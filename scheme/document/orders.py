"""Works order (配套工程任务单), transition stages (过渡方案) and departments' tasks as printed texts."""

from __future__ import annotations

from scheme.document.alike import group_alike, list_alike
from scheme.document.checks import largest_loading
from scheme.document.tables import Payload, Row, number_texts
from scheme.document.wording import (
    NOT_APPLICABLE,
    UTILITY_FILLS,
    day,
    duration,
    fixed,
    number,
    percent,
    quantity,
    text_or_dash,
)
from scheme.model import ConnectionPoint, Scheme, TransitionStage, Verification

_SUPPORTING_WORKS = "supporting_works"
_NAMED_MAX = 3
"""Sections named of a measure done to many; the list of works names them all."""
_RECEIPT = "　"
"""Left blank to be signed by hand."""


def list_order(scheme: Scheme) -> Payload:
    """Return what only the works order prints."""
    order = scheme.works_order
    stage = None
    if scheme.timeline is not None:
        stage = next((item for item in scheme.timeline.milestones if item.code == _SUPPORTING_WORKS), None)
    points = [f"电源{source.source_no}：{source.point}" for source in scheme.supply.sources] if scheme.supply else []
    return {
        "order_no": UTILITY_FILLS,
        "order_points": "；".join(points) or NOT_APPLICABLE,
        "order_terms": "；".join(order.terms if order else ()) or NOT_APPLICABLE,
        "works_from": day(stage.starts_on) if stage and stage.starts_on else UTILITY_FILLS,
        "works_to": day(stage.ends_on) if stage and stage.ends_on else UTILITY_FILLS,
        "departments": [
            {"department": item.department, "text": item.text, "receipt": _RECEIPT}
            for item in (order.departments if order else ())
        ],
    }


def list_transition(scheme: Scheme) -> Payload:
    """Return stages, other paths, what failed, and the departments' tasks."""
    transition = scheme.transition
    stages = transition.stages if transition else ()
    note = ""
    if transition is not None:
        path = (
            "已校核到全部申请容量" if transition.is_complete else "尚未找到满足全部申请容量的路径，其余由专业联动解决"
        )
        note = f"申请容量{quantity(transition.demand_kva, 'kVA', 1)}，{path}；资金来源：{transition.funding}。"
    return {
        "stages": [_stage(stage) for stage in stages],
        "stages_note": note,
        "alternatives": [
            {
                "text": f"{_shorter(option.text)}（接入点：{_point(option.connection_point)}）",
                "capacity": number(option.capacity_kva, 1),
                "check": _check(option.verification),
                "cost": fixed(option.cost.total_typical_cny10k, 2),
                "dates": _workdays(option.duration_workdays),
            }
            for option in (transition.alternatives if transition else ())
        ],
        "failed_options": [
            {"text": _shorter(item.text), "point": text_or_dash(item.element_source_id), "reason": item.reason}
            for item in (transition.failed if transition else ())
        ],
        "tasks": [
            {"department": task.department, "text": task.text, "due": text_or_dash(task.due), "receipt": _RECEIPT}
            for task in scheme.tasks
        ],
    }


def _shorter(text: str) -> str:
    """Return a path of many steps with those alike said once."""
    return "；".join(list_alike(text.split("；"), named_max=_NAMED_MAX))


def _stage(stage: TransitionStage) -> Row:
    point = _point(stage.connection_point) if stage.connection_point else NOT_APPLICABLE
    groups = group_alike(
        [item.text for item in stage.measures], [item.unit for item in stage.measures], named_max=_NAMED_MAX
    )
    sums = [sum(stage.measures[i].quantity for i in places) for _, places in groups]
    units = [stage.measures[places[0]].unit for _, places in groups]
    measures = "；".join(
        f"{text}（{number(quantity, 3)}{unit}）" for (text, _), quantity, unit in zip(groups, sums, units, strict=True)
    )
    dates = [_workdays(stage.duration_workdays), stage.starts_after, stage.text]
    return {
        "no": str(stage.stage_no),
        "capacity": number(stage.capacity_kva, 1),
        "point": point + (f"，{stage.connection_mode}" if stage.connection_mode else ""),
        "measures": measures or "无",
        "check": _check(stage.verification) if stage.verification else NOT_APPLICABLE,
        "cost": fixed(stage.cost.total_typical_cny10k if stage.cost else None, 2),
        "dates": "；".join(text for text in dates if text and text != NOT_APPLICABLE) or NOT_APPLICABLE,
    }


def _point(point: ConnectionPoint) -> str:
    return point.name or point.element_source_id


def _check(check: Verification) -> str:
    return f"最低电压{fixed(check.u_pu_min, 4)} p.u.，最大负载率{percent(largest_loading(check))}"


def _workdays(count: int | None) -> str:
    return duration(count, "workday")


def list_consultation(scheme: Scheme) -> Payload:
    """Return what a preliminary reply rests on, tells and leaves open."""
    consultation = scheme.consultation
    return {
        "consultation_documents": "、".join(consultation.documents if consultation else ()) or NOT_APPLICABLE,
        "tells": number_texts(consultation.tells if consultation else ()),
        "leaves_open": number_texts(consultation.leaves_open if consultation else ()),
    }
