"""What if (情景): another order, projects left out, growth of the load, upgrades of the grid already done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from gridmodel.catalogue.loader import Catalogue
from gridmodel.errors import InputError
from gridmodel.reinforcement import copy_grid, enlarge_main_transformer, replace_line, replace_transformer
from gridmodel.snapshot import Snapshot
from gridmodel.topology import LOW_VOLTAGE_KV_MAX

_KVA_PER_MVA = 1e3
_SAME_RATING_A = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """A transformer or a line replaced by another type, or a main transformer enlarged."""

    table: Literal["transformer", "line"]
    element_id: str
    type_id: str | None = None
    """Row of the equipment catalogue; a main transformer, which it does not hold, is given by ``sn_kva``."""
    sn_kva: float | None = None
    parallel: int = 1
    """Circuits of the line that is built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A named set of assumptions; without any it is the grid and the queue as they are."""

    name: str = "现状"
    first_ids: tuple[str, ...] = ()
    """Projects put before all others, in this order."""
    excluded_ids: tuple[str, ...] = ()
    """Projects left out."""
    growth_by_year_ratio: Mapping[int, float] = field(default_factory=dict)
    """Growth of the present load in a year over the year before it; a year that is not named has none."""
    upgrades: tuple[Upgrade, ...] = ()


def with_upgrades(snapshot: Snapshot, upgrades: Sequence[Upgrade], catalogue: Catalogue) -> Snapshot:
    """Return the grid with the upgrades done; without any the snapshot itself.

    A feeder whose limit current was that of its head line follows it.

    Raises:
        InputError: An element does not exist or stands twice, or an upgrade names neither type nor rating.
        CatalogueError: A type is not in the catalogue.
    """
    if not upgrades:
        return snapshot
    grid = replace(
        copy_grid(snapshot),
        lines=snapshot.lines.copy(),
        transformers=snapshot.transformers.copy(),
        feeders=snapshot.feeders.copy(),
    )
    for upgrade in sorted(upgrades, key=lambda upgrade: (upgrade.table, upgrade.element_id)):
        (_upgrade_transformer if upgrade.table == "transformer" else _upgrade_line)(grid, upgrade, catalogue)
    return grid


def _upgrade_transformer(grid: Snapshot, upgrade: Upgrade, catalogue: Catalogue) -> None:
    trafo = _find(grid, "transformers", upgrade)
    if upgrade.type_id is not None:
        kind = catalogue.get_transformer_type(upgrade.type_id)
        replace_transformer(grid.net, trafo, kind)
        units = float(grid.net.trafo.parallel[trafo])
        grid.transformers.loc[trafo, "model"] = kind.type_id
        grid.transformers.loc[trafo, "sn_kva"] = kind.sn_kva * units
        return
    is_main = float(grid.net.trafo.vn_lv_kv[trafo]) > LOW_VOLTAGE_KV_MAX
    if upgrade.sn_kva is None or not is_main:
        raise InputError(
            "an upgrade needs a type, of a main transformer a rating",
            field="type_id",
            value=upgrade.element_id,
            allowed="a transformer type of the catalogue",
        )
    enlarge_main_transformer(grid.net, trafo, sn_kva=upgrade.sn_kva)
    grid.transformers.loc[trafo, "sn_kva"] = upgrade.sn_kva * float(grid.net.trafo.parallel[trafo])


def _upgrade_line(grid: Snapshot, upgrade: Upgrade, catalogue: Catalogue) -> None:
    line = _find(grid, "lines", upgrade)
    if upgrade.type_id is None:
        raise InputError(
            "an upgrade needs a type",
            field="type_id",
            value=upgrade.element_id,
            allowed="a line type of the catalogue",
        )
    before_a = _rating_a(grid, line)
    replace_line(grid.net, line, catalogue.get_line_type(upgrade.type_id), parallel=upgrade.parallel)
    grid.lines.loc[line, "type_id"] = upgrade.type_id
    heads = grid.feeders.index[(grid.feeders.head_line == line).fillna(False).astype(bool)]
    for feeder in heads:
        if np.isclose(float(grid.feeders.rating_a[feeder]), before_a, rtol=0.0, atol=_SAME_RATING_A):
            grid.feeders.loc[feeder, "rating_a"] = _rating_a(grid, line)


def _rating_a(grid: Snapshot, line: int) -> float:
    row = grid.net.line.loc[line]
    return float(row.max_i_ka) * float(row.df) * float(row.parallel) * 1e3


def _find(grid: Snapshot, frame: str, upgrade: Upgrade) -> int:
    table = getattr(grid, frame)
    found = table.index[table.element_id == upgrade.element_id]
    if len(found) != 1:
        raise InputError(
            "no such element" if not len(found) else "the identifier stands twice",
            field="element_id",
            value=upgrade.element_id,
            allowed=f"an identifier of the imported {frame}",
        )
    return int(found[0])
