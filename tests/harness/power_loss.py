"""Cut the power: only what was synced to the disk is left, and all that was acknowledged must be in it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness.client import Client
from tests.harness.demands import draw
from tests.harness.journal import Journal
from tests.harness.judge import find_problems
from tests.harness.service import Nursery, Service

SOURCE = Path(__file__).with_name("durable.c")
VA_MAX = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLoss:
    """What was left."""

    acknowledged: int
    problems: list[str]


def build_disk(folder: Path) -> Path:
    """Compile the disk that forgets and return its library.

    Raises:
        FileNotFoundError: There is no C compiler.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise FileNotFoundError("no C compiler; package: gcc")
    library = folder / "durable.so"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return library


def lose_power(
    file: Path, boards: Sequence[str], library: Path, folder: Path, *, issues: int, seed: int, synchronous: str | None
) -> PowerLoss:
    """Issue schemes one by one on an SQLite store, cut the power right after the last answer, judge what was synced.

    Args:
        file: The store.
        boards: What is asked for.
        library: The disk that forgets.
        folder: For what is left and for the service.
        issues: Acknowledged issues before the power goes.
        seed: Of the demands.
        synchronous: Less than the product asks of the database, for a run that must fail; ``None`` for the product.
    """
    durable = folder / "durable"
    durable.mkdir()
    shutil.copy(file, durable / file.name)
    environment = {"WATCHED_FOLDER": str(file.parent), "DURABLE_FOLDER": str(durable)}
    nursery, journal = Nursery(preload=library, environment=environment), Journal()
    service = Service(f"sqlite:///{file}", folder, nursery)
    service.start(*(() if synchronous is None else ("--synchronous", synchronous)))
    try:
        client = Client(service.connection, journal, seed=seed, withdraw_share=0.0)
        demands = draw(boards, seed=seed, prefix="P", va_max=VA_MAX)
        while len(journal.acknowledged) < issues:
            client.serve(next(demands))
    finally:
        service.kill()
        nursery.close()
    left = folder / "left.db"
    for kept in durable.iterdir():
        shutil.copy(kept, left.with_name(kept.name.replace(file.name, left.name)))
    return PowerLoss(acknowledged=len(journal.acknowledged), problems=find_problems(f"sqlite:///{left}", journal))
