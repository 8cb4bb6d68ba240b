"""All transfers and all N-1 capacities of the township as multiples of one load flow of the same network.

Interleaved in one process; the ratio is what counts, times depend on the machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from gridmodel.capacity.n_minus_one import n_minus_one_capacity
from gridmodel.capacity.transfer import transfers
from gridmodel.net import copy_net, run_load_flow
from tests.benchmarks.bench_open_capacity import LIMITS, POWER_FACTOR, township

RUNPP_REPEATED = 5


def _seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def run(*, repetitions: int = 3) -> Iterator[dict[str, Any]]:
    """Yield one record per repetition, then the summary."""
    net = township()
    solved = copy_net(net)
    run_load_flow(solved)
    n_minus_one_capacity(net, limits=LIMITS, power_factor=POWER_FACTOR, outages=[])  # compiles the engine
    records = []
    for repetition in range(repetitions):
        runpp_s = statistics.median(_seconds(lambda: run_load_flow(solved))[0] for _ in range(RUNPP_REPEATED))
        transfers_s, moved = _seconds(lambda: transfers(net, limits=LIMITS))
        capacities_s, capacities = _seconds(lambda: n_minus_one_capacity(net, limits=LIMITS, power_factor=POWER_FACTOR))
        records.append(
            {
                "bench": "transfer",
                "repetition": repetition,
                "runpp_s": runpp_s,
                "transfers_s": transfers_s,
                "n_minus_one_s": capacities_s,
                "transfers_ratio": transfers_s / runpp_s,
                "n_minus_one_ratio": capacities_s / runpp_s,
                "states_solved": moved.attrs["states_solved"],
                "states_searched": capacities.attrs["post_fault_states"],
            }
        )
        yield records[-1]
    yield {
        "bench": "transfer",
        "case": f"{records[0]['states_solved']} transfers, {records[0]['states_searched']} restored states of "
        f"{len(net.bus)} buses",
        "ratio_transfers_median": statistics.median(record["transfers_ratio"] for record in records),
        "ratio_n_minus_one_median": statistics.median(record["n_minus_one_ratio"] for record in records),
        "runpp_s": statistics.median(record["runpp_s"] for record in records),
    }
