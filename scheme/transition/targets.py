"""Points a transition scheme looks at: those of the grid within its reach, and those that would have to be built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gridmodel.catalogue.records import LineType
from gridmodel.reinforcement import NewArea, add_area
from scheme.model import ConnectionPoint, Measure, Reason
from scheme.points import TEE_KINDS, Candidate, NetworkPlaces, Screen
from scheme.transition.bench import Bench, PlannedMeasure, Way
from scheme.transition.measures import line_price_code, new_area_text
from scheme.transition.rules import transformer_price_code

_TOO_LARGE, _NO_BAY = "tee_capacity_exceeded", "no_spare_bay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Candidates within the reach, by what rules say of them; nearest first."""

    usable: tuple[Candidate, ...]
    """No rule refuses them at the full demand."""
    usable_in_part: tuple[Candidate, ...]
    """No rule refuses them at the smallest useful part."""
    too_large_for_tee: tuple[Candidate, ...]
    without_bay: tuple[Candidate, ...]
    substations: tuple[Candidate, ...]
    """Substation busbars, with or without a spare bay; none where their number is not known but should be."""


def survey(bench: Bench, places: NetworkPlaces) -> Reach:
    """Return what there is around the customer."""
    near = in_turns(_within(bench, places, bench.rules.radius_m), per_group_max=bench.rules.group_survey_max)
    near.sort(key=_by_distance)
    least_kva = bench.rules.useful_kva_min(bench.supply.capacity_kva)
    full, part = (
        Screen(bench.snapshot, policy=bench.policy, capacity=None, capacity_kva=kva)
        for kva in (bench.supply.capacity_kva, least_kva)
    )
    codes = [_code(full.find_reason(candidate)) for candidate in near]
    bays: list[Candidate] = []
    if not bench.is_low_voltage:
        radius_m = bench.policy.number("connection.new_feeder_search_radius_km") * 1e3
        bays = places.find_substations(*bench.place_deg, radius_m=radius_m)

    def with_code(wanted: str | None) -> tuple[Candidate, ...]:
        return tuple(candidate for candidate, code in zip(near, codes, strict=True) if code == wanted)

    return Reach(
        usable=with_code(None),
        usable_in_part=tuple(
            candidate
            for candidate, code in zip(near, codes, strict=True)
            if code is None or (code == _TOO_LARGE and part.find_reason(candidate) is None)
        ),
        too_large_for_tee=with_code(_TOO_LARGE),
        without_bay=with_code(_NO_BAY),
        substations=tuple(c for c in bays if _code(full.find_reason(c)) in (None, _NO_BAY)),
    )


def _code(reason: Reason | None) -> str | None:
    return None if reason is None else reason.code


def _by_distance(candidate: Candidate) -> tuple[float, str]:
    return round(candidate.distance_m, 3), candidate.point.element_source_id


def bench_nodes(bench: Bench, places: NetworkPlaces, radius_m: float) -> list[Candidate]:
    """Return the nodes of the customer's voltage class within a radius, nearest first."""
    return places.find_nodes(*bench.place_deg, is_lv=bench.is_low_voltage, radius_m=radius_m)


def _within(bench: Bench, places: NetworkPlaces, radius_m: float) -> list[Candidate]:
    found = [c for c in bench_nodes(bench, places, radius_m) if c.point.kind != "substation_bay"]
    if not bench.is_low_voltage:
        found += _tees(bench, places, radius_m)
    return sorted(found, key=_by_distance)


def _tees(bench: Bench, places: NetworkPlaces, radius_m: float) -> list[Candidate]:
    least_m = bench.policy.number("connection.tee_node_distance_min_m")
    return places.find_tees(*bench.place_deg, radius_m=radius_m, node_distance_min_m=least_m)


def in_turns(candidates: Sequence[Candidate], *, per_group_max: int | None = None) -> list[Candidate]:
    """Return the candidates with the nearest of every group first, then the second ones, and so on.

    Args:
        candidates: Nearest first.
        per_group_max: How many of a group are kept; ``None`` keeps all.
    """
    seen: Counter[tuple[str, str]] = Counter()
    turns: list[tuple[int, int, Candidate]] = []
    for number, candidate in enumerate(candidates):
        turn = seen[candidate.group]
        seen[candidate.group] += 1
        if per_group_max is None or turn < per_group_max:
            turns.append((turn, number, candidate))
    return [candidate for _, _, candidate in sorted(turns, key=lambda item: item[:2])]


def new_ring_main_units(bench: Bench, reach: Reach) -> Iterator[Way]:
    """Yield ways with a new ring-main unit (新建环网柜) where the demand is too large for a tee or bays are missing."""
    for candidate in in_turns([*reach.too_large_for_tee, *_ring_mains(reach.without_bay)], per_group_max=1):
        point = candidate.point
        text = str(bench.texts["new_ring_main_unit"]).format(element=point.name)
        way = bench.way("new_ring_main_unit", replace(candidate, point=replace(point, kind="ring_main_bay")))
        planned = PlannedMeasure(
            kind="new_ring_main_unit",
            measure=Measure(
                code="new_ring_main_unit",
                text=text,
                element_ids=(point.element_source_id,),
                quantity=1.0,
                unit="座",
            ),
            price_code=str(bench.policy.get("transition.price_codes").value["new_ring_main_unit"]),
            works_mode="ring_main_unit",
        )
        yield replace(way, measures=(planned,))


