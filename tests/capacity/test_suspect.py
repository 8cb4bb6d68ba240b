"""A base case without a solution is answered with the suspected cause, and the rest of the net is answered."""

from __future__ import annotations

from typing import Any

import pandapower as pp

from gridmodel import Limits, open_capacity


def two_feeders(p_mw: float, length_km: float = 4.0) -> Any:
    """Two sources of 10 kV with one line and one load each; the second line is 2 km with 1 MW."""
    net = pp.create_empty_network()
    for number, (load_mw, km) in enumerate(((p_mw, length_km), (1.0, 2.0))):
        head, end = (pp.create_bus(net, vn_kv=10.0, name=f"{number}{name}") for name in ("head", "end"))
        pp.create_ext_grid(net, head)
        pp.create_line_from_parameters(net, head, end, km, 0.3, 0.35, 10.0, 0.4)
        pp.create_load(net, end, load_mw, 0.3 * load_mw)
    return net


def test_a_load_entered_in_the_wrong_unit_is_named() -> None:
    """At unity power factor 1.2 + j1.4 ohm carry at most U^2 / (2 (|Z| + R)) = 16 MW; 800 MW cannot be."""
    table = open_capacity(two_feeders(800.0), limits=Limits(), confirm="none")
    assert table.status.tolist() == ["not_assessable", "not_assessable", "assessed", "assessed"]
    reason = table.reason[1]
    assert "suspected cause: solvable up to" in reason
    assert "line 0" in reason
    assert "load 0 at bus 1 (800 MW)" in reason


def test_a_line_entered_in_metres_is_named() -> None:
    """4,000 km instead of 4 km: even the charging of the line alone has no solution."""
    reason = open_capacity(two_feeders(1.0, length_km=4000.0), limits=Limits(), confirm="none").reason[1]
    assert "suspected cause" in reason
    assert "line 0" in reason or "lengths" in reason


def test_a_net_without_any_solution_is_answered_bus_by_bus() -> None:
    net = two_feeders(800.0)
    for table in ("bus", "line", "load", "ext_grid"):
        place = {"bus": net.bus.index, "line": net.line.from_bus, "load": net.load.bus, "ext_grid": net.ext_grid.bus}
        net[table] = net[table][[bus < 2 for bus in place[table]]]
    table = open_capacity(net, limits=Limits())
    assert table.status.tolist() == ["not_assessable", "not_assessable"]
    assert table.capacity_kw.isna().all()


def test_a_net_without_source_is_unsupplied() -> None:
    net = two_feeders(1.0)
    net.ext_grid["in_service"] = False
    assert open_capacity(net, limits=Limits()).status.tolist() == ["unsupplied"] * 4
