"""Networks of the agreement runs: fixtures, reference county, SimBench, pandapower's own, generated ones."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandapower.networks

from gridmodel import Limits, VoltageBand
from gridmodel.islands import Islands
from gridmodel.readers.select import read_source
from tests.agreement import variants
from tests.capacity.radial_nets import radial_net
from tests.capacity.random_nets import random_net
from tests.capacity.test_fixture_networks import LIMITS, LITERAL, SOURCES
from tests.conftest import FIXTURES

RULES = LIMITS
"""80 % loading, +-7 %, thresholds of the rules."""
WIDE = Limits(
    line_loading_ratio_max=1.0,
    transformer_loading_ratio_max=1.0,
    main_transformer_loading_ratio_max=1.0,
    voltage_bands=(VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=30.0, u_pu_min=0.9, u_pu_max=1.1),),
)
"""100 % loading, +-10 %, literal attribution."""
COLLAPSE = Limits(
    line_loading_ratio_max=10.0,
    transformer_loading_ratio_max=10.0,
    main_transformer_loading_ratio_max=10.0,
    voltage_bands=(VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=30.0, u_pu_min=0.4, u_pu_max=1.1),),
)
"""So wide that the voltage collapse comes first at many buses."""
__all__ = ["COLLAPSE", "LITERAL", "RULES", "WIDE", "Part"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One net to be sampled."""

    net: Any
    limits: Limits
    candidates: tuple[int, ...] | None = None
    """Buses to draw from; None = all in service."""


@cache
def fixture(name: str) -> Any:
    """Return a fixture network; not to be changed."""
    return read_source(FIXTURES / SOURCES[name][0]).net


@cache
def county(with_lv: bool) -> Any:
    """Return the net of the reference county; not to be changed."""
    from tests.county.build import load_county

    return load_county(with_lv=with_lv).net


@cache
def simbench(code: str) -> Any:
    """Return a SimBench network from the package's own tables; not to be changed."""
    import simbench as library

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return library.get_simbench_net(code)


def published(name: str, **options: Any) -> Any:
    """Return a network of ``pandapower.networks``."""
    return getattr(pandapower.networks, name)(**options)


def as_is(net: Any, limits: Limits) -> Iterator[Part]:
    """Yield the net itself."""
    yield Part(net=net, limits=limits)


def closed(net: Any, limits: Limits, *, seed: int, ties: int, near_only: bool = False) -> Iterator[Part]:
    """Yield the net with open points closed; with ``near_only`` only the islands with a ring are drawn from."""
    meshed, places = variants.with_closed_ties(net, seed, ties)
    yield Part(net=meshed, limits=limits, candidates=island_buses(meshed, places) if near_only else None)


def ringed(net: Any, limits: Limits, *, seed: int, rings: int, within: tuple[int, ...] | None = None) -> Iterator[Part]:
    """Yield the net with lines that close rings; ``within`` bounds where, and what is drawn from."""
    meshed, places = variants.with_ring_lines(net, seed, rings, within=None if within is None else list(within))
    yield Part(net=meshed, limits=limits, candidates=None if within is None else island_buses(meshed, places))


def strained(net: Any, *, seed: int, limits: Limits = RULES) -> Iterator[Part]:
    """Yield the net with generation, with long lines, and with existing violations."""
    yield Part(net=variants.with_generation(net, seed), limits=limits)
    yield Part(net=variants.with_long_lines(net, seed), limits=COLLAPSE)
    ratios = (limits.line_loading_ratio_max, limits.transformer_loading_ratio_max)
    yield Part(net=variants.with_violations(net, seed, *ratios), limits=limits)
    yield Part(net=variants.with_violations(net, seed + 1, *ratios), limits=LITERAL)


def strained_and_ringed(net: Any, *, seed: int) -> Iterator[Part]:
    """Yield the strained variants of a net, each with rings."""
    for part in strained(net, seed=seed):
        yield from ringed(part.net, part.limits, seed=seed, rings=2)


def county_islands(with_lv: bool, *, count: int) -> list[Any]:
    """Return islands of the county, spread over it, each a net of its own."""
    net = county(with_lv)
    islands = Islands(net)
    sources = net.ext_grid.bus.tolist()
    return [islands.cut(islands.label(int(bus))) for bus in sources[:: max(1, len(sources) // count)][:count]]


def island_buses(net: Any, buses: list[int]) -> tuple[int, ...]:
    """Return all buses of the islands of some buses."""
    islands = Islands(net)
    labels = {islands.label(bus) for bus in buses}
    return tuple(int(bus) for bus in net.bus.index if islands.label(int(bus)) in labels)


def random_radial(first: int, count: int) -> Iterator[Part]:
    """Yield nets of ``radial_nets``."""
    for seed in range(first, first + count):
        net, limits = radial_net(seed)
        yield Part(net=net, limits=limits)


def random_collapsing(first: int, count: int) -> Iterator[Part]:
    """Yield nets of ``radial_nets`` with limits so wide that the voltage collapse comes first."""
    for part in random_radial(first, count):
        yield Part(net=part.net, limits=COLLAPSE)


def random_ringed(first: int, count: int) -> Iterator[Part]:
    """Yield nets of ``radial_nets`` with one or two rings."""
    for seed in range(first, first + count):
        net, limits = radial_net(seed)
        if variants.is_solvable(copy.deepcopy(net)):
            yield from ringed(net, limits, seed=seed, rings=1 + seed % 2)


def random_any(first: int, count: int) -> Iterator[Part]:
    """Yield nets of ``random_nets``: rings, several sources, voltage-controlled generators, wards."""
    for seed in range(first, first + count):
        net, limits = random_net(seed)
        yield Part(net=net, limits=limits)
