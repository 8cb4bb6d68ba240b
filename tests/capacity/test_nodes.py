"""The three numbers per node on a network small enough to do by hand.

    110 kV source 0 =10 MVA= 1 --400 A-- 2 =400 kVA= 3 --1 kA-- 4
                             1 --800 A-- 5 (another feeder, nothing measured)

Administrative, by hand: area 0.8 x 400 - 200 = 120 kVA; feeder sqrt(3) x 10 kV x (0.8 x 400 A - 100 A) = 3810.5 kVA;
main transformer 0.8 x 10,000 - 6,000 = 2,000 kVA.
"""

import math

import pandapower as pp
import pandas as pd
import pytest

from gridmodel import Limits, VoltageBand, open_capacity
from gridmodel.capacity.nodes import AdministrativeLimits, node_capacity
from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot

RATIOS = AdministrativeLimits(transformer_ratio=0.8, feeder_ratio=0.8, main_transformer_ratio=0.8)
LIMITS = Limits(voltage_bands=(VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=20.0, u_pu_min=0.9, u_pu_max=1.1),))
OPTIONS = {"limits": LIMITS, "loading": RATIOS, "power_factor": 0.95, "in_flight_coincidence_ratio": 0.8}


def network():
    net = pp.create_empty_network()
    for kv in (110.0, 10.0, 10.0, 0.4, 0.4, 10.0):
        pp.create_bus(net, kv)
    pp.create_ext_grid(net, 0)
    pp.create_transformer_from_parameters(net, 0, 1, 10.0, 110.0, 10.5, 0.5, 10.0, 0.0, 0.0)
    pp.create_transformer_from_parameters(net, 2, 3, 0.4, 10.0, 0.4, 1.0, 4.0, 0.0, 0.0)
    for a, b, rating_ka in ((1, 2, 0.4), (3, 4, 1.0), (1, 5, 0.8)):
        pp.create_line_from_parameters(net, a, b, 0.05, 0.1, 0.08, 0.0, rating_ka)
    pp.create_load(net, 3, p_mw=0.1, q_mvar=0.02)
    return net


def snapshot(in_flight=(), **node_changes):
    nan = math.nan
    names = ["SRC", "BB", "M1", "B1", "L1", "M2"]
    nodes = pd.DataFrame(
        {
            "node_id": names, "source_id": names, "element_id": names, "name": names,
            "kind": ["source", "substation_busbar", "station", "lv_board", "lv_node", "pole"],
            "u_nominal_kv": [110.0, 10.0, 10.0, 0.4, 0.4, 10.0], "lon_deg": nan, "lat_deg": nan,
            "feeder_id": [None, None, "F1", "F1", "F1", "F2"], "substation_id": "S",
            "area_id": [None] * 3 + ["A"] * 2 + [None],
            "spare_bays": nan, "status": "assessable", "reason": None,
        }
    )  # fmt: skip
    for column, values in node_changes.items():
        for bus, value in values.items():
            nodes.loc[bus, column] = value
    return Snapshot(
        net=network(),
        nodes=nodes,
        lines=pd.DataFrame({"element_id": ["W1", "W2", "W3"], "u_nominal_kv": [10.0, 0.4, 10.0]}),
        transformers=pd.DataFrame(
            {"element_id": ["T1", "T2"], "sn_kva": [10000.0, 400.0], "measured_max_kva": [6000.0, 200.0]}
        ),
        feeders=pd.DataFrame(
            {"head_line": [0, 2], "rating_a": [400.0, 800.0], "measured_max_a": [100.0, nan]}, index=["F1", "F2"]
        ),
        in_flight=pd.DataFrame(list(in_flight), columns=["commitment_id", "bus", "capacity_kva", "power_factor"]),
        findings=(), counts=(), source_name="hand", source_format="tables",
    )  # fmt: skip


def test_administrative_capacity_is_the_smallest_level_by_hand():
    table = node_capacity(snapshot(), **OPTIONS)
    assert table.administrative_kva[[3, 4]].tolist() == [120.0, 120.0]
    assert table.administrative_kva[2] == pytest.approx(2000.0)
    assert table.administrative_kva[1] == pytest.approx(2000.0)
    assert (table.limit_kind[4], table.limit_element_id[4], table.open_kva[4]) == ("administrative", "T2", 120.0)
    assert (table.limit_kind[2], table.limit_element_id[2]) == ("administrative", "T1")


