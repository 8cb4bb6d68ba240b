"""What the clients were told: the only truth a run is judged by."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["acknowledged", "refused", "unknown", "fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How one issue ended for its client."""

    name: str
    scheme_id: str
    outcome: Outcome
    capacity_va: int
    status: int | None = None
    hold_id: str | None = None
    body: bytes = b""
    is_withdrawn: bool = False
    elapsed_s: float = 0.0


@dataclass
class Journal:
    """Lines of all clients."""

    lines: list[Line] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    differing: list[str] = field(default_factory=list)
    """Requests whose repeated answer had other bytes than the first."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, line: Line) -> None:
        """Keep a line."""
        with self.lock:
            self.lines.append(line)

    def count_status(self, status: int) -> None:
        """Count an answer."""
        with self.lock:
            self.statuses[status] += 1

    @property
    def acknowledged(self) -> list[Line]:
        """Lines of issues that were said to be done."""
        return [line for line in self.lines if line.outcome == "acknowledged"]

    def percentile_s(self, share: float) -> float:
        """Return how long that share of the issues took at most (s)."""
        ordered = sorted(line.elapsed_s for line in self.lines)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
