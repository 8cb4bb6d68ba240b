"""Groups of islands that projects couple: what one group decides does not depend on any other."""

from __future__ import annotations

from collections.abc import Mapping


def group_islands(reach: Mapping[str, frozenset[int]]) -> dict[str, int]:
    """Return the number of the group of each project, from 1 on; projects whose islands touch are in one group.

    Args:
        reach: Islands of each project. A project without any is a group by itself.

    Returns:
        The same numbers whatever the order of ``reach``: groups are counted by their smallest island, those without an
        island come last, by the project's id.
    """
    root: dict[int, int] = {}

    def find(island: int) -> int:
        while root.setdefault(island, island) != island:
            root[island] = root[root[island]]
            island = root[island]
        return island

    for islands in reach.values():
        for island in islands:
            one, other = sorted((find(min(islands)), find(island)))
            root[other] = one
    keys: dict[str, tuple[int, int, str]] = {
        project_id: (0, find(min(islands)), "") if islands else (1, 0, project_id)
        for project_id, islands in reach.items()
    }
    numbers = {key: number for number, key in enumerate(sorted(set(keys.values())), start=1)}
    return {project_id: numbers[key] for project_id, key in keys.items()}
