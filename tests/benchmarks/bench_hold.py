"""A hold on the county: how long until it is certified and kept, and until every row it concerns is fresh.

Schemes are records made by hand at nodes spread over the county, a 10 kV customer of 200 kVA each; the store is an
SQLite file. A second process over the same file is asked too. Seconds, the median and the worst of all holds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from scheme.admission.errors import CertificateRefusedError
from scheme.ledger import CapacityExhaustedError
from tests.admission.utility import ENGINEER, open_utility
from tests.county.build import load_county

KVA = 200.0


def run(*, holds: int = 20) -> Iterator[dict[str, Any]]:
    """Yield one row per question."""
    county = load_county()
    with TemporaryDirectory() as folder:
        url = str(Path(folder) / "store.db")
        one = open_utility(url, county)
        yield {"case": "table of the imported county", **_times([_seconds(lambda: one.tables.compute(confirm="none"))])}
        other = open_utility(url, None)
        other.tables.find()
        poles = county.nodes[(county.nodes.kind == "pole") & (county.nodes.status == "assessable")]
        nodes = poles.element_id.tolist()[:: max(len(poles) // (3 * holds), 1)]
        issued_s, fresh_s, elsewhere_s, refused = [], [], [], 0
        for node in nodes:
            scheme_id = one.quote(node, KVA)
            begin = time.perf_counter()
            try:
                one.admission.issue(scheme_id, actor=ENGINEER)
            except (CertificateRefusedError, CapacityExhaustedError):
                refused += 1
                continue
            done = time.perf_counter()
            one.tables.find()
            fresh_s.append(time.perf_counter() - done)
            issued_s.append(done - begin)
            elsewhere_s.append(_seconds(other.tables.find))
            if len(issued_s) == holds:
                break
        yield {"case": f"from the call to the hold, {len(issued_s)} holds, {refused} refused", **_times(issued_s[1:])}
        yield {"case": "the first hold, which works the accounts out", **_times(issued_s[:1])}
        yield {"case": "from the hold to fresh rows", **_times(fresh_s)}
        yield {"case": "fresh rows in another process, asked afterwards", **_times(elsewhere_s)}
        began = _seconds(lambda: open_utility(url, None).tables.find())
        yield {"case": f"fresh rows in a process that begins, {len(issued_s)} holds live", **_times([began])}


def _seconds(work: Any) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _times(seconds: list[float]) -> dict[str, float]:
    return {"median_s": median(seconds), "max_s": max(seconds)}


if __name__ == "__main__":
    for row in run(holds=int(sys.argv[1]) if len(sys.argv) > 1 else 20):
        print(f"{row['case']:<80}{row['median_s']:>9.3f}{row['max_s']:>9.3f}", flush=True)
