"""Tasks that a test stops, watches or ends; processes import them by name."""

from __future__ import annotations

import json
import os
import signal
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

WAIT_S = 120.0


def hold_first(folder: str, do: Callable[..., Any], *arguments: Any) -> Any:
    """Do a task; the first of all says in which process it is and never goes on."""
    own = _tell(folder)
    try:
        os.link(own, Path(folder) / "held")
    except FileExistsError:
        return do(*arguments)
    wait_for(Path(folder) / "never")
    raise AssertionError("nobody ended the process of the task that was held")


def tell_process(folder: str, do: Callable[..., Any], *arguments: Any) -> Any:
    """Do a task and say in which process."""
    _tell(folder)
    return do(*arguments)


def _tell(folder: str) -> Path:
    own = Path(folder) / f"pid-{os.getpid()}"
    own.write_text(str(os.getpid()), encoding="utf-8")
    return own


def hold_group(folder: str, do: Callable[..., Any], *arguments: Any) -> Any:
    """Do a task; the first of a group never goes on."""
    return hold_first(folder, do, *arguments) if "groups" in arguments else do(*arguments)


def end_own_process(number_at_fault: int, *arguments: Any) -> bytes:
    """Do nothing with the rows; one task ends its process whenever it is tried."""
    *_, number, payload = arguments
    if number == number_at_fault:
        os.kill(os.getpid(), signal.SIGKILL)
    # written out, because what computes takes seconds to import
    result = {"rows": json.loads(zlib.decompress(payload)), "process": "", "cpu_s": 0.0, "opening_s": 0.0}
    return zlib.compress(json.dumps(result | {"peak_bytes": 0}).encode())


class Killer(Thread):
    """Ends the process of the task that is held, by SIGKILL."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self.killed_pid: int | None = None

    def run(self) -> None:
        held = self._folder / "held"
        wait_for(held)
        pid = int(held.read_text(encoding="utf-8"))
        os.kill(pid, signal.SIGKILL)
        self.killed_pid = pid


def wait_for(path: Path) -> None:
    """Return when the file is there.

    Raises:
        TimeoutError: It never was.
    """
    end = time.monotonic() + WAIT_S
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(path.name)
        time.sleep(0.01)


def wait_for_end(pid: int) -> None:
    """Return when there is no such process.

    Raises:
        TimeoutError: It goes on.
    """
    end = time.monotonic() + WAIT_S
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > end:
            raise TimeoutError(pid)
        time.sleep(0.01)
