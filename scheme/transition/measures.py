"""Measures on what limits a way: a larger transformer, stronger lines; each returns the changed way, untried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gridmodel.catalogue.records import LineType, TransformerType
from gridmodel.net import Net
from gridmodel.reinforcement import (
    copy_grid,
    enlarge_main_transformer,
    replace_line,
    replace_transformer,
    resize_area,
)
from gridmodel.snapshot import Snapshot
from gridmodel.topology import LOW_VOLTAGE_KV_MAX, SupplyPath
from scheme.model import Measure
from scheme.policy.parameter import PolicyView
from scheme.transition.bench import Bench, Outcome, PlannedMeasure, Way
from scheme.transition.rules import transformer_price_code

_KVA_PER_MVA = 1e3
_A_PER_KA = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class StrongerLine:
    """What a line is replaced by."""

    line: int
    kind: LineType
    parallel: int


def larger_transformers(bench: Bench, way: Way, outcome: Outcome) -> Way | None:
    """Replace the overloaded distribution transformers, or the one of the path where only the voltage is too low.

    A transformer that the way builds anyway is built larger instead. Main transformers are left to the planners.
    ``None`` where there is none to replace or no larger one.
    """
    net = way.grid.net
    needed_kva: dict[int, float] = {}
    for found in outcome.violations:
        if found.table == "trafo" and found.element in net.trafo.index:
            rating_kva = float(net.trafo.sn_mva[found.element]) * _KVA_PER_MVA
            needed_kva[found.element] = rating_kva * found.value / found.limit
    if not needed_kva and _is_voltage(outcome):
        needed_kva = dict.fromkeys(_path(way).trafos, 0.0)
    grid, measures, touched, is_changed = copy_grid(way.grid), [], set[int](), False
    for trafo, kva in sorted(needed_kva.items()):
        kind = _next_size(bench, way, trafo, kva)
        if kind is None:
            continue
        is_changed = True
        if trafo not in bench.snapshot.net.trafo.index:
            way = _with_larger_area(bench, way, kind)
            grid = resize_area(grid, trafo, kind, name=way.candidate.point.name)
            continue
        replace_transformer(grid.net, trafo, kind)
        before_kva = _imported_kva(bench, net, trafo)
        touched.add(int(net.trafo.lv_bus[trafo]))
        element_id = bench.element_id(way.grid, "trafo", trafo)
        text = str(bench.texts["larger_transformer"]).format(
            element=element_id, before=f"{before_kva:g}", after=f"{kind.sn_kva:g}"
        )
        measures.append(
            PlannedMeasure(
                kind="larger_transformer",
                measure=Measure(
                    code="larger_transformer",
                    text=text,
                    element_ids=(element_id,),
                    quantity=1.0,
                    unit="台",
                    type_id=kind.type_id,
                    sn_kva=kind.sn_kva,
                ),
                price_code=transformer_price_code(bench.policy, sn_kva=kind.sn_kva),
            )
        )
    return _reworked(bench, way, grid, measures, touched) if is_changed else None


def new_area_text(bench: Bench, kind: TransformerType) -> str:
    """Return what a new transformer area is called."""
    return str(bench.texts["new_transformer_area"]).format(label=f"{kind.sn_kva:g}")


def _with_larger_area(bench: Bench, way: Way, kind: TransformerType) -> Way:
    """Return the way whose new transformer area is of another size from the start."""
    text = new_area_text(bench, kind)
    price_code = transformer_price_code(bench.policy, sn_kva=kind.sn_kva)

    def resized(planned: PlannedMeasure) -> PlannedMeasure:
        if planned.measure.code != "new_transformer_area":
            return planned
        measure = replace(planned.measure, text=text, type_id=kind.type_id, sn_kva=kind.sn_kva)
        return replace(planned, measure=measure, price_code=price_code)

    candidate = replace(way.candidate, point=replace(way.candidate.point, name=text))
    return replace(way, candidate=candidate, measures=tuple(resized(planned) for planned in way.measures))


def larger_main_transformers(bench: Bench, way: Way, outcome: Outcome) -> Way | None:
    """Enlarge the overloaded main transformers; a task of the planners without price and duration."""
    net, needed_kva = way.grid.net, dict[int, float]()
    for found in outcome.violations:
        if found.table == "trafo" and float(net.trafo.vn_lv_kv.get(found.element, 0.0)) > LOW_VOLTAGE_KV_MAX:
            needed_kva[found.element] = (
                float(net.trafo.sn_mva[found.element]) * _KVA_PER_MVA * found.value / found.limit
            )
    grid, measures = copy_grid(way.grid), []
    for trafo, kva in sorted(needed_kva.items()):
        sn_kva = next((size for size in bench.rules.main_transformer_sizes_kva if size >= kva), None)
        if sn_kva is None:
            return None
        before_kva = float(net.trafo.sn_mva[trafo]) * _KVA_PER_MVA
        enlarge_main_transformer(grid.net, trafo, sn_kva=sn_kva)
        element_id = bench.element_id(way.grid, "trafo", trafo)
        text = str(bench.texts["larger_main_transformer"]).format(
            element=element_id, before=f"{before_kva:g}", after=f"{sn_kva:g}"
        )
        measure = Measure(
            code="larger_main_transformer",
            text=text,
            element_ids=(element_id,),
            quantity=1.0,
            unit="台",
            sn_kva=sn_kva,
        )
        measures.append(PlannedMeasure(kind="larger_main_transformer", measure=measure, price_code=None))
    touched = frozenset(int(net.trafo.lv_bus[trafo]) for trafo in needed_kva)
    return way.changed(grid, tuple(measures), touched) if measures else None


def _imported_kva(bench: Bench, net: Net, trafo: int) -> float:
    """Return the rating before all measures."""
    imported = bench.snapshot.net.trafo.sn_mva
    return float(imported[trafo] if trafo in imported.index else net.trafo.sn_mva[trafo]) * _KVA_PER_MVA


def _next_size(bench: Bench, way: Way, trafo: int, needed_kva: float) -> TransformerType | None:
    row = way.grid.net.trafo.loc[trafo]
    if float(row.vn_lv_kv) > LOW_VOLTAGE_KV_MAX:
        return None
    own_kva = float(row.sn_mva) * _KVA_PER_MVA
    sizes = bench.catalogue.find_transformer_types(series=bench.rules.transformer_series)
    return next(
        (
            kind
            for kind in sizes
            if own_kva < kind.sn_kva <= bench.rules.transformer_kva_max and kind.sn_kva >= needed_kva
        ),
        None,
    )


def stronger_lines(bench: Bench, way: Way, outcome: Outcome, *, share_ratio: float) -> Way | None:
    """Replace the overloaded lines, or, where only the voltage is too low, those of the path that cost most of it.

    Args:
        bench: Gives the catalogue.
        way: What is changed.
        outcome: What limits it.
        share_ratio: Share of the voltage drop of the path whose lines are replaced, the worst first.
    """
    overloaded = _overloaded(bench, way, outcome)
    chosen = [
        found
        for line, needed_a in sorted(overloaded.items())
        if (found := _stronger(bench, way, line, needed_a)) is not None
    ]
    if not overloaded and _is_voltage(outcome):
        chosen = list(_worst_drops(bench, way, share_ratio))
    if not chosen:
        return None
    grid, touched = copy_grid(way.grid), set[int]()
    for item in chosen:
        for line in _halves(bench, way, item.line):
            replace_line(grid.net, line, item.kind, parallel=item.parallel)
            touched.add(int(grid.net.line.from_bus[line]))
    measures = [_line_measure(bench, way, item) for item in chosen]
    return _reworked(bench, way, grid, measures, touched)


def _reworked(bench: Bench, way: Way, grid: Snapshot, measures: Sequence[PlannedMeasure], touched: set[int]) -> Way:
    """Return the way with measures that take the place of earlier ones of their kind at the same element."""
    done = {(planned.kind, planned.measure.element_ids) for planned in measures}
    kept = tuple(p for p in way.measures if (p.kind, p.measure.element_ids) not in done)
    imported = frozenset(touched) & frozenset(bench.snapshot.net.bus.index.tolist())
    return replace(way, measures=kept).changed(grid, tuple(measures), imported)


def _is_voltage(outcome: Outcome) -> bool:
    """Return whether a voltage is the limit, or nothing is solved, so that impedance has to go."""
    return not outcome.violations or any(found.table == "bus" for found in outcome.violations)


def _overloaded(bench: Bench, way: Way, outcome: Outcome) -> dict[int, float]:
    """Return the rating (A) each overloaded line of the grid needs; the halves of a teed line are that line."""
    net, needed = way.grid.net, dict[int, float]()
    for found in outcome.violations:
        if found.table != "line":
            continue
        line = _whole(bench, way, found.element) if found.element in net.line.index else way.candidate.line
        if line is not None:
            row = net.line.loc[line]
            rating_a = float(row.max_i_ka) * float(row.df) * float(row.parallel) * _A_PER_KA
            needed[line] = max(needed.get(line, 0.0), rating_a * found.value / found.limit)
    return needed


def _whole(bench: Bench, way: Way, line: int) -> int | None:
    """Return the imported line that a line is, or is a half of; ``None`` for one that the way builds."""
    if line in bench.snapshot.net.line.index:
        return line
    return _halves(bench, way, line)[0] if line in way.grid.lines.index else None


def _halves(bench: Bench, way: Way, line: int) -> list[int]:
    """Return an imported line, and its other half where a new area tees off it."""
    table = way.grid.lines
    if len(table) == len(bench.snapshot.lines):
        return [line]
    return sorted(int(row) for row in table.index[table.element_id == table.element_id[line]])


def _stronger(bench: Bench, way: Way, line: int, needed_a: float) -> StrongerLine | None:
    """Return the weakest type, then circuits side by side, that carries ``needed_a`` with no more resistance."""
    row = way.grid.net.line.loc[line]
    r_ohm_per_km = float(row.r_ohm_per_km) / float(row.parallel)
    for parallel in range(1, bench.policy.count("connection.parallel_max") + 1):
        for kind in _types(bench, way, line):
            is_enough = kind.rating_a * parallel * float(row.df) >= needed_a
            if is_enough and kind.r20_ohm_per_km / parallel <= r_ohm_per_km:
                return StrongerLine(line=line, kind=kind, parallel=parallel)
    return None


def _worst_drops(bench: Bench, way: Way, share_ratio: float) -> Iterator[StrongerLine]:
    """Yield replacements of the path's lines with most per-unit resistance, until the share of all is reached."""
    net = way.grid.net
    found: list[tuple[float, StrongerLine]] = []
    wholes = (_whole(bench, way, line) for line in _path(way).lines)
    for line in dict.fromkeys(whole for whole in wholes if whole is not None):
        row = net.line.loc[line]
        r_ohm_per_km = float(row.r_ohm_per_km) / float(row.parallel)
        best = max(_types(bench, way, line), key=lambda kind: (kind.section_mm2, kind.type_id), default=None)
        if best is None or best.r20_ohm_per_km >= r_ohm_per_km:
            continue
        gain_pu = (r_ohm_per_km - best.r20_ohm_per_km) * float(row.length_km) / float(net.bus.vn_kv[row.from_bus]) ** 2
        found.append((gain_pu, StrongerLine(line=line, kind=best, parallel=1)))
    found.sort(key=lambda item: (-item[0], item[1].line))
    total_pu, reached_pu = sum(gain for gain, _ in found), 0.0
    for gain_pu, item in found:
        if reached_pu >= share_ratio * total_pu:
            return
        reached_pu += gain_pu
        yield item


