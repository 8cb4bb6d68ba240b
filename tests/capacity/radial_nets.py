"""Random radial distribution nets that strain a tree method; a seed gives the same net every time.

Generation up to three times the local load (reversed branches), capacitors, off-nominal taps, branches entered the
wrong way round, lines long enough to come near the voltage collapse, violations that exist already, open-ended lines,
three-winding transformers, parallel branches, voltage-dependent loads.
"""

from __future__ import annotations

import random

import pandapower as pp

from gridmodel import Limits, VoltageBand


def radial_net(seed: int):
    """Return (net, limits): 8 to 30 buses at 10 and 0.4 kV in one or two feeders of one main transformer."""
    rng = random.Random(seed)
    net = pp.create_empty_network(sn_mva=rng.choice([1.0, 100.0]))
    busbar = _substation(net, rng)
    stretch = rng.choice([0.5, 1.0, 1.0, 2.0, 4.0])
    mv, lv = [busbar], []
    for _ in range(rng.randint(5, 14)):
        bus = pp.create_bus(net, vn_kv=10.0)
        ends = (rng.choice(mv[-4:]), bus)
        _line(net, rng, ends if rng.random() < 0.6 else ends[::-1], stretch * rng.uniform(0.3, 3.0))
        mv.append(bus)
    for bus in rng.sample(mv[1:], k=rng.randint(1, 4)):
        lv += _transformer_area(net, rng, bus)
    _loads(net, rng, mv[1:], lv)
    _extras(net, rng, mv, lv)
    return net, _limits(rng)


def _substation(net, rng):
    high = pp.create_bus(net, vn_kv=110.0)
    busbar = pp.create_bus(net, vn_kv=10.0)
    source = high
    if rng.random() < 0.4:  # a line above the main transformer: elements beyond the supply path
        source = pp.create_bus(net, vn_kv=110.0)
        pp.create_line_from_parameters(
            net, source, high, length_km=rng.uniform(5.0, 60.0), r_ohm_per_km=0.2, x_ohm_per_km=0.4, c_nf_per_km=9.0,
            max_i_ka=rng.uniform(0.02, 0.3),
        )  # fmt: skip
        other = pp.create_bus(net, vn_kv=10.0)
        _main_transformer(net, rng, high, other)
        pp.create_load(net, other, p_mw=rng.uniform(0.5, 3.0), q_mvar=0.5)
    pp.create_ext_grid(net, source, vm_pu=rng.uniform(0.99, 1.06))
    kind = rng.choice(["one", "one", "twin", "three windings"])
    if kind == "three windings":
        middle = pp.create_bus(net, vn_kv=35.0)
        pp.create_transformer3w_from_parameters(
            net, high, middle, busbar, vn_hv_kv=110.0, vn_mv_kv=38.5, vn_lv_kv=10.5, sn_hv_mva=10.0,
            sn_mv_mva=rng.choice([4.0, 10.0]), sn_lv_mva=rng.choice([5.0, 10.0]), vk_hv_percent=10.5,
            vk_mv_percent=6.5, vk_lv_percent=17.5, vkr_hv_percent=0.5, vkr_mv_percent=0.5, vkr_lv_percent=0.6,
            pfe_kw=12.0, i0_percent=0.4, tap_side="hv", tap_pos=rng.randint(-3, 3), tap_neutral=0,
            tap_step_percent=1.25, tap_min=-8, tap_max=8, tap_changer_type="Ratio",
        )  # fmt: skip
        pp.create_load(net, middle, p_mw=rng.uniform(0.5, 3.0), q_mvar=0.5)
        return busbar
    for _ in range(2 if kind == "twin" else 1):
        _main_transformer(net, rng, high, busbar, tap=2 if kind == "twin" else None)
    return busbar


def _main_transformer(net, rng, high, low, tap=None):
    pp.create_transformer_from_parameters(
        net, high, low, sn_mva=8.0 if tap else rng.choice([4.0, 8.0, 16.0]), vn_hv_kv=110.0, vn_lv_kv=10.5,
        vk_percent=10.5, vkr_percent=0.5, pfe_kw=10.0, i0_percent=0.3, shift_degree=330, tap_side="hv", tap_neutral=0,
        tap_pos=tap if tap else rng.randint(-6, 6), tap_step_percent=1.25, tap_min=-8, tap_max=8,
        tap_changer_type="Ratio", df=1.0 if tap else rng.choice([1.0, 0.9]),
    )  # fmt: skip


