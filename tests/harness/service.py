"""Starts, kills and restarts the quick service, and asks it things over keep-alive connections."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_S = 90.0
ASK_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Nursery:
    """A process that has imported everything and forks services, so that a start takes no time.

    Args:
        preload: Shared library loaded before the C library.
        environment: Settings of the services besides the inherited ones.
    """

    def __init__(self, *, preload: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
        given = {**os.environ, **(environment or {})}
        if preload is not None:
            given["LD_PRELOAD"] = str(preload)
        self._log = tempfile.TemporaryFile("r")  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.harness.quick_service"], env=given, cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
        )  # fmt: skip

    def fork(self, options: Sequence[str]) -> int:
        """Return the process number of a new service."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(list(options)) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def read_log(self) -> str:
        """Return the end of what it and its services wrote."""
        self._log.seek(0)
        return self._log.read()[-3000:]

    def close(self) -> None:
        """End it; services it forked go on."""
        self._process.kill()
        self._process.wait()
        self._log.close()


class Service:
    """One service process after another over the same store.

    Args:
        url: Store.
        folder: Where it says that it is ready.
        nursery: Forks it.
    """

    def __init__(self, url: str, folder: Path, nursery: Nursery) -> None:
        self._url, self._folder, self._nursery = url, folder, nursery
        self._starts = 0
        self._pid: int | None = None
        self.port = 0
        self.keys: Mapping[str, str] = {}

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        if self._pid is None:
            return False
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            self._pid = None
        return self._pid is not None

    def start(self, *options: str) -> float:
        """Start, and return how long it took until connections were taken (s)."""
        began = time.monotonic()
        self._starts += 1
        ready = self._folder / f"ready-{self._starts}.json"
        self._pid = self._nursery.fork(["--db", self._url, "--ready", str(ready), *options])
        while not (ready.exists() and ready.read_text().endswith("}}")):
            assert self.is_running, self._nursery.read_log()
            assert time.monotonic() - began < START_S, self._nursery.read_log()
            time.sleep(0.02)
        told = json.loads(ready.read_text())
        self.port, self.keys = told["port"], told["keys"]
        return time.monotonic() - began

    def kill(self) -> None:
        """Kill the process as a crash would, and return once it is gone."""
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        while self.is_running:
            time.sleep(0.005)

    def connection(self, role: str = "engineer") -> Connection:
        """Return a connection with the key of a role."""
        return Connection(self.port, self.keys[role])


class Connection:
    """A keep-alive connection; opened again where it broke.

    Args:
        port: Of the service on this machine.
        key: Shown with every request.
    """

    def __init__(self, port: int, key: str) -> None:
        self._port, self._key = port, key
        self._open: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None) -> Reply:
        """Send one request and return its answer.

        Raises:
            OSError: The connection broke: nobody knows what became of the request.
            http.client.HTTPException: The same, in the middle of an answer.
        """
        if self._open is None:
            self._open = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ASK_S)
        headers = {"Authorization": f"Bearer {self._key}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        try:
            self._open.request(method, path, None if body is None else json.dumps(body), headers)
            response = self._open.getresponse()
            return Reply(status=response.status, headers=dict(response.getheaders()), body=response.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self) -> None:
        """Close it."""
        if self._open is not None:
            self._open.close()
        self._open = None


UNKNOWN_OUTCOME: Sequence[type[Exception]] = (OSError, http.client.HTTPException)
"""What is raised where nobody knows whether the service did it."""
