"""Changes to a grid on trial (配电网改造): load moved over a tie, larger transformers, stronger lines, new areas.

Every function changes a copy made by :func:`copy_grid` in place; the imported snapshot is never touched. Whether a
changed grid holds is decided by :class:`gridmodel.reinforced_state.ReinforcedState`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from gridmodel.catalogue.records import LineType, TransformerType
from gridmodel.islands import new_net
from gridmodel.net import Net, element_tables, pandapower
from gridmodel.snapshot import Snapshot
from gridmodel.trial_net import split_line

_KVA_PER_MVA = 1e3
_A_PER_KA = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArea:
    """A transformer area (台区) to be built: a 10 kV branch from the grid to a transformer and its board."""

    bus: int | None
    """Where the branch starts; ``None`` for a tee on ``line``."""
    line: int | None
    fraction_along: float | None
    branch_type: LineType
    branch_length_km: float
    transformer_type: TransformerType
    element_id: str
    """Identifier of the transformer, the board and the branch, which the imported data do not have."""
    name: str
    """What people call the area until it has a name."""
    lon_deg: float
    lat_deg: float


def copy_grid(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot whose net can be changed; results and the solver's tables are left behind."""
    return replace(snapshot, net=new_net(element_tables(snapshot.net), like=snapshot.net))


def close_switches(net: Net, switches: tuple[int, ...]) -> None:
    """Close the open point of a tie (合上联络开关)."""
    net.switch.loc[list(switches), "closed"] = True


def find_line_switch(net: Net, line: int) -> int | None:
    """Return the closed switch of a line with the lowest index, ``None`` where it has none."""
    switch = net.switch
    found = switch.index[(switch.et == "l") & (switch.element == line) & switch.closed.astype(bool)]
    return int(found.min()) if len(found) else None


def open_line(net: Net, line: int, bus: int) -> bool:
    """Open a line by its switch (拉开分段开关), else by a new one at ``bus``; return whether it had one."""
    switch = find_line_switch(net, line)
    if switch is not None:
        net.switch.loc[switch, "closed"] = False
        return True
    pandapower().create_switch(net, bus, line, et="l", closed=False)
    return False


def replace_transformer(net: Net, trafo: int, kind: TransformerType) -> None:
    """Give a transformer the rating, impedance and losses of ``kind``; ratio, vector group and tap stay.

    Voltages stay those of the site: in a 20 kV grid the catalogue's 10 kV design stands for one of equal percentages.
    """
    columns = ["sn_mva", "vk_percent", "vkr_percent", "pfe_kw", "i0_percent"]
    values = [kind.sn_kva / _KVA_PER_MVA, kind.vk_percent, kind.vkr_percent, kind.p0_kw, kind.i0_percent]
    net.trafo.loc[trafo, columns] = values


def enlarge_main_transformer(net: Net, trafo: int, *, sn_kva: float) -> None:
    """Give a main transformer (主变) another rating at the same percentages; its iron losses grow with the rating."""
    sn_mva = sn_kva / _KVA_PER_MVA
    net.trafo.loc[trafo, "pfe_kw"] *= sn_mva / float(net.trafo.sn_mva[trafo])
    net.trafo.loc[trafo, "sn_mva"] = sn_mva


