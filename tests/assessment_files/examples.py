"""An assessment made by hand on a small grid, with everything a file can show of one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

from gridmodel.snapshot import Snapshot
from scheme.assessment.project import Project
from scheme.assessment.records import (
    Answer,
    Assessment,
    Conflict,
    EarlyWork,
    Limiter,
    MaterialQuota,
    Placement,
    ProjectResult,
    ProjectWorks,
    YearOfElement,
)
from scheme.assessment_files.results import Origin, Results
from scheme.assessment_files.source_table import SourceTable, read_source
from scheme.library.records import project_id_of
from tests.assessment.grids import project, two_villages

STAGES = ("completed", "under_construction", "approved", "planned")
COLUMNS = (
    "source_system",
    "source_id",
    "name",
    "category",
    "lon_deg",
    "lat_deg",
    "datum",
    "capacity_kva",
    "received_on",
    "note",
)
HOSTILE = '=HYPERLINK("http://example.org","甲")'
GRID = two_villages()
_AT = (float(GRID.nodes.lon_deg[3]), float(GRID.nodes.lat_deg[3]))


def rows() -> list[list[Any]]:
    """Three good rows, one without a datum, one with a word for a number."""
    lon, lat = _AT
    good = ["industrial_commercial", lon, lat, "CGCS2000"]
    return [
        ["gov", "A1", "面粉厂", *good, 60, date(2026, 1, 1), "现场已看"],
        ["gov", "A2", HOSTILE, *good, 80, date(2026, 1, 2), None],
        ["gov", "A3", "冷库", *good[:3], None, 50, date(2026, 1, 3), None],
        ["gov", "A4", "充电站", *good, 40, date(2026, 1, 4), None],
        ["gov", "A5", "粮仓", *good, "很多", date(2026, 1, 5), None],
    ]


def workbook() -> bytes:
    """A planner's workbook: formats, a formula, a second sheet, a column of another width, a hidden one."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "projects"
    sheet.append(list(COLUMNS))
    for row in rows():
        sheet.append(row)
    sheet["C2"].font = openpyxl.styles.Font(bold=True, color="FFFF0000")
    sheet["C2"].comment = openpyxl.comments.Comment("问过镇里", "规划")
    sheet["C3"].data_type = "s"
    sheet.column_dimensions["C"].width = 33
    sheet.freeze_panes = "D2"
    sheet.auto_filter.ref = "A1:J6"
    notes = book.create_sheet("README")
    notes["A1"], notes["A2"] = "备注", "=1+1"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def source(folder: Path, content: bytes | None = None, name: str = "reserve.xlsx") -> tuple[SourceTable, Results]:
    """The table of a file and results of its three good rows."""
    file = folder / name
    file.write_bytes(workbook() if content is None else content)
    table, read = read_source(file, STAGES)
    origins = {
        project_id_of(one.entry.source_system, one.entry.source_id): Origin(
            source_id=one.entry.source_id, row_no=one.row
        )
        for one in read.entries
    }
    made = results(list(origins), [one.entry.name for one in read.entries])
    return table, replace(made, origins=origins, findings=read.findings)


def results(ids: Sequence[str] = ("P1", "P2", "P3"), names: Sequence[str] = ("面粉厂", HOSTILE, "充电站")) -> Results:
    """The first is served, the second in part, the third not at all, all at one transformer."""
    projects = tuple(
        replace(project(project_id, kva=kva, at=(20.0 + 30.0 * place, -40.0)), name=name, needed_on=date(2027, 5, 31))
        for place, (project_id, name, kva) in enumerate(zip(ids, names, (60.0, 80.0, 40.0), strict=True))
    )
    return Results(assessment=assessment(projects), projects=projects)


