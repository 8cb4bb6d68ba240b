"""One warm scheme with its documents against one warm load flow of the network that feeds the customer.

Question: how many load flows of its island does a low-voltage scheme cost, a 10 kV one, and one with two sources?
Peer: pandapower's ``runpp`` of the islands the scheme's sources hang on, with numba, warm start off, in the same
process, taking turns with the schemes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.islands import Islands
from gridmodel.net import Net, run_load_flow
from gridmodel.readers.tables import read_tables
from gridmodel.snapshot import Snapshot
from scheme.document.write import write_documents
from scheme.generate import generate_scheme
from scheme.model import Scheme
from scheme.policy.loader import load_policy
from scheme.request import parse_request
from tests.benchmarks.turns import summary, take_turns

FIXTURES = Path(__file__).parents[2] / "fixtures"
REQUESTS = {"low voltage": "lv_resident", "10 kV": "mv_10kv_single", "10 kV, two sources": "mv_10kv_dual_source"}
AS_OF = date(2026, 11, 22)


def run(*, repetitions: int = 5) -> Iterator[dict[str, Any]]:
    """Yield one row per kind of scheme."""
    snapshot, catalogue = read_tables(FIXTURES / "township"), load_catalogue()
    with tempfile.TemporaryDirectory() as folder:
        for label, name in REQUESTS.items():
            request = parse_request((FIXTURES / "requests" / f"{name}.json").read_bytes())

            def answer(request: Any = request) -> Scheme:
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
                return write_documents(scheme, snapshot, Path(folder))

            scheme = answer()
            island = island_of(snapshot, scheme)
            pairs = take_turns(answer, lambda island=island: run_load_flow(island, numba=True), repetitions)
            case = f"{label}, {len(scheme.variants)} variants, documents / one runpp of {len(island.bus)} buses"
            yield {"id": "B9", "case": case, "must": "", **summary(pairs)}


def island_of(snapshot: Snapshot, scheme: Scheme) -> Net:
    """Return the islands that hold the supply paths of the first variant."""
    best = scheme.variants[0]
    checks = (best.verification, *(source.verification for source in best.further_sources))
    named = {row["element_id"] for check in checks for row in check.voltage_profile}
    buses = snapshot.nodes.index[snapshot.nodes.element_id.isin(named)]
    islands = Islands(snapshot.net, split_at_sources=True)
    return islands.cut(*sorted({islands.label(int(bus)) for bus in buses} & set(islands.supplied)))