def _types(bench: Bench, way: Way, line: int) -> list[LineType]:
    """Return the types of the policy's series for the line's voltage and laying, weakest first."""
    is_lv = float(way.grid.net.bus.vn_kv[way.grid.net.line.from_bus[line]]) <= LOW_VOLTAGE_KV_MAX
    laying = way.grid.lines.laying.get(line, "overhead")
    wanted = ("lv" if is_lv else "mv", "cable" if laying == "cable" else "overhead")
    series = [row["series"] for row in bench.policy.rows("connection.line_series")
              if (row["u_class"], row["laying"]) == wanted]  # fmt: skip
    found = [kind for name in series for kind in bench.catalogue.find_line_types(series=name)]
    return sorted(found, key=lambda kind: (kind.rating_a, kind.type_id))


def _line_measure(bench: Bench, way: Way, item: StrongerLine) -> PlannedMeasure:
    element_id = bench.element_id(way.grid, "line", item.line)
    key = "reconductoring" if item.parallel == 1 else "reconductoring_double"
    text = str(bench.texts[key]).format(element=element_id, label=item.kind.label)
    length_km = round(float(way.grid.net.line.length_km[_halves(bench, way, item.line)].sum()) * item.parallel, 4)
    return PlannedMeasure(
        kind="reconductoring",
        measure=Measure(
            code="reconductoring",
            text=text,
            element_ids=(element_id,),
            quantity=length_km,
            unit="km",
            type_id=item.kind.type_id,
        ),
        price_code=line_price_code(bench.policy, item.kind),
        works_mode="overhead_line" if item.kind.laying == "overhead" and item.kind.u_class == "mv" else None,
    )


def line_price_code(policy: PolicyView, kind: LineType) -> str | None:
    """Return the unit cost of a new line of a type, ``None`` where there is none."""
    return next(
        (
            str(row["price_code"])
            for row in policy.rows("works.line_prices")
            if row["series"] == kind.series and kind.section_mm2 <= row["section_mm2_max"]
        ),
        None,
    )


def _path(way: Way) -> SupplyPath:
    """Return the supply path of the connection point in the changed grid, of the lower end of a teed line."""
    candidate, net = way.candidate, way.grid.net
    if candidate.bus is not None:
        return way.study.find_supply_path(candidate.bus)
    ends = [int(net.line.from_bus[candidate.line]), int(net.line.to_bus[candidate.line])]
    return max((way.study.find_supply_path(bus) for bus in ends), key=lambda path: path.element_count)
