"""Uploads that are checked before anything becomes current: counted, paged, compared, for who handed them in alone."""

from __future__ import annotations

import io
import json
from typing import Any

import openpyxl
import pytest

from api.jobs.kinds import KINDS, parse_arguments
from api.jobs.workbench import open_workbench
from gridmodel.errors import InputError
from scheme.ledger.records import Actor
from tests.api.test_import import six_bus_json
from tests.http.conftest import Office
from tests.http.test_snapshots import JSON, ZIP, zipped
from tests.jobs.test_http import InlineSteps
from tests.readers.small_network import small_network, write_folder

JOB = {"subject_id": "local-engineer", "role": "engineer", "request_id": "job"}


def hand_in(office: Office, content: bytes, media_type: str = JSON, *, key: str = "u", role: Any = "engineer") -> str:
    answer = office.clients[role].post(
        "/v1/uploads?name=town", content=content, headers={"Content-Type": media_type, "Idempotency-Key": key}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["upload_id"])


def run(office: Office, kind: str, upload_id: str) -> Any:
    """Do a job of the engineer's here and now."""
    steps = InlineSteps()
    steps.actor = Actor(**JOB)
    bench = open_workbench(office.utility.services, None)
    return KINDS[kind].run(bench, steps, parse_arguments(kind, {"upload_id": upload_id}))


def tables_with(tmp_path: Any, **edits: Any) -> bytes:
    """Return the small network as a zip, cells of the first loads replaced."""
    tables = small_network()
    for load_id, cells in edits.items():
        next(load for load in tables["loads"] if load["load_id"] == load_id).update(cells)
    folder = write_folder(tables, tmp_path / "tables")
    return zipped({path.name: path.read_bytes() for path in folder.iterdir()})


def ask(office: Office, upload_id: str, what: str, *, role: Any = "engineer", **query: Any) -> Any:
    return office.clients[role].get(f"/v1/uploads/{upload_id}/{what}", params=query)


def test_check_tells_rows_and_activates_nothing(office: Office, tmp_path: Any) -> None:
    before = office.engineer.get("/v1/snapshots/current").json()
    upload_id = hand_in(office, tables_with(tmp_path, C1={"p_kw": "viel"}, C2={"p_kw": -4}), ZIP)
    assert ask(office, upload_id, "check").status_code == 404, "nothing was checked yet"
    summary = run(office, "check", upload_id)
    assert "findings" not in summary, "rows are not kept with the job"
    shown = ask(office, upload_id, "check").json()
    assert shown.pop("upload_id") == upload_id
    assert shown.pop("file") == "town.zip"
    assert shown.pop("is_stale") is False
    assert shown == summary
    assert shown["compared_with_sha256"] == before["snapshot_sha256"]
    found = ask(office, upload_id, "findings", severity="error", table="loads").json()
    cells = [(one["row"], one["column"], one["value"]) for one in found["items"]]
    assert cells == [(1, "p_kw", "viel"), (2, "p_kw", "-4")]
    assert found["total"] == 2
    [loads] = [count for count in shown["counts"] if count["table"] == "loads"]
    assert (loads["read"], loads["accepted"], loads["quarantined"]) == (5, 3, 2)
    assert office.engineer.get("/v1/snapshots/current").json() == before
    activated = run(office, "import", upload_id)
    assert activated["snapshot_sha256"] == office.engineer.get("/v1/snapshots/current").json()["snapshot_sha256"]
    assert ask(office, upload_id, "check").status_code == 404, "it was read and is gone"


