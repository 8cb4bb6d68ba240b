"""The physical audit (潮流稽核): with everything promised connected, nothing breaks that the imported grid kept.

Every island with a live hold is solved twice by plain pandapower, without and with the holds; nothing of what admitted
them is used, neither certificates nor kept studies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gridmodel.capacity.limits import Limits
from gridmodel.capacity.violations import Violation, new_violations
from gridmodel.errors import ConvergenceError
from gridmodel.in_flight import Commitment, with_commitments
from gridmodel.islands import Islands
from gridmodel.net import Net, run_load_flow
from gridmodel.snapshot import Snapshot
from gridmodel.trial_net import add_in_flight

_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class NewViolation:
    """A limit that the holds break."""

    kind: str
    """As in :class:`gridmodel.capacity.violations.Violation`, or ``convergence``: no solution with the holds."""
    element_id: str
    value: float | None
    limit: float | None
    commitment_ids: tuple[str, ...]
    """The holds of the island."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhysicsAudit:
    """What plain load flows showed."""

    islands_checked: int
    commitments_checked: int
    islands_without_base: tuple[str, ...]
    """Nodes of islands that have no solution even without the holds: nothing can be said of them."""
    violations: tuple[NewViolation, ...]
    unplaced: tuple[str, ...] = ()
    """Holds on the orphan list, which are connected nowhere."""

    @property
    def is_clean(self) -> bool:
        """Whether every hold was connected and nothing new broke."""
        return not (self.violations or self.islands_without_base or self.unplaced)

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {"is_clean": self.is_clean, **asdict(self)}


def audit_physics(
    imported: Snapshot,
    commitments: Sequence[Commitment],
    *,
    limits: Limits,
    in_flight_coincidence_ratio: float,
    unplaced: tuple[str, ...] = (),
) -> PhysicsAudit:
    """Return which limits the live holds break that the imported grid keeps.

    Args:
        imported: The current snapshot with the imported commitments in force.
        commitments: The live holds, one for each source point.
        limits: Operating limits.
        in_flight_coincidence_ratio: Share of a commitment that is load at the peak.
        unplaced: Holds that stand at no node.
    """
    islands = Islands(imported.net)
    by_island: dict[int, list[Commitment]] = defaultdict(list)
    for commitment in commitments:
        by_island[islands.label(commitment.bus)].append(commitment)
    violations: list[NewViolation] = []
    without_base: list[str] = []
    for label in sorted(by_island):
        own = by_island[label]
        before, after = islands.cut(label), islands.cut(label)
        add_in_flight(before, imported, in_flight_coincidence_ratio)
        add_in_flight(after, with_commitments(imported, own), in_flight_coincidence_ratio)
        if not _is_solved(before):
            without_base.append(str(imported.nodes.element_id[own[0].bus]))
            continue
        ids = tuple(commitment.commitment_id for commitment in own)
        if not _is_solved(after):
            violations.append(
                NewViolation(kind="convergence", element_id="", value=None, limit=None, commitment_ids=ids)
            )
            continue
        violations += [_named(violation, imported, ids) for violation in new_violations(before, after, limits=limits)]
    return PhysicsAudit(
        islands_checked=len(by_island),
        commitments_checked=len(commitments),
        islands_without_base=tuple(without_base),
        violations=tuple(violations),
        unplaced=unplaced,
    )


def _is_solved(net: Net) -> bool:
    try:
        run_load_flow(net)
    except ConvergenceError:
        return False
    return True


def _named(violation: Violation, snapshot: Snapshot, commitment_ids: tuple[str, ...]) -> NewViolation:
    frames = {"bus": snapshot.nodes, "line": snapshot.lines, "trafo": snapshot.transformers}
    frame = frames.get(violation.table)
    is_known = frame is not None and violation.element in frame.index
    return NewViolation(
        kind=violation.kind,
        element_id=str(frame.element_id[violation.element])
        if frame is not None and is_known
        else f"{violation.table}:{violation.element}",
        value=round(violation.value, _DIGITS),
        limit=round(violation.limit, _DIGITS),
        commitment_ids=commitment_ids,
    )
