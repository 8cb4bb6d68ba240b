"""From project to application: everything goes along, scheme, hold and step come together, once, within the limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import api.conversions
from gridmodel.errors import InputError, NotFoundError
from gridmodel.snapshot import Snapshot
from scheme.admission.certificate import certify_promise
from scheme.admission.errors import ConcurrencyError
from scheme.library.conversion import PROJECT_FILE, as_request
from scheme.library.errors import ConversionRefusedError, ProjectStageError
from scheme.library.reading import (
    find_conversion,
    get_document_content,
    list_changes,
    list_replies,
    list_request_documents,
)
from scheme.library.records import Project
from scheme.model import Reason
from scheme.policy.loader import load_policy
from scheme.store import StoreError
from tests.admission.utility import DAY, ENGINEER, PROFILE, small_grid
from tests.harness.quick_service import quick_scheme
from tests.library.examples import CALL, add
from tests.library.office import BOARD_KVA, PlanningOffice, open_office

Opening = Callable[..., PlanningOffice]


@pytest.fixture(scope="session")
def grid() -> Snapshot:
    return small_grid()


@pytest.fixture
def on_store(store_url: str, grid: Snapshot) -> Opening:
    """Return a maker of processes over one store; the first one imports."""
    made: list[PlanningOffice] = []

    def make(**changes: Any) -> PlanningOffice:
        made.append(open_office(store_url, None if made else grid, **changes))
        return made[-1]

    return make


@pytest.fixture
def office(tmp_path: Path, grid: Snapshot) -> Iterator[PlanningOffice]:
    made = open_office(str(tmp_path / "store.db"), grid)
    yield made
    made.utility.store.close()


def rows_in(office: PlanningOffice, table: str) -> int:
    with office.utility.store.read() as connection:
        return int(connection.execute(text(f"select count(*) from {table}")).scalar_one())


def everything(office: PlanningOffice) -> list[int]:
    """Count what a conversion writes."""
    return [rows_in(office, name) for name in ("scheme", "ledger_hold", "project_change", "project_conversion")]


def test_every_fact_a_request_has_goes_into_it(office: PlanningOffice) -> None:
    facts = {
        "applicant": "某某公司",
        "contact": "李某",
        "importance": "ordinary",
        "business": "increase",
        "location": {"lon_deg": 115.04, "lat_deg": 33.4, "datum": "GCJ02"},
        "demand": {"installed_kw": 80.0, "capacity_kva": 100.0, "power_factor": 0.9, "single_phase": False},
        "voltage": "10kV",
        "sources": "dual_circuit",
        "needed_on": "2027-05-31",
        "circumstances": {"is_urgent": True, "security_load_kw": 30.0},
    }
    project = add(office.library, **facts)
    request = as_request(project, load_policy(PROFILE, DAY), received_on=DAY)
    found = json.loads(request.model_dump_json(exclude_none=True))
    assert found == {
        "request_id": project.project_id,
        "applicant": {
            "name": "某某公司",
            "contact": "李某",
            "importance": "ordinary",
            "category": "industrial_commercial",
        },
        **{name: facts[name] for name in facts if name not in ("applicant", "contact", "importance")},
        "received_on": "2026-03-02",
        "purpose": "application",
    }


def test_a_project_known_by_capacity_alone_is_asked_with_the_power_factor_of_the_policy(
    office: PlanningOffice,
) -> None:
    """0.95 at 10 kV, 0.9 where the voltage is left open: ``demand.power_factor_default``."""
    policy = load_policy(PROFILE, DAY)
    for voltage, expected_kw in (("10kV", 95.0), ("auto", 90.0)):
        project = add(office.library, demand={"capacity_kva": 100.0}, voltage=voltage)
        assert as_request(project, policy, received_on=DAY).demand.installed_kw == expected_kw


@pytest.mark.parametrize(("missing", "field"), [({"location": None}, "location"), ({"demand": {}}, "demand")])
def test_a_project_without_place_or_demand_does_not_convert(
    office: PlanningOffice, missing: dict[str, Any], field: str
) -> None:
    project = add(office.library, **missing)
    with pytest.raises(InputError) as caught:
        office.convert(project.project_id)
    assert caught.value.context["field"] == field
    assert office.read(project) == project


def test_conversion_holds_capacity_and_takes_record_and_documents_along(on_store: Opening) -> None:
    office = on_store()
    project = office.add(50.0)
    office.library.attach(project.project_id, "批复.pdf", "application/pdf", b"%PDF", CALL)
    project = office.read(project)
    told = office.convert(project.project_id).body.decode().split()
    now = office.read(project)
    assert (now.stage, now.revision_no, told[0], told[3]) == ("formal", 3, project.project_id, "False")
    utility = office.utility
    (hold,) = utility.ledger.list_live()
    assert (hold.hold_id, hold.scheme_id, hold.request_id) == (told[2], told[1], project.project_id)
    assert utility.used_va("transformer:trafo:1") == 50_000
    scheme = json.loads(utility.store.get_scheme(hold.scheme_id).content)
    assert scheme["request"]["received_on"] == DAY.isoformat() != project.entry.received_on.isoformat()
    kept = json.loads(utility.store.get_document(hold.scheme_id, PROJECT_FILE))
    assert kept["entry"]["source_id"] == project.entry.source_id
    with utility.store.read() as connection:
        (document,) = list_request_documents(connection, project.project_id)
        assert (document.name, get_document_content(connection, document.sha256)) == ("批复.pdf", b"%PDF")
        conversion = find_conversion(connection, project.project_id)
        last = list_changes(connection, project.project_id)[-1]
    assert conversion is not None
    assert (conversion.request_id, conversion.scheme_id, conversion.hold_id) == (project.project_id, *told[1:3])
    assert (last.action, last.reason) == ("convert", "用电需求明确")
    assert last.changes["stage"] == {"before": "reserve", "after": "formal"}
    utility.check_ledger()


def test_a_project_converts_once_whoever_asks(on_store: Opening) -> None:
    office = on_store()
    project = office.add()
    first, same, other = (office.convert(project.project_id, key) for key in ("a", "a", "b"))
    assert same == first
    assert other.body.split()[:3] == first.body.split()[:3]
    assert other.body.split()[3] == b"True"
    assert len(office.utility.ledger.list_live()) == 1
    for attempt in (
        lambda: office.library.update(project.project_id, {"note": "一"}, CALL),
        lambda: office.consult(project.project_id),
    ):
        with pytest.raises(ProjectStageError):
            attempt()
    with pytest.raises(NotFoundError):
        office.convert("prj_" + "0" * 32)


def test_two_processes_that_convert_the_same_project_at_once_make_one_application(on_store: Opening) -> None:
    offices = [on_store(), on_store()]
    project = offices[0].add()
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(offices[n % 2].convert, project.project_id, f"k{n}") for n in range(6)]
        told = {tuple(one.result().body.split()[:3]) for one in asked}
    assert len(told) == 1
    assert everything(offices[0]) == [1, 1, 2, 1]
    offices[0].utility.check_ledger()


def test_a_conversion_that_comes_second_while_it_is_answered_is_told_of_the_first(
    tmp_path: Path, grid: Snapshot
) -> None:
    is_first = True

    def answer(request: Any, **given: Any) -> Any:
        nonlocal is_first
        if is_first:
            is_first = False
            heard.append(other.convert(project.project_id, "other"))
        return quick_scheme(request, **given)

    heard: list[Any] = []
    url = str(tmp_path / "store.db")
    office, other = open_office(url, grid, generate_scheme=answer), open_office(url, None)
    project = office.add()
    told = office.convert(project.project_id)
    assert (told.body.split()[:3], told.body.split()[3]) == (heard[0].body.split()[:3], b"True")
    assert everything(office) == [1, 1, 2, 1]


def test_a_refused_conversion_changes_nothing_and_names_the_limit(on_store: Opening) -> None:
    """280 kVA may be given away at the board."""
    office = on_store()
    office.convert(office.add(BOARD_KVA - 10.0).project_id, "first")
    project = office.add(20.0)
    before = everything(office)
    with pytest.raises(ConversionRefusedError) as caught:
        office.convert(project.project_id)
    assert caught.value.context["limits"] == [
        {
            "code": "ledger.capacity_exhausted",
            "account_id": "transformer:trafo:1",
            "wanted_va": 20_000,
            "open_va": 10_000,
        }
    ]
    assert office.read(project) == project
    assert everything(office) == before
    assert office.convert(office.add(10.0).project_id, "last").status == 201


def test_the_load_flow_of_the_whole_grid_refuses_too(tmp_path: Path, grid: Snapshot) -> None:
    """104 kVA measured by the load flow, 200 kVA promised and 50 pass 0.8 of 400 kVA; the counters have 80 kVA left."""
    office = open_office(str(tmp_path / "store.db"), grid, certify=certify_promise)
    for _ in range(2):
        office.utility.issue("bus:4", 100.0, voltage="380V", length_m=10.0)
    project = office.add(50.0)
    before = everything(office)
    with pytest.raises(ConversionRefusedError) as caught:
        office.convert(project.project_id)
    (limit,) = caught.value.context["limits"]  # type: ignore[misc]
    assert (limit["code"], limit["limit_kind"], limit["element_id"]) == (  # type: ignore[index]
        "admission.certificate_refused",
        "transformer_loading",
        "trafo:1",
    )
    assert everything(office) == before


def test_an_answer_that_promises_nothing_refuses_with_its_reasons(tmp_path: Path, grid: Snapshot) -> None:
    def refuse(request: Any, **given: Any) -> Any:
        reasons = (Reason(code="no_point", text="附近无可行接入点"),)
        return replace(quick_scheme(request, **given), verdict="joint_work", reasons=reasons, supply=None)

    office = open_office(str(tmp_path / "store.db"), grid, generate_scheme=refuse)
    project = office.add()
    with pytest.raises(ConversionRefusedError) as caught:
        office.convert(project.project_id)
    assert caught.value.context["verdict"] == "joint_work"
    assert caught.value.context["reasons"] == [{"code": "no_point", "text": "附近无可行接入点"}]
    assert everything(office) == [0, 0, 1, 0]


@pytest.mark.parametrize("step", ["keep_scheme", "find_holds", "list_documents", "write_revisions"])
def test_a_fault_at_any_step_leaves_neither_hold_nor_scheme_nor_step(
    on_store: Opening, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    office = on_store()
    project = office.add()
    import scheme.library.conversion as conversion

    def fail(*_: object, **__: object) -> None:
        raise InputError("the power goes")

    with monkeypatch.context() as broken:
        broken.setattr(conversion, step, fail)
        with pytest.raises(InputError, match="power"):
            office.convert(project.project_id)
    assert everything(office) == [0, 0, 1, 0]
    assert office.read(project) == project
    assert office.convert(project.project_id).status == 201
    office.utility.check_ledger()


def test_a_project_changed_while_it_is_answered_is_answered_again(tmp_path: Path, grid: Snapshot) -> None:
    """What is held is what the project asks when it converts, not what it asked when the answer began."""
    changed: list[Project] = []

    def answer(request: Any, **given: Any) -> Any:
        if not changed:
            changed.append(project)
            demand = {"installed_kw": 60.0, "capacity_kva": 70.0, "power_factor": 0.95}
            office.library.update(project.project_id, {"demand": demand}, CALL)
        return quick_scheme(request, **given)

    office = open_office(str(tmp_path / "store.db"), grid, generate_scheme=answer)
    project = office.add(50.0)
    office.convert(project.project_id)
    assert office.utility.used_va("transformer:trafo:1") == 70_000
    assert office.read(project).stage == "formal"


def test_capacity_taken_while_a_project_is_answered_has_it_answered_again(tmp_path: Path, grid: Snapshot) -> None:
    """The second answer sees the other hold; where it asks for the same board it is refused with today's figures."""
    count = 0

    def answer(request: Any, **given: Any) -> Any:
        nonlocal count
        count += 1
        if count == 1:
            utility = office.utility
            scheme_id = utility.quote("bus:4", 270.0, voltage="380V", length_m=10.0)
            utility.admission.issue(scheme_id, actor=ENGINEER)
        return quick_scheme(request, **given)

    office = open_office(str(tmp_path / "store.db"), grid, generate_scheme=answer)
    project = office.add(50.0)
    with pytest.raises(ConversionRefusedError) as caught:
        office.convert(project.project_id)
    assert count == 2 < api.conversions.DRAFTS_MAX
    assert caught.value.context["limits"][0]["open_va"] == 10_000  # type: ignore[index]


