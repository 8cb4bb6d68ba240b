"""A grid packed for other processes and machines: plain data under the digest of its content.

A net is never pickled.
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from weakref import WeakKeyDictionary

import pandas as pd

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.errors import SnapshotFormatError
from gridmodel.snapshot import seal, unseal
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.errors import WorkersDifferError
from scheme.policy.loader import load_policy

FORMAT = "gridscheme-assessed-grid/1"

_COLUMNS = ["open_kva", "limit_kind", "limit_element_id"]
"""What the search reads of the capacity table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridContent:
    """What makes a grid the one it is, and its two large parts."""

    head: Mapping[str, str]
    """Digests of snapshot (with commitments and upgrades), capacity table, rules and catalogue; profile and date."""
    snapshot: bytes
    """As :func:`gridmodel.snapshot.seal` writes it."""
    capacity: bytes
    """Parquet."""

    @property
    def grid_id(self) -> str:
        """Digest of the head, and so of everything a result depends on but the task and the software."""
        return hashlib.sha256(canonical_json(self.head)).hexdigest()


_CONTENTS: WeakKeyDictionary[AssessedGrid, GridContent] = WeakKeyDictionary()
"""Sealing a county takes a second; a grid does not change."""


def content_of(grid: AssessedGrid) -> GridContent:
    """Return what makes a grid the one it is."""
    if grid not in _CONTENTS:
        sealed, snapshot = seal(grid.snapshot)
        capacity = io.BytesIO()
        grid.capacity[_COLUMNS].to_parquet(capacity)
        head = {
            "format": FORMAT,
            "snapshot_sha256": sealed.sha256,
            "capacity_sha256": hashlib.sha256(capacity.getvalue()).hexdigest(),
            "policy_sha256": grid.policy.sha256,
            "catalogue_sha256": grid.catalogue.sha256,
            "profile": grid.policy.profile,
            "as_of": grid.policy.as_of.isoformat(),
        }
        _CONTENTS[grid] = GridContent(head=head, snapshot=snapshot, capacity=capacity.getvalue())
    return _CONTENTS[grid]


def pack(content: GridContent, *, policy_folder: Path | None = None) -> bytes:
    """Return a file from which :func:`unpack` builds the grid again.

    Args:
        content: The grid.
        policy_folder: The utility's own rules, where it has any; they travel as text.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        parts = {"head.json": canonical_json(content.head), "snapshot": content.snapshot, "capacity": content.capacity}
        if policy_folder is not None:
            for path in sorted(Path(policy_folder).rglob("*.y*ml")):
                parts[f"policy/{path.relative_to(policy_folder).as_posix()}"] = path.read_bytes()
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return packed.getvalue()


def unpack(packed: bytes, *, grid_id: str) -> AssessedGrid:
    """Return the grid of a packed file.

    Raises:
        SnapshotFormatError: The file is damaged or another grid's.
        WorkersDifferError: Rules or catalogue here are not those of the grid.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        head = json.loads(parts["head.json"])
        capacity = parts["capacity"]
        found = hashlib.sha256(parts["head.json"]).hexdigest(), hashlib.sha256(capacity).hexdigest()
        expected = grid_id, head["capacity_sha256"]
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise SnapshotFormatError("the grid of the run cannot be read", grid_id=grid_id) from error
    if found != expected or head["format"] != FORMAT:
        raise SnapshotFormatError("the grid of the run does not match its digest", grid_id=grid_id)
    with tempfile.TemporaryDirectory(prefix="assessment-policy-") as folder:
        own = _write_policy(parts, Path(folder))
        policy = load_policy(head["profile"], date.fromisoformat(head["as_of"]), folder=own)
    catalogue = load_catalogue()
    for what, here, wanted in (
        ("rules", policy.sha256, head["policy_sha256"]),
        ("catalogue", catalogue.sha256, head["catalogue_sha256"]),
    ):
        if here != wanted:
            raise WorkersDifferError(f"this process has another {what}", found=here, expected=wanted)
    snapshot = unseal(parts["snapshot"], sha256=head["snapshot_sha256"])
    return AssessedGrid(snapshot, policy, catalogue, capacity=pd.read_parquet(io.BytesIO(capacity)))


def canonical_json(value: object) -> bytes:
    """Return the one form of plain values that digests are taken of."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _write_policy(parts: Mapping[str, bytes], folder: Path) -> Path | None:
    names = [name for name in parts if name.startswith("policy/")]
    for name in names:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise SnapshotFormatError("the grid of the run names a file outside its folder", name=name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(parts[name])
    return folder / "policy" if names else None
