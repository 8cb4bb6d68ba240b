"""Projects in the store: named by their source, changed with a reason, their history fixed by the database itself."""

from __future__ import annotations

import math

import pytest
from sqlalchemy import text

from gridmodel.errors import InputError, NotFoundError
from scheme.ledger.audit_trail import read_rows
from scheme.ledger.auditor import audit
from scheme.library.errors import ProjectExistsError, ProjectMovedError, ProjectStageError
from scheme.library.library import DOCUMENT_BYTES_MAX, Library
from scheme.library.reading import (
    ProjectFilter,
    get_document_content,
    list_changes,
    list_documents,
    list_projects,
)
from scheme.library.records import content_of, digest_of
from scheme.store import Store, StoreError
from tests.library.examples import CALL, PLANNER, add, entry, read


@pytest.fixture
def library(store_url: str) -> Library:
    return Library(Store(store_url))


def changes_of(library: Library, project_id: str) -> list[tuple[int, str, str, object]]:
    with library.store.read() as connection:
        return [(c.revision_no, c.action, c.subject_id, c.changes) for c in list_changes(connection, project_id)]


def test_source_system_and_identifier_name_one_project(library: Library) -> None:
    made = add(library, source_id="P-1")
    assert (made.stage, made.revision_no, made.missing) == ("reserve", 1, ())
    with pytest.raises(ProjectExistsError):
        library.create(entry(source_id="P-1", name="另一个"), CALL)
    assert add(library, source_system="other", source_id="P-1").project_id != made.project_id


def test_a_change_is_a_row_with_who_what_and_why_and_an_audit_row(library: Library) -> None:
    made = add(library)
    demand = {"installed_kw": 80.0, "capacity_kva": 100.0}
    library.update(made.project_id, {"demand": demand, "note": "扩产"}, CALL)
    now = read(library, made.project_id)
    assert (now.entry.demand.capacity_kva, now.entry.note, now.revision_no) == (100.0, "扩产", 2)
    assert changes_of(library, made.project_id)[1] == (
        2,
        "update",
        "wang",
        {
            "demand.capacity_kva": {"before": 50.0, "after": 100.0},
            "demand.installed_kw": {"before": 40.0, "after": 80.0},
            "note": {"before": None, "after": "扩产"},
        },
    )
    with library.store.read() as connection:
        rows = read_rows(connection, made.project_id)
        assert audit(connection).is_clean
    assert [row["action"] for row in rows] == ["project.create", "project.update"]
    digests = [digest_of(content_of(project.entry)) for project in (made, now)]
    assert [row["after_sha256"] for row in rows] == digests
    assert rows[1]["before_sha256"] == digests[0]


def test_a_fact_is_taken_back_with_null_and_what_names_the_project_stays(library: Library) -> None:
    made = add(library)
    library.update(made.project_id, {"location": None}, CALL)
    now = read(library, made.project_id)
    assert (now.lon_deg, now.missing) == (None, ("location",))
    with pytest.raises(InputError, match="names the project"):
        library.update(made.project_id, {"source_id": "X"}, CALL)
    with pytest.raises(InputError, match="nothing would change"):
        library.update(made.project_id, {"name": made.entry.name}, CALL)
    with pytest.raises(InputError, match="likelihood_ratio"):
        library.update(made.project_id, {"likelihood_ratio": 1.5}, CALL)
    assert read(library, made.project_id) == now


def test_a_change_of_a_revision_that_is_not_the_last_is_refused(library: Library) -> None:
    made = add(library)
    library.update(made.project_id, {"note": "一"}, CALL, revision_no=1)
    with pytest.raises(ProjectMovedError):
        library.update(made.project_id, {"note": "二"}, CALL, revision_no=1)


