from __future__ import annotations

import csv
import io
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import pandas as pd
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.services import Services, product_parts
from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.store import Store
from tests.access.clients import client_of, make_key, with_access
from tests.publication.examples import write_public_policy

Keys = dict[str, str]


def quick_capacity(snapshot: Snapshot, **_: Any) -> pd.DataFrame:
    """Open capacity drawn at random: what is published is under test, not computed."""
    boards = snapshot.nodes.index
    open_kva = np.random.default_rng(5).lognormal(4.0, 0.6, len(boards))
    return pd.DataFrame({"node_id": snapshot.nodes.node_id, "status": "assessed", "open_kva": open_kva}, index=boards)


@dataclass
class Running:
    """An application over the township, and a client for each person."""

    app: FastAPI
    day: list[date]
    clients: dict[str, TestClient]

    def __getitem__(self, who: str) -> TestClient:
        return self.clients[who]

    def post(self, who: str, path: str, body: Any = None, key: str = "k1") -> Any:
        return self[who].post(path, json={} if body is None else body, headers={"Idempotency-Key": key})

    def publish(self, key: str = "k1") -> dict[str, Any]:
        """Draft by one operator, release by the other."""
        made = self.post("zhang", "/v1/publications", key=key).json()
        path = f"/v1/publications/{made['publication_id']}"
        scanned = self.post("zhang", f"{path}:scan", key=key).json()
        assert scanned["state"] == "scanned", scanned["report"]
        released = self.post("li", f"{path}:release", {"content_sha256": made["content_sha256"]}, key=key)
        assert released.status_code == 200, released.text
        found: dict[str, Any] = released.json()
        return found


def run(tmp_path: Path, grid_file: Path, audience: str = "public") -> Iterator[Running]:
    shutil.copy(grid_file, tmp_path / "grid.db")
    store = Store(str(tmp_path / "grid.db"))
    day = [date(2026, 11, 20)]
    parts = replace(product_parts(write_public_policy(tmp_path / "policy", audience)), node_capacity=quick_capacity)
    services = Services(store, profile="our-county", clock=lambda: day[0], parts=parts)
    app = create_app(services, allowed_hosts={"testserver"})
    access = with_access(app, store)
    clients = {role: client_of(app, key) for role, key in access.keys.items()}
    for name in ("zhang", "li"):
        clients[name] = client_of(app, make_key(store, name, "operator"))
    clients["anyone"] = client_of(app, None)
    yield Running(app=app, day=day, clients=clients)
    app.state.publications.close()
    store.close()


@pytest.fixture
def running(tmp_path: Path, grid_file: Path) -> Iterator[Running]:
    yield from run(tmp_path, grid_file)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, grid_file: Path) -> Iterator[Running]:
    """An application with a publication in public; tests only read."""
    for made in run(tmp_path_factory.mktemp("shown"), grid_file):
        made.publish()
        yield made


def test_anyone_reads_the_released_bytes_and_nobody_anything_before(running: Running) -> None:
    paths = ["/v1/public/capacity", "/v1/public/legend", "/v1/public/capacity.csv", "/v1/public/tiles/10/534/353.mvt"]
    paths.append("/v1/public/tiles.json")
    for path in paths:
        assert running["anyone"].get(path).status_code == 404
    made = running.post("zhang", "/v1/publications").json()
    assert running["anyone"].get(paths[0]).status_code == 404
    path = f"/v1/publications/{made['publication_id']}"
    looked_at = running["li"].get(f"{path}/file")
    running.post("zhang", f"{path}:scan")
    running.post("li", f"{path}:release", {"content_sha256": made["content_sha256"]})
    answer = running["anyone"].get(paths[0])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.content == looked_at.content
    assert answer.headers["etag"] == f'"{made["content_sha256"]}"'
    assert {running[role].get(paths[0]).content for role in ("customer", "engineer", "planner")} == {answer.content}


