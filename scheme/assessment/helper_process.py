"""A process of this machine that does one task after another; apart from what computes, so that it is there at once.

The pool of the standard library is not used: when one of its processes dies it ends all of them, cannot say which task
was at fault, and waits for ever where it dies while another is being started.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any


class HelperProcess:
    """One process, begun at once; it ends with the process that made it, however that goes."""

    def __init__(self) -> None:
        # libraries start threads when they are imported, and a process with threads is not to be forked
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def begin(self, task: Callable[..., bytes], *arguments: object) -> bool:
        """Have it do a task; ``False`` where it is dead."""
        try:
            self.connection.send((task, arguments))
        except OSError:
            return False
        return True

    def finish(self) -> bytes | None:
        """Return what the task gave, ``None`` where the process died at it."""
        try:
            return self.connection.recv_bytes()
        except (EOFError, OSError):
            return None

    def end(self) -> None:
        """End it, whatever it is at."""
        self._process.terminate()
        self._process.join()
        self.connection.close()

    def exit_code(self) -> int | None:
        """Return how a process ended that died at a task: negative a signal, 1 an error that Python printed."""
        self._process.join()
        self.connection.close()
        return self._process.exitcode


def serve(connection: Connection) -> None:
    """Do tasks until nobody sends any."""
    Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            task, arguments = connection.recv()
        except EOFError:
            return
        connection.send_bytes(task(*arguments))


def _end_with_parent() -> None:
    parent: Any = parent_process()
    parent.join()
    os._exit(1)
