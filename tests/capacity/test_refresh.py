"""A refreshed table is the table of the changed snapshot, computed as a whole; only the parts concerned are solved."""

from __future__ import annotations

import random
from functools import partial

import numpy as np
import pandas as pd
import pytest

from gridmodel.capacity.limits import Limits, VoltageBand
from gridmodel.capacity.nodes import node_capacity
from gridmodel.capacity.refresh import FreshTable, join_rows, piece_sizes, split_rows
from gridmodel.changes import (
    CommitmentAdded,
    CommitmentEnded,
    LineRatingChange,
    LoadChange,
    SwitchChange,
    TransformerRatingChange,
)
from gridmodel.errors import InputError
from gridmodel.parts import Parts
from tests.capacity.random_nets import random_net
from tests.capacity.snapshots import settings, snapshot_of
from tests.capacity.two_feeders import SECTION, TIE, two_feeders

LIMITS = Limits(voltage_bands=(VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=20.0, u_pu_min=0.93, u_pu_max=1.07),))
FIRST, SECOND = [1, 2, 3, 4], [5, 6, 7]
"""Buses of the two feeders of ``two_feeders``."""


class Kept:
    """A table kept current by refreshing, and what was solved for it."""

    def __init__(self, snapshot, limits=LIMITS) -> None:
        self.calculate = partial(node_capacity, **settings(limits))
        self.fresh = FreshTable(Parts(snapshot), self._solve)
        self.pieces = split_rows(self.calculate(snapshot), self.fresh.parts)
        self.solved: list[int] = []

    def _solve(self, snapshot):
        self.solved += snapshot.nodes.index.tolist()
        return self.calculate(snapshot)

    def apply(self, *changes) -> list[int]:
        """Return the nodes solved again."""
        self.solved = []
        refreshed = self.fresh.apply(changes)
        for name in refreshed.gone:
            del self.pieces[name]
        self.pieces |= refreshed.pieces
        return sorted(self.solved)

    def assert_current(self) -> None:
        """Compare with a computation of the whole changed snapshot."""
        snapshot = self.fresh.snapshot
        assert piece_sizes(self.fresh.parts) == {name: len(rows) for name, rows in self.pieces.items()}
        sources = snapshot.net.ext_grid.bus
        assert_same(join_rows(snapshot, self.pieces.values()), self.calculate(snapshot), sources)


def assert_same(refreshed: pd.DataFrame, whole: pd.DataFrame, sources) -> None:
    """Compare two tables: powers to 1e-9 kVA, voltages to 1e-9 pu, all else exactly.

    A row that no search answers names as its engine what solved the base case; that may be another one for the whole.
    A source has no capacity for two reasons where an island below it has no solution; either may be told.
    """
    is_searched = (whole.status == "assessed") & (whole.limit_kind != "existing_violation")
    is_below = ~whole.index.isin(sources)
    refreshed, whole = (
        rows.assign(engine=rows.engine.where(is_searched, ""), reason=rows.reason.where(is_below, ""))
        for rows in (refreshed, whole)
    )
    pd.testing.assert_frame_equal(refreshed, whole, check_exact=False, rtol=0.0, atol=1e-9)


@pytest.fixture(scope="module")
def snapshot():
    return snapshot_of(two_feeders())


