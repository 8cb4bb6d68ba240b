"""What an assessment says: plain records whose numbers are rounded, so that the same inputs give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["yes", "partly", "no", "not_assessable"]
ElementKind = Literal["transformer", "feeder", "main_transformer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialNeed:
    """One line of the bill of materials (物料清单) of a connection."""

    type_id: str
    name: str
    model: str
    quantity: float
    unit: str
    side: str
    """``utility`` | ``customer``: who buys it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where and how a project is connected, complete enough to build the connection again."""

    point_kind: str
    element_source_id: str
    point_name: str
    u_nominal_kv: float
    distance_m: float
    bus: int | None
    line: int | None
    fraction_along: float | None
    node: int
    """Bus at which the capacity counts for everybody else; of a tee the end fed through the line."""
    route_length_m: float
    line_type_id: str
    circuits: int
    is_single_phase: bool
    capacity_kva: float
    p_kw: float
    q_kvar: float
    connection_mode: str
    substation: str | None
    main_transformer: str | None
    feeder: str | None
    transformer_area: str | None
    elements: tuple[tuple[ElementKind, str], ...]
    """Transformer, feeder and main transformer that carry it, by imported identifier."""
    u_pu_customer: float
    line_loading_ratio_max: float
    transformer_loading_ratio_max: float | None
    materials: tuple[MaterialNeed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limiter:
    """What is in the way."""

    kind: str
    """Kind of limit: ``line_loading``, ``transformer_loading``, ``voltage_low``, ``administrative`` and the like."""
    element_id: str | None
    """Imported identifier, ``customer`` or ``route``, or the project whose connection would break."""
    contested: tuple[ElementKind, str] | None
    """Transformer, feeder or main transformer the limit belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Answer to one project in one state of the grid."""

    verdict: Verdict
    voltage: str | None
    asked_kva: float | None
    """Capacity that is supplied for the demand; ``None`` = not known."""
    now_kva: float | None
    """What can be connected without works: all, a part, 0; ``None`` where that is not known."""
    placement: Placement | None
    reason_code: str | None
    reason: str | None
    limiter: Limiter | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectResult:
    """What is said of one project."""

    project_id: str
    name: str
    queue_no: int
    """Place in the queue, from 1 on."""
    group_no: int
    alone: Answer
    queue: Answer
    competitors: tuple[str, ...]
    """Projects before it in the queue that use what it would have needed; only where it is served worse than alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Projects that cannot all be served by one element."""

    element_kind: ElementKind
    element_id: str
    name: str
    served: tuple[str, ...]
    """Projects it carries in the queue."""
    refused: tuple[str, ...]
    """Projects that it could carry alone and does not carry, or only in part, in the queue."""
    asked_kva: float
    """Sum of what both ask."""
    open_kva: float | None
    """Permitted load less present load (在途 included); ``None``: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YearOfElement:
    """When an element runs out."""

    element_kind: ElementKind
    element_id: str
    name: str
    limit_kva: float
    load_kva: float
    """Present load, commitments (在途) included."""
    load_by_year_kva: tuple[tuple[int, float], ...]
    """With the growth of the scenario and every project that would be connected to it alone."""
    runs_out_in: int | None
    """First year above the limit; ``None``: not within the years the figures tell of."""
    project_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyWork:
    """Supporting works (配套工程) at one element, with every project they serve."""

    code: str
    """As :attr:`scheme.model.Measure.code`."""
    text: str
    element_ids: tuple[str, ...]
    quantity: float
    unit: str
    type_id: str | None
    sn_kva: float | None
    project_ids: tuple[str, ...]
    """In the order of the queue."""
    is_shared: bool
    """Whether it serves several projects; each was verified beside all that is placed, not beside the others."""
    duration_workdays: int | None
    """Longest of the ways it is a part of; ``None``: not known."""
    latest_start_on: str | None
    """Earliest of the days on which it must begin for one of its projects."""
    triggers: tuple[str, ...]
    """Trigger of each project (:class:`scheme.rules.early_works.TriggerDecision`)."""
    is_triggered: bool
    """Whether one of them says that preparation begins now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectWorks:
    """How a project that is not served in full can be."""

    project_id: str
    is_complete: bool
    """Whether a verified way to the full demand was found."""
    code: str | None
    """Kinds of measures joined by ``+``, ``another_point`` where the grid stays as it is."""
    text: str | None
    now_kva: float
    """What its first stage carries today."""
    element_source_id: str | None
    """Connection point of the last stage."""
    cost_cny10k: float | None
    """Connection and measures, typical, without what has no price."""
    not_priced: tuple[str, ...]
    duration_workdays: int | None
    funding: str | None
    """Where the money comes from (资金渠道)."""
    trigger: str
    latest_start_on: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialQuota:
    """What the projects of one quarter need of one material (按季定额)."""

    quarter: str | None
    """``2027Q1``; ``None``: nobody said when supply is needed."""
    type_id: str
    name: str
    model: str
    unit: str
    quantity: float
    """For all of them."""
    expected_quantity: float | None
    """Weighted by likelihood; ``None``: one of them is not known."""
    project_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Result of one run."""

    scenario: str
    as_of: str
    snapshot_sha256: str
    policy_sha256: str
    catalogue_sha256: str
    profile: str
    projects: tuple[ProjectResult, ...]
    """In the order of the queue."""
    conflicts: tuple[Conflict, ...]
    years: tuple[YearOfElement, ...]
    groups_count: int
    quotas: tuple[MaterialQuota, ...] = ()
    """Materials the utility buys for the connections placed."""
    project_works: tuple[ProjectWorks, ...] = ()
    """Of projects not served in full, in the order of the queue; empty where nobody asked for works."""
    works: tuple[EarlyWork, ...] = ()
    """The same by element."""

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return dict(json.loads(json.dumps(asdict(self), ensure_ascii=False)))

    def to_json(self) -> str:
        """Return canonical JSON: keys sorted, no blanks."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def placement_from_dict(row: Mapping[str, Any]) -> Placement:
    """Return the placement of a mapping :func:`dataclasses.asdict` made."""
    elements = tuple((kind, element_id) for kind, element_id in row["elements"])
    materials = tuple(MaterialNeed(**material) for material in row["materials"])
    return Placement(**{**row, "elements": elements, "materials": materials})


def answer_from_dict(row: Mapping[str, Any]) -> Answer:
    """Return the answer of a mapping :func:`dataclasses.asdict` made."""
    limiter, placement = row["limiter"], row["placement"]
    if limiter is not None:
        contested = limiter["contested"]
        limiter = Limiter(**{**limiter, "contested": None if contested is None else tuple(contested)})
    return Answer(
        **{**row, "limiter": limiter, "placement": None if placement is None else placement_from_dict(placement)}
    )
