"""What is built so that projects that compete are served; the village's transformer of 100 kVA has room for one."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gridmodel.catalogue.loader import load_catalogue
from scheme.assessment.early_works import as_upgrades, plan_early_works
from scheme.assessment.journal import FileJournal, Journalled
from scheme.assessment.pool import ProcessPool
from scheme.assessment.project import Project
from scheme.assessment.quota import quarter_of
from scheme.assessment.records import Assessment
from scheme.assessment.scenario import Scenario
from scheme.assessment.workers import ThisProcess
from scheme.errors import CancelledError
from tests.assessment.counted import Counted
from tests.assessment.grids import AS_OF, assess, policy, project, two_villages

PROJECTS: list[Project] = [
    project("A", kva=18, received_on=date(2026, 1, 1), needed_on=date(2027, 3, 31), likelihood_ratio=0.5),
    project("B", kva=18, received_on=date(2026, 2, 1), works_stage="under_construction", needed_on=date(2027, 4, 1)),
    project("C", kva=18, received_on=date(2026, 3, 1), works_stage="planned"),
]


@pytest.fixture(scope="module")
def planned() -> Assessment:
    found = assess(PROJECTS, two_villages())
    assert [result.queue.verdict for result in found.projects] == ["yes", "no", "no"]
    return plan(found)


def plan(found: Assessment, **more: Any) -> Assessment:
    return plan_early_works(
        found, PROJECTS, snapshot=two_villages(), policy=policy(), catalogue=load_catalogue(), as_of=AS_OF, **more
    )


def test_one_larger_transformer_serves_both_projects_that_were_refused(planned: Assessment) -> None:
    assert [works.project_id for works in planned.project_works] == ["B", "C"]
    assert all(works.is_complete for works in planned.project_works)
    [work] = [work for work in planned.works if work.code == "larger_transformer"]
    assert work.element_ids == ("T0",)
    assert (work.project_ids, work.is_shared) == (("B", "C"), True)


def test_the_customer_who_builds_already_triggers_the_works(planned: Assessment) -> None:
    triggers = {works.project_id: works.trigger for works in planned.project_works}
    assert triggers == {"B": "stage", "C": "wait"}
    assert planned.works[0].is_triggered


def test_the_scenario_with_the_works_done_tells_whether_they_are_enough_for_all(planned: Assessment) -> None:
    """For A and one more 60.9 + 36 = 97 kVA are needed, 121 at 80 %: 125 kVA. All three would be 115, above 100."""
    upgrades = as_upgrades(planned.works)
    assert [(upgrade.table, upgrade.element_id) for upgrade in upgrades] == [("transformer", "T0")]
    assert load_catalogue().get_transformer_type(str(upgrades[0].type_id)).sn_kva == 125.0
    served = assess(PROJECTS, two_villages(), scenario=Scenario(name="增容", upgrades=upgrades))
    assert [result.queue.verdict for result in served.projects] == ["yes", "yes", "no"]


def test_two_processes_plan_what_one_does(planned: Assessment) -> None:
    steps: list[tuple[int, int]] = []
    with ProcessPool(2) as workers:
        together = plan(
            assess(PROJECTS, two_villages()), workers=workers, progress=lambda done, total: steps.append((done, total))
        )
    assert together.to_json() == planned.to_json()
    assert steps == [(1, 2), (2, 2)]


def test_what_was_planned_before_a_run_was_cut_off_is_not_planned_again(planned: Assessment, tmp_path: Path) -> None:
    found, done = assess(PROJECTS, two_villages()), list[int]()
    with FileJournal(tmp_path / "journal") as journal:
        workers = Journalled(ThisProcess(), journal)
        with pytest.raises(CancelledError):
            plan(found, workers=workers, cancelled=lambda: len(done) == 2, progress=lambda n, _: done.append(n))
        inner = Counted()
        assert plan(found, workers=Journalled(inner, journal)).to_json() == planned.to_json()
    assert inner.projects_count == 1


def test_materials_of_what_is_placed_stand_in_the_quarter_of_the_need(planned: Assessment) -> None:
    """Only A is placed; of its bill the lines that the utility buys, half as likely."""
    assert {quota.quarter for quota in planned.quotas} == {"2027Q1"}
    assert {quota.project_ids for quota in planned.quotas} == {("A",)}
    assert all(quota.expected_quantity == pytest.approx(quota.quantity / 2, abs=1e-4) for quota in planned.quotas)
    placement = planned.projects[0].queue.placement
    assert placement is not None
    bought = {(need.type_id, need.name): need.quantity for need in placement.materials if need.side == "utility"}
    assert {(quota.type_id, quota.name): quota.quantity for quota in planned.quotas} == bought != {}


def test_quarters_end_with_march_june_september_and_december() -> None:
    days = [date(2027, 3, 31), date(2027, 4, 1), date(2027, 9, 30), date(2027, 12, 31)]
    assert [quarter_of(day) for day in days] == ["2027Q1", "2027Q2", "2027Q3", "2027Q4"]
