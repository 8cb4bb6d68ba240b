"""Administrative capacity (管理口径可开放容量): the utility's own formula, checked by hand at three levels.

At each level the capacity is ``ratio * rating - measured maximum - in-flight (在途) capacity``: the transformer area
(台区, low-voltage nodes only), the feeder (馈线), the main transformer (主变).
See ``decisions/0003-three-numbers-per-node.md``.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from gridmodel.capacity.upstream import Above
from gridmodel.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministrativeLimits:
    """Share of the rating that may be used at each level."""

    transformer_ratio: float
    feeder_ratio: float
    main_transformer_ratio: float

    def __post_init__(self) -> None:
        for name in ("transformer_ratio", "feeder_ratio", "main_transformer_ratio"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be > 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministrativeCapacity:
    """Administrative capacity of one node (kVA); NaN where a level that must be there cannot be computed."""

    gross_kva: float
    """Without in-flight commitments."""
    net_kva: float
    """With them taken off."""
    element_id: str | None
    """Element of the level that gives the net value."""
    reason: str
    """Why the value is not known; empty when it is."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands in the formula."""

    is_low_voltage: bool
    feeder_id: str | None
    above: Above


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCapacity:
    """Administrative capacity at one level above a node (kVA); NaN where it is not known."""

    kind: str
    """``transformer`` | ``feeder`` | ``main transformer``."""
    element_ids: tuple[str, ...]
    """Transformers that feed in parallel count together; empty where the level has no element."""
    gross_kva: float
    """Without in-flight commitments."""
    net_kva: float
    """With them taken off."""


@dataclass(frozen=True, slots=True)
class _Level:
    key: tuple[str, object]
    element_ids: tuple[str, ...]
    gross_kva: float
    missing: str

    @property
    def element_id(self) -> str:
        return " ".join(self.element_ids)


class AdministrativeFormula:
    """The formula over one snapshot; every level is worked out once."""

    def __init__(self, snapshot: Snapshot, loading: AdministrativeLimits, *, coincidence_ratio: float) -> None:
        """Keep what the levels need; call :meth:`book` for every commitment before asking for values."""
        self._loading, self._coincidence_ratio = loading, coincidence_ratio
        transformers, feeders = snapshot.transformers, snapshot.feeders
        self._transformers = {
            int(index): (str(element_id), float(sn_kva), float(measured_kva))
            for index, element_id, sn_kva, measured_kva in zip(
                transformers.index,
                transformers.element_id,
                transformers.sn_kva,
                transformers.measured_max_kva,
                strict=True,
            )
        }
        u_of_line = dict(zip(snapshot.lines.index, snapshot.lines.u_nominal_kv, strict=True))
        self._feeders = {
            feeder_id: (float(u_of_line.get(head_line, math.nan)), float(rating_a), float(measured_a))
            for feeder_id, head_line, rating_a, measured_a in zip(
                feeders.index, feeders.head_line, feeders.rating_a, feeders.measured_max_a, strict=True
            )
        }
        self._levels: dict[tuple[str, object], _Level] = {}
        self._booked_kva: dict[tuple[str, object], float] = defaultdict(float)

    def book(self, place: Place, capacity_kva: float) -> None:
        """Count an in-flight commitment at every level above its node."""
        for level in self._levels_of(place):
            self._booked_kva[level.key] += capacity_kva * self._coincidence_ratio

    def capacity(self, place: Place) -> AdministrativeCapacity:
        """Return the capacity of a node."""
        levels = self._levels_of(place)
        missing = [level.missing for level in levels if level.missing]
        if not levels or missing:
            reason = "; ".join(missing) or "no level of the formula above this node"
            return AdministrativeCapacity(gross_kva=math.nan, net_kva=math.nan, element_id=None, reason=reason)
        binding = min(levels, key=lambda level: level.gross_kva - self._booked_kva[level.key])
        return AdministrativeCapacity(
            gross_kva=min(level.gross_kva for level in levels),
            net_kva=binding.gross_kva - self._booked_kva[binding.key],
            element_id=binding.element_id,
            reason="",
        )

    def levels(self, place: Place) -> list[LevelCapacity]:
        """Return every level above a node, from the node up."""
        return [
            LevelCapacity(
                kind=level.key[0],
                element_ids=level.element_ids,
                gross_kva=level.gross_kva,
                net_kva=level.gross_kva - self._booked_kva[level.key],
            )
            for level in self._levels_of(place)
        ]

    def _levels_of(self, place: Place) -> list[_Level]:
        asked: list[tuple[str, object]] = []
        if place.is_low_voltage:
            asked.append(("transformer", place.above.area))
        if place.feeder_id is not None:
            asked.append(("feeder", place.feeder_id))
        if place.above.mains or asked:
            asked.append(("main transformer", place.above.mains))
        return [self._level(key) for key in asked]

    def _level(self, key: tuple[str, object]) -> _Level:
        if key not in self._levels:
            self._levels[key] = self._feeder_level(key) if key[0] == "feeder" else self._transformer_level(key)
        return self._levels[key]

    def _transformer_level(self, key: tuple[str, Any]) -> _Level:
        """Transformers feeding in parallel count together."""
        name, trafos = key
        ratio = self._loading.transformer_ratio if name == "transformer" else self._loading.main_transformer_ratio
        if not trafos or any(t not in self._transformers for t in trafos):
            return _Level(key, (), math.nan, f"{name} not known")
        ids, ratings_kva, measured_kva = zip(*(self._transformers[t] for t in trafos), strict=True)
        gross_kva = ratio * sum(ratings_kva) - sum(measured_kva)
        missing = f"measured maximum or rating of {name} {' '.join(ids)} missing" if math.isnan(gross_kva) else ""
        return _Level(key, ids, gross_kva, missing)

    def _feeder_level(self, key: tuple[str, Any]) -> _Level:
        _, feeder_id = key
        if feeder_id not in self._feeders:
            return _Level(key, (feeder_id,), math.nan, f"feeder {feeder_id} not known")
        u_kv, rating_a, measured_a = self._feeders[feeder_id]
        gross_kva = math.sqrt(3.0) * u_kv * (self._loading.feeder_ratio * rating_a - measured_a)
        missing = f"measured maximum or rating of feeder {feeder_id} missing" if math.isnan(gross_kva) else ""
        return _Level(key, (feeder_id,), gross_kva, missing)
