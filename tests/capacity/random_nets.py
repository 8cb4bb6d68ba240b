"""Random small distribution nets, radial and ringed, for property tests; a seed gives the same net every time."""

from __future__ import annotations

import random

import pandapower as pp

from gridmodel import Limits, VoltageBand


def random_net(seed: int):
    """Return (net, limits): 3 to 25 buses at 10 and 0.4 kV with whatever distribution nets hold."""
    rng = random.Random(seed)
    net = pp.create_empty_network(sn_mva=rng.choice([1.0, 100.0]))
    busbars = _substation(net, rng)
    mv = list(busbars)
    for _ in range(rng.randint(1, 10)):
        bus = pp.create_bus(net, vn_kv=10.0)
        _line(net, rng, rng.choice(mv), bus, rng.uniform(0.2, 4.0))
        mv.append(bus)
    lv = []
    for bus in rng.sample(mv, k=min(len(mv), rng.randint(0, 3))):
        lv += _transformer_area(net, rng, bus)
    _rings(net, rng, mv, lv)
    _loads(net, rng, mv, lv)
    _oddities(net, rng, mv, lv)
    return net, _limits(rng)


def _substation(net, rng):
    kind = rng.choice(["direct", "main", "main", "twin", "three_windings", "two_sources"])
    high = pp.create_bus(net, vn_kv=10.0 if kind in ("direct", "two_sources") else 110.0)
    pp.create_ext_grid(net, high, vm_pu=rng.uniform(0.99, 1.05))
    if kind == "direct":
        return [high]
    if kind == "two_sources":
        other = pp.create_bus(net, vn_kv=10.0)
        pp.create_ext_grid(net, other, vm_pu=net.ext_grid.vm_pu.iloc[0] - rng.uniform(0.0, 0.01))
        return [high, other]
    busbar = pp.create_bus(net, vn_kv=10.0)
    if kind == "three_windings":
        middle = pp.create_bus(net, vn_kv=35.0)
        pp.create_transformer3w_from_parameters(
            net, high, middle, busbar, vn_hv_kv=110.0, vn_mv_kv=38.5, vn_lv_kv=10.5, sn_hv_mva=10.0, sn_mv_mva=10.0,
            sn_lv_mva=5.0, vk_hv_percent=10.5, vk_mv_percent=6.5, vk_lv_percent=17.5, vkr_hv_percent=0.5,
            vkr_mv_percent=0.5, vkr_lv_percent=0.6, pfe_kw=12.0, i0_percent=0.4, shift_lv_degree=330, tap_side="hv",
            tap_pos=rng.randint(-3, 3), tap_neutral=0, tap_step_percent=1.25, tap_min=-8, tap_max=8,
            tap_changer_type="Ratio",
        )  # fmt: skip
        pp.create_load(net, middle, p_mw=rng.uniform(0, 3), q_mvar=0.5)
        return [busbar]
    for _ in range(2 if kind == "twin" else 1):
        pp.create_transformer_from_parameters(
            net, high, busbar, sn_mva=rng.choice([4.0, 8.0]), vn_hv_kv=110.0, vn_lv_kv=10.5, vk_percent=10.5,
            vkr_percent=0.5, pfe_kw=10.0, i0_percent=0.3, shift_degree=330, tap_side="hv", tap_neutral=0,
            tap_pos=rng.randint(-4, 4), tap_step_percent=1.25, tap_min=-8, tap_max=8, tap_changer_type="Ratio",
            df=rng.choice([1.0, 0.9]), parallel=rng.choice([1, 1, 2]),
        )  # fmt: skip
    return [busbar]


def _line(net, rng, a, b, length_km):
    is_mv = net.bus.vn_kv[a] > 1
    return pp.create_line_from_parameters(
        net, a, b, length_km=length_km, r_ohm_per_km=rng.uniform(0.1, 0.6), x_ohm_per_km=rng.uniform(0.08, 0.38),
        c_nf_per_km=rng.choice([10.0, 250.0]) if is_mv else 0.0, max_i_ka=rng.uniform(0.1, 0.4),
        df=rng.choice([1.0, 0.85]), parallel=rng.choice([1, 1, 1, 2]),
    )  # fmt: skip


