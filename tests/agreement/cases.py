"""The registry of cases: which networks, which limits, how many nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.agreement import networks
from tests.agreement.networks import LITERAL, RULES, WIDE, Part

KERBER = (
    "create_kerber_landnetz_freileitung_1",
    "create_kerber_landnetz_freileitung_2",
    "create_kerber_landnetz_kabel_1",
    "create_kerber_landnetz_kabel_2",
    "create_kerber_dorfnetz",
    "create_kerber_vorstadtnetz_kabel_1",
    "create_kerber_vorstadtnetz_kabel_2",
    "kb_extrem_landnetz_freileitung",
    "kb_extrem_landnetz_kabel",
    "kb_extrem_dorfnetz",
    "kb_extrem_vorstadtnetz_1",
)
SIMBENCH_MV = ("1-MV-rural--0-sw", "1-MV-semiurb--1-sw", "1-MV-urban--2-sw", "1-MV-comm--2-no_sw")
SIMBENCH_LV = ("1-LV-rural3--2-sw", "1-LV-urban6--0-sw")
SIMBENCH_MVLV = ("1-MVLV-rural-1.108-0-sw", "1-MVLV-urban-5.303-1-sw")
SIMBENCH_MVLV_ALL = ("1-MVLV-rural-all-0-sw", "1-MVLV-semiurb-all-1-sw")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row of the table: nets of a kind and how many nodes of each net are drawn."""

    name: str
    parts: Callable[[], Iterator[Part]]
    nodes: int
    is_quick: bool = False
    """Belongs to the default test run, with few nodes."""


def _case(name: str, nodes: int, parts: Callable[[], Iterator[Part]], *, is_quick: bool = False) -> Case:
    return Case(name=name, nodes=nodes, parts=parts, is_quick=is_quick)


def _fixtures() -> list[Case]:
    net = networks.fixture
    plain = [
        _case("township", 21, lambda: networks.as_is(net("township"), RULES)),
        _case("township, literal", 16, lambda: networks.as_is(net("township"), LITERAL)),
        _case("Oberrhein 20 kV", 16, lambda: networks.as_is(net("Oberrhein 20 kV"), RULES), is_quick=True),
        _case("Oberrhein 20 kV, generation", 16, lambda: networks.as_is(net("Oberrhein 20 kV, generation"), LITERAL)),
        _case("Schutterwald 0.4 kV", 21, lambda: networks.as_is(net("Schutterwald 0.4 kV"), RULES)),
        _case("SimBench 10 kV urban (fixture)", 16, lambda: networks.as_is(net("SimBench 10 kV"), RULES)),
    ]
    meshed = [
        _case("township, ties closed", 16, lambda: networks.closed(net("township"), RULES, seed=1, ties=4)),
        _case("Oberrhein, ties closed", 16, lambda: networks.closed(net("Oberrhein 20 kV"), WIDE, seed=2, ties=3)),
        _case("Schutterwald, ties closed", 16,
              lambda: networks.closed(net("Schutterwald 0.4 kV"), RULES, seed=3, ties=6, near_only=True)),
        _case("SimBench 10 kV (fixture), ring lines", 10,
              lambda: networks.ringed(net("SimBench 10 kV"), RULES, seed=4, rings=2)),
    ]  # fmt: skip
    strained = [
        _case("Oberrhein, strained", 8, lambda: networks.strained(net("Oberrhein 20 kV"), seed=5)),
        _case("SimBench 10 kV (fixture), strained", 8, lambda: networks.strained(net("SimBench 10 kV"), seed=6)),
        _case("Oberrhein, strained and ringed", 4,
              lambda: networks.strained_and_ringed(net("Oberrhein 20 kV"), seed=7)),
    ]  # fmt: skip
    return plain + meshed + strained


def _county() -> list[Case]:
    def strained(with_lv: bool, count: int) -> Iterator[Part]:
        for seed, net in enumerate(networks.county_islands(with_lv, count=count)):
            yield from networks.strained(net, seed=seed)

    def ringed(with_lv: bool) -> Iterator[Part]:
        net = networks.county(with_lv)
        within = networks.island_buses(net, net.ext_grid.bus.tolist()[3:6])
        return networks.ringed(net, RULES, seed=8, rings=3, within=within)

    def closed(with_lv: bool, ties: int) -> Iterator[Part]:
        return networks.closed(networks.county(with_lv), RULES, seed=9, ties=ties, near_only=True)

    return [
        _case("county", 78, lambda: networks.as_is(networks.county(False), RULES)),
        _case("county, literal", 42, lambda: networks.as_is(networks.county(False), LITERAL)),
        _case("county, ties closed", 31, lambda: closed(False, 8)),
        _case("county, ring lines", 16, lambda: ringed(False)),
        _case("county islands, strained", 3, lambda: strained(False, 6)),
        _case("county with low voltage", 62, lambda: networks.as_is(networks.county(True), RULES)),
        _case("county with low voltage, literal", 26, lambda: networks.as_is(networks.county(True), LITERAL)),
        _case("county with low voltage, ties closed", 10, lambda: closed(True, 3)),
        _case("county islands with low voltage, strained", 3, lambda: strained(True, 2)),
    ]


