"""``gridscheme serve`` in a process of its own, as users run it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import httpx2

from api.settings import PREFIX


class Service:
    """The command as users run it.

    Args:
        db: The store.
        options: Further options of the command.
        has_worker: Whether it starts the process that does the jobs.
        environment: Settings over those of the tests' own environment.
    """

    def __init__(self, db: str, *options: str, has_worker: bool = False, **environment: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "api.cli",
                "serve",
                "--db",
                db,
                "--port",
                "0",
                *([] if has_worker else ["--no-worker"]),
                *options,
            ],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env={**clean, **environment, "PYTHONIOENCODING": "utf-8"},
        )
        self.lines: list[str] = []
        self.url = ""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            found = re.search(r"服务地址 (https?://\S+):(\d+)/", line)
            if found:
                self.url = f"{found[1]}:{found[2]}"
                break
        # a pipe nobody reads fills up after some hundred requests, and then the service waits for ever
        self._reader = threading.Thread(target=self._read_on, daemon=True)
        self._reader.start()

    def _read_on(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(line.rstrip("\n") for line in self.process.stderr)

    @property
    def keys(self) -> dict[str, str]:
        """The one-time keys it printed, by role."""
        found = re.findall(r"^  (\w+) +https?://\S+#key=(gsk_\w+)$", "\n".join(self.lines), flags=re.MULTILINE)
        return dict(found)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(20)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self._reader.join(5)
            if self.process.stderr is not None and not self._reader.is_alive():  # else a child still holds the pipe
                self.process.stderr.close()


def wait_for(url: str, *, within_s: float = 60.0, **given: Any) -> Any:
    end_s = time.monotonic() + within_s
    while True:
        try:
            return httpx2.get(url, **given)
        except httpx2.TransportError:
            if time.monotonic() > end_s:
                raise
            time.sleep(0.1)
