"""What stands and hangs there: transformer sizes by rank, loads with coincidence, conductors by load, taps.

Currents and drops are estimated from the loads alone (drop = R P + X Q, no losses); the load flow comes later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from gridmodel.catalogue.loader import load_catalogue
from tests.county.choices import draws, pick_cumulative
from tests.county.layout import Layout
from tests.county.points import Points

_NEIGHBOURS = 6
U_NOMINAL_KV = 10.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Stations:
    """Distribution transformers (配变) and their load in the hour of the model, shape (n,)."""

    type_id: np.ndarray
    sn_kva: np.ndarray
    p_kw: np.ndarray
    q_kvar: np.ndarray
    own_max_kva: np.ndarray
    """Largest load of the transformer at any time; the load in the hour of the model is a part of it."""
    profile: np.ndarray
    is_dedicated: np.ndarray
    is_crowded: np.ndarray
    tap_position: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Sections:
    """The line that supplies each station, from its parent or from the busbar, shape (n,)."""

    straight_m: np.ndarray
    type_id: np.ndarray
    is_cable: np.ndarray


def size_by_rank(points: Points, choices: dict[str, Any]) -> np.ndarray:
    """Return the Chinese size (kVA) of every transformer: the share of each size, by rank in the source.

    Most source ratings stand hundreds of times; among equals the one with closer neighbours ranks higher.
    """
    sizes, shares = choices["distribution"]["sizes_kva"], choices["distribution"]["shares"]
    return np.array(sizes)[np.searchsorted(np.cumsum(shares)[:-1], rank_ratio(points), side="right")]


def rank_ratio(points: Points) -> np.ndarray:
    """Return the rank of every transformer, 0 for the smallest, below 1."""
    distance_m = cKDTree(points.xy_m).query(points.xy_m, k=_NEIGHBOURS + 1)[0][:, -1]
    rank = np.empty(len(distance_m))
    rank[np.lexsort((-distance_m, points.source_kva))] = np.arange(len(distance_m))
    return rank / len(distance_m)


def equip(points: Points, layout: Layout, sn_kva: np.ndarray, choices: dict[str, Any]) -> tuple[Stations, Sections]:
    """Return transformers, loads and conductors of the whole county."""
    own_max_kva, load_kva, power_factor = _loads(points, sn_kva, choices)
    straight_m = _straight_m(layout)
    is_cable = _cable_feeders(layout, straight_m, choices)[layout.feeder]
    family = np.where(is_cable, 2, _insulated(layout, choices)[layout.feeder])
    p_kw, q_kvar = load_kva * power_factor, load_kva * np.sqrt(1.0 - power_factor**2)
    type_id, scale, drop_pu = _design(layout, straight_m, family, p_kw, q_kvar, choices)
    weak = np.argsort(-np.bincount(layout.feeder, weights=straight_m), kind="stable")
    scale[weak[: choices["violations"]["weak_feeders"]]] *= choices["violations"]["weak_feeder_load_ratio"]
    scale = scale[layout.feeder]
    crowded = _crowded(sn_kva, choices)
    p_kw, q_kvar = (
        np.where(crowded > 0.0, part * crowded * sn_kva / load_kva, part * scale) for part in (p_kw, q_kvar)
    )
    types, tap_position = _transformers(sn_kva, p_kw, q_kvar, (drop_pu * scale), choices)
    chance = draws(choices, "use").random((2, len(sn_kva)))
    return (
        Stations(
            type_id=types,
            sn_kva=sn_kva,
            p_kw=p_kw.round(3),
            q_kvar=q_kvar.round(3),
            own_max_kva=np.where(crowded > 0.0, crowded * sn_kva, own_max_kva * scale).round(1),
            profile=pick_cumulative(choices["loads"]["profiles"], chance[0]),
            is_dedicated=chance[1] < choices["distribution"]["dedicated_share"],
            is_crowded=crowded > 0.0,
            tap_position=tap_position,
        ),
        Sections(straight_m=straight_m, type_id=type_id, is_cable=is_cable),
    )


def current_a(s_kva: np.ndarray, u_kv: float) -> np.ndarray:
    """Return the current (A) of an apparent power at a line-to-line voltage."""
    return s_kva / (math.sqrt(3.0) * u_kv)


def smallest_type(needed_a: np.ndarray, types: list[str], use_ratio: np.ndarray | float) -> np.ndarray:
    """Return the position of the first of ``types`` whose use stays below the ratio, else the last."""
    ratings_a = np.array([load_catalogue().get_line_type(name).rating_a for name in types])
    return np.minimum(np.searchsorted(ratings_a, needed_a / use_ratio), len(types) - 1)


def _loads(points: Points, sn_kva: np.ndarray, choices: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    loads = choices["loads"]
    chance = draws(choices, "loads").random((2, len(sn_kva)))
    level = 0.5 * rank_ratio(points) + 0.5 * chance[0]
    own_max_kva = sn_kva * (loads["peak_ratio_min"] + (loads["peak_ratio_max"] - loads["peak_ratio_min"]) * level)
    power_factor = loads["power_factor_min"] + (loads["power_factor_max"] - loads["power_factor_min"]) * chance[1]
    return own_max_kva, own_max_kva * loads["coincidence"], power_factor


def _crowded(sn_kva: np.ndarray, choices: dict[str, Any]) -> np.ndarray:
    """Return the load ratio of the transformers that are crowded on purpose, 0 for all others."""
    chosen = choices["violations"]
    chance = draws(choices, "crowded")
    ratio = np.zeros(len(sn_kva))
    members = chance.choice(len(sn_kva), size=chosen["crowded_transformers"], replace=False)
    ratio[members] = chance.uniform(chosen["crowded_ratio_min"], chosen["crowded_ratio_max"], size=len(members))
    return ratio


def _straight_m(layout: Layout) -> np.ndarray:
    return np.asarray(np.hypot(*(layout.starts_xy_m() - layout.xy_m).T))


def _cable_feeders(layout: Layout, straight_m: np.ndarray, choices: dict[str, Any]) -> np.ndarray:
    feeders = len(layout.main)
    mean_m = np.bincount(layout.feeder, weights=straight_m) / np.bincount(layout.feeder)
    is_cable = np.zeros(feeders, dtype=bool)
    is_cable[np.argsort(mean_m, kind="stable")[: round(choices["feeders"]["cable_share"] * feeders)]] = True
    return is_cable


def _insulated(layout: Layout, choices: dict[str, Any]) -> np.ndarray:
    is_insulated = draws(choices, "insulated").random(len(layout.main)) < choices["feeders"]["insulated_share"]
    return np.asarray(is_insulated, dtype=int)


def _design(
    layout: Layout,
    straight_m: np.ndarray,
    family: np.ndarray,
    p_kw: np.ndarray,
    q_kvar: np.ndarray,
    choices: dict[str, Any],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the type of every section, the load factor of every feeder and the estimated drop at every station.

    Where the drop of a feeder is too large its conductors grow step by step; what is then still too much, its loads
    shrink: far out, transformers are used less.
    """
    conductors, u_pu = choices["conductors"], choices["loads"]["estimate_u_pu"]
    drop_pu_max = choices["loads"]["feeder_drop_pu_max"]
    p_mw, q_mvar = layout.downstream(p_kw) / 1e3, layout.downstream(q_kvar) / 1e3
    needed_a = current_a(np.hypot(p_mw, q_mvar) * 1e3, U_NOMINAL_KV * u_pu)
    length_km = straight_m / 1e3 * choices["feeders"]["length_ratio"]
    use_ratio = np.full(len(layout.main), conductors["use_ratio_steps"][0])
    for next_ratio in [*conductors["use_ratio_steps"][1:], None]:
        type_id = np.empty(len(family), dtype=object)
        for number, name in enumerate(("bare", "insulated", "cable")):
            mine = family == number
            position = smallest_type(needed_a[mine], conductors[name], use_ratio[layout.feeder[mine]])
            type_id[mine] = np.array(conductors[name], dtype=object)[position]
        r_ohm, x_ohm = (column * length_km for column in _impedance_per_km(type_id))
        drop_pu = layout.along((r_ohm * p_mw + x_ohm * q_mvar) / (U_NOMINAL_KV**2 * u_pu))
        worst_pu = np.zeros(len(layout.main))
        np.maximum.at(worst_pu, layout.feeder, drop_pu)
        if next_ratio is not None:
            use_ratio[worst_pu > drop_pu_max] = next_ratio
    return type_id, np.minimum(1.0, drop_pu_max / worst_pu), drop_pu