def test_a_client_that_has_the_file_is_not_sent_it_again(shown: Running) -> None:
    first = shown["anyone"].get("/v1/public/capacity")
    assert first.headers["cache-control"] == "public, max-age=300, must-revalidate"
    for tag in (first.headers["etag"], f"W/{first.headers['etag']}", f'"x", {first.headers["etag"]}', "*"):
        again = shown["anyone"].get("/v1/public/capacity", headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    assert shown["anyone"].get("/v1/public/capacity", headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize("query", ["bbox=7,48,8,49", "profile=internal", "cell=1", "limit=1", "lon=7.7&lat=48.4"])
@pytest.mark.parametrize("path", ["capacity", "legend", "capacity.csv", "tiles.json", "tiles/10/534/353.mvt"])
def test_no_parameter_chooses_what_is_shown(shown: Running, path: str, query: str) -> None:
    answer = shown["anyone"].get(f"/v1/public/{path}?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_legend_and_table_say_the_same_as_the_map(shown: Running) -> None:
    document = shown["anyone"].get("/v1/public/capacity").json()
    legend = shown["anyone"].get("/v1/public/legend").json()
    assert legend == {name: value for name, value in document.items() if name not in ("type", "features")}
    assert legend["data_month"] == "2026-11"
    assert "不可相加" in legend["note"]
    answer = shown["anyone"].get("/v1/public/capacity.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["cell_id"] for row in rows] == [item["id"] for item in document["features"]]
    assert [row["class"] for row in rows] == [item["properties"]["class"] for item in document["features"]]
    # every text is quoted; numbers are not
    assert answer.text.splitlines()[1].startswith('"c_')


def test_the_description_of_the_tiles_names_where_they_are_and_how_far_the_squares_reach(shown: Running) -> None:
    described = shown["anyone"].get("/v1/public/tiles.json").json()
    document = shown["anyone"].get("/v1/public/capacity").json()
    places = np.array([place for item in document["features"] for place in item["geometry"]["coordinates"][0]])
    assert described["bounds"] == [*places.min(axis=0), *places.max(axis=0)]
    assert described["tilejson"] == "3.0.0"
    west, south, east, north = described["bounds"]
    zoom = described["maxzoom"]
    column = int(((west + east) / 2 + 180.0) / 360.0 * 2**zoom)
    lat = math.radians((south + north) / 2)
    row = int((1.0 - math.asinh(math.tan(lat)) / math.pi) / 2.0 * 2**zoom)
    [template] = described["tiles"]
    answer = shown["anyone"].get(template.format(z=zoom, x=column, y=row))
    assert answer.status_code in (200, 204)
    fields = {name for layer in described["vector_layers"] for name in layer["fields"]}
    if answer.status_code == 200:
        [layer] = mapbox_vector_tile.decode(answer.content).values()
        assert {name for item in layer["features"] for name in item["properties"]} <= fields


def test_tiles_hold_the_squares_of_the_file_and_nothing_else(shown: Running) -> None:
    document = shown["anyone"].get("/v1/public/capacity").json()
    by_id = {item["id"]: item["properties"] for item in document["features"]}
    zoom = 10
    found: set[str] = set()
    lon_deg, lat_deg = zip(
        *(c for item in document["features"] for c in item["geometry"]["coordinates"][0]), strict=True
    )
    columns = [_column(lon, zoom) for lon in (min(lon_deg), max(lon_deg))]
    rows = [_row(lat, zoom) for lat in (max(lat_deg), min(lat_deg))]
    for x in range(columns[0], columns[1] + 1):
        for y in range(rows[0], rows[1] + 1):
            answer = shown["anyone"].get(f"/v1/public/tiles/{zoom}/{x}/{y}.mvt")
            assert answer.status_code in (200, 204)
            layers = mapbox_vector_tile.decode(answer.content) if answer.content else {}
            for feature in layers.get("open_capacity", {}).get("features", []):
                told = feature["properties"]
                kept = {name: value for name, value in by_id[told["cell_id"]].items() if value is not None}
                assert told == {"cell_id": told["cell_id"], "data_month": "2026-11", **kept}
                found.add(told["cell_id"])
            assert set(layers) <= {"open_capacity"}
    assert found == set(by_id)


def _column(lon_deg: float, zoom: int) -> int:
    """Tile number of Web Mercator (OSM's slippy-map formula)."""
    return int((lon_deg + 180.0) / 360.0 * 2**zoom)


def _row(lat_deg: float, zoom: int) -> int:
    return int((1.0 - math.asinh(math.tan(math.radians(lat_deg))) / math.pi) / 2.0 * 2**zoom)


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("0/0/0", 200),
        ("14/0/0", 204),
        ("3/8/0", 404),
        ("15/0/0", 422),
        ("-1/0/0", 422),
        ("x/0/0", 422),
        ("1/1.5/0", 422),
    ],
)
def test_tiles_that_do_not_exist_are_refused(shown: Running, place: str, status: int) -> None:
    assert shown["anyone"].get(f"/v1/public/tiles/{place}.mvt").status_code == status


def test_on_application_only_staff_read_the_map(tmp_path: Path, grid_file: Path) -> None:
    for made in run(tmp_path, grid_file, audience="on_application"):
        assert made.publish()["audience"] == "on_application"
        for who in ("anyone", "customer", "public"):
            answer = made[who].get("/v1/public/capacity")
            assert answer.status_code == 404
            assert answer.json()["title"] == "no capacity is published"
        for who in ("engineer", "planner", "operator"):
            answer = made[who].get("/v1/public/capacity")
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "private, no-store"


def test_nothing_of_the_network_is_in_any_public_answer(shown: Running, sealed: Snapshot) -> None:
    """Bytes, headers and tiles, against every name and identifier that is more than a number or two letters."""
    from scheme.publication.secrets import collect_secrets

    texts = [text for text in collect_secrets(sealed).texts if len(text) > 3 and not text.isdecimal()]
    assert len(texts) > 5_000
    said = b""
    for path in ("capacity", "legend", "capacity.csv", "tiles/0/0/0.mvt", "tiles/10/534/353.mvt", "tiles/99/0/0.mvt"):
        answer = shown["anyone"].get(f"/v1/public/{path}")
        said += answer.content + repr(answer.headers).encode()
    assert [text for text in texts if text.encode() in said] == []


def test_two_persons_and_the_right_file_are_needed(running: Running) -> None:
    made = running.post("zhang", "/v1/publications").json()
    path, release = f"/v1/publications/{made['publication_id']}", {"content_sha256": made["content_sha256"]}
    early = running.post("li", f"{path}:release", release, key="k2")
    assert (early.status_code, early.json()["code"]) == (409, "publication.state")
    running.post("zhang", f"{path}:scan")
    own = running.post("zhang", f"{path}:release", release)
    assert (own.status_code, own.json()["code"]) == (403, "publication.second_person")
    wrong = running.post("li", f"{path}:release", {"content_sha256": "0" * 64}, key="k3")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "publication.state")
    assert running["anyone"].get("/v1/public/capacity").status_code == 404
    assert running.post("li", f"{path}:release", release, key="k4").status_code == 200


@pytest.mark.parametrize("who", ["anyone", "customer", "engineer", "planner"])
def test_only_operators_see_and_make_publications(shown: Running, who: str) -> None:
    refused = 401 if who == "anyone" else 403
    some = "/v1/publications/pub_" + "0" * 32
    assert shown[who].get("/v1/publications").status_code == refused
    assert shown[who].get(some).status_code == refused
    assert shown[who].get(f"{some}/file").status_code == refused
    for path in ("/v1/publications", f"{some}:scan", f"{some}:release", f"{some}:withdraw"):
        assert shown.post(who, path).status_code == refused


def test_withdrawal_takes_the_map_away_at_once(running: Running) -> None:
    made = running.publish()
    assert running["anyone"].get("/v1/public/capacity").status_code == 200
    path = f"/v1/publications/{made['publication_id']}:withdraw"
    assert running.post("zhang", path, {"reason": ""}).status_code == 422
    ended = running.post("zhang", path, {"reason": "数据有误"}, key="k9")
    assert (ended.status_code, ended.json()["state"]) == (200, "withdrawn")
    assert running["anyone"].get("/v1/public/capacity").status_code == 404
    assert running["anyone"].get("/v1/public/tiles/0/0/0.mvt").status_code == 404


def test_the_same_key_makes_one_draft_and_answers_alike(running: Running) -> None:
    first = running.post("zhang", "/v1/publications", key="same")
    again = running.post("zhang", "/v1/publications", key="same")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    other = running.post("zhang", "/v1/publications", {"negative_list": []}, key="same")
    assert (other.status_code, other.json()["code"]) == (422, "request.idempotency_conflict")
    assert len(running["li"].get("/v1/publications").json()["publications"]) == 1
    assert running.post("li", "/v1/publications", key="same").status_code == 201  # another person's key


@pytest.mark.parametrize(
    "body",
    [
        {"x": 1},
        {"negative_list": "F11"},
        {"negative_list": [1]},
        {"negative_list": ["F\u0000"]},
        {"negative_list": ["F99"]},
    ],
)
def test_bad_drafts_are_refused_with_a_reason(shown: Running, body: Any) -> None:
    answer = shown.post("zhang", "/v1/publications", body, key="bad")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_list_tells_who_did_what_with_the_leak_report(shown: Running) -> None:
    [made] = [
        item for item in shown["li"].get("/v1/publications").json()["publications"] if item["state"] == "released"
    ]
    assert (made["made_by"], made["released_by"]) == ("zhang", "li")
    assert made["report"]["is_clean"] is True
    counted = made["report"]["transformers_behind_squares"] + made["report"]["transformers_behind_remainders"]
    assert 50 < counted <= 99  # which squares are thick enough hangs on where the secret lays them
    assert made["basis"]["ledger_seq"] == 0
    one = shown["li"].get(f"/v1/publications/{made['publication_id']}")
    assert one.json() == made


def test_the_service_does_not_start_with_one_database_for_both_sides(running: Running) -> None:
    services = running.app.state.capacity_tables._services
    with pytest.raises(InputError, match="database of its own"):
        create_app(services, public_db=str(services.store.file))


def test_a_public_side_that_does_not_answer_is_503(running: Running) -> None:
    running.publish()
    file = running.app.state.publications.public.file
    file.write_bytes(b"no database at all, only words" * 40)
    answer = running["anyone"].get("/v1/public/capacity")
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


def test_the_next_month_replaces_the_map(running: Running) -> None:
    first = running.publish()
    running.day[0] = date(2026, 12, 18)
    second = running.publish(key="december")
    assert running["anyone"].get("/v1/public/legend").json()["data_month"] == "2026-12"
    states = {
        item["publication_id"]: item["state"] for item in running["li"].get("/v1/publications").json()["publications"]
    }
    assert states == {first["publication_id"]: "replaced", second["publication_id"]: "released"}
