"""The customer's scheme against a record in which every text and every place says where it stood."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date
from io import BytesIO
from typing import Any

import pypdfium2
import pytest

from scheme.disclosure.customer_documents import CUSTOMER_FILES, customer_documents
from scheme.disclosure.customer_scheme import CustomerScheme
from scheme.disclosure.customer_view import customer_view
from scheme.model import Reason
from scheme.policy.loader import load_policy
from scheme.policy.parameter import PolicyView
from tests.document.conftest import NAMES, as_scheme, load_plain
from tests.document.reading import pdf_text, word_text

KEPT = frozenset(
    {"verdict", "side", "unit", "voltage", "supply_voltage", "laying", "code", "limit_unit", "mode", "as_of", "profile"}
    | {"limit_kind", "status", "verdict", "form", "version", "phases", "scheme_id", "request_id", "category"}
)
"""Words of a fixed list, and ids of the customer's own; everything else becomes a canary."""
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
MAY_BE_SEEN = tuple(
    re.compile(pattern)
    for pattern in (
        r"supply\.sources\[\d+\]\.(role|kind|connection_mode|line_label|entry_mode|ownership_boundary)",
        r"supply\.(operation_mode|interlock)",
        r"receiving\.(point_kind|main_connection|operation_mode|transformers\[\d+\]\.model)",
        r"metering\[\d+\]\.\w+",
        r"tariff\.(price_class|capacity_charge)",
        r"protection\.(incoming|boundary_switch|notes\[\d+\])",
        r"(reactive_compensation|emergency_source)\.text",
        r"investment_boundary\.(boundary|utility_scope|customer_scope|offers\[\d+\])",
        r"fees\[\d+\]\.(name|unit_price_cny|amount_cny|basis)",
        r"steps\[\d+\]\.name",
        r"(variants\[[012]\]\.)?timeline\.(promise_text|milestones\[\d+\]\.needs_text)",
        r"timeline\.milestones\[\d+\]\.text",
        r"(required_documents|notices)\[\d+\]",
        r"variants\[0\]\.(further_sources\[\d+\]\.)?works\[\d+\]\.text",
        r"variants\[[012]\]\.(further_sources\[\d+\]\.)?(connection_mode|route\.line_label)",
        r"variants\[[012]\]\.(further_sources\[\d+\]\.)?power_quality\.(conditions|data_needed)\[\d+\]",
    )
)
"""Written by hand: the only texts of a record that a customer reads, all of them from the policy or the catalogue."""


def _is_allowed(place: str) -> bool:
    return any(allowed.fullmatch(place) for allowed in MAY_BE_SEEN)


def policy() -> PolicyView:
    return load_policy("shenqiu-2022", date(2026, 11, 20))


class Tainted:
    """A record whose texts are canaries that know their place, and whose coordinates repeat one digit."""

    LON, LAT = 115.777777, 33.888888

    def __init__(self, name: str) -> None:
        self.places: dict[str, str] = {}
        plain = as_scheme(load_plain(name))
        tainted = {
            field.name: self._taint(getattr(plain, field.name), field.name, field.name)
            for field in fields(plain)
            if field.name != "request"
        }
        location = {**plain.request["location_cgcs2000"], "lon_deg": self.LON, "lat_deg": self.LAT}
        self.record = replace(plain, **tainted, request={**plain.request, "location_cgcs2000": location})

    def _taint(self, value: Any, place: str, key: str) -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            parts = {f.name: self._taint(getattr(value, f.name), f"{place}.{f.name}", f.name) for f in fields(value)}
            return replace(value, **parts)
        if isinstance(value, dict):
            return {name: self._taint(part, f"{place}.{name}", name) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._taint(part, f"{place}[{number}]", key) for number, part in enumerate(value))
        if key in ("lon_deg", "coordinates"):
            return self.LON
        if key == "lat_deg":
            return self.LAT
        is_free = isinstance(value, str) and key not in KEPT and not place.startswith("forms")
        if is_free and not DATE.fullmatch(value):
            canary = f"CANARY{len(self.places)}X"
            self.places[canary] = place
            return canary
        return value

    def seen_in(self, text: str) -> set[str]:
        return {self.places[canary] for canary in re.findall(r"CANARY\d+X", text)}


