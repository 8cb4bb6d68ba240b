"""Networks handed in over HTTP: all or nothing, each once under its key, limits before contents."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from api.archives import unpack_tables
from gridmodel.errors import InputError
from tests.api.test_import import six_bus_json
from tests.conftest import FIXTURES
from tests.http.conftest import Office

JSON = "application/json"
ZIP = "application/zip"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def hand_in(office: Office, content: bytes, media_type: str, *, key: str = "k", role: Any = "engineer") -> Any:
    return office.clients[role].post(
        "/v1/snapshots?name=county", content=content, headers={"Content-Type": media_type, "Idempotency-Key": key}
    )


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_network_becomes_the_current_one_once(office: Office) -> None:
    before = office.engineer.get("/v1/snapshots/current").json()["snapshot_sha256"]
    handed = hand_in(office, six_bus_json().encode(), JSON)
    assert handed.status_code == 201, handed.text
    told = handed.json()
    assert (told["source_name"], told["source_format"], told["node_count"]) == ("county.json", "pandapower", 6)
    current = office.engineer.get(handed.headers["location"]).json()
    assert current["snapshot_sha256"] == told["snapshot_sha256"] != before
    again = hand_in(office, six_bus_json().encode(), JSON)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == handed.content
    assert hand_in(office, six_bus_json().encode() + b" ", JSON).status_code == 422, "another file under the same key"
    rows = office.clients["operator"].get("/v1/audit").json()["items"]
    found = [row for row in rows if row["action"] == "snapshot.activate"]
    assert [(row["before_sha256"], row["after_sha256"]) for row in found] == [(before, told["snapshot_sha256"])]


def test_live_holds_are_told_of(office: Office) -> None:
    held = office.act(office.quote(), "issue").json()
    told = hand_in(office, six_bus_json().encode(), JSON).json()
    assert told["orphan_hold_ids"] == [held["hold_id"]], "the other network has no such node"
    assert office.engineer.get(f"/v1/holds/{held['hold_id']}").json()["is_orphan"]


def test_zip_of_tables_is_read_as_the_folder_is(calm_office: Office) -> None:
    files = {f"township/{path.name}": path.read_bytes() for path in sorted((FIXTURES / "township").glob("*.csv"))}
    assert len(files) > 5
    handed = hand_in(calm_office, zipped(files), ZIP)
    assert handed.status_code == 201, handed.text
    assert (handed.json()["source_name"], handed.json()["source_format"]) == ("county", "tables")
    assert handed.json()["node_count"] > 1000


BAD_FILES: dict[str, tuple[bytes, str, int]] = {
    "not a network": (b"{}", JSON, 422),
    "not JSON": (b"{", JSON, 422),
    "not a zip": (b"PK nothing", ZIP, 422),
    "not a workbook": (b"PK nothing", XLSX, 422),
    "pickle": (b"\x80\x04", "application/octet-stream", 415),
    "form": (b"a=b", "application/x-www-form-urlencoded", 415),
    "way out": (zipped({"../nodes.csv": b"a"}), ZIP, 422),
    "absolute": (zipped({"/nodes.csv": b"a"}), ZIP, 422),
    "program": (zipped({"nodes.csv": b"a", "run.sh": b"b"}), ZIP, 422),
    "deep": (zipped({"a/b/nodes.csv": b"a"}), ZIP, 422),
    "several folders": (zipped({"a/nodes.csv": b"a", "b/lines.csv": b"a"}), ZIP, 422),
    "empty": (zipped({}), ZIP, 422),
    "unknown table": (zipped({"people.csv": b"a\n1\n"}), ZIP, 422),
    "bomb": (zipped({"nodes.csv": b"0" * 120_000_000}), ZIP, 422),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_file_changes_nothing(office: Office, name: str) -> None:
    content, media_type, status = BAD_FILES[name]
    before = office.engineer.get("/v1/snapshots/current").json()
    answer = hand_in(office, content, media_type)
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    assert office.engineer.get("/v1/snapshots/current").json() == before
    assert hand_in(office, six_bus_json().encode(), JSON).status_code == 201, "the key stays free"


def test_customers_and_planners_hand_nothing_in(calm_office: Office) -> None:
    for role, status in ((None, 401), ("public", 403), ("customer", 403), ("planner", 403)):
        assert hand_in(calm_office, b"{}", JSON, role=role).status_code == status


def test_findings_come_in_pages_errors_first(calm_office: Office) -> None:
    page = calm_office.engineer.get("/v1/snapshots/current", params={"limit": 1}).json()
    whole = calm_office.engineer.get("/v1/snapshots/current", params={"limit": 200}).json()["findings"]
    assert page["findings"] == whole[:1]
    rank = {"error": 0, "warning": 1, "info": 2}
    ranks = [rank[finding["severity"]] for finding in whole]
    assert ranks == sorted(ranks)


def test_declared_sizes_of_an_archive_are_counted_not_believed(tmp_path: Path) -> None:
    content = bytearray(zipped({"nodes.csv": b"0" * 150_000_000}))
    # The local header and the directory both declare the size; make both say 10 bytes.
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(mark) + offset
        content[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(InputError):
        unpack_tables(bytes(content), tmp_path, file="county.zip")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 110_000_000
