"""Build the county as a snapshot, or read it from the cache.

A cached file is named after everything the county is made of, so a stale one is never read.
"""

from __future__ import annotations

import hashlib
import os
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.findings import TableCount
from gridmodel.net import build_net
from gridmodel.readers.pandapower_frames import empty_in_flight
from gridmodel.snapshot import Snapshot, seal, unseal
from tests.county.choices import CHOICES, read_choices
from tests.county.element_tables import Offsets, element_tables
from tests.county.frames import frames
from tests.county.grid import design_grid
from tests.county.naming import name_elements
from tests.county.points import SOURCE


def build_county(with_lv: bool = False, counties: int = 1, *, number: int = 0) -> Snapshot:
    """Return the county as a snapshot, not sealed.

    Args:
        with_lv: With a low-voltage tree of 11 nodes behind every transformer.
        counties: So many copies side by side, every one with its own numbers, identifiers and place.
        number: Of the first of them.
    """
    choices = read_choices()
    grid = design_grid(choices, with_lv=with_lv)
    first, parts, described = Offsets(), [], []
    for county in range(number, number + counties):
        names = name_elements(grid, county)
        parts.append(element_tables(grid, names, first))
        described.append(frames(grid, names, parts[-1], first, county))
        first = first.after(parts[-1])
    tables, frame = _stacked(parts), _stacked(described)
    return Snapshot(
        net=build_net(tables, name=choices["name"]),
        nodes=frame["nodes"],
        lines=frame["lines"],
        transformers=frame["transformers"],
        feeders=frame["feeders"],
        in_flight=empty_in_flight(),
        findings=(),
        counts=tuple(
            TableCount(table=name, read=len(table), accepted=len(table), quarantined=0, merged=0)
            for name, table in tables.items()
        ),
        source_name=choices["name"],
        source_format="pandapower",
    )


def load_county(with_lv: bool = False, counties: int = 1, *, folder: Path | None = None) -> Snapshot:
    """Return the county, sealed; from the cache ``folder`` (default: the user's) where it has been built before."""
    path = cache_file(folder or cache_folder(), with_lv=with_lv, counties=counties)
    if path.exists():
        return unseal(path.read_bytes())
    sealed, _ = write_county(path, with_lv=with_lv, counties=counties)
    return sealed


def write_county(path: Path, *, with_lv: bool, counties: int) -> tuple[Snapshot, int]:
    """Build the county and write its sealed bytes; return the sealed snapshot and the size of the file (bytes)."""
    sealed, blob = seal(build_county(with_lv, counties))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(blob)
    part.replace(path)
    return sealed, len(blob)


def cache_folder() -> Path:
    """Return the user's cache folder for counties."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gridscheme" / "county"


def cache_file(folder: Path, *, with_lv: bool, counties: int) -> Path:
    """Return where a county of this kind is kept."""
    return folder / f"county-{'lv' if with_lv else 'mv'}-{counties}-{_inputs_sha256()[:16]}.snapshot.gz"


def _inputs_sha256() -> str:
    """Return the digest of all a county is made of: points, choices, this package, catalogue, libraries."""
    package = Path(__file__).parent
    code = sorted(path for path in package.glob("*.py") if not path.name.startswith("test_"))
    digest = hashlib.sha256(load_catalogue().sha256.encode())
    for path in (SOURCE, CHOICES, *code):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for library in ("numpy", "scipy", "pandas", "pyproj", "pandapower"):
        digest.update(f"{library} {version(library)}\0".encode())
    return digest.hexdigest()


def _stacked(parts: list[dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    if len(parts) == 1:
        return parts[0]
    return {name: pd.concat([part[name] for part in parts]) for name in parts[0]}
