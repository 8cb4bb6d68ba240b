"""``gridscheme assess``: a file of reserve projects assessed together, with interaction, on the grid as promised today.

Nothing is held and nothing goes into the library: the answer is files. What was finished is kept in a journal beside
the result while the run goes on, so that a run that was broken off goes on where it stopped.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.given_files import read_file
from api.options import Shared, command
from gridmodel.errors import InputError

if TYPE_CHECKING:
    from gridmodel.snapshot import Snapshot
    from scheme.assessment.records import Assessment
    from scheme.assessment.scenario import Scenario
    from scheme.assessment.workers import Workers
    from scheme.assessment_files.results import Results
    from scheme.assessment_store.inputs import InputProjects

EXIT_DONE, EXIT_REFUSED = 0, 1
_ENDINGS = (".xlsx", ".geojson", ".pdf", ".json")
_NAME = "assessment"
_TABLE_BYTES_MAX, _SCENARIO_BYTES_MAX, _RESULT_BYTES_MAX = 67_108_864, 4_194_304, 268_435_456
_VERDICTS = {"yes": "可接入", "partly": "可部分接入", "no": "不可接入", "not_assessable": "不能评估"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    out: Path
    scenario: Path | None
    with_works: bool
    before: Path | None
    workers: int | None
    scheduler: str | None


def add_assess(app: typer.Typer) -> None:
    """Register the command."""

    @command(app, "assess")
    def assess(
        shared: Shared,
        projects: Annotated[Path, typer.Argument(metavar="PROJECTS", help="项目表(.xlsx、.csv、.geojson)")],
        out: Annotated[
            Path,
            typer.Option(metavar="FILE", help="结果文件:.xlsx(原表加结果)、.geojson、.pdf、.json;或文件夹,四种都写"),
        ],
        scenario: Annotated[
            Path | None, typer.Option(metavar="FILE.json", help="情景:次序、排除、增长、已完成的工程")
        ] = None,
        works: Annotated[bool, typer.Option("--works", help="另为不能全部接入的项目规划配套工程(较慢)")] = False,
        compare_with: Annotated[
            Path | None, typer.Option("--compare-with", metavar="FILE.json", help="与此前的 .json 结果对比")
        ] = None,
        workers: Annotated[int | None, typer.Option(metavar="NUMBER", help="本机进程数;默认 1", min=1)] = None,
        scheduler: Annotated[
            str | None, typer.Option(metavar="ADDRESS", help="Dask 调度器地址,如 tcp://127.0.0.1:8786")
        ] = None,
    ) -> int:
        """评估储备项目表:逐个与排队接入、冲突、耗尽年份;不占用容量。中断后再次运行从中断处继续。"""
        given = _Options(
            out=out, scenario=scenario, with_works=works, before=compare_with, workers=workers, scheduler=scheduler
        )
        return _run(shared, projects, given)


def _run(shared: Shared, table: Path, given: _Options) -> int:
    from api.report import show_findings, write_json
    from api.settings import load_settings
    from api.spreading import spread
    from scheme.assessment_files.results import Results
    from scheme.assessment_store.restore import read_assessment

    written = _targets(given.out)
    content = read_file(table, "a table of projects", _TABLE_BYTES_MAX)
    before = None if given.before is None else _earlier(given.before, read_assessment)
    asking = _Asking(shared, table, content, given)
    journal = given.out.parent / f".{given.out.name}.journal"
    with spread(load_settings(), workers=given.workers, scheduler=given.scheduler, journal=journal) as workers:
        assessment = asking.assess(workers)
    asked = asking.asked
    results = Results(
        assessment=assessment, projects=asked.projects, origins=asked.origins, findings=asked.findings, before=before
    )
    written[0].parent.mkdir(exist_ok=True)
    for path in written:
        _put(path, _content(path, results, asking.snapshot, asked))
    summary = _summary(results, written)
    if shared.json:
        write_json(summary)
    else:
        _show(summary)
        show_findings(asked.findings)
    return EXIT_REFUSED if asked.findings else EXIT_DONE


class _Asking:
    """The projects, the grid and the rules of one run."""

    def __init__(self, shared: Shared, table: Path, content: bytes, given: _Options) -> None:
        from gridmodel.catalogue.loader import load_catalogue
        from scheme.assessment_store.inputs import read_input
        from scheme.assessment_store.runs import RunInput

        self._services = shared.open_services()
        self._policy, self._catalogue = self._services.load_policy(), load_catalogue()
        self._given = given
        self.asked: InputProjects = read_input(
            RunInput(file=table.name, content=content), self._policy, self._catalogue
        )
        self._live = self._services.get_live()
        self.snapshot: Snapshot = self._live.snapshot
        self._scenario = self._read_scenario()

    def assess(self, workers: Workers) -> Assessment:
        """Return the result, with supporting works where they were asked for."""
        from api.capacity_tables import CapacityTables
        from api.report import progress_bar
        from scheme.assessment.early_works import plan_early_works
        from scheme.assessment.engine import assess_projects

        capacity = None
        if not self._scenario.upgrades:  # with upgrades the table would be of another grid
            capacity = CapacityTables(self._services).get_for(self._live).copy()
            capacity.attrs = {}
        named: dict[str, Any] = {
            "snapshot": self.snapshot,
            "policy": self._policy,
            "catalogue": self._catalogue,
            "as_of": self._policy.as_of,
            "scenario": self._scenario,
            "capacity": capacity,
            "workers": workers,
        }
        with progress_bar("评估项目") as progress:
            found = assess_projects(self.asked.projects, progress=progress, **named)
        if not self._given.with_works:
            return found
        with progress_bar("规划配套工程") as progress:
            return plan_early_works(found, self.asked.projects, progress=progress, **named)

    def _read_scenario(self) -> Scenario:
        from pydantic import ValidationError

        from scheme.assessment.scenario import Scenario
        from scheme.assessment_store.asked import ScenarioEntry
        from scheme.assessment_store.checks import check_ids_in_table, check_upgrades

        path = self._given.scenario
        if path is None:
            return Scenario()
        content = read_file(path, "a scenario as a JSON file", _SCENARIO_BYTES_MAX)
        try:
            entry = ScenarioEntry.model_validate_json(content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            field = ".".join(map(str, first["loc"])) or None
            raise InputError(
                first["msg"], file=path.name, field=field, allowed="as the service documents it"
            ) from error
        known = frozenset(self.asked.origins)
        check_ids_in_table(entry, known)
        check_upgrades(entry.upgrades, self._live.imported, self._catalogue)
        return entry.as_scenario(known)


def _targets(out: Path) -> list[Path]:
    """Return the files to write.

    Raises:
        InputError: The ending is not known, or the folder is not there.
    """
    if not out.parent.is_dir():
        raise InputError("the folder does not exist", field="--out", value=str(out), allowed="a place in a folder")
    if out.suffix.lower() in _ENDINGS:
        return [out]
    if out.suffix and not out.is_dir():
        raise InputError("this ending is not known", field="--out", value=out.name, allowed=", ".join(_ENDINGS))
    return [out / f"{_NAME}{ending}" for ending in _ENDINGS]


def _content(path: Path, results: Results, snapshot: Snapshot, asked: InputProjects) -> bytes:
    from scheme.assessment_files.geojson import write_geojson
    from scheme.assessment_files.report import write_report
    from scheme.assessment_files.results_workbook import write_workbook

    writers: Mapping[str, Callable[[], bytes]] = {
        ".xlsx": lambda: write_workbook(results, snapshot, table=asked.table),
        ".geojson": lambda: write_geojson(results, snapshot),
        ".pdf": lambda: write_report(results, snapshot),
        ".json": lambda: results.assessment.to_json().encode(),
    }
    return writers[path.suffix.lower()]()


def _earlier(path: Path, read: Callable[[bytes], Assessment]) -> Assessment:
    try:
        return read(read_file(path, "an earlier result as .json", _RESULT_BYTES_MAX))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            "not a result of an assessment", file=path.name, field="--compare-with", allowed="a .json of this command"
        ) from error


def _put(path: Path, content: bytes) -> None:
    """Write a file that is whole or not there."""
    with _draft(path) as draft:
        draft.write_bytes(content)
        os.replace(draft, path)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=".gridscheme-", dir=path.parent) as folder:
        yield Path(folder) / path.name


def _summary(results: Results, written: list[Path]) -> dict[str, Any]:
    assessment = results.assessment
    queue: list[str] = [result.queue.verdict for result in assessment.projects]
    return {
        "out": [str(path) for path in written],
        "scenario": assessment.scenario,
        "as_of": assessment.as_of,
        "snapshot_sha256": assessment.snapshot_sha256,
        "profile": assessment.profile,
        "projects": len(queue),
        "verdicts": {name: queue.count(name) for name in _VERDICTS},
        "conflicts": len(assessment.conflicts),
        "works": len(assessment.works),
        "findings": [finding.as_dict() for finding in results.findings],
    }


def _show(summary: Mapping[str, Any]) -> None:
    verdicts = "、".join(f"{_VERDICTS[name]} {count}" for name, count in summary["verdicts"].items())
    lines = [f"{summary['projects']} 个项目:{verdicts};冲突 {summary['conflicts']} 处"]
    faulty = len({finding["row"] for finding in summary["findings"]})
    if faulty:
        lines.append(f"{faulty} 行有问题,未评估,见结果文件")
    lines.append(f"已写入 {'、'.join(summary['out'])}")
    sys.stdout.write("\n".join(lines) + "\n")
