"""Fresh in seconds: one load of the county changes, and its part of the stored table is computed and written again.

Questions: what share of one load flow of the county does it take until the rows concerned are fresh in the store, in a
process that has done it before and in one that has not, and what do the whole table's writing and reading cost?
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import date
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from api.capacity_tables import CapacityTables, capacity_key, read_table, store_table
from api.services import Services
from api.updates import Updates
from gridmodel.changes import LoadChange
from gridmodel.net import copy_net, run_load_flow
from gridmodel.parts import Parts
from gridmodel.snapshot import Snapshot
from scheme.store import Store
from tests.benchmarks.turns import summary, take_turns
from tests.county.build import load_county

AS_OF = date(2026, 3, 2)
PROFILE = "shenqiu-2022"


def run(*, repetitions: int = 7) -> Iterator[dict[str, Any]]:
    """Yield one row per question; the county is generated into the user's cache when it is not there yet."""
    county = load_county()
    peer = copy_net(county.net)
    with TemporaryDirectory() as folder:
        services = Services(Store(str(Path(folder) / "store.db")), profile=PROFILE, clock=lambda: AS_OF)
        services.store.store_snapshot(county)
        table = CapacityTables(services).compute()

        def row(case: str, must: str, work: Callable[[], Any]) -> dict[str, Any]:
            pairs = take_turns(work, lambda: run_load_flow(peer, numba=True), repetitions)
            return {"id": "fresh", "case": f"county: {case} / one runpp", "must": must, **summary(pairs)}

        updates, p_kw = Updates(services), count(100)
        for name, place in (("middle", 0.5), ("largest", 1.0)):
            load, nodes = load_in_part(county, place)

            def change(load: str = load, of: Updates = updates, **options: Any) -> None:
                of.apply([LoadChange(element_id=load, p_kw=float(next(p_kw)), q_kvar=30.0)], **options)

            must = "<= 0.1" if name == "middle" else ""
            yield row(
                f"one load, the {nodes} rows of its part ({name}) in the store", must, lambda: change(confirm="none")
            )
            if name == "middle":
                yield row("the same, a sample confirmed by the reference", "", change)
                yield row(
                    "the same in a process that begins",
                    "",
                    lambda: change(of=Updates(services), confirm="none"),
                )
        snapshot, policy = services.get_snapshot(), services.load_policy()
        key = capacity_key(snapshot, policy, services.parts.capacity_settings(policy))
        yield row(f"table of {len(table)} rows written", "", lambda: store_table(services.store, snapshot, key, table))
        yield row(f"table of {len(table)} rows read", "", lambda: read_table(services.store, snapshot, key))


def load_in_part(county: Snapshot, place: float) -> tuple[str, int]:
    """Return a load in the part at some place, from 0 to 1, of all parts by size, and the nodes of that part."""
    parts = Parts(county)
    held = {number: county.net.load.index[county.net.load.bus.isin(parts.nodes(number))] for number in parts.numbers}
    by_size = sorted((len(parts.nodes(number)), number) for number in parts.numbers if len(held[number]))
    nodes, number = by_size[round(place * (len(by_size) - 1))]
    return f"load:{held[number][len(held[number]) // 2]}", nodes


if __name__ == "__main__":
    for record in run(repetitions=int(sys.argv[1]) if len(sys.argv) > 1 else 7):
        print(f"{record['case']:<100}{record['ratio_median']:>8.3f}{record['ratio_min']:>8.3f}"
              f"{record['ratio_max']:>8.3f}{record['ours_s']:>9.4f}{record['peer_s']:>9.4f}", flush=True)  # fmt: skip
