"""Where a promised point stands on the grid of today, and at which node the ledger counts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gridmodel.snapshot import Snapshot
from scheme.admission.errors import NotIssuableError
from scheme.admission.promise import TEE, PromisedSource
from scheme.points import find_tee_fraction

_SAME_PLACE_M = 1.0
"""A tee was put on the line's own course; farther from it the line is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one source point connects; exactly one of ``bus`` and ``line`` is given."""

    bus: int | None
    line: int | None
    fraction_along: float | None
    node: int
    """Bus the commitment stands at for everybody else: of a tee the end fed through the line, which carries no less."""
    node_element_id: str


def find_place(source: PromisedSource, snapshot: Snapshot, *, find_fed_end: Callable[[int], int]) -> Place:
    """Return the place of a source point.

    Args:
        source: The point.
        snapshot: The grid of today.
        find_fed_end: Returns the end of a line that is fed through it.

    Raises:
        NotIssuableError: The point does not exist any more, or nobody can say what it carries.
    """
    if source.point_kind == TEE:
        line, fraction = _find_tee(source, snapshot)
        node = find_fed_end(line)
        return Place(
            bus=None,
            line=line,
            fraction_along=fraction,
            node=node,
            node_element_id=str(snapshot.nodes.element_id[node]),
        )
    nodes = snapshot.nodes
    found = nodes.index[nodes.element_id == source.element_id]
    if len(found) != 1 or float(nodes.u_nominal_kv[found[0]]) != source.u_nominal_kv:
        raise _gone(source)
    bus = int(found[0])
    _check_node(snapshot, bus, source)
    return Place(bus=bus, line=None, fraction_along=None, node=bus, node_element_id=source.element_id)


def _find_tee(source: PromisedSource, snapshot: Snapshot) -> tuple[int, float]:
    lines = snapshot.lines
    found = lines.index[lines.element_id == source.element_id]
    if len(found) != 1 or float(lines.u_nominal_kv[found[0]]) != source.u_nominal_kv:
        raise _gone(source)
    line = int(found[0])
    fraction = find_tee_fraction(
        snapshot, line, lon_deg=source.lon_deg, lat_deg=source.lat_deg, distance_max_m=_SAME_PLACE_M
    )
    if fraction is None or not 0.0 < fraction < 1.0 or not bool(snapshot.net.line.in_service[line]):
        raise _gone(source)
    for end in ("from_bus", "to_bus"):
        _check_node(snapshot, int(snapshot.net.line.at[line, end]), source)
    return line, fraction


def _check_node(snapshot: Snapshot, bus: int, source: PromisedSource) -> None:
    if snapshot.nodes.status[bus] == "not_assessable" or not bool(snapshot.net.bus.in_service[bus]):
        raise NotIssuableError(
            "the connection point cannot be assessed on the grid of today",
            source_no=source.source_no,
            element_id=source.element_id,
        )


def _gone(source: PromisedSource) -> NotIssuableError:
    return NotIssuableError(
        "the connection point does not exist on the grid of today",
        source_no=source.source_no,
        element_id=source.element_id,
    )
