"""The trial load flow (潮流校核) behind an answer: the customer on the grid with everything promised so far.

Three questions, all answered by the reference load flow, and each must keep every limit: every source alone with what
it must carry; all sources with what they carry normally; and the grid as every later calculation will see it, with what
the ledger keeps free at the nodes, where nothing may break that was kept before, however little it moved.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gridmodel.capacity.limits import Limits
from gridmodel.catalogue.loader import Catalogue
from gridmodel.connection import ConnectionAssessment
from gridmodel.in_flight import Commitment
from gridmodel.joint_connection import JointConnectionStudy, LoadFlowStudy
from gridmodel.snapshot import Snapshot
from scheme.admission.errors import CertificateRefusedError
from scheme.admission.places import Place, find_place
from scheme.admission.promise import Promise, PromisedSource, trial_of
from scheme.kept_grid import KeptStudy
from scheme.limits import operating_limits
from scheme.policy.parameter import PolicyView
from scheme.power_quality.settings import fault_settings
from scheme.variants import as_verification

_VA_PER_KVA = 1000.0
_DIGITS = 6


_STUDY, _LOCK = KeptStudy(LoadFlowStudy), threading.Lock()
"""The grid certified last; answers are worked out beside it, on a study of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedSource:
    """A source point and where it stands today."""

    source: PromisedSource
    place: Place


def locate(promise: Promise, snapshot: Snapshot, policy: PolicyView) -> tuple[LocatedSource, ...]:
    """Return the source points with their places on the grid of today.

    Raises:
        NotIssuableError: A point does not exist any more, or nobody can say what it carries.
    """

    def find_fed_end(line: int) -> int:
        with _LOCK:
            return _study_of(snapshot, policy).find_fed_end(line)

    return tuple(
        LocatedSource(source=source, place=find_place(source, snapshot, find_fed_end=find_fed_end))
        for source in promise.sources
    )


def certify_promise(
    promise: Promise,
    located: Sequence[LocatedSource],
    get_grid: Callable[[], Snapshot],
    *,
    policy: PolicyView,
    catalogue: Catalogue,
) -> Mapping[str, Any]:
    """Return what the load flows showed, JSON-ready, if the grid carries the customer.

    Args:
        promise: What is promised.
        located: Its source points.
        get_grid: Returns the grid with everything promised so far.
        policy: Operating limits and coincidence of commitments.
        catalogue: Line types.

    Raises:
        CertificateRefusedError: A limit breaks; the context names the element.
        NotIssuableError: The catalogue does not have the line any more.
    """
    with _LOCK:
        study = _study_of(get_grid(), policy)
        return certify(promise, located, study, limits=operating_limits(policy), catalogue=catalogue)


def _study_of(snapshot: Snapshot, policy: PolicyView) -> JointConnectionStudy:
    return _STUDY(snapshot, policy.number("capacity.in_flight_coincidence_ratio"), **fault_settings(policy))


def certify(
    promise: Promise,
    located: Sequence[LocatedSource],
    study: JointConnectionStudy,
    *,
    limits: Limits,
    catalogue: Catalogue,
) -> Mapping[str, Any]:
    """Return what the load flows showed, JSON-ready, if the grid carries the customer.

    Args:
        promise: What is promised.
        located: Its source points.
        study: The grid with everything promised so far.
        limits: Operating limits.
        catalogue: Line types.

    Raises:
        CertificateRefusedError: A limit breaks; the context names the element.
        NotIssuableError: The catalogue does not have the line any more.
    """
    alone = [_assess_alone(promise, one, study, limits, catalogue) for one in located]
    normal = _assess_normal(promise, located, study, limits, catalogue) if len(located) > 1 else ()
    _check_later_grid(promise, located, study, limits)
    shown = {
        one.source.source_no: {
            "node": one.place.node_element_id,
            "point": one.source.element_id,
            "share_va": one.source.share_va,
            "verification": asdict(as_verification(assessment)) | {"voltage_profile": ()},
        }
        for one, assessment in zip(located, alone, strict=True)
    }
    return {
        "sources": {str(number): shown[number] for number in sorted(shown)},
        "u_pu_min_normal": min((round(found.u_pu_min, _DIGITS) for found in normal), default=None),
    }


def commitments_of(hold_id: str, located: Sequence[LocatedSource], *, power_factor: float) -> tuple[Commitment, ...]:
    """Return what stands at the nodes for everybody else once the promise is given."""
    return tuple(
        Commitment(
            commitment_id=f"{hold_id}:{one.source.source_no}",
            bus=one.place.node,
            capacity_kva=one.source.share_va / _VA_PER_KVA,
            power_factor=power_factor,
        )
        for one in located
    )


def as_json(content: Mapping[str, Any]) -> str:
    """Return the one spelling of a certificate."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _assess_alone(
    promise: Promise, one: LocatedSource, study: JointConnectionStudy, limits: Limits, catalogue: Catalogue
) -> ConnectionAssessment:
    trial = _trial(promise, one, catalogue, one.source.share_kva)
    found = study.assess(trial, limits=limits)
    _refuse_unless_kept(found, one.source.source_no)
    return found


def _assess_normal(
    promise: Promise,
    located: Sequence[LocatedSource],
    study: JointConnectionStudy,
    limits: Limits,
    catalogue: Catalogue,
) -> tuple[ConnectionAssessment, ...]:
    loaded = [one for one in located if one.source.normal_kva > 0.0]
    trials = [_trial(promise, one, catalogue, one.source.normal_kva) for one in loaded]
    found = study.assess_together(trials, limits=limits)
    for one, verdict in zip(loaded, found, strict=True):
        _refuse_unless_kept(verdict, one.source.source_no)
    return found


def _trial(promise: Promise, one: LocatedSource, catalogue: Catalogue, capacity_kva: float) -> Any:
    place = one.place
    return trial_of(
        one.source,
        promise,
        catalogue,
        capacity_kva=capacity_kva,
        bus=place.bus,
        line=place.line,
        fraction_along=place.fraction_along,
    )


def _check_later_grid(
    promise: Promise, located: Sequence[LocatedSource], study: JointConnectionStudy, limits: Limits
) -> None:
    commitments = commitments_of("trial", located, power_factor=promise.power_factor)
    found = study.find_new_violations(commitments, limits=limits)
    if found is None:
        raise CertificateRefusedError("the load flow has no solution with the customer", limit_kind="convergence")
    if found:
        worst = found[0]
        raise CertificateRefusedError(
            "the grid does not carry the customer beside what is promised already",
            limit_kind=worst.kind,
            element_id=study.name_element(worst),
            value=round(worst.value, _DIGITS),
            limit=round(worst.limit, _DIGITS),
        )


def _refuse_unless_kept(found: ConnectionAssessment, source_no: int) -> None:
    if found.is_within_limits:
        return
    worst = found.violations[0] if found.violations else None
    raise CertificateRefusedError(
        "the grid does not carry the customer any more",
        source_no=source_no,
        limit_kind=found.limit_kind,
        element_id=found.limit_element_id,
        value=None if worst is None else round(worst.value, _DIGITS),
        limit=None if worst is None else round(worst.limit, _DIGITS),
    )
