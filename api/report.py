"""What people see: summaries as rich tables on stdout, progress on stderr; programs get the same facts as JSON."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from api.capacity_files import NOT_ADDITIVE, plain

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from api.replay import Replay
    from api.services import Progress
    from gridmodel.findings import Finding
    from gridmodel.snapshot import Snapshot

QUANTILES = (0.0, 0.1, 0.5, 0.9, 1.0)
FINDINGS_SHOWN = 10
_SHOWN_MAX = 80
_STATUS = {"assessed": "已评估", "not_assessable": "无法评估", "unsupplied": "未供电"}
_LIMIT = {
    "line_loading": "线路负载率",
    "transformer_loading": "变压器负载率",
    "voltage_low": "电压偏低",
    "voltage_high": "电压偏高",
    "existing_violation": "现状越限",
    "convergence": "潮流无解",
    "ceiling": "达到计算上限",
    "administrative": "容量指标(管理口径)",
}
_CAPACITIES = {
    "open_kva": ("可开放容量", "kVA"),
    "firm_kva": ("全时段保证容量", "kVA"),
    "n1_kva": ("N-1 可开放容量", "kVA"),
    "generation_kw": ("分布式电源可开放容量", "kW"),
}
_VERDICT = {"answered": "可供电", "transition": "过渡方案", "joint_work": "转专业联动"}


def write_json(document: Mapping[str, Any]) -> None:
    """Write one JSON document to stdout."""
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    sys.stdout.write(json.dumps(document, ensure_ascii=not is_utf8, allow_nan=False, indent=2) + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Write one line for people to stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@contextmanager
def progress_bar(text: str) -> Iterator[Progress | None]:
    """Yield a callable that moves a bar on stderr; None where stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(text, total=None)

        def move(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield move


def snapshot_summary(snapshot: Snapshot) -> dict[str, Any]:
    """Return what was read and what the quality gate found."""
    status = Counter(snapshot.nodes["status"]) if len(snapshot.nodes) else Counter[str]()
    return {
        "source_name": snapshot.source_name,
        "source_format": snapshot.source_format,
        "nodes": {"total": len(snapshot.nodes), **{str(name): int(count) for name, count in sorted(status.items())}},
        "counts": [
            {name: getattr(count, name) for name in ("table", "read", "accepted", "quarantined", "merged")}
            for count in snapshot.counts
        ],
        "findings_by_severity": dict(Counter(finding.severity for finding in snapshot.findings)),
        "findings": [finding.as_dict() for finding in snapshot.findings],
    }


def has_error_findings(snapshot: Snapshot) -> bool:
    """Return whether the quality gate found an error."""
    return any(finding.severity == "error" for finding in snapshot.findings)


def show_snapshot(snapshot: Snapshot) -> None:
    """Print what was read and what the quality gate found."""
    console = _console()
    console.print(f"数据来源 {snapshot.source_name}({snapshot.source_format}),节点 {len(snapshot.nodes)} 个")
    rows = [(c.table, c.read, c.accepted, c.quarantined, c.merged) for c in snapshot.counts]
    console.print(_table(("数据表", "读入", "采用", "隔离", "合并"), rows))
    ranked = sorted(snapshot.findings, key=lambda f: ("error", "warning", "info").index(f.severity))
    kinds = Counter((f.severity, f.code, f.table, f.disposition) for f in ranked)
    if kinds:
        found = [(code, severity, table, fate, count) for (severity, code, table, fate), count in kinds.items()]
        console.print(_table(("数据问题", "级别", "数据表", "处置", "条数"), found))
    show_findings(ranked)


def show_findings(findings: Sequence[Finding]) -> None:
    """Print the first of what is wrong with a file, and how many more there are."""
    console = _console()
    for finding in findings[:FINDINGS_SHOWN]:
        places = (finding.file, finding.table, finding.row, finding.column)
        place = " ".join(str(part) for part in places if part is not None)
        value = "" if finding.value is None else f" 值 {finding.value}"
        console.print(
            f"[{finding.severity}] {place}{value}:应为 {finding.expected};{finding.consequence}", markup=False
        )
    if len(findings) > FINDINGS_SHOWN:
        console.print(f"另有 {len(findings) - FINDINGS_SHOWN} 条,完整清单见 --json")


def capacity_summary(table: pd.DataFrame) -> dict[str, Any]:
    """Return counts by status, quantiles of the open capacity per voltage level and what limits how often."""
    kinds = Counter(str(kind) for kind in table["limit_kind"] if plain(kind) is not None)
    return {
        "nodes": len(table),
        "by_status": {str(name): int(count) for name, count in Counter(table["status"]).most_common()},
        "open_kva_by_u_nominal_kv": _by_level(table, "open_kva"),
        **{
            f"{column}_by_u_nominal_kv": _by_level(table, column)
            for column in ("firm_kva", "n1_kva", "generation_kw")
            if column in table
        },
        "limit_kinds": dict(kinds.most_common()),
        "certificate": table.attrs.get("certificate"),
        "note": NOT_ADDITIVE,
    }


def _by_level(table: pd.DataFrame, column: str) -> dict[str, dict[str, float]]:
    """Return count, zeros and quantiles of a capacity per voltage level."""
    known = table[column].astype(float).dropna()
    levels = {}
    for u_nominal_kv, values in known.groupby(table["u_nominal_kv"].astype(float)):
        quantiles = {f"p{round(q * 100)}": round(float(values.quantile(q)), 1) for q in QUANTILES}
        without = int((values <= 0.0).sum())
        levels[f"{u_nominal_kv:g}"] = {"nodes": len(values), "without_capacity": without, **quantiles}
    return levels


def _certificate_lines(certificate: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield what the reference load flow, and where asked the second engine, found."""
    if certificate is None:
        return
    checked = [("参考潮流(pandapower)", certificate)]
    if certificate.get("bulk") is not None:
        checked.append(("全量校核(power-grid-model)", certificate["bulk"]))
    for name, told in checked:
        largest = told["difference_kw_max"]
        text = "" if largest is None else f",最大偏差 {largest:.3f} kW"
        yield f"{name}校核节点 {told['nodes_checked']} 个{text}"
        if told.get("nodes_not_checked"):
            yield f"  未校核 {told['nodes_not_checked']} 个:" + ";".join(
                f"{reason} {count}" for reason, count in told["reasons"].items()
            )


def show_capacity(summary: Mapping[str, Any]) -> None:
    """Print :func:`capacity_summary`."""
    console = _console()
    console.print(
        _table(("状态", "节点数"), [(_STATUS.get(name, name), count) for name, count in summary["by_status"].items()])
    )
    for column, (title, unit) in _CAPACITIES.items():
        levels = summary.get(f"{column}_by_u_nominal_kv")
        if levels is not None:
            heads = (f"{title} 电压 kV", "节点数", "无容量", *(f"P{round(q * 100)} {unit}" for q in QUANTILES))
            console.print(_table(heads, [(level, *values.values()) for level, values in levels.items()]))
    console.print(
        _table(("限制因素", "节点数"), [(_LIMIT.get(name, name), n) for name, n in summary["limit_kinds"].items()])
    )
    for line in _certificate_lines(summary["certificate"]):
        console.print(line)
    console.print(summary["note"])


def show_scheme(scheme: Mapping[str, Any]) -> None:
    """Print a scheme (its JSON form) in a few lines."""
    console = _console()
    console.print(
        f"方案 {scheme['scheme_id']}(申请 {scheme['request_id']}):{_VERDICT[scheme['verdict']]}", markup=False
    )
    for reason in scheme["reasons"]:
        console.print(f"  {reason['text']} ({reason['code']})", markup=False)
    supply = scheme["supply"]
    if supply is not None:
        console.print(f"  供电电压 {supply['voltage']},供电容量 {round(supply['capacity_kva'], 1):g} kVA")
    for variant in scheme["variants"]:
        point, checked = variant["connection_point"], variant["verification"]
        console.print(
            f"  方案{variant['rank']}:{variant['connection_mode']} {point['name']},"
            f"距离 {variant['distance_m']:.0f} m,路径 {variant['route']['length_m']:.0f} m,"
            f"末端电压 {checked['u_pu_customer']:.4f} p.u.,估算 {variant['cost']['total_typical_cny10k']:.2f} 万元",
            markup=False,
        )
        for source in variant.get("further_sources", ()):
            console.print(
                f"    电源{source['source_no']}({source['role']}):{source['connection_mode']} "
                f"{source['connection_point']['name']},距离 {source['distance_m']:.0f} m,"
                f"独立承担 {source['required_share_kva']:g} kVA 时末端电压 "
                f"{source['verification']['u_pu_customer']:.4f} p.u.",
                markup=False,
            )
    if scheme["validity"] is not None:
        console.print(f"  有效期 {scheme['validity']['from']} 至 {scheme['validity']['to']}")
    for line in _transition_lines(scheme.get("transition")):
        console.print(line, markup=False)
    for task in scheme.get("tasks", ()):
        console.print(f"  任务[{task['department']}]{task['text']}({task['due']})", markup=False)


def _transition_lines(transition: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the stages of a transition scheme (过渡方案), how many other ways hold and how many failed."""
    if transition is None:
        return
    for stage in transition["stages"]:
        point, cost, days = stage["connection_point"], stage["cost"], stage["duration_workdays"]
        place = "" if point is None else f",接入点 {point['name']}"
        estimate = "" if cost is None else f",估算 {cost['total_typical_cny10k']:.2f} 万元"
        open_prices = "" if cost is None or not cost["not_priced"] else "(部分项目未计价)"
        duration = "工期未知" if days is None else f"工期 {days} 个工作日"
        yield (
            f"  第{stage['stage_no']}阶段:{round(stage['capacity_kva'], 1):g} kVA{place}{estimate}{open_prices},"
            f"{duration},{stage['starts_after']}"
        )
        yield from (f"    改造:{measure['text']}" for measure in stage["measures"])
    yield (
        f"  其他可行路径 {len(transition['alternatives'])} 个,未通过校核 {len(transition['failed'])} 个;"
        f"资金渠道:{transition['funding']}"
    )


def show_replay(outcome: Replay) -> None:
    """Print whether a scheme came out the same again, and what differs."""
    console = _console()
    if outcome.is_identical:
        console.print(f"方案 {outcome.scheme_id}:复现结果与原记录逐字节一致", markup=False)
        return
    console.print(f"方案 {outcome.scheme_id}:复现结果与原记录不一致", markup=False)
    for difference in outcome.differences:
        console.print(
            f"  {difference.place}:记录 {_shortened(difference.recorded)},复现 {_shortened(difference.replayed)}",
            markup=False,
        )
    if not outcome.differences:
        console.print("  内容相同,只是文件的写法(空格、键的顺序)不同")


def _shortened(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


def _console() -> Console:
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 120)


def _table(heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Any:
    from rich.table import Table

    table = Table(*heads)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*(f"{cell:,.1f}" if isinstance(cell, float) else str(cell) for cell in row))
    return table