def test_a_closed_project_is_changed_only_by_opening_it_again(library: Library) -> None:
    made = add(library)
    library.update(made.project_id, {}, CALL, stage="closed")
    for attempt in (
        lambda: library.update(made.project_id, {"note": "一"}, CALL),
        lambda: library.attach(made.project_id, "a.pdf", "application/pdf", b"x", CALL),
        lambda: library.update(made.project_id, {}, CALL, stage="closed"),
    ):
        with pytest.raises(ProjectStageError):
            attempt()
    library.update(made.project_id, {"note": "一"}, CALL, stage="reserve")
    assert [action for _, action, _, _ in changes_of(library, made.project_id)] == ["create", "close", "reopen"]


def test_place_is_kept_as_given_and_shown_in_cgcs2000(library: Library) -> None:
    """GCJ-02 lies some hundred metres off in Henan; WGS 84 is CGCS2000 within decimetres."""
    at = {"lon_deg": 115.1, "lat_deg": 33.4}
    plain, shifted = (add(library, location={**at, "datum": datum}) for datum in ("WGS84", "GCJ02"))
    assert (plain.lon_deg, plain.lat_deg) == (115.1, 33.4)
    assert shifted.entry.location is not None
    assert (shifted.entry.location.lon_deg, shifted.entry.location.datum) == (115.1, "GCJ02")
    assert shifted.lon_deg is not None
    assert shifted.lat_deg is not None
    east_m = (115.1 - shifted.lon_deg) * 111_320 * math.cos(math.radians(33.4))
    north_m = (33.4 - shifted.lat_deg) * 110_900
    assert 100.0 < math.hypot(east_m, north_m) < 1_000.0


def test_documents_are_kept_once_and_replaced_by_name(library: Library) -> None:
    one, two = add(library), add(library)
    for project, content in ((one, b"old"), (one, b"new"), (two, b"new")):
        library.attach(project.project_id, "批复.pdf", "application/pdf", content, CALL)
    with library.store.read() as connection:
        (document,) = list_documents(connection, one.project_id)
        assert get_document_content(connection, document.sha256) == b"new"
        kept = connection.execute(text("select count(*) from document_content")).scalar_one()
    assert (document.size_bytes, kept) == (3, 2)
    assert read(library, one.project_id).revision_no == 3
    for content in (b"", b"x" * (DOCUMENT_BYTES_MAX + 1)):
        with pytest.raises(InputError, match="size"):
            library.attach(one.project_id, "a.pdf", "application/pdf", content, CALL)


@pytest.mark.parametrize("statement", ["update project_change set reason = ''", "delete from project_change"])
def test_the_database_refuses_to_change_the_history(library: Library, statement: str) -> None:
    add(library)
    with pytest.raises(StoreError), library.store.write() as connection:
        connection.execute(text(statement))


def test_lists_are_filtered_and_paged_in_the_order_received(library: Library) -> None:
    days = ["2026-03-01", "2026-01-01", "2026-02-01"]
    made = [add(library, received_on=day, source_id=f"Q-{day}") for day in days]
    far = add(
        library, received_on="2026-04-01", location=None, category="ev_charging", name="充电站%", applicant="李某"
    )
    in_order = [made[1].project_id, made[2].project_id, made[0].project_id, far.project_id]
    with library.store.read() as connection:

        def ids(wanted: ProjectFilter, **page: object) -> list[str]:
            return [p.project_id for p in list_projects(connection, wanted, **page)]  # type: ignore[arg-type]

        assert ids(ProjectFilter()) == in_order
        assert ids(ProjectFilter(), limit=2) == in_order[:2]
        assert ids(ProjectFilter(), after=("2026-02-01", in_order[1])) == in_order[2:]
        only_far = [far.project_id]
        assert ids(ProjectFilter(is_placed=False)) == only_far
        assert ids(ProjectFilter(category="ev_charging")) == only_far
        assert ids(ProjectFilter(text="站%")) == only_far
        assert ids(ProjectFilter(text="q-2026-03")) == [made[0].project_id]
        assert ids(ProjectFilter(stage="closed")) == []
    with pytest.raises(NotFoundError):
        read(library, "prj_" + "0" * 32)
    assert PLANNER.subject_id == "wang"