def replace_line(net: Net, line: int, kind: LineType, *, parallel: int = 1) -> None:
    """Give a line the conductor ``kind``, ``parallel`` circuits of it (更换导线); length and switches stay."""
    columns = ["r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "max_i_ka", "parallel"]
    values = [kind.r20_ohm_per_km, kind.x_ohm_per_km, kind.c_nf_per_km, kind.rating_a / _A_PER_KA, parallel]
    for column, value in zip(columns, values, strict=True):
        net.line.loc[line, column] = value


def add_area(snapshot: Snapshot, area: NewArea) -> tuple[Snapshot, int]:
    """Return a copy of the grid with a new transformer area, and the bus of its low-voltage board.

    The board is a node of the snapshot like any other, so that a customer can be connected to it. Both halves of a line
    that the branch tees off are described as that line.
    """
    grid = copy_grid(snapshot)
    net, module = grid.net, pandapower()
    start = area.bus
    if start is None:
        assert area.line is not None
        assert area.fraction_along is not None
        start, other = split_line(net, area.line, area.fraction_along)
        if area.line in grid.lines.index:
            half = grid.lines.loc[[area.line]].set_axis([other])
            grid = replace(grid, lines=pd.concat([grid.lines, half]))
    u_kv = float(net.bus.vn_kv[start])
    kind = area.transformer_type
    top = int(module.create_bus(net, vn_kv=u_kv))
    board = int(module.create_bus(net, vn_kv=kind.u_lv_kv))
    module.create_line_from_parameters(
        net, start, top, area.branch_length_km,
        r_ohm_per_km=area.branch_type.r20_ohm_per_km,
        x_ohm_per_km=area.branch_type.x_ohm_per_km,
        c_nf_per_km=area.branch_type.c_nf_per_km,
        max_i_ka=area.branch_type.rating_a / _A_PER_KA,
    )  # fmt: skip
    trafo = module.create_transformer_from_parameters(
        net, top, board,
        sn_mva=kind.sn_kva / _KVA_PER_MVA,
        vn_hv_kv=u_kv,
        vn_lv_kv=kind.u_lv_kv,
        vk_percent=kind.vk_percent,
        vkr_percent=kind.vkr_percent,
        pfe_kw=kind.p0_kw,
        i0_percent=kind.i0_percent,
        shift_degree=kind.shift_deg,
        tap_side=kind.tap_side,
        tap_neutral=kind.tap_neutral,
        tap_pos=kind.tap_neutral,
        tap_min=kind.tap_min,
        tap_max=kind.tap_max,
        tap_step_percent=kind.tap_step_percent,
        tap_changer_type="Ratio",
    )  # fmt: skip
    nodes, transformers = _described(grid, area, top=top, board=board, trafo=int(trafo))
    return replace(grid, nodes=nodes, transformers=transformers), board


def resize_area(grid: Snapshot, trafo: int, kind: TransformerType, *, name: str) -> Snapshot:
    """Return ``grid``, a copy of the caller's, with another transformer in a new area; its net is changed in place."""
    replace_transformer(grid.net, trafo, kind)
    transformers = grid.transformers.copy()
    transformers.loc[trafo, "model"] = kind.type_id
    transformers.loc[trafo, "sn_kva"] = kind.sn_kva
    transformers.loc[trafo, "name"] = name
    return replace(grid, transformers=transformers)


def _described(grid: Snapshot, area: NewArea, *, top: int, board: int, trafo: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return nodes and transformers with the rows of the new area."""
    own = {"feeder_id": _feeder_id(grid, area), "area_id": area.element_id, "name": area.name}
    place = {"lon_deg": area.lon_deg, "lat_deg": area.lat_deg, "status": "assessable"}
    station = {"kind": "station", "u_nominal_kv": float(grid.net.bus.vn_kv[top]), "element_id": area.element_id}
    low_side = {"kind": "lv_board", "u_nominal_kv": area.transformer_type.u_lv_kv}
    nodes = {
        top: {**own, **place, **station},
        board: {**own, **place, **low_side, "element_id": f"{area.element_id}-LV"},
    }
    transformer = {
        **own,
        "element_id": area.element_id,
        "role": "public",
        "model": area.transformer_type.type_id,
        "sn_kva": area.transformer_type.sn_kva,
    }
    return _with_rows(grid.nodes, nodes), _with_rows(grid.transformers, {trafo: transformer})


def _feeder_id(grid: Snapshot, area: NewArea) -> str | None:
    frame, element = (grid.nodes, area.bus) if area.bus is not None else (grid.lines, area.line)
    value = frame.feeder_id.get(element)
    return value if isinstance(value, str) and value else None


def _with_rows(frame: pd.DataFrame, rows: Mapping[int, Mapping[str, object]]) -> pd.DataFrame:
    """Return the table with rows appended; cells not named are unknown: NaN among numbers, else ``None``."""
    cells = {
        column: [row.get(column, math.nan if frame[column].dtype.kind == "f" else None) for row in rows.values()]
        for column in frame.columns
    }
    more = pd.DataFrame({column: pd.Series(values, dtype=frame[column].dtype) for column, values in cells.items()})
    return pd.concat([frame, more.set_axis(list(rows))])