def texts_of(content: bytes, file: str) -> Iterator[str]:
    """Every text of a file: what is printed and what is not."""
    if file.endswith(".docx"):
        yield word_text(content)
        with zipfile.ZipFile(BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name + archive.read(name).decode("utf-8", "replace")
    elif file.endswith(".pdf"):
        yield pdf_text(content)
        with pypdfium2.PdfDocument(content) as document:
            yield json.dumps(document.get_metadata_dict(), ensure_ascii=False)
    else:
        yield content.decode()


@pytest.mark.parametrize("name", NAMES)
def test_only_texts_named_by_hand_reach_the_customer(name: str) -> None:
    tainted = Tainted(name)
    seen = tainted.seen_in(json.dumps(customer_view(tainted.record, policy()).as_dict(), ensure_ascii=False))
    assert {place for place in seen if not _is_allowed(place)} == set()
    assert len(tainted.places) > len(seen)


@pytest.mark.parametrize("name", ["hv_dual_source_10kv", "lv_resident_220v", "transition_10kv", "joint_work_10kv"])
def test_documents_show_no_more_than_the_view(name: str) -> None:
    tainted = Tainted(name)
    view = customer_view(tainted.record, policy())
    shown = tainted.seen_in(json.dumps(view.as_dict(), ensure_ascii=False))
    files = customer_documents(view)
    assert tuple(files) == CUSTOMER_FILES
    for file, content in files.items():
        for text in texts_of(content, file):
            assert tainted.seen_in(text) <= shown
            assert "115.777" not in text
            assert "33.888" not in text


def test_canaries_are_found_where_names_are_shown() -> None:
    tainted = Tainted("hv_dual_source_10kv")
    told = json.dumps(customer_view(tainted.record, showing_names()).as_dict(), ensure_ascii=False)
    names = {f"supply.sources[{number}].{name}" for number in (0, 1) for name in ("substation", "feeder")}
    assert {place for place in tainted.seen_in(told) if not _is_allowed(place)} == names
    files = customer_documents(customer_view(tainted.record, showing_names()))
    for file, content in files.items():
        assert names <= set().union(*(tainted.seen_in(text) for text in texts_of(content, file)))


def view_of(name: str, **changes: Any) -> CustomerScheme:
    return customer_view(replace(as_scheme(load_plain(name)), **changes), policy())


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_the_grid_stay_inside(name: str) -> None:
    plain = load_plain(name)
    told = json.dumps(view_of(name).as_dict(), ensure_ascii=False)
    for variant in plain["variants"]:
        assert f'"distance_m": {variant["distance_m"]}' not in told
        for number in (variant["verification"]["losses_kw"], variant["verification"]["u_pu_min"]):
            assert re.search(rf"(?<![\d.]){re.escape(str(number))}(?!\d)", told) is None
    for word in ("verification", "distance_m", "snapshot_sha256", "element", "rejected", "provenance", "geometry"):
        assert word not in told


def test_lengths_and_costs_are_rounded_up() -> None:
    plain = load_plain("hv_single_source_10kv")
    view = view_of("hv_single_source_10kv")
    assert view.supply is not None
    length_m = plain["supply"]["sources"][0]["length_m"]
    assert view.supply.sources[0].route_length_m == -(-length_m // 100) * 100
    cost_cny10k = plain["variants"][0]["cost"]["customer_typical_cny10k"]
    assert view.customer_cost_cny10k == -(-cost_cny10k // 1)
    assert all(work.quantity * 10 == round(work.quantity * 10) for work in view.works if work.unit == "km")


def test_three_variants_are_compared_in_rounded_figures() -> None:
    plain = load_plain("hv_single_source_10kv")
    assert len(plain["variants"]) == 4
    told = view_of("hv_single_source_10kv").variants
    assert [variant.variant_no for variant in told] == [1, 2, 3]
    for variant, full in zip(told, plain["variants"], strict=False):
        assert [point.route_length_m for point in variant.points] == [-(-full["route"]["length_m"] // 100) * 100]
        assert variant.customer_cost_cny10k == -(-full["cost"]["customer_typical_cny10k"] // 1)
        assert variant.utility_cost_cny10k == -(-full["cost"]["utility_typical_cny10k"] // 1)
        assert variant.planned_on == full["timeline"]["planned_on"]


def test_every_source_of_a_variant_has_its_way() -> None:
    plain = load_plain("hv_dual_source_10kv")["variants"][0]
    points = view_of("hv_dual_source_10kv").variants[0].points
    modes = [plain["connection_mode"], *(source["connection_mode"] for source in plain["further_sources"])]
    assert [(point.source_no, point.connection_mode) for point in points] == list(enumerate(modes, start=1))


def test_what_leaves_a_date_open_is_told() -> None:
    milestones = load_plain("hv_single_source_10kv")["variants"][0]["timeline"]["milestones"]
    wanted = [item["needs_text"] for item in milestones if item["needs_text"]]
    view = view_of("hv_single_source_10kv")
    assert view.timeline is not None
    assert [item.needs_text for item in view.timeline.milestones if item.needs_text] == wanted
    assert view.variants[0].dates_needed == tuple(dict.fromkeys(wanted))


def test_reasons_are_told_by_kind_and_once() -> None:
    reasons = (
        Reason(code="transition_partial", text="某线路越限"),
        Reason(code="transition_verified", text="某主变越限"),
        Reason(code="brand_new_code", text="青溪变1号主变"),
    )
    told = view_of("transition_10kv", reasons=reasons).reasons
    assert [reason.code for reason in told] == ["stages", "other"]
    assert "青溪" not in "".join(reason.text for reason in told)


def test_names_of_substation_and_feeder_need_the_policy() -> None:
    scheme = as_scheme(load_plain("hv_single_source_10kv"))
    assert scheme.supply is not None
    hidden = customer_view(scheme, policy()).supply
    shown = customer_view(scheme, showing_names()).supply
    assert hidden is not None
    assert shown is not None
    source = scheme.supply.sources[0]
    assert (hidden.sources[0].substation, hidden.sources[0].feeder) == (None, None)
    assert (shown.sources[0].substation, shown.sources[0].feeder) == (source.substation, source.feeder)
    assert shown.sources[0].point == hidden.sources[0].point


def showing_names() -> PolicyView:
    """A utility's own policy that shows the names of substation and feeder."""
    view = policy()
    parameter = view.policies.parameters["disclosure.customer_sees_names"]
    shown = replace(parameter, values=tuple(replace(value, value=True) for value in parameter.values))
    parameters = {**view.policies.parameters, parameter.id: shown}
    return replace(view, policies=replace(view.policies, parameters=parameters))


@pytest.mark.parametrize(
    ("name", "answer", "is_promised"),
    [
        ("hv_single_source_10kv", "feasible", True),
        ("transition_10kv", "feasible_up_to", True),
        ("joint_work_10kv", "needs_review", False),
    ],
)
def test_own_site_is_told_yes_up_to_or_works(name: str, answer: str, is_promised: bool) -> None:
    site = view_of(name).own_site
    assert site.answer == answer
    assert (site.capacity_kva is not None) is is_promised


def test_what_can_be_connected_now_is_told_in_bands() -> None:
    scheme = as_scheme(load_plain("transition_10kv"))
    assert scheme.transition is not None
    first, *rest = scheme.transition.stages
    for capacity_kva, answer, told_kva in (
        (799.9, "feasible_up_to", 630.0),
        (800.0, "feasible_up_to", 800.0),
        (9.9, "needs_works", None),
    ):
        stages = (replace(first, capacity_kva=capacity_kva), *rest)
        view = customer_view(replace(scheme, transition=replace(scheme.transition, stages=stages)), policy())
        assert (view.own_site.answer, view.own_site.capacity_kva) == (answer, told_kva)
        assert view.stages[0].capacity_kva == told_kva


def test_consultation_binds_nobody() -> None:
    view = view_of("consultation_10kv")
    assert (view.is_binding, view.valid_from_on, view.valid_to_on) == (False, None, None)


def test_request_is_told_as_it_was_sent() -> None:
    plain = load_plain("lv_small_micro_380v")["request"]
    view = view_of("lv_small_micro_380v")
    assert view.request == {name: value for name, value in plain.items() if name != "location_cgcs2000"}


def test_same_scheme_gives_the_same_files() -> None:
    view = view_of("hv_single_source_10kv")
    assert customer_documents(view) == customer_documents(view)


def test_outside_text_stays_text_in_the_documents() -> None:
    plain = load_plain("hv_single_source_10kv")
    plain["request"]["applicant"]["name"] = "甲<乙>{{ 7*7 }}&#import \u202e右"
    files = customer_documents(customer_view(as_scheme(plain), policy()))
    for text in (word_text(files["scheme.docx"]), pdf_text(files["scheme.pdf"])):
        assert "甲<乙>{{7*7}}&#import〓右" in text
        assert "U+202E" in text
