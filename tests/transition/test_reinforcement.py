"""Changes to a grid on trial give the net one would put together by hand, and leave the imported one alone."""

from __future__ import annotations

import pandapower as pp
import pytest

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.connection import TrialConnection
from gridmodel.reinforced_state import ReinforcedState
from gridmodel.reinforcement import (
    NewArea,
    add_area,
    copy_grid,
    enlarge_main_transformer,
    open_line,
    replace_line,
    replace_transformer,
)
from scheme.limits import operating_limits
from scheme.policy.loader import load_policy
from tests.transition.grids import AS_OF, two_feeders, village

CATALOGUE = load_catalogue()


def test_a_new_area_carries_its_load_and_loses_what_its_data_say() -> None:
    """No load: iron losses of the catalogue at 1 pu (S20-200: p0), the board at 10/0.4 ratio of the pole."""
    grid = village(load_kw=0.0)
    kind = CATALOGUE.get_transformer_type("S20-200/10")
    area = NewArea(
        bus=1, line=None, fraction_along=None, branch_type=CATALOGUE.get_line_type("JKLYJ-10 1x70"),
        branch_length_km=0.1, transformer_type=kind, element_id="NEW", name="new area", lon_deg=114.5, lat_deg=33.0,
    )  # fmt: skip
    changed, board = add_area(grid, area)
    pp.runpp(changed.net, numba=False)
    assert changed.net.res_bus.vm_pu[board] == pytest.approx(1.0, abs=2e-4)
    assert 1e3 * changed.net.res_trafo.pl_mw.iloc[-1] == pytest.approx(kind.p0_kw, rel=1e-3)
    assert changed.nodes.kind[board] == "lv_board"
    assert changed.transformers.role.iloc[-1] == "public"
    assert (len(grid.net.bus), len(grid.nodes)) == (4, 4)


def test_replacing_leaves_the_imported_net_as_it_was() -> None:
    grid = village()
    kind, wire = CATALOGUE.get_transformer_type("S20-160/10"), CATALOGUE.get_line_type("JKLYJ-10 1x240")
    changed = copy_grid(grid)
    replace_transformer(changed.net, 0, kind)
    replace_line(changed.net, 0, wire, parallel=2)
    assert (changed.net.trafo.sn_mva[0], changed.net.trafo.vn_hv_kv[0]) == (0.16, 10.0)
    assert (changed.net.line.max_i_ka[0], changed.net.line.parallel[0]) == (wire.rating_a / 1e3, 2)
    assert (grid.net.trafo.sn_mva[0], grid.net.line.parallel[0]) == (0.1, 1)


def test_a_larger_main_transformer_keeps_its_percentages() -> None:
    changed = copy_grid(village())
    enlarge_main_transformer(changed.net, 0, sn_kva=250.0)
    row = changed.net.trafo.loc[0]
    assert (row.sn_mva, row.vk_percent, row.pfe_kw) == (0.25, 4.0, 1.25)


def test_opening_uses_the_switch_that_is_there_and_else_puts_one_in() -> None:
    net = copy_grid(two_feeders()).net
    assert open_line(net, 1, 1)
    assert not net.switch.closed[0]
    assert not open_line(net, 0, 0)
    assert (net.switch.bus.iloc[-1], net.switch.element.iloc[-1], net.switch.closed.iloc[-1]) == (0, 0, False)


def test_a_change_that_cuts_somebody_off_is_no_way() -> None:
    """Opening the section without closing the tie leaves the last ring main dark."""
    grid = two_feeders()
    changed = copy_grid(grid)
    open_line(changed.net, 1, 1)
    trial = TrialConnection(
        bus=1, route_length_km=0.1, line_type=CATALOGUE.get_line_type("YJV22-8.7/15 3x240"), p_kw=100.0, q_kvar=0.0
    )
    state = ReinforcedState(grid, in_flight_coincidence_ratio=1.0)
    limits = operating_limits(load_policy("shenqiu-2022", AS_OF))
    assert state.find_violations(changed, trial, touched={1, 2}, limits=limits) is None


def test_what_breaks_on_the_feeder_that_takes_over_counts() -> None:
    """F2 with 5.2 MW more than its 0.5 MW is above 80 % of 400 A (5.5 MVA); the customer is on F1."""
    grid = two_feeders(near_kw=100.0, section_kw=5200.0)
    changed = copy_grid(grid)
    open_line(changed.net, 1, 1)
    changed.net.switch.loc[1, "closed"] = True
    trial = TrialConnection(
        bus=1, route_length_km=0.1, line_type=CATALOGUE.get_line_type("YJV22-8.7/15 3x240"), p_kw=100.0, q_kvar=0.0
    )
    state = ReinforcedState(grid, in_flight_coincidence_ratio=1.0)
    limits = operating_limits(load_policy("shenqiu-2022", AS_OF))
    found = state.find_violations(changed, trial, touched={1, 2, 3}, limits=limits)
    assert found is not None
    assert [(v.table, v.element, v.is_on_path) for v in found if v.table == "line"] == [("line", 2, False)]
