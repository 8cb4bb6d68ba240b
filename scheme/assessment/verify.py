"""All connections an assessment says yes to, built at once with their lines: do they together break a limit?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridmodel.catalogue.loader import Catalogue
from gridmodel.grown_net import Customer, GrownNet, JointViolation
from gridmodel.snapshot import Snapshot
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.grid_state import placed_of, trial_of_placed
from scheme.assessment.records import Assessment
from scheme.assessment.scenario import Scenario, with_upgrades
from scheme.policy.parameter import PolicyView


@dataclass(frozen=True, slots=True, kw_only=True)
class TogetherCheck:
    """What one plain load flow of every island shows."""

    projects_checked: int
    islands_checked: int
    violations: tuple[tuple[str, JointViolation], ...]
    """Limits that the grid alone keeps, with a node of their island."""

    @property
    def holds(self) -> bool:
        """Whether nothing breaks."""
        return not self.violations


def verify_together(
    assessment: Assessment,
    snapshot: Snapshot,
    *,
    policy: PolicyView,
    catalogue: Catalogue,
    scenario: Scenario | None = None,
    with_parts: bool = True,
) -> TogetherCheck:
    """Return what breaks when every project placed in the queue is connected, each island solved once, from flat.

    Nothing of what admitted the projects is used, neither commitments nor kept base cases.

    Args:
        assessment: Its placements.
        snapshot: The grid assessed, before upgrades.
        policy: Limits and coincidence.
        catalogue: Line types.
        scenario: That of the assessment.
        with_parts: Whether parts (先接入部分) are connected beside full demands.
    """
    upgrades = () if scenario is None else scenario.upgrades
    grid = AssessedGrid(with_upgrades(snapshot, upgrades, catalogue), policy.fresh(), catalogue, capacity=None)
    grown = GrownNet(grid.snapshot, in_flight_coincidence_ratio=grid.ratio)
    placed = _placed(assessment, grid, ("yes", "partly") if with_parts else ("yes",))
    for customer in placed:
        grown.connect(customer)
    found = grown.find_violations_now(limits=grid.limits)
    return TogetherCheck(
        projects_checked=len(placed),
        islands_checked=grown.islands_count,
        violations=tuple((node, violation) for node in sorted(found) for violation in found[node]),
    )


def _placed(assessment: Assessment, grid: AssessedGrid, verdicts: Sequence[str]) -> list[Customer]:
    return [
        Customer(
            customer_id=result.project_id,
            trial=trial_of_placed(placed_of(result.project_id, result.queue.placement), grid),
        )
        for result in assessment.projects
        if result.queue.placement is not None and result.queue.verdict in verdicts
    ]
