"""Classes of open capacity (容量分档) and how slowly they change from month to month."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from scheme.publication.rules import MapRules


def find_band(value_va: int, rules: MapRules, *, previous: int | None = None) -> int:
    """Return the number of the class of a value, 0 for the lowest.

    An edge counts as passed, in either direction, only where the value lies beyond it by the share of the rules: a
    small change near an edge, or one made to see the edge, changes nothing.

    Args:
        value_va: Open capacity (VA).
        rules: Edges, and the share.
        previous: Class in the publication before; ``None`` where there was none.
    """
    edges_va = rules.band_edges_va
    if previous is None or not 0 <= previous <= len(edges_va):
        return bisect_right(edges_va, value_va)
    band = previous
    while band < len(edges_va) and rules.hysteresis.allows((value_va - edges_va[band]) / edges_va[band]):
        band += 1
    if band > previous:
        return band
    while band > 0 and rules.hysteresis.allows((edges_va[band - 1] - value_va) / edges_va[band - 1]):
        band -= 1
    return band


def lower_median(values_va: Sequence[int]) -> int:
    """Return what at least half of the values reach.

    Raises:
        ValueError: There is no value.
    """
    if not values_va:
        raise ValueError("no values")
    ordered = sorted(values_va)
    return ordered[(len(ordered) - 1) // 2]
