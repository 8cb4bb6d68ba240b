"""One warm scheme with its documents against one warm load flow of the same network.

Question: how many load flows of the whole township does one low-voltage scheme cost, and one 10 kV scheme?
Peer: pandapower's ``runpp`` of the township, warm start off, in the same process, taking turns with the schemes.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.net import copy_net, run_load_flow
from gridmodel.readers.tables import read_tables
from scheme.document.write import write_documents
from scheme.generate import generate_scheme
from scheme.policy.loader import load_policy
from scheme.request import parse_request

FIXTURES = Path(__file__).parents[2] / "fixtures"
REQUESTS = {"low voltage": "lv_resident", "10 kV": "mv_10kv_single"}
AS_OF = date(2026, 11, 22)


def seconds(work: Callable[[], Any]) -> float:
    """Return the wall time of one call (s)."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def run(*, repetitions: int = 5) -> list[dict[str, Any]]:
    """Return one row per kind of scheme: medians (s), the ratio's median, least and largest, and peak memory (MB)."""
    snapshot, catalogue = read_tables(FIXTURES / "township"), load_catalogue()
    net = copy_net(snapshot.net)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for label, name in REQUESTS.items():
            request = parse_request((FIXTURES / "requests" / f"{name}.json").read_bytes())

            def answer(request: Any = request) -> None:
                scheme = generate_scheme(
                    request,
                    snapshot=snapshot,
                    policy=load_policy("shenqiu-2022", AS_OF),
                    catalogue=catalogue,
                    capacity=None,
                    as_of=AS_OF,
                    version="benchmark",
                )
                assert scheme.verdict == "answered"
                write_documents(scheme, snapshot, Path(folder))

            answer()
            run_load_flow(net)
            pairs = [(seconds(answer), seconds(lambda: run_load_flow(net))) for _ in range(repetitions)]
            ratios = [scheme_s / flow_s for scheme_s, flow_s in pairs]
            rows.append(
                {
                    "bench": "scheme",
                    "case": f"{label} scheme, {len(net.bus)} buses",
                    "scheme_s": round(median(pair[0] for pair in pairs), 3),
                    "runpp_s": round(median(pair[1] for pair in pairs), 3),
                    "ratio_median": round(median(ratios), 1),
                    "ratio_min": round(min(ratios), 1),
                    "ratio_max": round(max(ratios), 1),
                    "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                }
            )
    return rows
