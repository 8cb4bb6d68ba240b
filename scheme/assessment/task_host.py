"""Does tasks in a process that helps: opens grids by id, keeps the last few, and sends back plain values."""

from __future__ import annotations

import json
import os
import platform
import resource
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gridmodel.errors import DomainError
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.parcel import unpack
from scheme.assessment.tasks import TASKS, kept_grid
from scheme.assessment.workers import Rows
from scheme.errors import CancelledError

GRIDS_MAX = 2
"""Grids a process keeps open; a run goes through them one after another."""

_BYTES_PER_KB = 1024

_GRIDS: OrderedDict[str, AssessedGrid] = OrderedDict()
_ONE_AT_A_TIME = threading.Lock()
"""Grids are not made for threads, and two open searches need twice the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReport:
    """What a task took; it says nothing of the projects in it."""

    name: str
    number: int
    projects_count: int
    process: str
    """Machine and id of the process."""
    cpu_s: float
    """Processor time of the task."""
    opening_s: float
    """Processor time for opening the grid, 0 where it was open."""
    peak_bytes: int
    """Most memory the process ever had."""


def do_task(
    name: str,
    grid_id: str,
    number: int,
    payload: bytes,
    *,
    fetch: Callable[[], bytes],
    is_cancelled: Callable[[], bool],
) -> bytes:
    """Return the packed result of a task; an expected error is a result too.

    Args:
        name: Kind of task.
        grid_id: Grid it looks at.
        number: Number of the task.
        payload: Rows, by :func:`pack_rows`.
        fetch: Gives the packed grid where it is not open.
        is_cancelled: Asked after every project.
    """
    with _ONE_AT_A_TIME:
        result: dict[str, Any] = {"process": f"{platform.node()}:{os.getpid()}", "opening_s": 0.0}
        start = time.process_time()
        try:
            grid = _opened(grid_id, fetch)
            result["opening_s"] = time.process_time() - start
            start = time.process_time()
            with kept_grid(grid_id, grid, lambda: _stop_if(is_cancelled())):
                result["rows"] = TASKS[name](grid_id, number, unpack_rows(payload))
        except DomainError as error:
            result["error"] = {"code": error.code, "state": json.loads(json.dumps(vars(error), default=str))}
        result["cpu_s"] = time.process_time() - start
        result["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _BYTES_PER_KB
        return _pack(result)


def read_result(result: bytes, *, name: str, number: int) -> tuple[Rows, TaskReport]:
    """Return the rows of a packed result and what they took.

    Raises:
        DomainError: The task ended with it.
    """
    plain = _unpack(result)
    if "error" in plain:
        raise _as_error(plain["error"]["code"], plain["error"]["state"])
    report = TaskReport(
        name=name,
        number=number,
        projects_count=len(plain["rows"]),
        process=plain["process"],
        cpu_s=plain["cpu_s"],
        opening_s=plain["opening_s"],
        peak_bytes=plain["peak_bytes"],
    )
    return plain["rows"], report


def pack_rows(rows: Rows) -> bytes:
    """Return rows as compressed text, so that no log shows a customer's data by printing the arguments of a task."""
    return _pack(rows)


def unpack_rows(payload: bytes) -> Rows:
    """Return the rows of :func:`pack_rows`."""
    rows: Rows = _unpack(payload)
    return rows


def project_ids_of(rows: Rows) -> list[str]:
    """Return the ids of the projects of a task, for who asked for them."""
    return [row.get("project", row)["project_id"] for row in rows if "placed" not in row]


def _opened(grid_id: str, fetch: Callable[[], bytes]) -> AssessedGrid:
    if grid_id not in _GRIDS:
        while len(_GRIDS) >= GRIDS_MAX:
            _GRIDS.popitem(last=False)
        _GRIDS[grid_id] = unpack(fetch(), grid_id=grid_id)
    _GRIDS.move_to_end(grid_id)
    return _GRIDS[grid_id]


def _stop_if(is_cancelled: bool) -> None:
    if is_cancelled:
        raise CancelledError("the run of this task has ended")


def _as_error(code: str, state: dict[str, Any]) -> DomainError:
    """Return the error as it was raised; its class is known by its code, nothing that came is executed."""
    kind = next((kind for kind in _kinds(DomainError) if kind.code == code), DomainError)
    error = kind.__new__(kind)
    DomainError.__init__(error, state["message"], **state["context"])
    vars(error).update(state)
    return error


def _kinds(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for below in kind.__subclasses__():
        yield from _kinds(below)
    yield kind


def _pack(value: object) -> bytes:
    return zlib.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), 1)


def _unpack(packed: bytes) -> Any:
    return json.loads(zlib.decompress(packed))
