"""The frames of a snapshot beside the net: what each node, line, transformer and feeder of the county is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.county.choices import draws
from tests.county.element_tables import Offsets, nominal_kv
from tests.county.equipment import current_a
from tests.county.grid import Grid
from tests.county.naming import Names, Texts
from tests.county.points import to_degrees


def frames(
    grid: Grid, names: Names, tables: dict[str, pd.DataFrame], first: Offsets, county: int
) -> dict[str, pd.DataFrame]:
    """Return the frames of one county; see :mod:`gridmodel.snapshot`."""
    return {
        "nodes": _nodes(grid, names, tables["bus"], county),
        "lines": _lines(grid, names, tables["line"]),
        "transformers": _transformers(grid, names, tables["trafo"]),
        "feeders": _feeders(grid, names, tables["line"], first),
    }


def _ids(kind: str, index: pd.Index) -> Texts:
    return np.array([f"{kind}:{number}" for number in index.tolist()], dtype=object)


def _none(count: int) -> Texts:
    return np.full(count, None, dtype=object)


def _nodes(grid: Grid, names: Names, bus: pd.DataFrame, county: int) -> pd.DataFrame:
    lon_deg, lat_deg = to_degrees(_places_xy_m(grid), grid.choices, county)
    feeder, substation, area = _membership(grid, names)
    ids = _ids("bus", bus.index)
    return pd.DataFrame(
        {
            "node_id": ids,
            "source_id": np.array([str(number) for number in bus.index.tolist()], dtype=object),
            "element_id": ids,
            "name": names.buses,
            "kind": names.kinds,
            "u_nominal_kv": nominal_kv(grid),
            "lon_deg": lon_deg,
            "lat_deg": lat_deg,
            "feeder_id": feeder,
            "substation_id": substation,
            "area_id": area,
            "spare_bays": _spare_bays(grid, names),
            "status": np.full(len(bus), "assessable", dtype=object),
            "reason": _none(len(bus)),
        },
        index=bus.index,
    )


def _places_xy_m(grid: Grid) -> np.ndarray:
    """Return the place of every bus; a station and its board stand at the same place."""
    layout = grid.layout
    substation = layout.substation_xy_m[layout.substation_of(np.arange(grid.main_count))]
    parts = [substation, substation, layout.xy_m, layout.xy_m, grid.pieces.pole_xy_m]
    return np.vstack(parts if grid.low is None else [*parts, grid.low.xy_m])


def _membership(grid: Grid, names: Names) -> tuple[Texts, Texts, Texts]:
    """Return the feeder, substation and transformer area of every bus."""
    layout = grid.layout
    mains, count = grid.main_count, len(layout.feeder)
    poles = len(grid.pieces.pole_station)
    low = np.empty(0, dtype=int) if grid.low is None else grid.low.station
    stations = np.arange(count)
    station = np.concatenate([stations, stations, grid.pieces.pole_station, low])
    of_feeder = names.substation_ids[layout.substation_of(layout.main)]
    own = names.substation_ids[layout.substation_of(np.arange(mains))]
    area = np.concatenate([names.area_ids, _none(poles), names.area_ids[low]])
    return (
        np.concatenate([_none(2 * mains), names.feeder_ids[layout.feeder[station]]]),
        np.concatenate([own, own, of_feeder[layout.feeder[station]]]),
        np.concatenate([_none(2 * mains + count), area]),
    )


def _spare_bays(grid: Grid, names: Names) -> np.ndarray:
    """Return the spare bays (备用间隔) of busbars and ring-main units, NaN elsewhere."""
    chance = draws(grid.choices, "spare bays").random(grid.first_low)
    spare = np.full(grid.bus_count, np.nan)
    for kind, section in (("substation_busbar", "substations"), ("ring_main_unit", "feeders")):
        bays_max = grid.choices[section]["spare_bays_max"]
        mine = np.flatnonzero(names.kinds[: grid.first_low] == kind)
        spare[mine] = np.floor(chance[mine] * (bays_max + 1))
    return spare


def _lines(grid: Grid, names: Names, line: pd.DataFrame) -> pd.DataFrame:
    is_low = np.arange(len(line)) >= len(grid.pieces.lines.start) + len(grid.layout.ties)
    bus_kv = nominal_kv(grid)
    return pd.DataFrame(
        {
            "element_id": _ids("line", line.index),
            "name": names.lines,
            "type_id": grid.lines.type_id,
            "laying": np.where(line["type"] == "ol", "overhead", "cable").astype(object),
            "u_nominal_kv": bus_kv[grid.lines.end],
            "feeder_id": names.feeder_ids[grid.layout.feeder[grid.lines.station]],
            "area_id": np.where(is_low, names.area_ids[grid.lines.station], None),
        },
        index=line.index,
    )


def _is_measured(grid: Grid, purpose: str, count: int) -> np.ndarray:
    return np.asarray(draws(grid.choices, purpose).random(count) < grid.choices["distribution"]["measured_share"])


def _transformers(grid: Grid, names: Names, trafo: pd.DataFrame) -> pd.DataFrame:
    layout, stations, mains = grid.layout, grid.stations, grid.main_count
    measured = _is_measured(grid, "measured transformers", len(stations.sn_kva))
    is_known = np.concatenate([np.full(mains, True), measured])
    own = names.substation_ids[layout.substation_of(np.arange(mains))]
    of_feeder = names.substation_ids[layout.substation_of(layout.main)]
    return pd.DataFrame(
        {
            "element_id": _ids("trafo", trafo.index),
            "name": np.concatenate([names.mains, names.transformers]),
            "role": np.concatenate(
                [np.full(mains, "main", dtype=object), np.where(stations.is_dedicated, "dedicated", "public")]
            ).astype(object),
            "model": np.concatenate([_none(mains), stations.type_id]),
            "sn_kva": (trafo["sn_mva"].to_numpy() * 1e3).round(3),
            "feeder_id": np.concatenate([_none(mains), names.feeder_ids[layout.feeder]]),
            "substation_id": np.concatenate([own, of_feeder[layout.feeder]]),
            "area_id": np.concatenate([_none(mains), names.area_ids]),
            "measured_max_kva": np.where(is_known, np.concatenate([grid.mains.max_kva, stations.own_max_kva]), np.nan),
            "measured_on": np.where(is_known, grid.choices["data_as_of"], None),
        },
        index=trafo.index,
    )


def _feeders(grid: Grid, names: Names, line: pd.DataFrame, first: Offsets) -> pd.DataFrame:
    layout = grid.layout
    p_kw, q_kvar = (np.bincount(layout.feeder, weights=part) for part in (grid.stations.p_kw, grid.stations.q_kvar))
    is_known = _is_measured(grid, "measured feeders", len(layout.main))
    max_a = current_a(np.hypot(p_kw, q_kvar), nominal_kv(grid)[grid.first_station])
    return pd.DataFrame(
        {
            "name": names.feeders,
            "substation_id": names.substation_ids[layout.substation_of(layout.main)],
            "main_transformer": layout.main + first.trafo,
            "head_line": grid.head_line + first.line,
            "rating_a": (line["max_i_ka"].to_numpy()[grid.head_line] * 1e3).round(3),
            "measured_max_a": np.where(is_known, max_a.round(1), np.nan),
            "measured_on": np.where(is_known, grid.choices["data_as_of"], None),
        },
        index=pd.Index(names.feeder_ids, dtype=object),
    )
