"""What of the grid must not stand in anything public: every identifier, name and place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gridmodel.snapshot import Snapshot

TOLERANCE_DEG = 1e-4
"""About ten metres: nearer than this, a place of the grid is given away."""
_FRAMES = ("nodes", "lines", "transformers", "feeders", "in_flight", "corridors", "obstacles")
_COLUMNS = (
    "node_id",
    "source_id",
    "element_id",
    "name",
    "feeder_id",
    "substation_id",
    "area_id",
    "commitment_id",
)


@dataclass(frozen=True, kw_only=True)
class GridSecrets:
    """Texts and places to look for."""

    texts: frozenset[str]
    lon_deg: NDArray[np.float64]
    lat_deg: NDArray[np.float64]
    """Same length: one place of the grid each."""

    def find_text(self, text: str) -> str | None:
        """Return a text of the grid that stands in ``text``; single characters count only as the whole of it."""
        if text in self.texts:
            return text
        return next((secret for secret in sorted(self.texts) if len(secret) > 1 and secret in text), None)

    def has_place(self, lon_deg: float, lat_deg: float) -> bool:
        """Return whether something of the grid stands at this place."""
        near = (np.abs(self.lon_deg - lon_deg) <= TOLERANCE_DEG) & (np.abs(self.lat_deg - lat_deg) <= TOLERANCE_DEG)
        return bool(near.any())

    def has_ordinate(self, number: float) -> bool:
        """Return whether a number alone is the longitude or latitude of something of the grid."""
        return any(bool((np.abs(values - number) <= TOLERANCE_DEG).any()) for values in (self.lon_deg, self.lat_deg))


def collect_secrets(snapshot: Snapshot, *, further: Iterable[str] = ()) -> GridSecrets:
    """Return what a publication made from this snapshot must not hold.

    Args:
        snapshot: The frozen snapshot.
        further: Texts of the ledger: identifiers of holds, requests, applicants.
    """
    texts = {str(text) for text in further}
    for frame in _frames(snapshot):
        texts |= {str(index) for index in frame.index if isinstance(index, str)}
        for name in _COLUMNS:
            if name in frame:
                texts |= {str(value) for value in frame[name].dropna().unique()}
    lon_deg, lat_deg = _places(snapshot)
    return GridSecrets(texts=frozenset(texts - {"", "None"}), lon_deg=lon_deg, lat_deg=lat_deg)


def _frames(snapshot: Snapshot) -> Iterable[pd.DataFrame]:
    found = (getattr(snapshot, name) for name in _FRAMES)
    return (frame for frame in found if frame is not None)


def _places(snapshot: Snapshot) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the nodes' places and the bends of the lines."""
    nodes = snapshot.nodes[["lon_deg", "lat_deg"]].to_numpy(dtype=float)
    bends = [place[:2] for text in _line_texts(snapshot) for place in json.loads(text)["coordinates"]]
    places = np.vstack([nodes, np.array(bends, dtype=float).reshape(-1, 2)])
    known = places[np.isfinite(places).all(axis=1)]
    return known[:, 0], known[:, 1]


def _line_texts(snapshot: Snapshot) -> list[str]:
    lines = snapshot.net.line
    return [text for text in lines["geo"] if isinstance(text, str)] if "geo" in lines else []