@pytest.mark.parametrize(
    ("change", "solved"),
    [
        (LoadChange(element_id="load:2", p_kw=1500.0, q_kvar=600.0), SECOND),
        (LineRatingChange(element_id="line:3", rating_a=90.0), SECOND),
        (LineRatingChange(element_id="line:0", rating_a=90.0), FIRST),
        (TransformerRatingChange(element_id="trafo:1", sn_kva=200.0), FIRST),
        (CommitmentAdded(commitment_id="C1", element_id="bus:7", capacity_kva=700.0), SECOND),
        (SwitchChange(element_id=f"switch:{TIE}", is_closed=True), FIRST + SECOND),
        (SwitchChange(element_id=f"switch:{SECTION}", is_closed=False), [0, *SECOND]),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_change_solves_the_feeder_concerned_and_nothing_else(snapshot, change, solved):
    kept = Kept(snapshot)
    before = join_rows(snapshot, kept.pieces.values())
    assert kept.apply(change) == solved
    kept.assert_current()
    after = join_rows(snapshot, kept.pieces.values())
    moved = before.index[(before.open_kva != after.open_kva) & ~(before.open_kva.isna() & after.open_kva.isna())]
    assert set(moved) & set(solved)


def test_feeder_handed_over_and_back_leaves_the_table_it_began_with(snapshot):
    kept = Kept(snapshot)
    began = join_rows(snapshot, kept.pieces.values())
    tie, section = (partial(SwitchChange, element_id=f"switch:{number}") for number in (TIE, SECTION))
    for changes in (
        [section(is_closed=False)],  # bus 7 without supply
        [tie(is_closed=True)],  # bus 7 on the other feeder
        [LoadChange(element_id="load:3", p_kw=700.0, q_kvar=100.0)],
        [section(is_closed=True)],  # a ring over both main transformers
        [LoadChange(element_id="load:3", p_kw=300.0, q_kvar=90.0), tie(is_closed=False)],
    ):
        kept.apply(*changes)
        kept.assert_current()
    assert_same(join_rows(snapshot, kept.pieces.values()), began, sources=[0])


def test_unsupplied_node_says_so_after_the_switch_opened(snapshot):
    kept = Kept(snapshot)
    kept.apply(SwitchChange(element_id=f"switch:{SECTION}", is_closed=False))
    row = join_rows(snapshot, kept.pieces.values()).loc[7]
    assert (row.status, row.feeder_id) == ("unsupplied", snapshot.nodes.feeder_id[7])


def test_commitment_counts_on_its_feeder_wherever_a_switch_has_put_the_node(snapshot):
    """Bus 7 hangs on the other feeder; the administrative formula still books it, and its commitment, on its own."""
    kept = Kept(snapshot)
    kept.apply(
        SwitchChange(element_id=f"switch:{SECTION}", is_closed=False),
        SwitchChange(element_id=f"switch:{TIE}", is_closed=True),
    )
    assert kept.apply(LoadChange(element_id="load:2", p_kw=510.0, q_kvar=150.0)) == [5, 6]
    added = CommitmentAdded(commitment_id="C1", element_id="bus:7", capacity_kva=900.0)
    assert kept.apply(added) == [*FIRST, *SECOND]
    kept.assert_current()
    assert kept.apply(LoadChange(element_id="load:2", p_kw=520.0, q_kvar=150.0)) == [*FIRST, *SECOND]
    kept.assert_current()
    assert kept.apply(CommitmentEnded(commitment_id="C1")) == [*FIRST, *SECOND]
    kept.assert_current()
    assert kept.apply(LoadChange(element_id="load:2", p_kw=530.0, q_kvar=150.0)) == [5, 6]
    kept.assert_current()


def test_feeder_beyond_its_collapse_leaves_the_other_feeder_assessed(snapshot):
    kept = Kept(snapshot)
    kept.apply(LoadChange(element_id="load:3", p_kw=500_000.0, q_kvar=0.0))
    table = join_rows(snapshot, kept.pieces.values())
    assert (table.status[SECOND] == "not_assessable").all()
    assert (table.status[FIRST] == "assessed").all()
    kept.assert_current()
    kept.apply(LoadChange(element_id="load:3", p_kw=300.0, q_kvar=90.0))
    kept.assert_current()


def test_refused_change_leaves_the_table_ready_for_the_next(snapshot):
    kept = Kept(snapshot)
    with pytest.raises(InputError):
        kept.apply(LoadChange(element_id="load:99", p_kw=1.0, q_kvar=0.0))
    assert kept.fresh.snapshot is snapshot
    kept.apply(LoadChange(element_id="load:2", p_kw=600.0, q_kvar=100.0))
    kept.assert_current()


@pytest.mark.parametrize("seed", range(6))
def test_random_changes_of_random_nets_with_rings_give_the_table_of_the_whole(seed):
    net, limits = random_net(seed)
    kept, rng = Kept(snapshot_of(net), limits), random.Random(seed)
    for number in range(4):
        kept.apply(random_change(rng, kept.fresh.snapshot, number))
    kept.assert_current()


def random_change(rng, snapshot, number):
    """Return a change of some element there is."""
    net = snapshot.net
    kinds = [name for name in ("load", "line", "trafo", "switch", "switch") if len(net[name])]
    kind = rng.choice([*kinds, "commitment", *(["end"] if len(snapshot.in_flight) else [])])
    if kind == "commitment":
        place = f"bus:{rng.choice(list(net.bus.index))}"
        return CommitmentAdded(commitment_id=f"C{number}", element_id=place, capacity_kva=rng.uniform(10.0, 300.0))
    if kind == "end":
        return CommitmentEnded(commitment_id=rng.choice(snapshot.in_flight.commitment_id.tolist()))
    index = rng.choice(list(net[kind].index))
    name = f"{kind}:{index}"
    if kind == "load":
        return LoadChange(element_id=name, p_kw=rng.uniform(0.0, 300.0), q_kvar=rng.uniform(0.0, 80.0))
    if kind == "line":
        return LineRatingChange(element_id=name, rating_a=rng.uniform(50.0, 500.0))
    if kind == "trafo":
        return TransformerRatingChange(element_id=name, sn_kva=rng.uniform(200.0, 5000.0))
    return SwitchChange(element_id=name, is_closed=not np.bool_(net.switch.closed[index]))
