"""The printable report (评估报告): what a planner takes to a meeting, in a bounded number of pages."""

from __future__ import annotations

from datetime import UTC, datetime

from gridmodel.snapshot import Snapshot
from scheme.assessment.comparison import compare
from scheme.assessment.records import ProjectResult
from scheme.assessment_files.grid_places import GridPlaces
from scheme.assessment_files.report_chart import PANELS_MAX, draw_verdicts, draw_years
from scheme.assessment_files.report_layout import (
    PAGE,
    Section,
    column,
    facts,
    figure,
    figures,
    heading,
    paragraphs,
    points,
    table,
    title,
)
from scheme.assessment_files.report_map import draw_area, draw_feeder
from scheme.assessment_files.report_sections import (
    MARKS,
    conflicts_table,
    faults_table,
    materials_table,
    projects_table,
    works_table,
    years_table,
)
from scheme.assessment_files.results import Results
from scheme.assessment_files.summary import Summary, hardest_first, list_faulty_rows, soonest_first, summarize
from scheme.assessment_files.words import ELEMENT_KINDS, NOT_ADDITIVE, VERDICTS
from scheme.document.pdf import render_report
from scheme.document.wording import number

TITLE = "业扩储备项目评估报告"
FEEDER_MAPS_MAX = 6
"""Feeders that have a map of their own."""
_NAMED_MAX = 5
_DIFFERENCES_MAX = 60
_METHOD = (
    "单独接入：每个项目在现有电网（含在途容量）上单独搜索接入点，与编制供电方案用同样的方法和限值，其他项目都视为不来；"
    "回答“这个项目最好能怎样”。",
    "队列接入：按政策规定的次序（客户工程进度、收到日期等）逐个接入，后来的项目在先来的项目占用之后的电网上搜索；"
    "接入点须两次通过潮流校验：一次同编制供电方案，一次与同一供电片内此前接入的全部项目一起。"
    "队列分轮进行：单独接入时找到的接入点所在供电片已不能接入的项目，在本轮之末按次序到其他供电片接入。"
    "队列中回答“可接入”的项目可以同时成立。次序是规则，不是最优组合：不会为后来的项目移动先来的项目。",
    "部分接入：不能足额接入时，给出现有电网可以先行接入的容量；其余容量须经配套工程，或转专业联动。",
    "冲突：设备单独能接入某项目，而因先来的项目占用不能足额接入时，记为该设备上的冲突。"
    "耗尽年份：现有负荷按情景增长，加上各项目自报的分年容量，首次超过设备允许负荷的年份；是功率之和，提示何时须看，是否可行以潮流为准。",
    "评估不占用容量。容量在项目转为正式用电申请、供电方案发出时占用；届时以当日电网重新校验。",
)


def write_report(results: Results, snapshot: Snapshot) -> bytes:
    """Return the report as PDF; the same input gives the same bytes.

    Args:
        results: What to print.
        snapshot: The grid that was assessed: names and places.
    """
    places, summary = GridPlaces(snapshot), summarize(results)
    pictures: dict[str, str] = {"verdicts": draw_verdicts(summary)}
    sections = [*_front(results, summary), *_maps(results, places, pictures), *_tables(results, places, pictures)]
    assessed = results.assessment
    document = {
        "title": TITLE,
        "subtitle": f"情景：{assessed.scenario}　评估日期：{assessed.as_of}",
        "sections": [*sections, heading("方法与口径"), paragraphs(*_METHOD)],
    }
    as_of = datetime.fromisoformat(assessed.as_of).replace(tzinfo=UTC)
    return render_report(document, pictures=pictures, as_of=as_of)


