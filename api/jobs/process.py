"""The worker as a process: started beside the service, ended with it, and only one of a name at a time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from gridmodel.errors import DomainError

DEFAULT_NAME = "worker"
_END_WITHIN_S = 10.0


class WorkerRunningError(DomainError):
    """A worker of this name is at work already."""

    code = "job.worker_running"


class WorkerProcess:
    """A worker that ends when this process does: it reads until its standard input is closed.

    Args:
        options: Of ``gridscheme worker``.
        store_url: Store whose jobs are done; handed over where other users of the machine cannot read it.
    """

    def __init__(self, options: Sequence[str], *, store_url: str) -> None:
        command = [sys.executable, "-m", "api.cli", "worker", "--until-stdin-ends", *options]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, env={**os.environ, "GRIDSCHEME_DB": store_url}, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )

    def stop(self) -> None:
        """Let the worker finish its step, at most some seconds, then end it; the job is taken up at the next start."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def ends_with_parent(stream: IO[bytes]) -> Callable[[], bool]:
    """Return a question that is answered yes once ``stream`` (standard input) has been closed at the other end."""
    over = threading.Event()

    def read() -> None:
        while stream.read(1024):
            pass
        over.set()

    threading.Thread(target=read, daemon=True).start()
    return over.is_set


@contextmanager
def only_one(url: str, name: str) -> Iterator[None]:
    """Hold a lock on the worker's name while the block runs; a crash gives it back.

    Raises:
        WorkerRunningError: Another process holds it.
    """
    refusal = WorkerRunningError("a worker of this name is running; give this one another --name", name=name)
    if make_url(url).get_backend_name() == "sqlite":
        file = Path(f"{make_url(url).database}.{name}.lock")
        with file.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise refusal from error
            yield
        return
    engine = create_engine(url)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            asked = text("SELECT pg_try_advisory_lock(hashtext('gridscheme worker'), hashtext(:name))")
            if not connection.execute(asked, {"name": name}).scalar():
                raise refusal
            yield
    finally:
        engine.dispose()
