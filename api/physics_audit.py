"""The physical audit of a store (潮流稽核) and how it is told; see :mod:`scheme.admission.physics`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.services import Services
    from scheme.admission.physics import PhysicsAudit


def audit_store(services: Services) -> PhysicsAudit:
    """Return what plain load flows of the current grid with all live holds show.

    Raises:
        NoSnapshotError: Nothing has been imported.
    """
    from scheme.admission.physics import audit_physics
    from scheme.limits import operating_limits

    live, policy = services.get_live(), services.load_policy()
    return audit_physics(
        live.imported,
        live.commitments,
        limits=operating_limits(policy),
        in_flight_coincidence_ratio=policy.number("capacity.in_flight_coincidence_ratio"),
        unplaced=live.unplaced,
    )


def physics_text(audit: PhysicsAudit) -> str:
    """Return what the audit found, for people."""
    verdict = "成立" if audit.is_clean else "不成立"
    lines = [f"潮流稽核 {verdict}:电气岛 {audit.islands_checked} 个,占用 {audit.commitments_checked} 处,接入后新增越限 "
             f"{len(audit.violations)} 处"]  # fmt: skip
    for found in audit.violations:
        value = "无解" if found.value is None else f"{found.value:.4f}(限值 {found.limit:.4f})"
        lines.append(f"  {found.element_id or '—'}  {found.kind}  {value}")
    lines += [f"  {node}  未计占用时即无解,无法稽核" for node in audit.islands_without_base]
    lines += [f"  {hold_id}  现行断面无处可接" for hold_id in audit.unplaced]
    return "\n".join(lines) + "\n"