def _simbench() -> list[Case]:
    def each(codes: tuple[str, ...]) -> Iterator[Part]:
        for position, code in enumerate(codes):
            yield from networks.as_is(networks.simbench(code), (RULES, WIDE)[position % 2])

    def ringed(codes: tuple[str, ...]) -> Iterator[Part]:
        for seed, code in enumerate(codes):
            yield from networks.ringed(networks.simbench(code), RULES, seed=seed, rings=2)

    def strained(code: str, seed: int) -> Iterator[Part]:
        return networks.strained(networks.simbench(code), seed=seed)

    return [
        _case("SimBench MV, four grids", 13, lambda: each(SIMBENCH_MV)),
        _case("SimBench LV, two grids", 10, lambda: each(SIMBENCH_LV)),
        _case("SimBench MVLV, two grids", 16, lambda: each(SIMBENCH_MVLV)),
        _case("SimBench MVLV with all LV grids", 16, lambda: each(SIMBENCH_MVLV_ALL)),
        _case("SimBench MV, ties closed", 13,
              lambda: networks.closed(networks.simbench("1-MV-rural--0-sw"), WIDE, seed=2, ties=2)),
        _case("SimBench MVLV, ring lines", 8, lambda: ringed(SIMBENCH_MVLV)),
        _case("SimBench MV semiurban, strained", 6, lambda: strained("1-MV-semiurb--1-sw", 11)),
        _case("SimBench MVLV, strained", 6, lambda: strained("1-MVLV-rural-1.108-0-sw", 12)),
    ]  # fmt: skip


def _cigre() -> list[Case]:
    def cigre_mv() -> Iterator[Part]:
        for der in (False, "pv_wind", "all"):
            yield from networks.as_is(networks.published("create_cigre_network_mv", with_der=der), WIDE)

    def cigre_lv() -> Iterator[Part]:
        for limits in (WIDE, LITERAL):
            yield from networks.as_is(networks.published("create_cigre_network_lv"), limits)

    def cigre_meshed() -> Iterator[Part]:
        mv, lv = networks.published("create_cigre_network_mv"), networks.published("create_cigre_network_lv")
        yield from networks.closed(mv, WIDE, seed=1, ties=3)
        yield from networks.ringed(mv, WIDE, seed=2, rings=1)
        yield from networks.ringed(lv, WIDE, seed=3, rings=2)

    return [
        _case("CIGRE MV, three kinds", 8, cigre_mv),
        _case("CIGRE LV", 13, cigre_lv, is_quick=True),
        _case("CIGRE MV and LV, meshed", 6, cigre_meshed),
    ]


def _kerber() -> list[Case]:
    def kerber() -> Iterator[Part]:
        for position, name in enumerate(KERBER):
            yield from networks.as_is(networks.published(name), (WIDE, LITERAL)[position % 2])

    def kerber_meshed() -> Iterator[Part]:
        for seed, name in enumerate(KERBER):
            yield from networks.ringed(networks.published(name), WIDE, seed=seed, rings=1 + seed % 2)

    def kerber_strained() -> Iterator[Part]:
        for seed, name in enumerate(KERBER[:6]):
            yield from networks.strained(networks.published(name), seed=seed, limits=WIDE)

    def others() -> Iterator[Part]:
        for name in ("case33bw", "simple_mv_open_ring_net", "example_simple", "example_multivoltage"):
            yield from networks.as_is(networks.published(name), WIDE)

    return [
        _case("Kerber, eleven grids", 5, kerber),
        _case("Kerber, ring lines", 3, kerber_meshed),
        _case("Kerber, strained", 2, kerber_strained),
        _case("Baran-Wu, open ring, pandapower's examples", 5, others),
    ]


def _generated() -> list[Case]:
    return [
        _case("generated radial, strained", 2, lambda: networks.random_radial(5_000_000, 90)),
        _case("generated radial, collapse first", 2, lambda: networks.random_collapsing(5_500_000, 15)),
        _case("generated radial with rings", 2, lambda: networks.random_ringed(6_000_000, 50)),
        _case("generated of any kind", 2, lambda: networks.random_any(7_000_000, 60)),
        _case("generated, few", 2, lambda: networks.random_radial(8_000_001, 2), is_quick=True),
        _case("generated rings, few", 2, lambda: networks.random_ringed(9_000_000, 2), is_quick=True),
    ]


CASES: tuple[Case, ...] = (*_fixtures(), *_county(), *_simbench(), *_cigre(), *_kerber(), *_generated())
