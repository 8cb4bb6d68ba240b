"""A small made-up area with known counts, and the files of the shipped networks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from scheme.policy.loader import load_policy
from scheme.policy.parameter import PolicyView
from scheme.publication.cells import MapClasses, classify
from scheme.publication.document import Basis, write_publication
from scheme.publication.grid import CellGrid, GridSecret, Square
from scheme.publication.rows import TransformerRow
from scheme.publication.rules import MapRules, read_map_rules

KEY = bytes(range(32))
SECRET = GridSecret(key_hex=KEY.hex(), lon0_deg=115.0, lat0_deg=33.5, cell_side_m=1000.0, block_side_cells=4)
BASIS = Basis(snapshot_sha256="a" * 64, ledger_seq=7, ledger_sha256="b" * 64)
DAY = date(2026, 11, 20)


def view(day: date = DAY) -> PolicyView:
    """Return the county's rules."""
    return load_policy("shenqiu-2022", day)


@cache
def rules() -> MapRules:
    """Return the rules of its map."""
    return read_map_rules(view())


@cache
def grid() -> CellGrid:
    """Return the squares of the made-up area."""
    return CellGrid(SECRET)


def place_in(square: Square, east: float = 0.5, north: float = 0.5) -> tuple[float, float]:
    """Return longitude and latitude of a place in a square, by its shares of the side."""
    [corners] = grid().corners([square])
    weights = ((1 - east) * (1 - north), east * (1 - north), east * north, (1 - east) * north)
    lon_deg, lat_deg = (sum(w * corner[axis] for w, corner in zip(weights, corners, strict=True)) for axis in (0, 1))
    return lon_deg, lat_deg


def row(name: str, square: Square, open_kva: float | None, **facts: object) -> TransformerRow:
    """Return a transformer in the middle of a square."""
    lon_deg, lat_deg = place_in(square)
    plain = TransformerRow(
        element_id=name,
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        open_va=None if open_kva is None else round(open_kva * 1000),
        customers=40,
        is_restricted=None,
    )
    return replace(plain, **facts)  # type: ignore[arg-type]


def rows_of(counts: Mapping[Square, Sequence[float | None]]) -> list[TransformerRow]:
    """Return transformers by square and open capacity (kVA)."""
    return [row(f"T{c}.{r}.{n}", (c, r), kva) for (c, r), values in counts.items() for n, kva in enumerate(values)]


def classes_of(
    rows: Sequence[TransformerRow], previous: Mapping[str, int] | None = None, at: CellGrid | None = None
) -> MapClasses:
    """Return what may be published."""
    return classify(rows, at or grid(), rules(), previous=previous or {})


def file_of(rows: Sequence[TransformerRow], previous: Mapping[str, int] | None = None) -> bytes:
    """Return the file of transformers of the made-up area."""
    return write_publication(
        classes_of(rows, previous), grid(), rules(), publication_id="pub_1", data_month="2026-11", basis=BASIS
    )


@dataclass(frozen=True, kw_only=True)
class Network:
    """Transformers of a whole network and the squares over them."""

    rows: tuple[TransformerRow, ...]
    grid: CellGrid


@cache
def county() -> Network:
    """Return the reference county's transformers, their open capacity drawn at random: places are what matters."""
    from scheme.publication.grid import found_grid
    from scheme.publication.rows import UTILITY_ROLES
    from tests.county.build import load_county

    snapshot = load_county()
    found = snapshot.transformers[snapshot.transformers.role.isin(UTILITY_ROLES)]
    boards = snapshot.net.trafo.lv_bus.loc[found.index]
    lon_deg, lat_deg = (snapshot.nodes[name].loc[boards].to_numpy(dtype=float) for name in ("lon_deg", "lat_deg"))
    random = np.random.default_rng(20261120)
    open_kva = np.round(random.lognormal(math.log(60.0), 0.6, len(found)))
    rows = tuple(
        TransformerRow(
            element_id=str(name), lon_deg=x, lat_deg=y, open_va=int(kva) * 1000, customers=40, is_restricted=None
        )
        for name, x, y, kva in zip(found.element_id, lon_deg.tolist(), lat_deg.tolist(), open_kva, strict=True)
    )
    secret = found_grid(lon_deg, lat_deg, key=KEY, cell_side_m=1000.0, block_side_cells=4)
    return Network(rows=rows, grid=CellGrid(secret))


def write_public_policy(folder: Path, audience: str = "public") -> Path:
    """Write a utility's own policy folder that shows the map to somebody."""
    (folder / "disclosure").mkdir(parents=True, exist_ok=True)
    (folder / "profile.yaml").write_text("id: our-county\ntitle: 本县\ninherits: shenqiu-2022\n", encoding="utf-8")
    (folder / "disclosure" / "map_audience.yaml").write_text(
        "id: disclosure.map_audience\nvalues:\n  - profile: our-county\n    effective_from: 2024-01-01\n"
        f"    value: {audience}\n    source: {{document: 本单位信息公开审批单, clause: 第一条}}\n",
        encoding="utf-8",
    )
    return folder
