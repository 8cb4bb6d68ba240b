"""Voltages and loadings before and after a variant over HTTP, each compared with a net built by plain pandapower.

The grid is that of :mod:`tests.capacity.two_feeders`: bus 1 is the busbar, 1 -0- 2 -1- 3 the feeder, 4 the low-voltage
board below it. What was promised earlier counts in full.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import pandapower as pp
import pytest

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.net import run_load_flow
from tests.admission.utility import LINE_TYPE, PROFILE, small_grid
from tests.http.conftest import Office
from tests.http.test_holds import problem

POWER_FACTOR = 0.95
BAND = (0.93, 1.07)


def provenance(office: Office, *, ledger_seq: int = 0) -> dict[str, Any]:
    sha256 = office.utility.store.find_current_sha256()
    return {"snapshot_sha256": sha256, "ledger_seq": ledger_seq, "as_of": "2026-03-02", "profile": PROFILE}


def add_load(net: Any, bus: int, kva: float) -> None:
    p_mw = kva / 1e3 * POWER_FACTOR
    pp.create_load(net, bus, p_mw, math.sqrt((kva / 1e3) ** 2 - p_mw**2))


def plain(kva: float, *, bus: int, length_km: float, u_kv: str, circuits: int = 3, earlier_kva: float = 0.0) -> Any:
    """Return the net without and with the customer behind the route, solved."""
    before = copy.deepcopy(small_grid().net)
    if earlier_kva:
        add_load(before, 2, earlier_kva)
    after = copy.deepcopy(before)
    kind = load_catalogue().get_line_type(LINE_TYPE[u_kv])
    customer = pp.create_bus(after, vn_kv=float(after.bus.vn_kv[bus]))
    pp.create_line_from_parameters(
        after, bus, customer, length_km, kind.r20_ohm_per_km, kind.x_ohm_per_km, kind.c_nf_per_km,
        kind.rating_a / 1e3, parallel=circuits,
    )  # fmt: skip
    add_load(after, customer, kva)
    for net in (before, after):
        run_load_flow(net)
    return before, after, int(customer)


def read(office: Office, scheme_id: str, **wanted: Any) -> dict[str, Any]:
    answer = office.engineer.get(f"/v1/schemes/{scheme_id}/profile", params=wanted)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def check_voltages(found: Mapping[str, Any], before: Any, after: Any, customer: int) -> None:
    for node in found["nodes"]:
        bus = customer if node["kind"] == "customer" else node["bus"]
        assert node["u_pu_after"] == pytest.approx(after.res_bus.vm_pu[bus], abs=1e-6)
        expected = None if node["kind"] == "customer" else before.res_bus.vm_pu[bus]
        assert node["u_pu_before"] == (None if expected is None else pytest.approx(expected, abs=1e-6))


def test_feeder_before_and_after_is_that_of_plain_pandapower_with_what_was_promised_then(office: Office) -> None:
    first = office.utility.quote("bus:2", 500.0, length_m=100.0, validity={"from": "2026-03-01", "to": "2099-12-31"})
    assert office.act(first, "issue").status_code == 201
    seq = office.utility.services.get_live().head.seq
    scheme_id = office.utility.quote("bus:3", 800.0, length_m=300.0, provenance=provenance(office, ledger_seq=seq))
    found = read(office, scheme_id)
    before, after, customer = plain(800.0, bus=3, length_km=0.3, u_kv="10", earlier_kva=500.0)
    assert [(node["bus"], node["kind"], node["distance_km"]) for node in found["nodes"]] == [
        (1, "grid", 0.0), (2, "grid", 2.0), (3, "grid", 4.0), (customer, "customer", 4.3),
    ]  # fmt: skip
    assert [node["parent_bus"] for node in found["nodes"]] == [None, 1, 2, 3]
    check_voltages(found, before, after, customer)
    assert (found["feeder_id"], found["area_id"]) == ("line:0", None)
    assert (found["u_pu_min"], found["u_pu_max"]) == BAND
    assert [line["line_id"] for line in found["lines"]] == ["line:0", "line:1", None]
    for line in found["lines"][:2]:
        index = int(line["line_id"].split(":")[1])
        assert line["loading_ratio_before"] == pytest.approx(before.res_line.loading_percent[index] / 100, abs=1e-6)
        assert line["loading_ratio_after"] == pytest.approx(after.res_line.loading_percent[index] / 100, abs=1e-6)
    route = found["lines"][2]
    assert (route["kind"], route["loading_ratio_before"]) == ("route", None)
    assert route["loading_ratio_after"] == pytest.approx(after.res_line.loading_percent.iloc[-1] / 100, abs=1e-6)
    [main] = found["transformers"]
    assert main["element_id"] == "trafo:0"
    assert main["loading_ratio_before"] == pytest.approx(before.res_trafo.loading_percent[0] / 100, abs=1e-6)
    assert main["loading_ratio_after"] == pytest.approx(after.res_trafo.loading_percent[0] / 100, abs=1e-6)


def test_hold_of_another_day_is_not_in_the_state_of_the_record(office: Office) -> None:
    """The scheme was computed before the other one was issued."""
    scheme_id = office.utility.quote("bus:3", 800.0, length_m=300.0, provenance=provenance(office))
    other = office.utility.quote("bus:2", 500.0, length_m=100.0, validity={"from": "2026-03-01", "to": "2099-12-31"})
    assert office.act(other, "issue").status_code == 201
    before, after, customer = plain(800.0, bus=3, length_km=0.3, u_kv="10")
    check_voltages(read(office, scheme_id), before, after, customer)


def test_low_voltage_customer_is_shown_along_the_area_and_the_feeder_above(office: Office) -> None:
    scheme_id = office.quote(50.0, provenance=provenance(office))
    found = read(office, scheme_id)
    before, after, customer = plain(50.0, bus=4, length_km=0.01, u_kv="0.4")
    assert [(node["bus"], node["kind"]) for node in found["nodes"]] == [(4, "grid"), (customer, "customer")]
    check_voltages(found, before, after, customer)
    # 380 V +- 7 % in per unit of 0.4 kV
    assert (found["u_pu_min"], found["u_pu_max"]) == (pytest.approx(0.8835), pytest.approx(1.0165))
    assert [line["line_id"] for line in found["lines"]] == [None, "line:1", "line:0"]
    assert [transformer["element_id"] for transformer in found["transformers"]] == ["trafo:1", "trafo:0"]
    for transformer, index in zip(found["transformers"], (1, 0), strict=True):
        expected = after.res_trafo.loading_percent[index] / 100
        assert transformer["loading_ratio_after"] == pytest.approx(expected, abs=1e-6)


def test_tee_stands_where_the_line_is_split(office: Office) -> None:
    """Half-way between bus 2 at 115.02 and bus 3 at 115.03 degrees of longitude, on a line of 2 km."""
    scheme_id = office.utility.quote(
        "line:1", 500.0, kind="line_tee", length_m=100.0, place_deg=(115.025, 33.4), provenance=provenance(office)
    )
    found = read(office, scheme_id)
    before = copy.deepcopy(small_grid().net)
    kind = load_catalogue().get_line_type(LINE_TYPE["10"])
    tee = pp.create_bus(before, vn_kv=10.0)
    before.line.loc[1, ["to_bus", "length_km"]] = [tee, 1.0]
    pp.create_line_from_parameters(before, tee, 3, 1.0, 0.2, 0.35, 10.0, 0.3)
    after = copy.deepcopy(before)
    customer = pp.create_bus(after, vn_kv=10.0)
    pp.create_line_from_parameters(
        after, tee, customer, 0.1, kind.r20_ohm_per_km, kind.x_ohm_per_km, kind.c_nf_per_km, kind.rating_a / 1e3,
        parallel=3,
    )  # fmt: skip
    add_load(after, customer, 500.0)
    for net in (before, after):
        run_load_flow(net)
    by_kind = {node["kind"]: node for node in found["nodes"]}
    assert by_kind["tee"]["distance_km"] == pytest.approx(3.0, abs=1e-3)
    assert by_kind["tee"]["u_pu_before"] == pytest.approx(before.res_bus.vm_pu[tee], abs=1e-5)
    assert by_kind["tee"]["u_pu_after"] == pytest.approx(after.res_bus.vm_pu[tee], abs=1e-5)
    assert by_kind["customer"]["u_pu_after"] == pytest.approx(after.res_bus.vm_pu[customer], abs=1e-5)


def test_every_source_of_several_is_shown_alone(office: Office) -> None:
    """Each carries all of it while the other is out: bus 3 on the first feeder, bus 7 on the second."""
    scheme_id = office.utility.quote(["bus:3", "bus:7"], 600.0, length_m=200.0, provenance=provenance(office))
    for source_no, bus, feeder_id in ((1, 3, "line:0"), (2, 7, "line:2")):
        found = read(office, scheme_id, source_no=source_no)
        before, after, customer = plain(600.0, bus=bus, length_km=0.2, u_kv="10")
        assert found["feeder_id"] == feeder_id
        check_voltages(found, before, after, customer)


def test_nothing_is_made_up_where_nothing_is_connected(office: Office) -> None:
    scheme_id = office.quote(50.0, provenance=provenance(office))
    url = f"/v1/schemes/{scheme_id}/profile"
    problem(office.engineer.get(url, params={"variant_no": 2}), 404, "not_found")
    problem(office.engineer.get(url, params={"source_no": 2}), 404, "not_found")
    refused = office.quote(50.0, provenance=provenance(office), verdict="joint_work", supply=None, variants=[])
    problem(office.engineer.get(f"/v1/schemes/{refused}/profile"), 404, "not_found")
    problem(office.engineer.get("/v1/schemes/sch_none/profile"), 404, "not_found")
    preliminary = office.quote(
        50.0, provenance=provenance(office), validity=None, consultation={"documents": [], "tells": []}
    )
    assert read(office, preliminary)["nodes"] == read(office, scheme_id)["nodes"]
