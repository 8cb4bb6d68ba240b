"""A utility's folder: what it overrides, what it supplies, what is still missing, and the rules that wait for it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scheme.errors import PolicyFileError, PolicyNotInForceError
from scheme.policy.folder_report import describe_folder
from scheme.policy.loader import load_policy
from scheme.rules.alerts import find_alert, watch_clocks
from scheme.rules.supervision import is_too_short

AS_OF = date(2026, 6, 15)
HEAD = "id: our-utility\ntitle: 本县\ninherits: {parent}\n"
SOURCE = "source: {document: 本县文件, clause: 第一条}"


def write_folder(folder: Path, parent: str, values: dict[str, str]) -> Path:
    (folder / "profile.yaml").write_text(HEAD.format(parent=parent), encoding="utf-8")
    for parameter_id, value in values.items():
        path = folder / Path(*parameter_id.split(".")).with_suffix(".yaml")
        path.parent.mkdir(exist_ok=True)
        row = f"  - {{profile: our-utility, effective_from: 2024-01-01, value: {value}, {SOURCE}}}\n"
        path.write_text(f"id: {parameter_id}\nvalues:\n{row}", encoding="utf-8")
    return folder


THRESHOLDS = (
    "[{step: whole_process, colour: blue, elapsed_ratio_min: 0.5},"
    " {step: whole_process, colour: orange, elapsed_ratio_min: 0.75},"
    " {step: whole_process, colour: yellow, elapsed_ratio_min: 1.0},"
    " {step: whole_process, colour: red, elapsed_ratio_min: 1.5},"
    " {step: site_survey, colour: blue, elapsed_ratio_min: 1.0}]"
)


def test_report_names_what_is_overridden_supplied_and_missing(tmp_path: Path) -> None:
    values = {"time_limit.hv_workdays_max": "14", "supervision.alert_thresholds": THRESHOLDS}
    report = describe_folder(write_folder(tmp_path, "shenqiu-2022", values), AS_OF)
    assert (report.profile, report.inherits) == ("our-utility", "shenqiu-2022")
    by_id = {item.id: item for item in report.overrides}
    assert set(by_id) == set(values)
    limit = by_id["time_limit.hv_workdays_max"]
    assert (limit.value, limit.inherited_value, limit.inherited_from) == (14, 16, "shenqiu-2022")
    assert by_id["supervision.alert_thresholds"].inherited_from is None
    missing = {item.id for item in report.missing}
    assert "supervision.alert_thresholds" not in missing
    assert {"fees.high_reliability_hv_cny_per_kva", "supervision.clock_limits"} <= missing
    assert "supervision.clocks" in report.silent_ids


def test_value_of_a_later_date_is_not_in_force_yet(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "shenqiu-2022", {"time_limit.hv_workdays_max": "14"})
    (override,) = describe_folder(folder, date(2023, 12, 31)).overrides
    assert not override.is_in_force


def test_columns_of_a_table_nobody_shipped_are_checked(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "shenqiu-2022", {"supervision.alert_thresholds": "[{colour: blue, ratio: 0.5}]"})
    with pytest.raises(PolicyFileError, match="step, colour, elapsed_ratio_min") as caught:
        describe_folder(folder, AS_OF)
    assert (caught.value.context["row"], caught.value.context["field"]) == (1, "value")


@pytest.mark.parametrize(
    ("elapsed", "colour"),
    # Limit 16: blue from 8, orange from 12; above 16 yellow from 16, red from 24.
    [(7, None), (8, "blue"), (11, "blue"), (12, "orange"), (16, "orange"), (17, "yellow"), (23, "yellow"), (24, "red")],
)
def test_colour_follows_the_thresholds_the_utility_supplies(tmp_path: Path, elapsed: int, colour: str | None) -> None:
    folder = write_folder(tmp_path, "shenqiu-2022", {"supervision.alert_thresholds": THRESHOLDS})
    alert = find_alert("whole_process", elapsed, 16, load_policy("our-utility", AS_OF, folder=folder))
    assert (None if alert is None else alert.colour) == colour


def test_step_of_the_linkage_has_thresholds_of_its_own(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "shenqiu-2022", {"supervision.alert_thresholds": THRESHOLDS})
    view = load_policy("our-utility", AS_OF, folder=folder)
    assert find_alert("site_survey", 1, 2, view) is None
    alert = find_alert("site_survey", 2, 2, view)
    assert alert is not None
    assert (alert.colour, alert.kind, alert.receiver) == ("blue", "pre_warning", "县供电企业")


CLOCKS = (
    "[{clock: state_grid, voltage_class: mv, workdays_max: 20, warning_workdays: 3},"
    " {clock: provincial, voltage_class: mv, workdays_max: 15, warning_workdays: 3},"
    " {clock: provincial, voltage_class: lv, workdays_max: 5, warning_workdays: 1}]"
)


def test_order_is_watched_against_both_further_limits(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "xinyang-2021", {"supervision.clock_limits": CLOCKS})
    view = load_policy("our-utility", AS_OF, folder=folder)
    found = {c.clock: (c.remaining_workdays, c.is_warned, c.is_exceeded) for c in watch_clocks("mv", 16, view)}
    assert found == {"state_grid": (4, False, False), "provincial": (-1, True, True)}
    assert [c.clock for c in watch_clocks("lv", 4, view)] == ["provincial"]
    assert watch_clocks("lv", 4, view)[0].is_warned


def test_order_below_the_days_the_utility_names_is_too_short(tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path, "xinyang-2021", {"supervision.too_short_limits": "[{kind: hv_new, workdays_min: 3}]"}
    )
    view = load_policy("our-utility", AS_OF, folder=folder)
    assert is_too_short("hv_new", 2, view)
    assert not is_too_short("hv_new", 3, view)


def test_colours_without_thresholds_are_refused_naming_the_parameter() -> None:
    with pytest.raises(PolicyNotInForceError, match=r"supervision\.alert_thresholds"):
        find_alert("whole_process", 5, 16, load_policy("shenqiu-2022", AS_OF))
