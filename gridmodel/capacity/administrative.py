"""Administrative capacity (管理口径可开放容量): the utility's own formula, checked by hand at three levels.

At each level the capacity is ``ratio * rating - measured maximum - in-flight (在途) capacity``: the transformer area
(台区, low-voltage nodes only), the feeder (馈线), the main transformer (主变).
See ``decisions/0003-three-numbers-per-node.md``.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gridmodel.snapshot import Snapshot
from gridmodel.topology import LOW_VOLTAGE_KV_MAX, SupplyPath

_KVA_PER_MVA = 1e3


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
class _Level:
    key: tuple[str, object]
    element_id: str
    gross_kva: float
    missing: str


class AdministrativeFormula:
    """The formula over one snapshot."""

    def __init__(self, snapshot: Snapshot, loading: AdministrativeLimits, *, coincidence_ratio: float) -> None:
        """Keep the frames; call :meth:`book` for every commitment before asking for values."""
        self._snapshot, self._loading, self._coincidence_ratio = snapshot, loading, coincidence_ratio
        self._booked_kva: dict[tuple[str, object], float] = defaultdict(float)

    def book(self, path: SupplyPath, capacity_kva: float) -> None:
        """Count an in-flight commitment at every level above its node."""
        for level in self._levels(path):
            self._booked_kva[level.key] += capacity_kva * self._coincidence_ratio

    def capacity(self, path: SupplyPath) -> AdministrativeCapacity:
        """Return the capacity of the node at the lower end of ``path``."""
        levels = self._levels(path)
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

    def _levels(self, path: SupplyPath) -> list[_Level]:
        net = self._snapshot.net
        mains = [t for t in path.trafos if net.trafo.vn_lv_kv.at[t] > LOW_VOLTAGE_KV_MAX]
        levels = []
        if net.bus.vn_kv.at[path.bus] <= LOW_VOLTAGE_KV_MAX:
            area = [t for t in path.trafos if t not in mains]
            levels.append(self._transformer_level("transformer", area, self._loading.transformer_ratio))
        feeder_id = self._snapshot.nodes.feeder_id.get(path.bus)
        if isinstance(feeder_id, str):
            levels.append(self._feeder_level(feeder_id))
        if mains or levels:
            levels.append(self._transformer_level("main transformer", mains, self._loading.main_transformer_ratio))
        return levels

    def _transformer_level(self, name: str, trafos: Iterable[int], ratio: float) -> _Level:
        """Transformers feeding in parallel count together."""
        trafos = tuple(sorted(trafos))
        frame = self._snapshot.transformers
        if not trafos or any(t not in frame.index for t in trafos):
            return _Level((name, trafos), "", math.nan, f"{name} not known")
        rows = frame.loc[list(trafos)]
        rating_kva, measured_kva = rows.sn_kva.sum(skipna=False), rows.measured_max_kva.sum(skipna=False)
        element_id = " ".join(str(i) for i in rows.element_id)
        gross_kva = float(ratio * rating_kva - measured_kva)
        missing = f"measured maximum or rating of {name} {element_id} missing" if math.isnan(gross_kva) else ""
        return _Level((name, trafos), element_id, gross_kva, missing)

    def _feeder_level(self, feeder_id: str) -> _Level:
        feeders, lines = self._snapshot.feeders, self._snapshot.lines
        if feeder_id not in feeders.index:
            return _Level(("feeder", feeder_id), feeder_id, math.nan, f"feeder {feeder_id} not known")
        row = feeders.loc[feeder_id]
        head = lines.u_nominal_kv[lines.index == row.head_line]
        u_kv = float(head.iloc[0]) if len(head) else math.nan
        gross_kva = float(math.sqrt(3.0) * u_kv * (self._loading.feeder_ratio * row.rating_a - row.measured_max_a))
        missing = f"measured maximum or rating of feeder {feeder_id} missing" if math.isnan(gross_kva) else ""
        return _Level(("feeder", feeder_id), feeder_id, gross_kva, missing)
