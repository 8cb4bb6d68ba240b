"""A crawler with the public and the customers' roles over every operation finds nothing of the grid.

The network is the township with a canary in every identifier and name, moved to figures of its own. The engineer's
answers are the control: the same search finds them full of canaries.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.access import install_access
from api.app import create_app
from api.guard import LOOPBACK_HOSTS
from api.services import Services, product_parts
from gridmodel.snapshot import Snapshot
from scheme.store import Store
from tests.access.canary import TOWNSHIP, CanaryGrid, find_names, find_places, moved, texts_of, write_canary_township
from tests.access.clients import client_of, make_access, make_key
from tests.access.crawl import Exchange, Inputs, crawl, exchange_of

AS_OF = date(2026, 11, 20)
PUBLIC_CALLERS = ("nobody", "public", "ZK-1", "ZK-2")


def quick_capacity(snapshot: Snapshot, **_: Any) -> pd.DataFrame:
    """A table with every node in it; the figures do not matter here."""
    nodes = snapshot.nodes
    known = ("node_id", "source_id", "u_nominal_kv", "lon_deg", "lat_deg", "name")
    fixed = {"status": "assessed", "limit_kind": "voltage_low", "limit_hour": None}
    numbers = dict.fromkeys(("administrative_kva", "physical_kva", "open_kva"), 100.0)
    columns = {name: nodes[name] for name in known}
    return pd.DataFrame({**columns, **fixed, **numbers, "limit_element_id": nodes["element_id"]}, index=nodes.index)


@dataclass(frozen=True)
class Town:
    """A running service over the canary network, with schemes of two customers and of the staff."""

    app: FastAPI
    clients: dict[str, TestClient]
    grid: CanaryGrid
    schemes: dict[str, str]
    answers: dict[str, Exchange]
    """What the customers were answered with."""
    inputs: Inputs
    document: dict[str, Any]


def requests() -> dict[str, dict[str, Any]]:
    """Return what is asked: low voltage, 10 kV, and more than 10 kV can carry."""
    low, high = (json.loads((TOWNSHIP / "requests" / f"{name}.json").read_text()) for name in ("lv", "mv"))
    low["location"]["lat_deg"] += 0.0003  # away from equipment: what a customer sends is theirs
    large = json.loads(json.dumps(high))
    large["demand"] = {"installed_kw": 60_000.0, "capacity_kva": 63_000.0}
    return {
        "ZK-1": moved(low, request_id="A-1"),
        "ZK-2": moved(high, request_id="B-1"),
        "staff": moved(large, request_id="S-1"),
    }


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("canary")
    grid = write_canary_township(folder / "tables")
    store = Store(str(folder / "store.db"))
    parts = replace(product_parts(), node_capacity=quick_capacity)
    services = Services(store, profile="shenqiu-2022", clock=lambda: AS_OF, parts=parts)
    app = create_app(services, allowed_hosts=LOOPBACK_HOSTS | {"testserver"})
    made = make_access(store)
    install_access(app, made.access)
    keys: dict[str, str | None] = {"nobody": None, "public": made.keys["public"], "engineer": made.keys["engineer"]}
    keys |= {name: make_key(store, name, "customer") for name in ("ZK-1", "ZK-2")}
    clients = {name: client_of(app, key) for name, key in keys.items()}
    import_tables(clients["engineer"], grid)
    clients["engineer"].get("/v1/capacity")
    app.state.capacity_tables.wait()
    answers = {
        who: ask(clients["engineer" if who == "staff" else who], who, request) for who, request in requests().items()
    }
    schemes = {who: str(json.loads(answer.content)["scheme_id"]) for who, answer in answers.items()}
    holds = [issue(clients["engineer"], schemes["ZK-1"])]
    document = clients["nobody"].get("/openapi.json").json()
    yield Town(app, clients, grid, schemes, answers, make_inputs(schemes, holds), document)
    app.state.capacity_tables.wait()
    store.close()


def import_tables(client: TestClient, grid: CanaryGrid) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(grid.folder.iterdir()):
            archive.write(file, file.name)
    headers = {"Content-Type": "application/zip", "Idempotency-Key": "import"}
    answer = client.post("/v1/snapshots", content=packed.getvalue(), headers=headers)
    assert answer.status_code == 201, answer.text


def ask(client: TestClient, who: str, request: dict[str, Any]) -> Exchange:
    answer = client.post("/v1/schemes", json=request, headers={"Idempotency-Key": request["request_id"]})
    assert answer.status_code == 201, answer.text
    return exchange_of(who, "POST /v1/schemes", answer)


def issue(client: TestClient, scheme_id: str) -> str:
    headers = {"Idempotency-Key": f"issue-{scheme_id}"}
    answer = client.post(f"/v1/schemes/{scheme_id}:issue", json={"reason": "答复客户"}, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["hold_id"])


def make_inputs(schemes: dict[str, str], holds: list[str]) -> Inputs:
    kinds = ("json", "pdf", "docx", "map", "diagram", "diagram_dxf", "works_order_pdf", "works_order_docx")
    known = requests()
    place = known["ZK-1"]["location"]
    swapped = {**place, "lon_deg": place["lat_deg"], "lat_deg": 40.0}
    north, other_site = ({**place, "lat_deg": lat_deg} for lat_deg in (40.0, 48.45))
    asked = [(swapped, "C-1"), (north, "C-2"), (other_site, "A-1"), (other_site, "B-1"), (north, "C-3"), (north, "C-4")]
    return Inputs(
        parameters={
            "scheme_id": [*schemes.values(), "sch_" + "0" * 24],
            "hold_id": [*holds, "hld_" + "0" * 32],
            "kind": kinds,
            "job_id": ["job_" + "0" * 32],
            "bbox": ["114,48,115,49", "114.87,48.45,114.88,48.46"],
            "limit": ["1", "1000"],
            "z": ["10", "14"],
            "x": ["838", "13412"],
            "y": ["354", "5674"],
            "collection_id": ["capacity", "nodes", "open_capacity"],
            "collectionId": ["capacity", "nodes", "open_capacity"],
            "parameter_id": ["disclosure.customer_sees_names", "validity.lv_months"],
            "profile": ["shenqiu-2022", "xinyang-2021", "internal"],
            "as_of": ["2026-11-20"],
            "request_id": ["A-1", "B-1", "S-1"],
            "state": ["held", "quote"],
        },
        bodies={
            # None of them is answered with a scheme: those of the customers have been.
            "SupplyRequest": [{**known["ZK-1"], "location": at, "request_id": name} for at, name in asked],
            "GuideRequest": [{"category": "small_micro", "business": "new", "installed_kw": 80.0}],
            "Location": [place],
            "IssueStep": [{"reason": "x", "variant_no": 1}],
            "Step": [{"reason": "x"}],
            "ReduceStep": [{"reason": "x", "capacity_kva": 1.0}],
            "JobRequest": [{"kind": "capacity", "arguments": {}}],
        },
    )


def names_in(exchange: Exchange) -> list[str]:
    texts = (exchange.head, *texts_of(exchange.content, exchange.media_type))
    return [found for text in texts for found in find_names(text)]


def places_in(exchange: Exchange, grid: CanaryGrid) -> list[tuple[float, float]]:
    texts = (exchange.head, *texts_of(exchange.content, exchange.media_type))
    return [found for text in texts for found in find_places(text, grid)]


@pytest.fixture(scope="module")
def seen(town: Town) -> dict[str, list[Exchange]]:
    """Everything the public and the customers were answered."""
    found = {who: list(crawl(town.clients[who], who, town.document, town.inputs)) for who in PUBLIC_CALLERS}
    return {
        who: [*exchanges, *([town.answers[who]] if who in town.answers else [])] for who, exchanges in found.items()
    }


@pytest.mark.parametrize("who", PUBLIC_CALLERS)
def test_no_name_and_no_place_of_the_grid_is_answered(town: Town, seen: dict[str, list[Exchange]], who: str) -> None:
    told = {exchange.call: names_in(exchange) for exchange in seen[who]}
    assert {call: found for call, found in told.items() if found} == {}
    placed = {exchange.call: places_in(exchange, town.grid) for exchange in seen[who]}
    assert {call: found for call, found in placed.items() if found} == {}


@pytest.mark.parametrize("who", ["ZK-1", "ZK-2"])
def test_a_check_of_the_own_site_names_nothing_of_the_grid(town: Town, who: str) -> None:
    answer = town.clients[who].post("/v1/site-checks", json=requests()[who])
    assert answer.status_code == 200, answer.text
    told = exchange_of(who, "POST /v1/site-checks", answer)
    assert json.loads(told.content)["answer"] in ("yes", "up_to")
    assert json.loads(told.content)["timeline"]["limit"] is not None
    assert (names_in(told), places_in(told, town.grid)) == ([], [])


def test_every_operation_is_called_with_and_without_success(town: Town, seen: dict[str, list[Exchange]]) -> None:
    operations = {f"{method.upper()} {path}" for path, found in town.document["paths"].items() for method in found}
    assert len(operations) > 25
    for who in PUBLIC_CALLERS:
        statuses = Counter(exchange.status for exchange in seen[who])
        assert sum(statuses.values()) > 5 * len(operations)
        assert not [exchange.call for exchange in seen[who] if exchange.status >= 500 and exchange.status != 503]
        assert {200, 422} & set(statuses)
    own = {exchange.call: exchange.status for exchange in seen["ZK-1"]}
    for kind in ("json", "pdf", "docx"):
        assert own[f"GET /v1/schemes/{town.schemes['ZK-1']}/documents/{kind}"] == 200
    for kind in ("map", "diagram", "diagram_dxf", "works_order_pdf", "works_order_docx"):
        assert own[f"GET /v1/schemes/{town.schemes['ZK-1']}/documents/{kind}"] == 404
    for foreign in ("ZK-2", "staff"):
        assert own[f"GET /v1/schemes/{town.schemes[foreign]}"] == 404


def test_the_engineer_is_answered_with_names_and_places(town: Town) -> None:
    engineer = town.clients["engineer"]
    scheme_id = town.schemes["ZK-1"]
    targets = {
        f"/v1/schemes/{scheme_id}": (True, True),
        f"/v1/schemes/{scheme_id}/documents/docx": (True, False),
        f"/v1/schemes/{scheme_id}/documents/pdf": (True, False),
        f"/v1/schemes/{scheme_id}/documents/diagram": (True, False),
        "/v1/capacity?limit=5": (True, True),
    }
    for target, (has_names, has_places) in targets.items():
        answer = engineer.get(target)
        assert answer.status_code == 200
        exchange = exchange_of("engineer", target, answer)
        assert bool(names_in(exchange)) is has_names, target
        assert not has_places or places_in(exchange, town.grid), target


def test_a_place_beside_equipment_is_found_in_either_order(town: Town) -> None:
    lon_deg, lat_deg = town.grid.places[7]
    assert find_places(f"{lon_deg + 0.00009:.6f},{lat_deg:.6f}", town.grid)
    assert find_places(json.dumps({"lat_deg": lat_deg, "lon_deg": lon_deg}), town.grid)
    assert not find_places(f"{lon_deg + 1.0:.6f},{lat_deg:.6f}", town.grid)