def test_a_preliminary_reply_holds_nothing_and_binds_nobody(on_store: Opening) -> None:
    office = on_store()
    project = office.add()
    office.consult(project.project_id)
    assert office.read(project).stage == "consultation"
    assert office.utility.ledger.list_live() == []
    assert rows_in(office, "ledger_entry") == 0
    with office.utility.store.read() as connection:
        (reply,) = list_replies(connection, project.project_id)
        assert list_changes(connection, project.project_id)[-1].action == "consult"
    stored = json.loads(office.utility.store.get_scheme(reply.scheme_id).content)
    assert stored["request"]["purpose"] == "consultation"
    office.consult(project.project_id, "again")
    assert office.convert(project.project_id).status == 201
    assert office.read(project).stage == "formal"


def test_conversions_at_once_fill_a_feeder_and_never_pass_it(on_store: Opening) -> None:
    """28 of 48 projects of 10 kVA fit the 280 kVA of the board, from two processes with four threads each."""
    offices = [on_store(), on_store()]
    projects = [offices[0].add(10.0) for _ in range(48)]

    def convert(n: int) -> bool:
        while True:
            try:
                offices[n % 2].convert(projects[n].project_id, f"k{n}")
            except ConversionRefusedError:
                return False
            except (ConcurrencyError, StoreError):  # told to come again
                continue
            return True

    with ThreadPoolExecutor(8) as pool:
        converted = sum(pool.map(convert, range(48)))
    assert converted == 28
    assert offices[0].utility.used_va("transformer:trafo:1") == 280_000
    stages = [offices[0].read(project).stage for project in projects]
    assert (stages.count("formal"), stages.count("reserve")) == (28, 20)
    offices[0].utility.check_ledger()
