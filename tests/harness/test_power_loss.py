"""The power goes: what was acknowledged was on the disk; and the test can tell."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from gridmodel.snapshot import Snapshot
from tests.debian import is_required
from tests.harness.demands import prepare_store
from tests.harness.power_loss import PowerLoss, build_disk, lose_power

pytestmark = pytest.mark.timeout(1_800)
"""Minutes on a busy machine."""

ISSUES = 40


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The disk that forgets what was not synced."""
    if shutil.which("gcc") is None and shutil.which("cc") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["update"], ["install", "-y", "--no-install-recommends", "gcc", "libc6-dev"]):
            subprocess.run(["apt-get", "-q", *command], capture_output=True, check=False, timeout=600)
    try:
        return build_disk(tmp_path_factory.mktemp("disk"))
    except FileNotFoundError as error:
        refuse = pytest.fail if is_required(os.environ) else pytest.skip
        refuse(str(error))


def cut(folder: Path, township: Snapshot, boards: Sequence[str], disk: Path, synchronous: str | None) -> PowerLoss:
    file = folder / "store" / "grid.db"
    file.parent.mkdir()
    prepare_store(f"sqlite:///{file}", township)
    return lose_power(file, boards, disk, folder, issues=ISSUES, seed=1, synchronous=synchronous)


def test_what_was_acknowledged_survives_the_loss_of_power(
    tmp_path: Path, township: Snapshot, boards: Sequence[str], disk: Path
) -> None:
    found = cut(tmp_path, township, boards, disk, None)
    assert found.acknowledged == ISSUES
    assert found.problems == []


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_a_database_that_does_not_wait_for_the_disk_is_found_out(
    tmp_path: Path, township: Snapshot, boards: Sequence[str], disk: Path, synchronous: str
) -> None:
    found = cut(tmp_path, township, boards, disk, synchronous)
    assert any("acknowledged and lost" in problem for problem in found.problems)