def assessment(projects: Sequence[Project]) -> Assessment:
    _, second, third = projects
    limiter = Limiter(kind="transformer_loading", element_id="T0", contested=("transformer", "T0"))
    reason = "现有电网在校验范围内没有可行接入点"
    answers = (
        (answer("yes", 60.0, 60.0), answer("yes", 60.0, 60.0)),
        (answer("yes", 80.0, 80.0), answer("partly", 80.0, 20.0, limiter=limiter, reason=reason)),
        (answer("yes", 40.0, 40.0), answer("no", 40.0, 0.0, limiter=limiter, reason=reason)),
    )
    told = tuple(
        ProjectResult(
            project_id=one.project_id,
            name=one.name,
            queue_no=number,
            group_no=1,
            alone=alone,
            queue=queue,
            competitors=tuple(p.project_id for p in projects[: number - 1]),
        )
        for number, (one, (alone, queue)) in enumerate(zip(projects, answers, strict=True), start=1)
    )
    ids = tuple(one.project_id for one in projects)
    return Assessment(
        scenario="现状",
        as_of="2026-11-22",
        snapshot_sha256="a" * 64,
        policy_sha256="b" * 64,
        catalogue_sha256="c" * 64,
        profile="shenqiu-2022",
        projects=told,
        conflicts=(
            Conflict(
                element_kind="transformer",
                element_id="T0",
                name="一村配变",
                served=ids[:1],
                refused=ids[1:],
                asked_kva=180.0,
                open_kva=20.0,
            ),
        ),
        years=(
            YearOfElement(
                element_kind="transformer",
                element_id="T0",
                name="一村配变",
                limit_kva=80.0,
                load_kva=62.5,
                load_by_year_kva=((2026, 62.5), (2027, 242.5), (2028, 250.0)),
                runs_out_in=2027,
                project_ids=ids,
            ),
        ),
        groups_count=1,
        quotas=(
            MaterialQuota(
                quarter="2027Q2",
                type_id="JKLYJ-70",
                name="架空绝缘导线",
                model="JKLYJ-1-70",
                unit="m",
                quantity=120.0,
                expected_quantity=None,
                project_ids=ids[:1],
            ),
        ),
        project_works=(
            works(second.project_id, is_complete=True),
            works(third.project_id, is_complete=False),
        ),
        works=(
            EarlyWork(
                code="larger_transformer",
                text="配电变压器一村配变由100kVA更换为400kVA",
                element_ids=("T0",),
                quantity=1.0,
                unit="台",
                type_id="S20-400",
                sn_kva=400.0,
                project_ids=ids[1:2],
                is_shared=False,
                duration_workdays=30,
                latest_start_on="2027-04-16",
                triggers=("wait",),
                is_triggered=False,
            ),
        ),
    )


def answer(verdict: Any, asked_kva: float, now_kva: float, **more: Any) -> Answer:
    given = {"reason_code": None, "reason": None, "limiter": None}
    if verdict != "yes":
        given["reason_code"] = "no_feasible_connection_point"
    return Answer(
        verdict=verdict,
        voltage="380V",
        asked_kva=asked_kva,
        now_kva=now_kva,
        placement=None if now_kva == 0.0 else placement(now_kva),
        **(given | more),
    )


def placement(kva: float) -> Placement:
    return Placement(
        point_kind="lv_board",
        element_source_id="N3",
        point_name="一村低压侧",
        u_nominal_kv=0.4,
        distance_m=40.0,
        bus=3,
        line=None,
        fraction_along=None,
        node=3,
        route_length_m=52.0,
        line_type_id="JKLYJ-70",
        circuits=1,
        is_single_phase=False,
        capacity_kva=kva,
        p_kw=0.95 * kva,
        q_kvar=0.3 * kva,
        connection_mode="低压架空",
        substation="S1",
        main_transformer=None,
        feeder="F1",
        transformer_area="一村",
        elements=(("transformer", "T0"), ("feeder", "F1")),
        u_pu_customer=0.98,
        line_loading_ratio_max=0.4,
        transformer_loading_ratio_max=0.8,
    )


def works(project_id: str, *, is_complete: bool) -> ProjectWorks:
    return ProjectWorks(
        project_id=project_id,
        is_complete=is_complete,
        code="larger_transformer" if is_complete else None,
        text="配电变压器一村配变由100kVA更换为400kVA" if is_complete else None,
        now_kva=20.0,
        element_source_id="N3" if is_complete else None,
        cost_cny10k=6.4 if is_complete else None,
        not_priced=(),
        duration_workdays=30 if is_complete else None,
        funding=None,
        trigger="wait" if is_complete else "not_known",
        latest_start_on="2027-04-16" if is_complete else None,
    )


def grid() -> Snapshot:
    return GRID
