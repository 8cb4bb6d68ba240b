"""One warm scheme with its documents against one warm load flow of the same network.

Question: how many load flows of the whole township does one low-voltage scheme cost, and one 10 kV scheme?
Peer: pandapower's ``runpp`` of the township, warm start off, in the same process, taking turns with the schemes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.net import copy_net, run_load_flow
from gridmodel.readers.tables import read_tables
from scheme.document.write import write_documents
from scheme.generate import generate_scheme
from scheme.policy.loader import load_policy
from scheme.request import parse_request
from tests.benchmarks.turns import summary, take_turns

FIXTURES = Path(__file__).parents[2] / "fixtures"
REQUESTS = {"low voltage": "lv_resident", "10 kV": "mv_10kv_single"}
AS_OF = date(2026, 11, 22)


def run(*, repetitions: int = 5) -> Iterator[dict[str, Any]]:
    """Yield one row per kind of scheme."""
    snapshot, catalogue = read_tables(FIXTURES / "township"), load_catalogue()
    net = copy_net(snapshot.net)
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

            pairs = take_turns(answer, lambda: run_load_flow(net), repetitions)
            case = f"{label} scheme with documents, warm / one runpp, {len(net.bus)} buses"
            yield {"id": "B9", "case": case, "must": "", **summary(pairs)}
