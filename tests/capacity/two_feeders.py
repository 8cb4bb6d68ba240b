"""Two main transformers on one ideal source, each with a feeder; an open tie joins the feeders' ends.

0 =T0= 1 --0-- 2 --1-- 3 =T1= 4 (0.4 kV)
0 =T2= 5 --2-- 6 --3-- 7         3 ..4.. 7, open at 7 by switch TIE
                                 a section switch (SECTION) stands in line 3, at 6
"""

from __future__ import annotations

import pandapower as pp

TIE, SECTION = 0, 1


def two_feeders():
    """Return a net of 8 buses."""
    net = pp.create_empty_network()
    for kv in (110.0, 10.0, 10.0, 10.0, 0.4, 10.0, 10.0, 10.0):
        pp.create_bus(net, kv)
    pp.create_ext_grid(net, 0, vm_pu=1.02)
    _main(net, 0, 1)
    for a, b in ((1, 2), (2, 3), (5, 6), (6, 7), (3, 7)):
        pp.create_line_from_parameters(net, a, b, 2.0, 0.2, 0.35, 10.0, 0.3)
    pp.create_transformer_from_parameters(net, 3, 4, 0.4, 10.0, 0.4, 1.0, 4.0, 0.5, 0.4)
    _main(net, 0, 5)
    pp.create_switch(net, 7, 4, et="l", closed=False)
    pp.create_switch(net, 6, 3, et="l", closed=True)
    for bus, p_mw in ((2, 0.4), (4, 0.1), (6, 0.5), (7, 0.3)):
        pp.create_load(net, bus, p_mw=p_mw, q_mvar=0.3 * p_mw)
    return net


def _main(net, hv_bus, lv_bus):
    pp.create_transformer_from_parameters(net, hv_bus, lv_bus, 6.3, 110.0, 10.5, 0.5, 10.0, 8.0, 0.4)
