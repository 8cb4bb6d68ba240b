"""One request answered as the product answers it, timed, and its answer judged."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import pandas as pd

from gridmodel.capacity.nodes import node_capacity
from gridmodel.catalogue.loader import load_catalogue
from gridmodel.errors import DomainError
from scheme.generate import generate_scheme
from scheme.limits import capacity_settings
from scheme.model import Scheme
from scheme.policy.loader import load_policy
from scheme.request import SupplyRequest
from tests.request_replay.check import judge
from tests.request_replay.grid import PlainGrid
from tests.request_replay.networks import NETWORKS, read_network
from tests.request_replay.sample import Sampler

AS_OF = date(2026, 11, 22)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came out of one request."""

    network: str
    request_id: str
    demand: str
    """Category of demand."""
    verdict: str
    """``answered`` | ``transition`` | ``joint_work`` | ``refused``."""
    reason: str
    """First reason of joint work; what is wrong with a refused request."""
    measures: str
    """Kinds of measures of a verified path."""
    answer_s: float
    """Seconds of processor time, which do not depend on what else the machine does."""
    judge_s: float
    states: int = 0
    """States judged."""
    problems: tuple[str, ...] = ()
    difference_pu_max: float = 0.0


def answer_requests(network: str, numbers: range, *, seed: int, profile: str) -> list[Answer]:
    """Return the answers to some requests of a network."""
    sampler = Sampler(read_network(network), NETWORKS[network], seed=seed)
    return [_answer(network, *sampler.draw(number), profile=profile) for number in numbers]


def ask(network: str, request: SupplyRequest, *, profile: str) -> Scheme:
    """Return the scheme, with the table of open capacities in hand as the product has it.

    Raises:
        DomainError: The request is refused.
    """
    return generate_scheme(
        request,
        snapshot=read_network(network),
        policy=load_policy(profile, AS_OF),
        catalogue=load_catalogue(),
        capacity=capacity_of(network, profile),
        as_of=AS_OF,
        version="replay",
    )


@lru_cache(maxsize=2)
def plain_grid(network: str) -> PlainGrid:
    """Return the network as it is judged."""
    return PlainGrid(read_network(network))


@lru_cache(maxsize=2)
def capacity_of(network: str, profile: str) -> pd.DataFrame:
    """Return the open capacity of every node."""
    return node_capacity(read_network(network), **capacity_settings(load_policy(profile, AS_OF)))


def _answer(network: str, demand: str, request: SupplyRequest, *, profile: str) -> Answer:
    capacity_of(network, profile)
    start = time.process_time()
    try:
        scheme = ask(network, request, profile=profile)
    except DomainError as error:
        return Answer(
            network=network,
            request_id=request.request_id,
            demand=demand,
            verdict="refused",
            reason=str(error),
            measures="",
            answer_s=time.process_time() - start,
            judge_s=0.0,
        )
    answered = time.process_time()
    findings = judge(plain_grid(network), scheme)
    return Answer(
        network=network,
        request_id=request.request_id,
        demand=demand,
        verdict=scheme.verdict,
        reason=scheme.reasons[0].code if scheme.verdict == "joint_work" else "",
        measures=measures_of(scheme),
        answer_s=answered - start,
        judge_s=time.process_time() - answered,
        states=findings.states,
        problems=findings.problems,
        difference_pu_max=findings.difference_pu_max,
    )


def measures_of(scheme: Scheme) -> str:
    """Return the kinds of measures of the last stage, ``part`` where no path to all of the demand is verified."""
    if scheme.transition is None:
        return ""
    if not scheme.transition.is_complete:
        return "part"
    codes = dict.fromkeys(measure.code for measure in scheme.transition.stages[-1].measures)
    return "+".join(codes) or "another_point"