def test_missing_measurement_leaves_the_administrative_number_unknown_and_the_others_known():
    table = node_capacity(snapshot(), **OPTIONS)
    assert math.isnan(table.administrative_kva[5])
    assert "F2" in table.administrative_reason[5]
    assert table.open_kva[5] == table.physical_kva[5] > 0.0


def test_physical_capacity_is_the_load_flow_capacity_in_kva():
    net = network()
    expected = open_capacity(net, limits=LIMITS, power_factor=0.95).capacity_kw / 0.95
    table = node_capacity(snapshot(), **OPTIONS)
    assert table.physical_kva[1:].tolist() == expected[1:].tolist()
    assert (table.physical_limit_kind[4], table.physical_limit_element_id[4]) == ("transformer_loading", "T2")


def test_in_flight_capacity_is_taken_off_the_formula_and_loaded_into_the_net():
    free = node_capacity(snapshot(), **OPTIONS)
    taken = node_capacity(snapshot([("C1", 4, 50.0, 0.95)]), **OPTIONS)
    assert taken.administrative_kva[4] == 120.0
    assert taken.open_kva[4] == pytest.approx(120.0 - 0.8 * 50.0)
    assert taken.physical_kva.dropna().tolist() == free.physical_kva.dropna().tolist()
    # the other feeder shares the main transformer only: 40 kVA at the same power factor less, but for losses
    assert taken.open_kva[5] == pytest.approx(free.open_kva[5] - 40.0, abs=1.0)


def test_more_in_flight_than_the_transformer_carries_gives_zero_and_never_less():
    table = node_capacity(snapshot([("C1", 4, 900.0, 0.95)]), **OPTIONS)
    assert table.open_kva[[3, 4]].tolist() == [0.0, 0.0]
    assert table.physical_kva[4] > 0.0


def test_node_the_gate_refused_stays_not_assessable_with_its_reason():
    table = node_capacity(snapshot(status={4: "not_assessable"}, reason={4: "length missing"}), **OPTIONS)
    row = table.loc[4]
    assert (row.status, row.reason, row.limit_kind) == ("not_assessable", "length missing", None)
    assert row[["administrative_kva", "physical_kva", "open_kva"]].isna().all()


def test_node_cut_off_by_a_row_left_out_is_not_assessable_rather_than_unsupplied():
    """The gate left out the only line to bus 4: without it no source reaches the bus, but that is the data's fault."""
    cut = snapshot(status={4: "not_assessable"}, reason={4: "its supply was left out"})
    for table, ends in (("line", ("from_bus", "to_bus")), ("trafo", ("hv_bus", "lv_bus"))):
        at_bus = cut.net[table][list(ends)].eq(4).any(axis=1)
        cut.net[table].loc[at_bus, "in_service"] = False
    row = node_capacity(cut, **OPTIONS).loc[4]
    assert (row.status, row.reason) == ("not_assessable", "its supply was left out")
    assert math.isnan(row.open_kva)


def test_source_node_is_not_published_as_unlimited():
    table = node_capacity(snapshot(), **OPTIONS)
    assert table.status[0] == "not_assessable"
    assert math.isnan(table.open_kva[0])


def test_columns_are_those_of_the_capacity_file():
    assert list(node_capacity(snapshot(), **OPTIONS).columns[:12]) == [
        "node_id", "source_id", "u_nominal_kv", "lon_deg", "lat_deg", "status", "administrative_kva", "physical_kva",
        "open_kva", "limit_kind", "limit_element_id", "limit_hour",
    ]  # fmt: skip


def test_unknown_node_and_ratio_out_of_range_are_refused():
    with pytest.raises(InputError):
        node_capacity(snapshot(), **OPTIONS, buses=[77])
    with pytest.raises(InputError):
        node_capacity(snapshot(), **OPTIONS | {"in_flight_coincidence_ratio": 1.2})
    with pytest.raises(ValueError, match="feeder_ratio"):
        AdministrativeLimits(transformer_ratio=0.8, feeder_ratio=0.0, main_transformer_ratio=0.8)
