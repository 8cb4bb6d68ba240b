"""Changes of a snapshot: what they do, what they leave alone, what is refused."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace

import pytest

from gridmodel.change_file import parse_changes
from gridmodel.changes import (
    CommitmentAdded,
    CommitmentEnded,
    LineRatingChange,
    LoadChange,
    SwitchChange,
    TransformerRatingChange,
    apply_changes,
    changed_sha256,
    to_json,
)
from gridmodel.errors import InputError
from gridmodel.net import copy_net, element_tables
from tests.capacity.snapshots import snapshot_of
from tests.capacity.two_feeders import TIE, two_feeders

ADDED = CommitmentAdded(
    commitment_id="C1", element_id="bus:4", capacity_kva=50.0, approved_on="2026-03-01", valid_to="2026-06-01"
)


@pytest.fixture(scope="module")
def snapshot():
    return snapshot_of(two_feeders())


def test_load_takes_its_new_value_and_nothing_else_is_copied(snapshot):
    changed, touched = apply_changes(snapshot, [LoadChange(element_id="load:0", p_kw=120.0, q_kvar=-5.0)])
    assert changed.net.load.loc[0, ["p_mw", "q_mvar"]].tolist() == [0.12, -0.005]
    assert snapshot.net.load.p_mw[0] != 0.12
    assert touched.tolist() == [snapshot.net.load.bus[0]]
    others = [name for name in element_tables(snapshot.net) if name != "load"]
    assert all(changed.net[name] is snapshot.net[name] for name in others)
    assert changed.nodes is snapshot.nodes


def test_line_rating_takes_its_feeder_along_unless_the_feeder_was_limited_otherwise(snapshot):
    feeder = snapshot.feeders.index[0]
    head = int(snapshot.feeders.head_line[feeder])
    change = LineRatingChange(element_id=f"line:{head}", rating_a=250.0)
    changed, touched = apply_changes(snapshot, [change])
    assert (changed.net.line.max_i_ka[head], changed.feeders.rating_a[feeder]) == (0.25, 250.0)
    assert set(snapshot.nodes.index[snapshot.nodes.feeder_id == feeder]) <= set(touched.tolist())
    limited = replace(snapshot, feeders=snapshot.feeders.assign(rating_a=200.0))  # a current transformer 200/5
    changed, touched = apply_changes(limited, [change])
    assert changed.feeders is limited.feeders
    assert touched.tolist() == sorted(snapshot.net.line.loc[head, ["from_bus", "to_bus"]])


def test_transformer_rating_counts_parallel_units_together_in_the_frame(snapshot):
    snapshot = replace(snapshot, net=copy_net(snapshot.net))
    snapshot.net.trafo["parallel"] = 2
    changed, touched = apply_changes(snapshot, [TransformerRatingChange(element_id="trafo:1", sn_kva=630.0)])
    assert (changed.net.trafo.sn_mva[1], changed.transformers.sn_kva[1]) == (0.63, 1260.0)
    assert touched.tolist() == sorted(snapshot.net.trafo.loc[1, ["hv_bus", "lv_bus"]])


def test_switch_touches_both_ends_of_what_it_switches(snapshot):
    changed, touched = apply_changes(snapshot, [SwitchChange(element_id=f"switch:{TIE}", is_closed=True)])
    line = snapshot.net.switch.element[TIE]
    assert changed.net.switch.closed[TIE]
    assert not snapshot.net.switch.closed[TIE]
    assert touched.tolist() == sorted(snapshot.net.line.loc[line, ["from_bus", "to_bus"]])


def test_commitment_is_added_and_ended(snapshot):
    added, touched = apply_changes(snapshot, [ADDED])
    row = added.in_flight.iloc[0]
    assert (row.commitment_id, row.bus, row.capacity_kva, row.valid_to) == ("C1", 4, 50.0, "2026-06-01")
    assert math.isnan(row.power_factor)
    assert touched.tolist() == [4]
    ended, touched = apply_changes(added, [CommitmentEnded(commitment_id="C1")])
    assert (len(ended.in_flight), touched.tolist()) == (0, [4])
    again, _ = apply_changes(added, [CommitmentEnded(commitment_id="C1"), ADDED])
    assert again.in_flight.commitment_id.tolist() == ["C1"]


def test_own_identifiers_name_elements_of_data_tables(snapshot):
    lines = snapshot.lines.assign(element_id=[f"L{n}" for n in snapshot.lines.index])
    named = replace(snapshot, net=copy_net(snapshot.net), source_format="tables", lines=lines)
    named.net.load["name"] = [f"LD{n}" for n in named.net.load.index]
    changes = [LineRatingChange(element_id="L2", rating_a=100.0), LoadChange(element_id="LD1", p_kw=1.0, q_kvar=0.0)]
    changed, _ = apply_changes(named, changes)
    assert (changed.net.line.max_i_ka[2], changed.net.load.p_mw[1]) == (0.1, 0.001)
    same, _ = apply_changes(named, [LineRatingChange(element_id="line:2", rating_a=100.0)])
    assert same.net.line.max_i_ka[2] == 0.1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (LoadChange(element_id="load:99", p_kw=1.0, q_kvar=0.0), "element_id"),
        (LoadChange(element_id="load:-1", p_kw=1.0, q_kvar=0.0), "element_id"),
        (LoadChange(element_id="line:0", p_kw=1.0, q_kvar=0.0), "element_id"),
        (LoadChange(element_id="load:0", p_kw=math.nan, q_kvar=0.0), "p_kw"),
        (LoadChange(element_id="load:0", p_kw=0.0, q_kvar=math.inf), "q_kvar"),
        (LineRatingChange(element_id="line:0", rating_a=-1.0), "rating_a"),
        (LineRatingChange(element_id="line:0", rating_a=0.0), "rating_a"),
        (TransformerRatingChange(element_id="trafo:0", sn_kva=-1.0), "sn_kva"),
        (SwitchChange(element_id="switch:77", is_closed=True), "element_id"),
        (CommitmentEnded(commitment_id="C9"), "commitment_id"),
        (replace(ADDED, capacity_kva=0.0), "capacity_kva"),
        (replace(ADDED, power_factor=1.1), "power_factor"),
        (replace(ADDED, valid_to="2026-13-01"), "valid_to"),
        (replace(ADDED, valid_to="2026-02-01"), "valid_to"),
    ],
)
def test_wrong_change_is_refused_with_its_field_and_changes_nothing(snapshot, change, field):
    good = LoadChange(element_id="load:1", p_kw=7.0, q_kvar=0.0)
    before = snapshot.net.load.p_mw.tolist()
    with pytest.raises(InputError) as caught:
        apply_changes(snapshot, [good, change])
    assert (caught.value.context["field"], caught.value.context["row"]) == (field, "change 2")
    assert caught.value.context["allowed"]
    assert snapshot.net.load.p_mw.tolist() == before


def test_element_that_stands_twice_and_commitment_that_exists_are_refused(snapshot):
    load = LoadChange(element_id="load:0", p_kw=1.0, q_kvar=0.0)
    with pytest.raises(InputError, match="twice"):
        apply_changes(snapshot, [load, load])
    added, _ = apply_changes(snapshot, [ADDED])
    with pytest.raises(InputError, match="exists already"):
        apply_changes(added, [ADDED])


def test_digest_is_that_of_the_parent_and_the_changes(snapshot):
    change = LoadChange(element_id="load:0", p_kw=1.0, q_kvar=0.0)
    text = '{"changes":[{"element_id":"load:0","kind":"load","p_kw":1.0,"q_kvar":0.0}]}'
    assert to_json([change]) == text
    expected = hashlib.sha256(("a" * 64 + "\n" + text).encode()).hexdigest()
    assert changed_sha256("a" * 64, [change]) == expected
    changed, _ = apply_changes(replace(snapshot, sha256="a" * 64), [change])
    assert changed.sha256 == expected


def test_file_and_canonical_text_name_the_same_changes():
    changes = (
        LoadChange(element_id="load:0", p_kw=1.0, q_kvar=0.0),
        LineRatingChange(element_id="line:0", rating_a=300.0),
        TransformerRatingChange(element_id="trafo:0", sn_kva=400.0),
        SwitchChange(element_id="switch:0", is_closed=False),
        ADDED,
        CommitmentEnded(commitment_id="C1"),
    )
    assert parse_changes(to_json(changes)) == changes
    assert parse_changes(b'\xef\xbb\xbf{"changes": [{"kind": "switch", "element_id": "s", "is_closed": true}]}') == (
        SwitchChange(element_id="s", is_closed=True),
    )


LOAD = {"kind": "load", "element_id": "load:0", "p_kw": 1.0, "q_kvar": 0.0}


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"changes": [LOAD | {"p_mw": 1.0}]}, "p_mw"),
        ({"changes": [LOAD | {"p_kw": "1"}]}, "p_kw"),
        ({"changes": [LOAD | {"p_kw": None}]}, "p_kw"),
        ({"changes": [LOAD | {"kind": "loads"}]}, "kind"),
        ({"changes": [{"kind": "load", "element_id": "load:0", "p_kw": 1.0}]}, "q_kvar"),
        ({"changes": [{"kind": "switch", "element_id": "switch:0", "is_closed": 1}]}, "is_closed"),
        ({"changes": []}, "changes"),
        ({"changes": [LOAD], "author": "me"}, "author"),
        ({}, "changes"),
        ([LOAD], "(whole document)"),
    ],
)
def test_file_of_another_shape_is_refused_with_its_place(document, place):
    with pytest.raises(InputError) as caught:
        parse_changes(json.dumps(document), file="changes.json")
    assert (caught.value.context["file"], caught.value.context["field"]) == ("changes.json", place)


@pytest.mark.parametrize(
    "text",
    [
        '{"changes": [{"kind": "load", "element_id": "load:0", "p_kw": NaN, "q_kvar": 0}]}',
        '{"changes": [{"kind": "load", "element_id": "load:0", "p_kw": 1e999, "q_kvar": 0}]}',
        '{"changes": [], "changes": []}',
        b"\xff\xfe",
        "{",
        "[" * 100_000,
    ],
)
def test_file_that_is_no_strict_json_is_refused(text):
    with pytest.raises(InputError):
        parse_changes(text)