def _impedance_per_km(type_id: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    types = [load_catalogue().get_line_type(name) for name in type_id.tolist()]
    return np.array([t.r20_ohm_per_km for t in types]), np.array([t.x_ohm_per_km for t in types])


def _transformers(
    sn_kva: np.ndarray, p_kw: np.ndarray, q_kvar: np.ndarray, drop_pu: np.ndarray, choices: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the type and the off-load tap of every transformer, set as a utility would for this hour."""
    chosen = choices["distribution"]
    series = pick_cumulative(chosen["series"], draws(choices, "series").random(len(sn_kva)))
    type_id = np.array([f"{name}-{kva:g}/10" for name, kva in zip(series, sn_kva, strict=True)], dtype=object)
    types = [load_catalogue().get_transformer_type(name) for name in type_id.tolist()]
    vkr_pu = np.array([t.vkr_percent for t in types]) / 100.0
    vkx_pu = np.sqrt((np.array([t.vk_percent for t in types]) / 100.0) ** 2 - vkr_pu**2)
    board_pu = choices["loads"]["estimate_u_pu"] - drop_pu - (vkr_pu * p_kw + vkx_pu * q_kvar) / sn_kva
    return type_id, (board_pu > chosen["board_u_pu_max"]).astype(int) - (board_pu < chosen["board_u_pu_min"])
