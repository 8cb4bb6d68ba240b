"""An application in a process of its own on a port of this machine, as clients outside Python see it.

In a thread it would never answer GDAL, which keeps the interpreter's lock while it waits.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from fastapi import FastAPI

START_S_MAX = 60.0
MakeApp = Callable[..., tuple[FastAPI, Any]]


@contextmanager
def served(make: MakeApp, *given: Any) -> Iterator[tuple[str, Any]]:
    """Yield the address of the application ``make(*given)`` returns first, and what it returns beside it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, make, given), daemon=True)
    process.start()
    try:
        assert ours.poll(START_S_MAX), "the service did not start"
        port, told = ours.recv()
        yield f"http://127.0.0.1:{port}", told
    finally:
        process.terminate()
        process.join(timeout=10)


def _serve(pipe: Connection, make: MakeApp, given: tuple[Any, ...]) -> None:
    import uvicorn

    from api.serving import bind

    app, told = make(*given)
    listener = bind("127.0.0.1", 0)
    listener.listen()  # so that a client that comes at once waits rather than being refused
    pipe.send((listener.getsockname()[1], told))
    uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off")).run(sockets=[listener])
