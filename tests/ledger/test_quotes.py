"""Computing a scheme promises nothing: whoever compares or assesses a batch takes no capacity from anybody."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from api.services import Services, product_parts
from gridmodel.snapshot import Snapshot
from scheme.ledger import Ledger
from scheme.ledger.accounts import build_accounts
from scheme.model import Scheme
from scheme.request import SupplyRequest
from scheme.store import Store
from tests.conftest import FIXTURES
from tests.ledger.cases import activate

DAY = date(2026, 11, 23)


def open_services(url: str, grid: Snapshot) -> Services:
    """Services over a grid whose accounts are open; a scheme is the hand-made example, under the request's name."""
    known = TypeAdapter(Scheme).validate_json((FIXTURES / "schemes" / "lv_small_micro_380v.json").read_bytes())

    def generate(request: SupplyRequest, **_: Any) -> Scheme:
        return replace(known, scheme_id=f"sch_{request.request_id}", request_id=request.request_id)

    def write(scheme: Scheme, _: Snapshot, folder: Path) -> Scheme:
        (folder / "scheme.json").write_text(json.dumps(scheme.as_dict(), ensure_ascii=False), encoding="utf-8")
        return scheme

    parts = replace(product_parts(), generate_scheme=generate, write_documents=write)
    services = Services(Store(url), profile="shenqiu-2022", clock=lambda: DAY, parts=parts)
    services.store.store_snapshot(grid)
    activate(Ledger(services.store), build_accounts(grid, services.load_policy()).accounts)
    return services


def test_a_batch_of_computed_schemes_takes_no_capacity(sqlite_url: str, township: Snapshot) -> None:
    services = open_services(sqlite_url, township)
    ledger = Ledger(services.store)
    before = ledger.head(), ledger.find_accounts()
    asked = json.loads((FIXTURES / "requests" / "lv_small_micro.json").read_bytes())
    for number in range(5):
        request = SupplyRequest.model_validate_json(json.dumps({**asked, "request_id": f"R-{number}"}))
        services.answer(request, find_capacity=lambda _: None)
    assert (ledger.head(), ledger.find_accounts()) == before
    assert ledger.list_live() == []
