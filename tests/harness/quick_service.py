"""The service as a process, answers and certificates taking no time: ``python -m tests.harness.quick_service``.

Everything between the socket and the database is the product's: HTTP, access, admission, ledger, store. Only what a
load flow would say is replaced: a request names the low-voltage board it wants, and every certificate is granted.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cache, wraps
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from api.services import Parts, Services, product_parts
from gridmodel.net import pandapower
from gridmodel.snapshot import Snapshot
from scheme.model import Scheme, Validity
from scheme.store import Store
from tests.conftest import FIXTURES

BOARD_PREFIX = "board "
"""A request asks for the board named after it in the applicant's name."""


@cache
def example() -> Scheme:
    """Return the hand-made scheme every answer is made from."""
    text = (FIXTURES / "schemes" / "lv_small_micro_380v.json").read_text(encoding="utf-8")
    return TypeAdapter(Scheme).validate_python(json.loads(text))


def quick_scheme(request: Any, *, snapshot: Snapshot, as_of: date, **_: Any) -> Scheme:
    """Return an answer at the board the request names, for exactly the capacity asked for."""
    board = request.applicant.name.removeprefix(BOARD_PREFIX)
    known = example()
    assert known.supply is not None
    node = snapshot.nodes[snapshot.nodes.element_id == board].iloc[0]
    point = replace(
        known.variants[0].connection_point,
        element_source_id=board,
        u_nominal_kv=float(node.u_nominal_kv),
        lon_deg=float(node.lon_deg),
        lat_deg=float(node.lat_deg),
    )
    return replace(
        known,
        scheme_id=f"sch_{request.request_id}",
        request_id=request.request_id,
        request=request.model_dump(mode="json"),
        supply=replace(known.supply, capacity_kva=request.demand.capacity_kva),
        variants=(replace(known.variants[0], connection_point=point),),
        validity=Validity(from_on=as_of.isoformat(), to_on=(as_of + timedelta(days=60)).isoformat()),
        provenance=replace(known.provenance, snapshot_sha256=snapshot.sha256, as_of=as_of.isoformat()),
    )


def quick_documents(scheme: Scheme, snapshot: Snapshot, folder: Path) -> Scheme:
    """Write the record alone."""
    (folder / "scheme.json").write_text(json.dumps(scheme.as_dict(), ensure_ascii=False), encoding="utf-8")
    return scheme


def quick_capacity(snapshot: Snapshot, **_: Any) -> pd.DataFrame:
    """Return a table that assesses nothing."""
    nodes = snapshot.nodes
    unknown = np.full(len(nodes), np.nan)
    table = nodes[["node_id", "source_id", "u_nominal_kv", "lon_deg", "lat_deg"]].copy()
    return table.assign(
        status="not_assessable", administrative_kva=unknown, physical_kva=unknown, open_kva=unknown, limit_kind=None,
        limit_element_id=None, limit_hour=unknown,
    )  # fmt: skip


def quick_parts() -> Parts:
    """Return the product's calculations, the slow ones replaced."""
    return replace(
        product_parts(),
        generate_scheme=quick_scheme,
        write_documents=quick_documents,
        node_capacity=quick_capacity,
        certify=lambda *_, **__: {"sources": {}},
    )


KILL_POINTS: Mapping[str, tuple[str, str, str]] = {
    "before the counters": ("scheme.ledger.writer", "_change_counters", "before"),
    "between two levels": ("scheme.ledger.writer", "change_counter", "after"),
    "after the counters": ("scheme.ledger.writer", "_change_counters", "after"),
    "before the hold is written": ("scheme.ledger.writer", "_insert_holds", "before"),
    "after the hold is written": ("scheme.ledger.writer", "_insert_holds", "after"),
    "before the entries": ("scheme.ledger.writer", "_append", "before"),
    "before the audit row": ("scheme.ledger.writer", "_append_audit", "before"),
    "before the commit": ("scheme.ledger.writer", "post", "after"),
    "after the commit, before the answer": ("api.admission", "Admission._admit", "after"),
    "in the renderer": (__name__, "quick_documents", "before"),
    "after the documents, before the scheme is kept": (__name__, "quick_documents", "after"),
    "before the certificate": ("api.admission", "Admission._check_room", "after"),
    "in the sweeper": ("scheme.ledger.ledger", "Ledger.sweep", "before"),
}
"""Where the process may be told to die: module, function, and the side of it."""


def die_at(name: str, count: int) -> None:
    """Have this process killed when it passes a point for the ``count``-th time."""
    module_name, path, side = KILL_POINTS[name]
    owner: Any = import_module(module_name)
    *holders, attribute = path.split(".")
    for holder in holders:
        owner = getattr(owner, holder)
    original: Callable[..., Any] = getattr(owner, attribute)
    passed = 0

    @wraps(original)
    def dying(*given: Any, **named: Any) -> Any:
        nonlocal passed
        passed += 1
        if side == "before" and passed >= count:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*given, **named)
        if passed >= count:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, attribute, dying)


def serve(options: argparse.Namespace) -> None:
    """Serve until killed."""
    if options.kill_at is not None:
        die_at(options.kill_at, options.kill_count)
    if options.synchronous is not None:
        from scheme.store import engine

        engine.synchronous = lambda _mode: options.synchronous
    import uvicorn

    from api.app import create_app
    from api.serving import bind
    from tests.access.clients import make_access

    services = Services(Store(options.db), profile="shenqiu-2022", clock=date.today, parts=quick_parts())
    made = make_access(services.store)
    listener = bind("127.0.0.1", 0)
    listener.listen(1024)
    app = create_app(services, access=made.access)
    services.get_live()
    options.ready.write_text(json.dumps({"port": listener.getsockname()[1], "keys": dict(made.keys)}))
    config = uvicorn.Config(app, log_level="warning", lifespan="off", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the options of one service."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", required=True)
    parser.add_argument("--ready", type=Path, required=True, help="file written once connections are taken")
    parser.add_argument("--kill-at", default=None, choices=sorted(KILL_POINTS))
    parser.add_argument("--kill-count", type=int, default=1)
    parser.add_argument("--synchronous", default=None, choices=("OFF", "NORMAL"), help="less than the product asks for")
    return parser.parse_args(arguments)


def main() -> None:
    """Fork one service for every line on standard input (its options as JSON) and answer with its process number.

    What is slow to import is imported once; nothing is opened before the fork.
    """
    for name in ("api.admission", "api.app", "uvicorn", "tests.access.clients"):
        import_module(name)
    pandapower()
    example()
    product_parts().load_policy("shenqiu-2022", date.today())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(parse(json.loads(line)))
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
