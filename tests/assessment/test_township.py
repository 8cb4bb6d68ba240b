"""The shipped township: alone as a scheme of one's own, together as plain pandapower has it."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import pytest

from gridmodel.catalogue.loader import load_catalogue
from scheme.assessment.engine import assess_projects
from scheme.assessment.project import as_request
from scheme.assessment.records import Assessment
from scheme.assessment.verify import verify_together
from scheme.generate import generate_scheme
from scheme.policy.loader import load_policy
from tests.assessment.grids import AS_OF, PROFILE
from tests.assessment.plain import problems_of
from tests.assessment.projects import draw_projects
from tests.request_replay.answer import capacity_of
from tests.request_replay.networks import read_network

COUNT, SAMPLE = 8, 3


@lru_cache(maxsize=2)
def assessed(count: int) -> Assessment:
    return assess_projects(
        draw_projects("township", range(count), seed=1),
        snapshot=read_network("township"),
        policy=load_policy(PROFILE, AS_OF),
        catalogue=load_catalogue(),
        capacity=capacity_of("township", PROFILE),
        as_of=AS_OF,
    )


def test_alone_a_project_has_the_first_variant_of_its_own_scheme() -> None:
    """generate_scheme, asked with the request the project would be."""
    policy, compared = load_policy(PROFILE, AS_OF), 0
    projects = {project.project_id: project for project in draw_projects("township", range(COUNT), seed=1)}
    for result in assessed(COUNT).projects[:: COUNT // SAMPLE]:
        scheme = generate_scheme(
            as_request(projects[result.project_id], policy),
            snapshot=read_network("township"),
            policy=policy,
            catalogue=load_catalogue(),
            capacity=capacity_of("township", PROFILE),
            as_of=AS_OF,
            version="test",
        )
        placement = result.alone.placement
        assert (result.alone.verdict == "yes") == (scheme.verdict == "answered")
        if placement is None or scheme.verdict != "answered":
            continue
        first = scheme.variants[0]
        assert scheme.supply is not None
        assert (result.alone.voltage, placement.capacity_kva) == (scheme.supply.voltage, scheme.supply.capacity_kva)
        assert placement.element_source_id == first.connection_point.element_source_id
        assert (placement.feeder, placement.route_length_m) == (first.feeder, first.route.length_m)
        assert placement.u_pu_customer == first.verification.u_pu_customer
        compared += 1
    assert compared >= 2


def test_all_that_is_placed_in_the_township_breaks_no_limit_together() -> None:
    found = assessed(COUNT)
    check = verify_together(
        found, read_network("township"), policy=load_policy(PROFILE, AS_OF), catalogue=load_catalogue()
    )
    assert check.projects_checked >= COUNT // 2
    assert check.holds
    assert problems_of(read_network("township"), found, numba=True) == []


@pytest.mark.slow
def test_sixty_projects_compete_and_all_that_is_placed_breaks_no_limit_together() -> None:
    found = assessed(60)
    verdicts = Counter((result.alone.verdict, result.queue.verdict) for result in found.projects)
    assert verdicts["yes", "yes"] > 20
    assert any(alone == "yes" != queue for alone, queue in verdicts)
    assert problems_of(read_network("township"), found, numba=True) == []
