"""N-1 of one island by the outages that can concern it: the same numbers as from all outages of the grid."""

from __future__ import annotations

import itertools

import pandapower as pp
import pandas as pd
import pytest

from gridmodel import Limits, VoltageBand
from gridmodel.capacity.node_columns import n_minus_one_columns
from gridmodel.capacity.outage_region import OutageRegions
from gridmodel.in_flight import Commitment, with_commitments
from gridmodel.snapshot import Snapshot
from tests.capacity.snapshots import snapshot_of

LIMITS = Limits(voltage_bands=(VoltageBand(u_nominal_kv_min=6.0, u_nominal_kv_max=21.0, u_pu_min=0.93, u_pu_max=1.07),))
SETTINGS = {"limits": LIMITS, "power_factor": 0.95, "in_flight_coincidence_ratio": 1.0}
ISLANDS, NODES = 5, 4
DEAD = ISLANDS * NODES


def bus(island: int, node: int) -> int:
    return island * NODES + node


@pytest.fixture(scope="module")
def chain() -> Snapshot:
    """Five sources with a feeder of three sections each; a tie joins the end of every feeder to the next one's middle.

    The loads grow from island to island, so that what each can still carry for its neighbours differs. One bus more is
    fed by nobody.
    """
    net = pp.create_empty_network()
    for _ in range(DEAD + 1):
        pp.create_bus(net, 10.0)
    for island in range(ISLANDS):
        pp.create_ext_grid(net, bus(island, 0), vm_pu=1.02)
        for node in range(1, NODES):
            pp.create_load(net, bus(island, node), p_mw=0.25 + 0.15 * island, q_mvar=0.1)
            line = pp.create_line_from_parameters(
                net, bus(island, node - 1), bus(island, node), 2.0, 0.3, 0.35, 10.0, 0.3
            )
            for end in (node - 1, node):
                pp.create_switch(net, bus(island, end), line, et="l", closed=True)
    for one, other in itertools.pairwise(range(ISLANDS)):
        tie = pp.create_line_from_parameters(net, bus(one, NODES - 1), bus(other, 2), 1.0, 0.3, 0.35, 10.0, 0.3)
        pp.create_switch(net, bus(one, NODES - 1), tie, et="l", closed=False)
    return snapshot_of(net)


@pytest.fixture(scope="module", params=[0.0, 900.0], ids=["nothing in flight", "900 kVA in flight"])
def grid(request: pytest.FixtureRequest, chain: Snapshot) -> Snapshot:
    """The chain, with a commitment in the middle island or without."""
    rows = [Commitment(commitment_id="C", bus=bus(2, 3), capacity_kva=request.param, power_factor=0.9)]
    return with_commitments(chain, rows if request.param else [])


def test_numbers_are_those_of_all_outages_of_the_grid(grid: Snapshot) -> None:
    whole, regions = n_minus_one_columns(grid, **SETTINGS), OutageRegions(grid)
    for island in range(ISLANDS):
        region = regions.find(bus(island, 2))
        assert region is not None
        part = regions.n_minus_one(grid, region, **SETTINGS)
        assert part.index.tolist() == [bus(island, node) for node in range(1, NODES)]
        pd.testing.assert_frame_equal(part, whole.loc[part.index], check_exact=True)
    assert whole.n1_outage.nunique() > 3  # not one number for all


def test_region_ends_two_ties_away(chain: Snapshot) -> None:
    regions = OutageRegions(chain)
    region = regions.find(bus(0, 2))
    assert region is not None
    assert (len(region.with_outages), len(region.whole)) == (2, 3)  # of five islands
    far = with_commitments(chain, [Commitment(commitment_id="C", bus=bus(4, 2), capacity_kva=9.0, power_factor=0.9)])
    near = with_commitments(chain, [Commitment(commitment_id="C", bus=bus(2, 2), capacity_kva=9.0, power_factor=0.9)])
    assert len(regions.commitments(far, region)) == 0
    assert len(regions.commitments(near, region)) == 1


def test_outages_of_a_neighbour_are_among_those_that_bind(chain: Snapshot) -> None:
    """What makes the region wider than the island: some node's least capacity is in a neighbour's outage."""
    whole, regions = n_minus_one_columns(chain, **SETTINGS), OutageRegions(chain)
    net = chain.net
    found = whole[whole.n1_outage.notna()]
    own = {index: regions.find(index) for index in found.index}
    lines = found.n1_outage.str.partition(":")[2].astype(int)
    at = {index: regions.find(int(net.line.to_bus[line])) for index, line in lines.items()}
    assert any(own[index] != at[index] for index in found.index)


def test_bus_without_supply_has_no_region(chain: Snapshot) -> None:
    assert OutageRegions(chain).find(DEAD) is None
