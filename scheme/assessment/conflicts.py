"""Projects that cannot all be served: per transformer, feeder and main transformer (同一设备上的竞争项目)."""

from __future__ import annotations

from collections.abc import Sequence

from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.elements import Element, name_of
from scheme.assessment.loads import load_of
from scheme.assessment.records import Conflict, ProjectResult

_DIGITS = 3


def find_conflicts(results: Sequence[ProjectResult], grid: AssessedGrid) -> tuple[Conflict, ...]:
    """Return the conflicts, ordered by kind and identifier of the element.

    An element is in conflict where it limits a project that it carries alone and that is served less in the queue,
    because others came before; where nobody knows which element that is, every one of its best point's.
    """
    refused: dict[Element, list[ProjectResult]] = {}
    for result in results:
        for element in sorted(_lost_at(result)):
            refused.setdefault(element, []).append(result)
    return tuple(_conflict(element, refused[element], results, grid) for element in sorted(refused))


def _lost_at(result: ProjectResult) -> set[Element]:
    alone, queue = result.alone, result.queue
    if alone.verdict != "yes" or queue.verdict == "yes" or alone.placement is None:
        return set()
    if queue.limiter is not None and queue.limiter.contested is not None:
        return {queue.limiter.contested}
    return set(alone.placement.elements)


def _conflict(
    element: Element, refused: Sequence[ProjectResult], results: Sequence[ProjectResult], grid: AssessedGrid
) -> Conflict:
    lost = {result.project_id for result in refused}
    served = [
        result
        for result in results
        if result.project_id not in lost
        and result.queue.placement is not None
        and element in result.queue.placement.elements
    ]
    load = load_of(element, grid)
    open_kva = None if load is None else max(load.limit_kva - load.apparent_kva(), 0.0)
    asked_kva = sum((result.queue.asked_kva or 0.0) for result in refused)
    asked_kva += sum((result.queue.now_kva or 0.0) for result in served)
    return Conflict(
        element_kind=element[0],
        element_id=element[1],
        name=name_of(grid.snapshot, element),
        served=tuple(result.project_id for result in served),
        refused=tuple(result.project_id for result in refused),
        asked_kva=round(asked_kva, _DIGITS),
        open_kva=None if open_kva is None else round(open_kva, _DIGITS),
    )