def _front(results: Results, summary: Summary) -> list[Section]:
    assessed = results.assessment
    rows = [
        (
            MARKS[line.verdict],
            str(line.alone_count),
            str(line.queue_count),
            number(line.asked_kva, 0),
            number(line.now_kva, 0),
        )
        for line in summary.verdicts
    ]
    counts = (str(summary.projects_count), str(summary.projects_count))
    rows.append(("合计", *counts, number(summary.asked_kva, 0), number(summary.now_queue_kva, 0)))
    columns = (
        column("结论", 3.0),
        figures("单独接入 项目数", 2.0),
        figures("队列接入 项目数", 2.0),
        figures("供电容量 kVA（按队列结论）", 3.0),
        figures("其中现可接入 kVA", 3.0),
    )
    basis = [
        ("情景", assessed.scenario),
        ("评估日期", assessed.as_of),
        ("规则集", assessed.profile),
        ("互相影响的分组", f"{assessed.groups_count} 组"),
    ]
    digests = [
        ("电网断面摘要", assessed.snapshot_sha256),
        ("规则摘要", assessed.policy_sha256),
        ("设备目录摘要", assessed.catalogue_sha256),
    ]
    return [
        title(TITLE, f"情景：{assessed.scenario}　评估日期：{assessed.as_of}　项目 {summary.projects_count} 个"),
        points(_findings(results, summary)),
        figure("verdicts", alt="按结论的项目数，单独接入与队列接入"),
        table(columns, rows, note=NOT_ADDITIVE, size_pt=8.5),
        heading("评估依据"),
        facts(basis, digests),
    ]


def _findings(results: Results, summary: Summary) -> list[str]:
    count = {line.verdict: line for line in summary.verdicts}
    asked, now = number(summary.asked_kva, 0), number(summary.now_queue_kva, 0)
    lines = [
        f"共评估 {summary.projects_count} 个项目，供电容量合计 {asked} kVA。按队列次序，"
        f"{count['yes'].queue_count} 个可足额接入，{count['partly'].queue_count} 个部分接入，"
        f"{count['no'].queue_count} 个不可接入，{count['not_assessable'].queue_count} 个无法评估；"
        f"现可接入合计 {now} kVA。"
    ]
    if summary.worse_count:
        hardest = hardest_first(results.assessment.conflicts)[:_NAMED_MAX]
        names = "、".join(f"{one.name}（{len(one.refused)} 个）" for one in hardest)
        lines.append(
            f"{summary.worse_count} 个项目单独可以足额接入，在队列中因先来的项目不能，涉及 {summary.conflicts_count} "
            f"台（条）设备；受影响项目最多的：{names}。"
        )
    ending = soonest_first(results.assessment.years)
    if ending:
        counts = "，".join(f"{year} 年 {number_of} 台（条）" for year, number_of in summary.run_out.items())
        names = "、".join(one.name for one in ending[:_NAMED_MAX])
        lines.append(f"若全部项目落地，设备耗尽：{counts}；最早的有{names}。")
    if results.assessment.project_works:
        lines.append(
            f"未足额接入的项目中，{summary.complete_works_count} 个找到经潮流校验的接入途径或配套工程，"
            f"其中 {summary.triggered_count} 个按客户工程进度或日期应现在启动；"
            f"{summary.without_way_count} 个未找到，转专业联动。"
        )
    if summary.faulty_rows_count:
        lines.append(f"另有 {summary.faulty_rows_count} 行数据有问题未评估，见“未评估的数据行”。")
    return lines


def _maps(results: Results, places: GridPlaces, pictures: dict[str, str]) -> list[Section]:
    if not results.assessment.projects:
        return []
    pictures["area"] = draw_area(results, places)
    sections = [
        PAGE,
        figure("area", name="全区项目与队列接入结论", alt="全区地图：10千伏线路、变电站、各项目按结论的符号"),
    ]
    feeders = _contested_feeders(results, places)
    for place, (feeder_id, project_ids) in enumerate(feeders[:FEEDER_MAPS_MAX], start=1):
        name = places.name("feeder", feeder_id)
        pictures[f"feeder{place}"] = draw_feeder(results, places, feeder_id, project_ids)
        refused = sum(one.queue.verdict != "yes" for one in _told(results, project_ids))
        sections += [
            PAGE,
            figure(
                f"feeder{place}",
                name=f"冲突馈线 {place}：{name}　竞争项目 {len(project_ids)} 个，不能足额接入 {refused} 个",
                alt=f"馈线 {name} 及争用其设备的项目",
                note="数字为项目的队列次序，见“全部项目”表；离其余项目很远的竞争项目可能在图外。",
            ),
        ]
    left = feeders[FEEDER_MAPS_MAX:]
    if left:
        names = "、".join(places.name("feeder", feeder_id) for feeder_id, _ in left[: 4 * _NAMED_MAX])
        more = f" 等 {len(left)} 条" if len(left) > 4 * _NAMED_MAX else ""
        sections.append(paragraphs(f"未单独绘图的冲突馈线：{names}{more}。"))
    return sections


