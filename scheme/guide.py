"""What the rules alone say about a wish for power (办电指引): no grid is looked at, so nothing is promised.

What a rule cannot say because the utility has not supplied a value is ``None`` and named in ``missing``; never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar, get_args

from gridmodel.catalogue.loader import Catalogue
from scheme.errors import PolicyNotInForceError
from scheme.model import Fee, PolicyRead, Reason
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest
from scheme.rules.documents_required import list_required_documents
from scheme.rules.fees import compute_fees
from scheme.rules.investment import decide_investment
from scheme.rules.steps import list_steps
from scheme.rules.supply_structure import RELATIONS
from scheme.rules.time_limit import find_time_limit
from scheme.rules.validity import count_validity_months
from scheme.rules.voltage_level import SupplyDecision, decide_supply
from scheme.schedule import WorksMode, find_works_workdays

_CAPACITY_DECIMALS = 1
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideSupply:
    """供电电压与容量."""

    voltage: str
    phases: str
    capacity_kva: float
    power_factor: float
    source_count: int
    source_kind: str
    """单电源, 双回路, 双电源."""
    transformer_kva: float | None
    """Of one customer transformer; ``None`` below 10 kV."""
    transformer_count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideLimit:
    """办电时限 of the whole process, from acceptance."""

    has_supporting_works: bool
    """Whether the utility builds something first (配套工程)."""
    limit_workdays: int
    works_are_added: bool
    """The time of the supporting works comes on top."""
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideWorks:
    """配套工程工期 of one kind of 10 kV works."""

    mode: WorksMode
    duration_workdays: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideInvestment:
    """投资界面."""

    boundary: str
    utility_scope: str
    customer_scope: str
    offers: tuple[str, ...]
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingValue:
    """A value the utility has not supplied."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """The rules' answer; ``None`` is not known, an empty list is nothing."""

    profile: str
    as_of: str
    supply: GuideSupply | None
    """``None`` where joint work (专业联动) must decide, or a value is missing."""
    reasons: tuple[Reason, ...]
    """Why joint work must decide; or what was changed of the number of sources asked for."""
    limits: tuple[GuideLimit, ...]
    works: tuple[GuideWorks, ...]
    steps: tuple[str, ...] | None
    investment: GuideInvestment | None
    fees: tuple[Fee, ...] | None
    required_documents: tuple[str, ...] | None
    validity_months: int | None
    """供电方案有效期."""
    missing: tuple[MissingValue, ...]
    policy_reads: tuple[PolicyRead, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


@dataclass(slots=True)
class _Rules:
    """Asks one rule after the other and notes what the utility has not supplied."""

    policy: PolicyView
    missing: dict[str, None] = field(default_factory=dict)

    def ask(self, rule: Callable[[], Found]) -> Found | None:
        try:
            return rule()
        except PolicyNotInForceError as gap:
            self.missing[str(gap.context["parameter_id"])] = None
            return None


def guide(request: SupplyRequest, policy: PolicyView, catalogue: Catalogue) -> Guide:
    """Return what the rules say of a request, wherever it is.

    Args:
        request: Category, business, demand and circumstances; its place and dates are not looked at.
        policy: What is read of it is told.
        catalogue: Transformer ratings on the market.
    """
    policy = policy.fresh()
    rules = _Rules(policy)
    decision = rules.ask(lambda: _decide(request, policy, catalogue))
    supply = None if decision is None else _supply(decision)
    structure = None if decision is None else decision.structure
    reasons = () if decision is None else (*decision.reasons, *(() if structure is None else structure.notes))
    given: dict[str, Any] = {} if supply is None else _by_voltage(request, rules, is_low_voltage=_is_low(supply))
    if structure is not None and supply is not None:
        sizes_kva = [duty.capacity_kva for duty in structure.duties]
        is_low = _is_low(supply)
        given["fees"] = rules.ask(lambda: compute_fees(policy, source_capacities_kva=sizes_kva, is_low_voltage=is_low))
    names = policy.policies.parameters
    return Guide(
        profile=policy.profile,
        as_of=policy.as_of.isoformat(),
        supply=supply,
        reasons=reasons,
        **{**_NOTHING, **given},
        missing=tuple(MissingValue(id=name, name=names[name].name_zh) for name in rules.missing),
        policy_reads=policy.reads,
    )


_NOTHING: dict[str, Any] = {
    "limits": (),
    "works": (),
    "steps": None,
    "investment": None,
    "fees": None,
    "required_documents": None,
    "validity_months": None,
}


def _decide(request: SupplyRequest, policy: PolicyView, catalogue: Catalogue) -> SupplyDecision:
    kinds = catalogue.find_transformer_types(series=policy.text("receiving.transformer_series"))
    return decide_supply(request, policy, transformer_sizes_kva=[kind.sn_kva for kind in kinds])


def _is_low(supply: GuideSupply) -> bool:
    return supply.voltage != "10kV"


def _supply(decision: SupplyDecision) -> GuideSupply | None:
    if decision.voltage is None or decision.structure is None:
        return None
    assert decision.capacity_kva is not None
    assert decision.power_factor is not None
    assert decision.phases is not None
    return GuideSupply(
        voltage=decision.voltage,
        phases=decision.phases,
        capacity_kva=round(decision.capacity_kva, _CAPACITY_DECIMALS),
        power_factor=decision.power_factor,
        source_count=decision.structure.source_count,
        source_kind=RELATIONS[decision.structure.relation],
        transformer_kva=decision.transformer_kva,
        transformer_count=decision.transformer_count,
    )


def _by_voltage(request: SupplyRequest, rules: _Rules, *, is_low_voltage: bool) -> dict[str, Any]:
    """Return what hangs on the voltage class."""
    policy = rules.policy
    limits = _limits(request, rules, is_low_voltage=is_low_voltage)
    steps = rules.ask(lambda: list_steps(request, policy, is_low_voltage=is_low_voltage))
    return {
        "limits": limits,
        "works": _works(rules) if any(limit.works_are_added for limit in limits) else (),
        "steps": None if steps is None else tuple(step.name for step in steps),
        "investment": rules.ask(lambda: _investment(request, policy, is_low_voltage=is_low_voltage)),
        "required_documents": rules.ask(
            lambda: list_required_documents(request, policy, is_low_voltage=is_low_voltage)
        ),
        "validity_months": rules.ask(lambda: count_validity_months(policy, is_low_voltage=is_low_voltage)),
    }


def _limits(request: SupplyRequest, rules: _Rules, *, is_low_voltage: bool) -> tuple[GuideLimit, ...]:
    """Return the limit without and with supporting works: which of both it is the grid decides."""
    found = []
    for has_works in (False, True):
        limit = rules.ask(
            lambda has_works=has_works: find_time_limit(  # type: ignore[misc]
                request, rules.policy, is_low_voltage=is_low_voltage, has_supporting_works=has_works
            )
        )
        if limit is not None:
            found.append(
                GuideLimit(
                    has_supporting_works=has_works,
                    limit_workdays=limit.workdays,
                    works_are_added=limit.supporting_works_are_added,
                    clause=limit.clause,
                )
            )
    return tuple(found)


def _works(rules: _Rules) -> tuple[GuideWorks, ...]:
    modes: tuple[WorksMode, ...] = get_args(WorksMode)
    return tuple(GuideWorks(mode=mode, duration_workdays=find_works_workdays(rules.policy, mode)) for mode in modes)


def _investment(request: SupplyRequest, policy: PolicyView, *, is_low_voltage: bool) -> GuideInvestment:
    found = decide_investment(request, policy, is_low_voltage=is_low_voltage)
    return GuideInvestment(
        boundary=found.boundary,
        utility_scope=found.utility_scope,
        customer_scope=found.customer_scope,
        offers=found.offers,
        clause=found.clause,
    )
