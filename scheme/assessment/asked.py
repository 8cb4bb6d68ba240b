"""What a project asks of the grid, decided as for an application: place, voltage, capacity; or why nobody can say."""

from __future__ import annotations

from dataclasses import dataclass

from gridmodel.catalogue.loader import Catalogue
from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.assessment.project import Project, as_request
from scheme.assessment.records import Answer
from scheme.model import Segment
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest
from scheme.routes import WantedSupply
from scheme.rules.investment import utility_segments
from scheme.rules.voltage_level import decide_supply
from scheme.wanted import locate_request, wanted_supply


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One project ready for a search."""

    project: Project
    request: SupplyRequest
    place_deg: tuple[float, float]
    voltage: str
    supply: WantedSupply
    utility_segments: frozenset[Segment]


def find_asked(project: Project, snapshot: Snapshot, policy: PolicyView, catalogue: Catalogue) -> Asked | Answer:
    """Return what a project asks, or the answer that it cannot be assessed.

    Raises:
        PolicyNotInForceError: A number is missing that the utility must supply.
    """
    try:
        request = as_request(project, policy)
        place_deg = locate_request(request, snapshot, policy)
    except InputError as error:
        return not_assessable("input", str(error))
    series = policy.text("receiving.transformer_series")
    sizes_kva = [kind.sn_kva for kind in catalogue.find_transformer_types(series=series)]
    decision = decide_supply(request, policy, transformer_sizes_kva=sizes_kva)
    if decision.voltage is None:
        first = decision.reasons[0]
        return not_assessable(first.code, first.text)
    assert decision.structure is not None
    if decision.structure.source_count > 1:
        return not_assessable("several_sources", "多电源项目不参加批量评估，请单独编制供电方案")
    return Asked(
        project=project,
        request=request,
        place_deg=place_deg,
        voltage=decision.voltage,
        supply=wanted_supply(decision),
        utility_segments=utility_segments(request, policy, is_low_voltage=decision.voltage != "10kV"),
    )


def not_assessable(code: str, text: str) -> Answer:
    """Return the answer to a project nobody can assess."""
    return Answer(
        verdict="not_assessable",
        voltage=None,
        asked_kva=None,
        now_kva=None,
        placement=None,
        reason_code=code,
        reason=text,
        limiter=None,
    )