def _transformer_area(net, rng, bus):
    board = pp.create_bus(net, vn_kv=0.4)
    pp.create_transformer_from_parameters(
        net, bus, board, sn_mva=rng.choice([0.1, 0.2, 0.4, 0.63]), vn_hv_kv=10.0, vn_lv_kv=0.4, vk_percent=4.0,
        vkr_percent=1.2, pfe_kw=0.6, i0_percent=0.4, shift_degree=150, tap_side="hv", tap_neutral=0,
        tap_pos=rng.randint(-2, 2), tap_step_percent=2.5, tap_min=-2, tap_max=2, tap_changer_type="Ratio",
    )  # fmt: skip
    nodes = [board]
    for _ in range(rng.randint(0, 3)):
        node = pp.create_bus(net, vn_kv=0.4)
        _line(net, rng, rng.choice(nodes), node, rng.uniform(0.03, 0.3))
        nodes.append(node)
    return nodes


def _rings(net, rng, mv, lv):
    for group in (mv, lv):
        for _ in range(rng.choice([0, 0, 1, 2])):
            if len(group) > 2:
                a, b = rng.sample(group, 2)
                line = _line(net, rng, a, b, rng.uniform(0.2, 2.0) if group is mv else 0.1)
                pp.create_switch(net, rng.choice([a, b]), line, et="l", closed=rng.random() < 0.6)


def _loads(net, rng, mv, lv):
    scale = rng.choice([0.3, 1.0, 2.0])
    for bus in mv[1:]:
        if rng.random() < 0.6:
            p_mw = scale * rng.uniform(0.02, 0.4)
            pp.create_load(net, bus, p_mw=p_mw, q_mvar=0.3 * p_mw)
    for bus in lv:
        p_mw = scale * rng.uniform(0.001, 0.03)
        pp.create_load(net, bus, p_mw=p_mw, q_mvar=0.3 * p_mw, scaling=rng.choice([1.0, 0.8]))
    for bus in rng.sample(mv + lv, k=min(len(mv + lv), rng.randint(0, 3))):
        pp.create_sgen(net, bus, p_mw=rng.uniform(0.01, 1.0 if bus in mv else 0.06))
    if rng.random() < 0.4:
        pp.create_shunt(net, rng.choice(mv), q_mvar=-rng.uniform(0.05, 0.4))


def _oddities(net, rng, mv, lv):
    if rng.random() < 0.3:  # a section behind a bus-bus switch, sometimes with impedance, sometimes open
        bus = pp.create_bus(net, vn_kv=10.0)
        closed = rng.random() < 0.8
        pp.create_switch(net, rng.choice(mv), bus, et="b", closed=closed, z_ohm=rng.choice([0.0, 0.05]))
        if closed:
            pp.create_load(net, bus, p_mw=0.1, q_mvar=0.02)
    if rng.random() < 0.2:
        bus = pp.create_bus(net, vn_kv=10.0)
        pp.create_impedance(net, rng.choice(mv), bus, rft_pu=0.01, xft_pu=0.03, sn_mva=10.0)
    if rng.random() < 0.2 and len(net.line) > 1:
        net.line.loc[rng.choice(list(net.line.index)), "in_service"] = False
    if rng.random() < 0.15:
        pp.create_ward(net, rng.choice(mv), ps_mw=0.05, qs_mvar=0.01, pz_mw=0.05, qz_mvar=0.02)
    if rng.random() < 0.15:
        pp.create_gen(net, rng.choice(mv[1:]), p_mw=0.3, vm_pu=1.0)
    if rng.random() < 0.15 and len(net.load):
        net.load.loc[net.load.index[0], ["const_z_p_percent", "const_z_q_percent"]] = 40.0
    if rng.random() < 0.2:
        net.bus.loc[rng.choice(mv[1:]), "in_service"] = False


def _limits(rng):
    thresholds = rng.choice([(0.0, 0.0), (0.0, 0.0), (0.005, 0.01), (0.0, 0.01)])
    return Limits(
        line_loading_ratio_max=rng.choice([0.8, 1.0]),
        transformer_loading_ratio_max=rng.choice([0.8, 1.0, 1.2]),
        main_transformer_loading_ratio_max=rng.choice([0.8, 1.0]),
        voltage_bands=rng.choice(
            [
                (
                    VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=1.0, u_pu_min=0.8835, u_pu_max=1.0165),
                    VoltageBand(u_nominal_kv_min=6.0, u_nominal_kv_max=20.0, u_pu_min=0.93, u_pu_max=1.07),
                ),
                (VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=20.0, u_pu_min=0.9, u_pu_max=1.1),),
                (),
            ]
        ),
        off_path_voltage_effect_pu=thresholds[0],
        off_path_loading_effect_ratio=thresholds[1],
    )
