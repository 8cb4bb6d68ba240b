"""What people and programs are told after the snapshot was changed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from api.updates import Update

NOT_REFRESHED = "当前断面没有可更新的容量表;下次查询时整体计算"


def update_summary(update: Update, changes: int, before: pd.DataFrame | None) -> dict[str, Any]:
    """Return how many nodes were computed again and how their open capacity moved.

    Args:
        update: What was done.
        changes: How many changes were applied.
        before: The rows of the same nodes as they were; None where there was no table.
    """
    done = {
        "parent_sha256": update.parent_sha256,
        "snapshot_sha256": update.snapshot_sha256,
        "changes": changes,
        "nodes_refreshed": None,
    }
    if update.rows is None or before is None:
        return done
    return {**done, **_moves(before, update.rows.values())}


def _moves(before: pd.DataFrame, pieces: Iterable[pd.DataFrame]) -> dict[str, Any]:
    import pandas as pd

    after = pd.concat(list(pieces))
    before = before.loc[after.index]
    old_kva, new_kva = (rows["open_kva"].astype(float) for rows in (before, after))
    change_kva = (new_kva - old_kva).dropna()
    is_same = (old_kva == new_kva) | (old_kva.isna() & new_kva.isna())
    return {
        "nodes_refreshed": len(after),
        "nodes_with_another_open_kva": int((~is_same).sum()),
        "decrease_kva_max": round(float(max(0.0, -change_kva.min())), 1) if len(change_kva) else 0.0,
        "increase_kva_max": round(float(max(0.0, change_kva.max())), 1) if len(change_kva) else 0.0,
        "open_kva_by_u_nominal_kv": {
            f"{level:g}": {"nodes": len(group), **_level("before", old_kva, group), **_level("after", new_kva, group)}
            for level, group in after.groupby(after["u_nominal_kv"].astype(float)).groups.items()
        },
    }


def _level(name: str, open_kva: pd.Series, nodes: pd.Index) -> dict[str, float | int | None]:
    known = open_kva.loc[nodes].dropna()
    return {
        f"assessed_{name}": len(known),
        f"without_capacity_{name}": int((known <= 0.0).sum()),
        f"p50_{name}": round(float(known.median()), 1) if len(known) else None,
    }


def show_update(summary: Mapping[str, Any]) -> None:
    """Print :func:`update_summary`."""
    if summary["nodes_refreshed"] is None:
        sys.stdout.write(NOT_REFRESHED + "\n")
    else:
        for level, moved in summary["open_kva_by_u_nominal_kv"].items():
            sys.stdout.write(
                f"{level} kV:节点 {moved['nodes']} 个,可开放容量中位数 {_shown(moved['p50_before'])} → "
                f"{_shown(moved['p50_after'])} kVA,无容量 {moved['without_capacity_before']} → "
                f"{moved['without_capacity_after']} 个\n"
            )
        sys.stdout.write(
            f"重算节点 {summary['nodes_refreshed']} 个,可开放容量有变化 {summary['nodes_with_another_open_kva']} 个;"
            f"最多减少 {summary['decrease_kva_max']} kVA,最多增加 {summary['increase_kva_max']} kVA\n"
        )
    sys.stdout.write(f"已应用 {summary['changes']} 项变更,存为当前断面 {summary['snapshot_sha256']}\n")


def _shown(value: float | None) -> str:
    return "—" if value is None else f"{value:,.1f}"