def test_differences_are_those_from_the_network_that_is_current(office: Office, tmp_path: Any) -> None:
    run(office, "import", hand_in(office, tables_with(tmp_path / "a"), ZIP))
    upload_id = hand_in(office, tables_with(tmp_path / "b", C1={"p_kw": 75}), ZIP, key="v")
    summary = run(office, "check", upload_id)
    assert summary["change_kinds"] == [{"table": "loads", "fate": "changed", "count": 1}]
    assert summary["change_columns"] == [{"table": "loads", "column": "p_mw", "count": 1}]
    found = ask(office, upload_id, "changes", table="loads", fate="changed", column="p_mw").json()
    assert found["items"] == [
        {"table": "loads", "element_id": "C1", "name": "C1", "fate": "changed",
         "columns": [{"column": "p_mw", "old": 0.06, "new": 0.075}]}
    ]  # fmt: skip
    assert ask(office, upload_id, "changes", column="q_mvar").json()["total"] == 0
    run(office, "import", hand_in(office, six_bus_json().encode(), key="w"))
    assert ask(office, upload_id, "check").json()["is_stale"] is True


def test_holds_without_a_place_are_foreseen_as_they_come(office: Office) -> None:
    held = office.act(office.quote(), "issue").json()
    upload_id = hand_in(office, six_bus_json().encode())
    assert run(office, "check", upload_id)["lost_source_count"] == 1
    [lost] = ask(office, upload_id, "holds").json()["items"]
    assert (lost["hold_id"], lost["share_kva"]) == (held["hold_id"], held["capacity_kva"])
    assert not office.engineer.get(f"/v1/holds/{held['hold_id']}").json()["is_orphan"], "nothing happened yet"
    assert run(office, "import", upload_id)["orphan_hold_ids"] == [held["hold_id"]]


def test_upload_of_another_is_not_there(office: Office) -> None:
    upload_id = hand_in(office, six_bus_json().encode())
    run(office, "check", upload_id)
    for what in ("check", "findings", "changes", "holds", "report/csv"):
        assert ask(office, upload_id, what).status_code == 200
        assert ask(office, upload_id, what, role="operator").status_code == 404
        assert ask(office, upload_id, what, role="planner").status_code == 403
    assert office.clients["operator"].post(f"/v1/uploads/{upload_id}:discard").status_code == 404
    assert office.engineer.post(f"/v1/uploads/{upload_id}:discard").status_code == 204
    assert ask(office, upload_id, "check").status_code == 404
    assert office.engineer.post(f"/v1/uploads/{upload_id}:discard").status_code == 404


def test_pages_follow_one_another_without_loss(office: Office) -> None:
    upload_id = hand_in(office, six_bus_json().encode())
    total = sum(kind["count"] for kind in run(office, "check", upload_id)["change_kinds"])
    seen, cursor = [], None
    while True:
        page = ask(office, upload_id, "changes", limit=7, **({"cursor": cursor} if cursor else {})).json()
        seen += [(one["table"], one["element_id"], one["fate"]) for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == page["total"] == total > 14


def test_report_holds_every_row_and_runs_no_formula(office: Office, tmp_path: Any) -> None:
    formula = '=HYPERLINK("http://127.0.0.1","x")'
    upload_id = hand_in(office, tables_with(tmp_path, C1={"p_kw": formula}), ZIP)
    run(office, "check", upload_id)
    total = ask(office, upload_id, "findings").json()["total"]
    book = openpyxl.load_workbook(io.BytesIO(ask(office, upload_id, "report/xlsx").content))
    rows = list(book["数据问题"].iter_rows())
    assert len(rows) == total + 1
    cells = [cell for row in rows for cell in row if cell.value == formula]
    assert [cell.data_type for cell in cells] == ["s"]
    text = ask(office, upload_id, "report/csv").content.decode("utf-8-sig")
    assert "'=HYPERLINK" in text
    assert '"=HYPERLINK' not in text


def test_file_that_cannot_be_read_says_where(office: Office) -> None:
    upload_id = hand_in(office, json.dumps({"a": 1}).encode())
    with pytest.raises(InputError) as refused:
        run(office, "check", upload_id)
    assert refused.value.context["file"] == "town.json"
    assert ask(office, upload_id, "check").status_code == 404
