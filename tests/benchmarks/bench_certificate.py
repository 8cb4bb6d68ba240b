"""Certificates of the reference county: what does it cost to check every value, and to check twenty of them?

Bulk: every capacity and one step above it by power-grid-model. Sample: twenty nodes by plain pandapower, each on its
island. Both against one load flow of the county by pandapower, of which a sample on the whole net would take 41.
``python -m tests.benchmarks.bench_certificate`` prints one line per case.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from gridmodel.capacity.base_case import solve_base_case
from gridmodel.capacity.bulk_certificate import check_in_bulk
from gridmodel.capacity.certificate import SAMPLE_NODES, certify
from gridmodel.capacity.island_search import IslandSearch
from gridmodel.capacity.search import CEILING_KW
from gridmodel.net import copy_net, run_load_flow
from tests.benchmarks.turns import summary, take_turns
from tests.benchmarks.yardstick import LIMITS, TAN_PHI
from tests.county.build import load_county


def run(*, repetitions: int = 5) -> Iterator[dict[str, Any]]:
    """Yield one row per kind of check; the county is generated into the user's cache when it is not there yet."""
    net = load_county().net
    base, peer = solve_base_case(net, LIMITS), copy_net(net)
    search = IslandSearch(base, tan_phi=TAN_PHI, ceiling_kw=CEILING_KW)
    rows = search.run(net.bus.index[net.bus.in_service].to_numpy(dtype="int64"))

    def bulk() -> Any:
        base.__dict__.pop("topology", None)  # built anew each time, as after a refresh
        return check_in_bulk(base, rows, tan_phi=TAN_PHI)

    def sample() -> Any:
        return certify(base, rows, tan_phi=TAN_PHI, confirm="sample", nodes=SAMPLE_NODES, seed=0)

    def county_flow() -> None:
        run_load_flow(peer, numba=True)

    started = time.process_time()
    seen = bulk()
    cpu_s = time.process_time() - started
    yield {
        "id": "bulk",
        "must": "",
        "case": f"county: all {seen.certificate.nodes_checked} values and one step above / one runpp",
        "cpu_s": round(cpu_s, 1),
        "disagreements": len(seen.disagreements),
        "difference_kw_max": seen.certificate.difference_kw_max,
        "power_grid_model": version("power-grid-model"),
        **summary(take_turns(bulk, county_flow, repetitions)),
    }
    checked = sample()
    yield {
        "id": "sample",
        "must": "",
        "case": f"county: a sample of {checked.nodes_checked} nodes by pandapower / one runpp",
        "difference_kw_max": checked.difference_kw_max,
        "base_difference_pu_max": checked.base_difference_pu_max,
        **summary(take_turns(sample, county_flow, repetitions)),
    }


if __name__ == "__main__":
    for record in run():
        print(json.dumps(record))