def _ring_mains(candidates: Sequence[Candidate]) -> list[Candidate]:
    return [candidate for candidate in candidates if candidate.point.kind == "ring_main_bay"]


def new_feeders(bench: Bench, reach: Reach) -> Iterator[Way]:
    """Yield ways with a feeder of their own from a substation (变电站新建馈线), the bay built where missing."""
    spare = bench.policy.get("connection.spare_bays_min")
    for candidate in reach.substations:
        way = bench.way("new_feeder", candidate)
        bays = candidate.point.spare_bays
        if bays is None or spare.allows(bays):
            yield way
            continue
        measure = Measure(
            code="new_bay",
            text=str(bench.texts["new_bay"]).format(element=candidate.point.name),
            element_ids=(candidate.point.element_source_id,),
            quantity=1.0,
            unit="个",
        )
        # The typical design of a substation bay prices the new panel; only whether there is room is left to check.
        yield replace(
            way, measures=(PlannedMeasure(kind="new_bay", measure=measure, price_code=None, needs_price=False),)
        )


def new_areas(bench: Bench, places: NetworkPlaces) -> Iterator[Way]:
    """Yield ways with a new public transformer area (新增台区) beside a low-voltage customer."""
    rules, policy = bench.rules, bench.policy
    needed_kva = bench.supply.capacity_kva / bench.limits.transformer_loading_ratio_max
    sizes = bench.catalogue.find_transformer_types(series=rules.transformer_series)
    kind = next((k for k in sizes if needed_kva <= k.sn_kva <= rules.transformer_kva_max), None)
    if kind is None:
        return
    radius_m = rules.new_area_branch_max_m
    found = places.find_nodes(*bench.place_deg, is_lv=False, radius_m=radius_m)
    found = [c for c in found if c.point.kind != "substation_bay"] + _tees(bench, places, radius_m)
    found.sort(key=_by_distance)
    screen = Screen(bench.snapshot, policy=policy, capacity=None, capacity_kva=kind.sn_kva)
    for number, start in enumerate(in_turns([c for c in found if screen.find_reason(c) is None]), start=1):
        branch = _branch_type(bench, "overhead" if start.point.kind in TEE_KINDS else "cable")
        if branch is None:
            continue
        share = min(1.0, rules.new_area_lv_route_m / start.distance_m) if start.distance_m > 0.0 else 1.0
        (lon, lat), point = bench.place_deg, start.point
        area = NewArea(
            bus=start.bus,
            line=start.line,
            fraction_along=start.fraction_along,
            branch_type=branch,
            branch_length_km=bench.routes.route_length_m(start.distance_m * (1.0 - share)) / 1e3,
            transformer_type=kind,
            element_id=f"NEW-{number}",
            name=new_area_text(bench, kind),
            lon_deg=round(lon + (point.lon_deg - lon) * share, 7),
            lat_deg=round(lat + (point.lat_deg - lat) * share, 7),
        )
        grid, board = add_area(bench.snapshot, area)
        yield Way(
            family="new_transformer_area",
            candidate=_board(bench, start, area, board),
            grid=grid,
            study=bench.study.with_grid(grid),
            measures=_area_measures(bench, start, area),
            touched=frozenset(start.capacity_buses),
        )


def _branch_type(bench: Bench, laying: str) -> LineType | None:
    """Return the smallest medium-voltage type the policy builds."""
    for row in bench.policy.rows("connection.line_series"):
        if (row["u_class"], row["laying"]) == ("mv", laying):
            kinds = bench.catalogue.find_line_types(series=row["series"])
            return next((kind for kind in kinds if kind.section_mm2 >= row["section_mm2_min"]), None)
    return None


def _board(bench: Bench, start: Candidate, area: NewArea, board: int) -> Candidate:
    """Return the low-voltage board of the new area as a connection point."""
    return Candidate(
        point=ConnectionPoint(
            kind="lv_board",
            element_source_id=f"{area.element_id}-LV",
            name=area.name,
            u_nominal_kv=area.transformer_type.u_lv_kv,
            lon_deg=area.lon_deg,
            lat_deg=area.lat_deg,
            spare_bays=None,
        ),
        distance_m=min(bench.rules.new_area_lv_route_m, start.distance_m),
        bus=board,
        capacity_buses=start.capacity_buses,
        feeder_id=start.feeder_id,
        area_id=area.element_id,
        notes=start.notes,
    )


def _area_measures(bench: Bench, start: Candidate, area: NewArea) -> tuple[PlannedMeasure, ...]:
    branch = area.branch_type
    from_id = start.point.element_source_id
    return (
        PlannedMeasure(
            kind="new_transformer_area",
            measure=Measure(
                code="new_transformer_area",
                text=area.name,
                element_ids=(from_id,),
                quantity=1.0,
                unit="座",
                type_id=area.transformer_type.type_id,
                sn_kva=area.transformer_type.sn_kva,
                fraction_along=area.fraction_along,
            ),
            price_code=transformer_price_code(bench.policy, sn_kva=area.transformer_type.sn_kva),
        ),
        PlannedMeasure(
            kind="new_transformer_area",
            measure=Measure(
                code="new_line",
                text=str(bench.texts["new_line"]).format(label=branch.label),
                element_ids=(from_id,),
                quantity=round(area.branch_length_km, 4),
                unit="km",
                type_id=branch.type_id,
                fraction_along=area.fraction_along,
            ),
            price_code=line_price_code(bench.policy, branch),
            works_mode="overhead_line" if branch.laying == "overhead" else None,
        ),
    )
