"""Where live holds stand after the network changed (电网变更后的占用): each on exactly one path, or on the orphan list.

No database here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from gridmodel.errors import InputError, NotFoundError
from scheme.ledger.movements import HoldChange
from scheme.ledger.records import Hold, HoldSource, HoldSourceKey, leaf_to_root


def map_holds(
    live: Sequence[Hold],
    mapping: Mapping[HoldSourceKey, tuple[str, ...] | None],
    *,
    current: Collection[str],
    nodes: Mapping[HoldSourceKey, str],
) -> list[HoldChange]:
    """Return the changes of the holds whose source points move.

    Args:
        live: Every hold that uses capacity.
        mapping: Hold id and source number -> new path, ``None`` for the orphan list. What is not in it keeps its path
            where all of that is current, and else goes on the orphan list.
        current: Accounts of the current snapshot.
        nodes: New connection nodes, where they change.

    Raises:
        NotFoundError: A source point is not one of a live hold.
        InputError: A path names an account that is not current, or is out of order.
    """
    known = {(hold.hold_id, source.source_no) for hold in live for source in hold.sources}
    for key, path in mapping.items():
        if key not in known:
            raise NotFoundError("no such source point of a live hold", hold_id=key[0], source_no=key[1])
        _check_path(path, current)
    changes = []
    for hold in live:
        sources = tuple(_placed(hold.hold_id, source, mapping, current, nodes) for source in hold.sources)
        if sources != hold.sources:
            changes.append(HoldChange(kind="remap", before=hold, after=replace(hold, sources=sources)))
    return changes


def _placed(
    hold_id: str,
    source: HoldSource,
    mapping: Mapping[HoldSourceKey, tuple[str, ...] | None],
    current: Collection[str],
    nodes: Mapping[HoldSourceKey, str],
) -> HoldSource:
    key = (hold_id, source.source_no)
    is_still_there = all(account_id in current for account_id in source.path)
    path = mapping[key] or () if key in mapping else source.path if is_still_there else ()
    return replace(source, path=path, node_element_id=nodes.get(key, source.node_element_id))


def _check_path(path: tuple[str, ...] | None, current: Collection[str]) -> None:
    if path is None:
        return
    missing = [account_id for account_id in path if account_id not in current]
    if missing or not path:
        raise InputError("not a path of the current snapshot", field="path", value=" ".join(missing) or "empty")
    if list(path) != sorted(set(path), key=leaf_to_root):
        raise InputError("a path names each account once, leaf to root", field="path", value=" ".join(path))
