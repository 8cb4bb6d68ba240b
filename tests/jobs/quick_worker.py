"""A worker whose answers take a moment and leave a line each: ``python -m tests.jobs.quick_worker URL NAME LOG``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from api.jobs.durable import run_worker
from gridmodel.errors import InputError

ANSWER_S = 0.15


class QuickBench:
    """Stands for the workbench; ``BAD`` requests are refused, ``FAULT`` ones are a mistake of the service."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self.services = self
        self.tables = SimpleNamespace(find=None)

    def answer(self, request: Any, *, find_capacity: object, idempotency_key: str) -> Any:
        time.sleep(ANSWER_S)
        if request.request_id.startswith("BAD"):
            raise InputError("outside the service area", field="location")
        if request.request_id.startswith("FAULT"):
            raise ZeroDivisionError
        with self._log.open("a") as stream:
            stream.write(f"{idempotency_key} {request.request_id}\n")
        return SimpleNamespace(
            stored=SimpleNamespace(scheme_id=f"S-{request.request_id}", verdict="answered", content=b"{}")
        )


if __name__ == "__main__":
    url, name, log = sys.argv[1:]
    run_worker(cast(Any, QuickBench(Path(log))), url, name=name, is_over=lambda: False)
