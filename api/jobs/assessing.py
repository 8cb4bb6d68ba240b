"""The job ``assessment`` (储备项目评估): reserve projects assessed together on the grid as it was when it began.

Which grid that is, is written down before anything is worked out; what a task of the work has found is written down
when it is done. A worker that takes the job up after a crash goes on from there and comes to the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from api.jobs.records import JobCancelledError, Steps

if TYPE_CHECKING:
    from api.jobs.workbench import Workbench
    from gridmodel.snapshot import Snapshot
    from scheme.assessment.records import Assessment
    from scheme.assessment.scenario import Scenario
    from scheme.assessment_store.inputs import InputProjects
    from scheme.assessment_store.results import Outcome
    from scheme.assessment_store.runs import Run

LISTS: Mapping[str, str] = {
    "conflicts": "Who competes for which element",
    "years": "When elements run out",
    "works": "Supporting works to start early",
    "quotas": "Materials by quarter",
}
"""Lists of a result, and what they tell."""
_GRID, _ASSESS, _WORKS, _WRITE = "读入项目与电网", "评估项目", "规划配套工程", "生成文件"
_FILES_MADE = 3


def run_assessment(bench: Workbench, steps: Steps, assessment_id: str) -> Mapping[str, Any]:
    """Return the figures of the result, which is kept."""
    from scheme.assessment_store.runs import get_run
    from scheme.errors import CancelledError

    with bench.services.store.read() as connection:
        run = get_run(connection, assessment_id)
    steps.report(0, None, _GRID)
    pinned = steps.run("grid", lambda: _pin(bench))
    try:
        counts = steps.run("assess", lambda: _work(bench, steps, run, pinned))
    except CancelledError as error:
        raise JobCancelledError("the job was cancelled", job_id=steps.job_id) from error
    steps.report(1, 1, "评估完成")
    return {"assessment_id": assessment_id, "counts": counts}


def _pin(bench: Workbench) -> dict[str, Any]:
    """Return which grid is assessed: that of this moment, with every live hold."""
    live = bench.services.get_live()
    return {
        "snapshot_sha256": live.imported.sha256,
        "ledger_seq": live.head.seq,
        "ledger_sha256": live.head.sha256,
    }


def _work(bench: Workbench, steps: Steps, run: Run, pinned: Mapping[str, Any]) -> dict[str, Any]:
    from scheme.assessment_store.results import find_summary, keep_result

    store = bench.services.store
    summary = find_summary(store, run.assessment_id)
    if summary is None:  # else a crash came between the result and the record of this step
        outcome = _Assessing(bench, steps, run, pinned).outcome()
        steps.check()
        keep_result(store, run.assessment_id, outcome)
        summary = dict(outcome.summary)
    return dict(summary["counts"])


class _Assessing:
    """One assessment at work in one step of its job."""

    def __init__(self, bench: Workbench, steps: Steps, run: Run, pinned: Mapping[str, Any]) -> None:
        from gridmodel.catalogue.loader import load_catalogue

        services = bench.services
        self._bench, self._steps, self._run, self._pinned = bench, steps, run, pinned
        self._policy = services.parts.load_policy(services.profile, run.as_of)
        self._catalogue = load_catalogue()

    def outcome(self) -> Outcome:
        """Return the result with its files."""
        from api.services import product_version
        from scheme.assessment_files.results import Results
        from scheme.assessment_store.inputs import read_input
        from scheme.assessment_store.outcome import make_outcome
        from scheme.assessment_store.runs import get_input

        with self._bench.services.store.read() as connection:
            given = get_input(connection, self._run.assessment_id)
        asked = read_input(given, self._policy, self._catalogue)
        scenario = self._run.scenario.as_scenario(frozenset(project.project_id for project in asked.projects))
        snapshot, assessment = self._assess(asked, scenario)
        results = Results(
            assessment=assessment, projects=asked.projects, origins=asked.origins, findings=asked.findings
        )
        provenance = {
            **self._pinned,
            "policy_sha256": assessment.policy_sha256,
            "catalogue_sha256": assessment.catalogue_sha256,
            "profile": assessment.profile,
            "version": product_version(),
        }
        written = iter(range(_FILES_MADE))
        return make_outcome(
            results,
            snapshot,
            table=asked.table,
            provenance=provenance,
            tell=lambda: self._steps.report(next(written), _FILES_MADE, _WRITE),
        )

    def _assess(self, asked: InputProjects, scenario: Scenario) -> tuple[Snapshot, Assessment]:
        from scheme.assessment.early_works import plan_early_works
        from scheme.assessment.engine import assess_projects

        services, run = self._bench.services, self._run
        live = services.get_live_at(
            self._pinned["snapshot_sha256"], ledger_seq=self._pinned["ledger_seq"], day=run.as_of
        )
        given: dict[str, Any] = {
            "snapshot": live.snapshot,
            "policy": self._policy,
            "catalogue": self._catalogue,
            "as_of": run.as_of,
            "scenario": scenario,
        }
        # with upgrades the table would be of another grid
        capacity = None if scenario.upgrades else self._bench.tables.get_for(live).copy()
        if capacity is not None:
            capacity.attrs = {}  # how a table came about differs where it was read again; its values do not
        with self._bench.open_workers(run.assessment_id) as workers:
            given |= {"capacity": capacity, "workers": workers}
            assessment = assess_projects(asked.projects, progress=self._progress(_ASSESS), **given)
            if run.with_works:
                assessment = plan_early_works(assessment, asked.projects, progress=self._progress(_WORKS), **given)
        return live.snapshot, assessment

    def _progress(self, text: str) -> Callable[[int, int], None]:
        return lambda done, total: self._steps.report(done, total, text)
