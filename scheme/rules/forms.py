"""Forms (单据) in force, the preliminary consultation reply and the works order that go with a scheme."""

from __future__ import annotations

from dataclasses import replace

from gridmodel.errors import InputError
from scheme.model import Consultation, DepartmentTask, FormVersion, Scheme, WorksOrder
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest


def check_consultation(request: SupplyRequest, *, is_low_voltage: bool) -> None:
    """Refuse a consultation (供电方案咨询) that would be answered at low voltage.

    Raises:
        InputError: The request is a consultation, and what it asks is connected at 220 or 380 V.
    """
    if request.purpose == "consultation" and is_low_voltage:
        raise InputError(
            "a preliminary reply is given to 10 kV customers only",
            field="purpose",
            value=request.purpose,
            allowed="application, which is answered at once at low voltage",
        )


def attach_forms(scheme: Scheme, request: SupplyRequest, policy: PolicyView) -> Scheme:
    """Return ``scheme`` with the forms in force, its works order, and without promises where it only advises.

    Args:
        scheme: Answer so far.
        request: Whether it is an application or a consultation.
        policy: Reads ``form.*``, ``notices.consultation`` and ``documents.preliminary_10kv``; the reads are recorded
            anew.
    """
    is_consultation = request.purpose == "consultation"
    complete = replace(
        scheme,
        forms=find_form_versions(policy),
        consultation=plan_consultation(policy) if is_consultation else None,
        works_order=plan_works_order(policy) if scheme.variants and not is_consultation else None,
        validity=None if is_consultation else scheme.validity,
        timeline=None if is_consultation else scheme.timeline,
        notices=policy.texts("notices.consultation") if is_consultation else scheme.notices,
    )
    return replace(complete, policy_reads=policy.reads)


def find_form_versions(policy: PolicyView) -> tuple[FormVersion, ...]:
    """Return which version of every form is in force.

    Args:
        policy: Reads ``form.versions``.
    """
    versions = policy.get("form.versions").value
    return tuple(FormVersion(form=form, version=versions[form]) for form in sorted(versions))


def plan_consultation(policy: PolicyView) -> Consultation:
    """Return what a preliminary reply rests on, tells and leaves open.

    Args:
        policy: Reads ``documents.preliminary_10kv``, ``form.consultation_tells`` and ``form.consultation_leaves_open``.

    Raises:
        PolicyNotInForceError: The profile knows no preliminary reply.
    """
    return Consultation(
        documents=policy.texts("documents.preliminary_10kv"),
        tells=policy.texts("form.consultation_tells"),
        leaves_open=policy.texts("form.consultation_leaves_open"),
    )


def plan_works_order(policy: PolicyView) -> WorksOrder:
    """Return who does what for the supporting works, and their terms.

    Args:
        policy: Reads ``form.works_order_departments`` and ``form.works_order_terms``.
    """
    rows = policy.rows("form.works_order_departments")
    return WorksOrder(
        departments=tuple(DepartmentTask(department=row["department"], text=row["text"]) for row in rows),
        terms=policy.texts("form.works_order_terms"),
    )