def _line(net, rng, ends, length_km):
    is_mv = net.bus.vn_kv[ends[0]] > 1
    r_ohm_per_km, x_ohm_per_km, max_i_ka = rng.uniform(0.1, 0.7), rng.uniform(0.08, 0.38), rng.uniform(0.1, 0.6)
    c_nf_per_km = rng.choice([10.0, 250.0]) if is_mv else 0.0
    for _ in range(rng.choice([1, 1, 1, 1, 2])):  # twins are merged
        pp.create_line_from_parameters(
            net, *ends, length_km=length_km, r_ohm_per_km=r_ohm_per_km, x_ohm_per_km=x_ohm_per_km,
            c_nf_per_km=c_nf_per_km, max_i_ka=max_i_ka, df=rng.choice([1.0, 0.85]),
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
        _line(net, rng, (rng.choice(nodes), node), rng.uniform(0.03, 0.3))
        nodes.append(node)
    return nodes


def _loads(net, rng, mv, lv):
    scale = rng.choice([0.3, 1.0, 1.0, 2.5])
    for buses, p_mw_max in ((mv, 0.4), (lv, 0.04)):
        for bus in buses:
            p_mw = scale * rng.uniform(0.05, 1.0) * p_mw_max
            pp.create_load(net, bus, p_mw=p_mw, q_mvar=rng.uniform(0.1, 0.5) * p_mw)
    if rng.random() < 0.6:
        for bus in rng.sample(mv + lv, k=len(mv + lv) // 2):
            p_mw = net.load.p_mw[net.load.bus == bus].sum()
            pp.create_sgen(net, bus, p_mw=p_mw * rng.uniform(0.5, 3.0), q_mvar=rng.choice([0.0, 0.1, -0.1]) * p_mw)


def _extras(net, rng, mv, lv):
    for bus in rng.sample(mv, k=rng.randint(0, 3)):
        pp.create_shunt(net, bus, q_mvar=-rng.uniform(0.05, 0.6))
    if rng.random() < 0.3:
        end = pp.create_bus(net, vn_kv=10.0)
        _line(net, rng, (rng.choice(mv), end), 2.0)
        pp.create_switch(net, end, net.line.index[-1], et="l", closed=False)
    if rng.random() < 0.3:
        section = pp.create_bus(net, vn_kv=10.0)
        pp.create_switch(net, rng.choice(mv), section, et="b", closed=True, z_ohm=rng.choice([0.0, 0.05]))
        pp.create_load(net, section, p_mw=0.1, q_mvar=0.02)
    if rng.random() < 0.25:
        bent = rng.sample(list(net.load.index), k=3)
        net.load.loc[bent, ["const_z_p_percent", "const_z_q_percent"]] = 40.0
        net.load.loc[bent, ["const_i_p_percent", "const_i_q_percent"]] = 20.0


def _limits(rng):
    thresholds = rng.choice([(0.0, 0.0), (0.0, 0.0), (0.005, 0.01), (0.005, 0.01), (0.0, 0.01), (0.005, 0.0)])
    low = rng.choice([0.93, 0.93, 0.85, 0.7])
    return Limits(
        line_loading_ratio_max=rng.choice([0.8, 1.0, 2.5]),
        transformer_loading_ratio_max=rng.choice([0.8, 1.0, 3.0]),
        main_transformer_loading_ratio_max=rng.choice([0.8, 1.0, 3.0]),
        voltage_bands=rng.choice(
            [
                (
                    VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=1.0, u_pu_min=0.95 * low, u_pu_max=1.0165),
                    VoltageBand(u_nominal_kv_min=6.0, u_nominal_kv_max=20.0, u_pu_min=low, u_pu_max=1.07),
                ),
                (VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=200.0, u_pu_min=low, u_pu_max=1.1),),
                (VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=1.0, u_pu_min=low, u_pu_max=1.1),),
            ]
        ),
        off_path_voltage_effect_pu=thresholds[0],
        off_path_loading_effect_ratio=thresholds[1],
    )