def _contested_feeders(results: Results, places: GridPlaces) -> list[tuple[str, tuple[str, ...]]]:
    """Return the feeders with conflicts at them or below them, those with most refused first, and who competes."""
    refused: dict[str, set[str]] = {}
    served: dict[str, set[str]] = {}
    for one in results.assessment.conflicts:
        feeder_id = places.feeder_of(one.element_kind, one.element_id)
        if feeder_id is not None:
            refused.setdefault(feeder_id, set()).update(one.refused)
            served.setdefault(feeder_id, set()).update(one.served)
    order = sorted(refused, key=lambda feeder_id: (-len(refused[feeder_id]), feeder_id))
    return [(feeder_id, tuple(sorted(refused[feeder_id] | served[feeder_id]))) for feeder_id in order]


def _told(results: Results, project_ids: tuple[str, ...]) -> list[ProjectResult]:
    wanted = frozenset(project_ids)
    return [one for one in results.assessment.projects if one.project_id in wanted]


def _tables(results: Results, places: GridPlaces, pictures: dict[str, str]) -> list[Section]:
    assessed, sections = results.assessment, list[Section]()
    if assessed.conflicts:
        sections += [PAGE, heading("冲突设备：不能全部接入的项目"), conflicts_table(results)]
    ending = soonest_first(assessed.years)
    if ending:
        pictures["years"] = draw_years(ending)
        left = len(ending) - PANELS_MAX
        note = f"此处绘最早耗尽的 {PANELS_MAX} 台（条），其余 {left} 台（条）见下表。" if left > 0 else ""
        sections += [
            PAGE,
            heading("设备耗尽年份：各年负荷（kVA，蓝线）与允许负荷（红虚线）；红三角为超过的年份"),
            figure("years", alt="各设备逐年负荷与允许负荷", note=note),
            years_table(results),
        ]
    if assessed.works:
        sections += [PAGE, heading("超前启动的配套工程"), works_table(results)]
    if assessed.quotas:
        sections += [PAGE, heading("按季物料需求"), materials_table(results)]
    if results.before is not None:
        sections += [PAGE, *_comparison(results)]
    sections += [PAGE, heading("全部项目（按队列次序）"), projects_table(results, places)]
    if list_faulty_rows(results) or any(one.row is None for one in results.findings):
        sections += [PAGE, heading("未评估的数据行"), faults_table(results)]
    return sections


def _comparison(results: Results) -> list[Section]:
    assert results.before is not None
    found = compare(results.before, results.assessment)
    rows = [("现可接入合计 kVA", number(found.served_before_kva, 0), number(found.served_after_kva, 0))]
    rows += [
        (f"{VERDICTS[name]} 项目数", str(before), str(after))
        for (name, before), (_, after) in zip(found.verdicts_before, found.verdicts_after, strict=True)
    ]
    changed = [
        (results.label(one.project_id), _verdict(one.verdict_before), _verdict(one.verdict_after))
        for one in found.projects
        if one.verdict_before != one.verdict_after
    ]
    changed += [
        (f"{ELEMENT_KINDS[one.element_kind]} {one.element_id} 耗尽年份", _year(before), _year(after))
        for one in found.years
        for before, after in [(one.runs_out_before, one.runs_out_after)]
    ]
    left = len(changed) - _DIFFERENCES_MAX
    note = f"共 {len(changed)} 处不同，此处列前 {_DIFFERENCES_MAX} 处，其余见结果工作簿。" if left > 0 else ""
    columns = (column("对象", 6.0), column(f"前：{found.before}", 4.0), column(f"后：{found.after}", 4.0))
    return [heading("情景对比"), table(columns, [*rows, *changed[:_DIFFERENCES_MAX]], note=note)]


def _verdict(verdict: str | None) -> str:
    return "不在此情景" if verdict is None else VERDICTS[verdict]


def _year(year: int | None) -> str:
    return "未耗尽" if year is None else str(year)
