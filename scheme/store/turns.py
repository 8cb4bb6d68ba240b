"""Users of one SQLite file inside one process take turns, first come, first served.

A writer has the turn for its whole transaction, a reader until it reads. SQLite itself lets whoever waits look again
every now and then, and where many write without a pause it would find the file locked each time; other processes still
wait that way.
"""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path

_BY_FILE: dict[Path, Turns] = {}
_GUARD = threading.Lock()


class Turns:
    """A lock that is handed to whoever waits longest."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._is_taken = False
        self._owner: int | None = None

    @property
    def is_mine(self) -> bool:
        """Whether the calling thread has the turn already."""
        return self._owner == threading.get_ident()

    def take(self, timeout_s: float) -> bool:
        """Wait for the turn; return whether it came in time."""
        if not self._wait(timeout_s):
            return False
        self._owner = threading.get_ident()
        return True

    def pass_on(self) -> None:
        """Hand the turn to whoever waits longest."""
        self._owner = None
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_taken = False

    def _wait(self, timeout_s: float) -> bool:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return True
            own = threading.Event()
            self._waiting.append(own)
        if own.wait(timeout_s):
            return True
        with self._guard:
            if own.is_set():  # handed over in this very moment
                return True
            self._waiting.remove(own)
            return False


def turns_of(file: Path) -> Turns:
    """Return the turns of a file; the same for every store on it in this process."""
    with _GUARD:
        return _BY_FILE.setdefault(file.resolve(), Turns())
