"""Programs of Debian that tests drive (a database server, a browser): installed where the tests run as root.

``GRIDSCHEME_INSTALL_PROGRAMS=0`` forbids installing. Without a program its tests are skipped; with ``CI`` or
``GRIDSCHEME_REQUIRE_PROGRAMS`` set they fail.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_INSTALL_S = 600


def is_required(environment: Mapping[str, str]) -> bool:
    """Return whether tests without their program fail rather than being skipped."""
    return any(environment.get(name, "") not in {"", "0"} for name in ("CI", "GRIDSCHEME_REQUIRE_PROGRAMS"))


def install(packages: Sequence[str], *, is_there: Callable[[], bool]) -> None:
    """Install packages where that is allowed; one process of the tests at a time."""
    may_install = os.geteuid() == 0 and os.environ.get("GRIDSCHEME_INSTALL_PROGRAMS") != "0"
    if not may_install or shutil.which("apt-get") is None:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with (Path(tempfile.gettempdir()) / "gridscheme-install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            if not is_there():
                subprocess.run(
                    ["apt-get", "-q", *command], env=environment, capture_output=True, check=False, timeout=_INSTALL_S
                )
