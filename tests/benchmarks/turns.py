"""Two sides that take turns in one process, and the ratios of their times; the machine's pace cancels out."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any


def seconds(work: Callable[[], Any]) -> float:
    """Return the wall time of one call (s)."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def take_turns(ours: Callable[[], Any], peer: Callable[[], Any], repetitions: int) -> list[tuple[float, float]]:
    """Return the seconds of ours and of the peer per repetition; both are called once beforehand, to be warm."""
    ours()
    peer()
    return [(seconds(ours), seconds(peer)) for _ in range(repetitions)]


def summary(pairs: list[tuple[float, float]], *, of_peer: bool = False) -> dict[str, float]:
    """Return the ratio ours / peer (``of_peer``: peer / ours), median, least and largest, and the median seconds."""
    ratios = [peer / ours if of_peer else ours / peer for ours, peer in pairs]
    return {
        "ratio_median": median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        "ours_s": median(ours for ours, _ in pairs),
        "peer_s": median(peer for _, peer in pairs),
    }
