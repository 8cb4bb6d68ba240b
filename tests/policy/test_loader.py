from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from gridmodel.errors import InputError, NotFoundError
from scheme.errors import PolicyFileError, PolicyNotInForceError
from scheme.policy.loader import load_policy, load_policy_set, read_policy_set
from scheme.policy.parameter import PolicySet
from scheme.request import Demand

PROFILES = {
    "base": "id: base\ntitle: 国家规定\n",
    "city": "id: city\ntitle: 市\ninherits: base\n",
    "county": "id: county\ntitle: 县\ninherits: base\n",
}
PARAMETER = """\
id: limits.load_kw_max
name_zh: 上限
description: A limit.
unit: kW
op: le
values:
  - {profile: base, effective_from: 2020-01-01, value: 10, source: {document: D, clause: D 1}}
  - {profile: base, effective_from: 2024-01-01, value: 12, source: {document: D, clause: D 2}}
  - {profile: city, effective_from: 2022-01-01, value: 20, source: {document: C, clause: C 1}}
"""


def write_set(folder: Path, parameter: str = PARAMETER, name: str = "limits/load_kw_max.yaml") -> tuple[Path, Path]:
    data, profiles = folder / "data", folder / "profiles"
    (data / name).parent.mkdir(parents=True, exist_ok=True)
    profiles.mkdir(exist_ok=True)
    (data / name).write_text(parameter, encoding="utf-8")
    for profile, text in PROFILES.items():
        (profiles / f"{profile}.yaml").write_text(text, encoding="utf-8")
    return data, profiles


def find_value(policies: PolicySet, profile: str, as_of: date) -> object:
    value = policies.find("limits.load_kw_max", profile=profile, as_of=as_of)
    return None if value is None else value.value


def test_value_in_force_is_the_latest_not_after_the_date(tmp_path: Path) -> None:
    policies = read_policy_set(*write_set(tmp_path))
    assert find_value(policies, "base", date(2023, 12, 31)) == 10
    assert find_value(policies, "base", date(2024, 1, 1)) == 12
    assert find_value(policies, "base", date(2019, 12, 31)) is None


def test_own_value_wins_over_a_newer_one_of_the_ancestor(tmp_path: Path) -> None:
    policies = read_policy_set(*write_set(tmp_path))
    assert find_value(policies, "city", date(2025, 1, 1)) == 20
    assert find_value(policies, "city", date(2021, 1, 1)) == 10
    assert find_value(policies, "county", date(2025, 1, 1)) == 12


def test_one_parameter_may_be_taken_from_another_profile(tmp_path: Path) -> None:
    text = PARAMETER.replace("values:", "inherits: {county: city}\nvalues:")
    policies = read_policy_set(*write_set(tmp_path, text))
    value = policies.find("limits.load_kw_max", profile="county", as_of=date(2025, 1, 1))
    assert value is not None
    assert (value.value, value.profile, value.clause) == (20, "city", "C 1")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("op: le\n", "", "op"),
        ("op: le", "op: around", "op"),
        ("op: le", "op: [le]", "op"),
        ("unit: kW", "unit: horsepower", "unit"),
        ("unit: kW", "unit: [kW]", "unit"),
        ("unit: kW", "unit: text", "op"),
        ("unit: kW", "units: kW", "unit"),
        ("name_zh: 上限\n", "", "name_zh"),
        ("description: A limit.", "description: ''", "description"),
        ("unit: kW", "unit: kW\nremark: none", "remark"),
        ("id: limits.load_kw_max", "id: limits.load_kva_max", "id"),
        (", clause: D 1}", "}", "clause"),
        ("clause: D 1", "clause: ''", "source.clause"),
        ("profile: city", "profile: village", "profile"),
        ("profile: city", "profile: {a: b}", "profile"),
        ("effective_from: 2024-01-01", "effective_from: 2020-01-01", "effective_from"),
        ("effective_from: 2024-01-01", "effective_from: 2019-01-01", "effective_from"),
        ("effective_from: 2024-01-01", "effective_from: soon", "effective_from"),
        ("effective_from: 2024-01-01", "effective_from: 2024-01-01T10:00:00", "effective_from"),
        ("value: 12", "value: '12'", "value"),
        ("value: 12", "value: .nan", "value"),
        ("value: 12", "value: .inf", "value"),
        ("value: 12", "value: true", "value"),
        ("value: 12", "value: null", "value"),
        ("value: 12, ", "", "value"),
        ("values:", "inherits: {county: village}\nvalues:", "inherits"),
        ("values:", "inherits: {county: [city]}\nvalues:", "inherits"),
    ],
)
def test_faulty_parameter_is_refused_and_its_field_named(tmp_path: Path, old: str, new: str, field: str) -> None:
    assert old in PARAMETER
    with pytest.raises(PolicyFileError) as caught:
        read_policy_set(*write_set(tmp_path, PARAMETER.replace(old, new)))
    assert caught.value.context["field"] == field
    assert str(caught.value.context["file"]).endswith("load_kw_max.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PARAMETER + "unit: kVA\n", "stands twice"),
        (PARAMETER.replace("value: 12", "value: 12, value: 13"), "stands twice"),
        (PARAMETER.replace("value: 10", "value: &ten 10").replace("value: 12", "value: *ten"), "aliases"),
        ("a: &a [x]\nb: [*a, *a]\n", "aliases"),
        ("- 1\n", "not a mapping"),
        ("", "not a mapping"),
        ("id: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
        ("id: [\n", "not valid YAML"),
        ("id: " + "[" * 200_000 + "]" * 200_000, "nested deeper"),
    ],
)
def test_text_that_yaml_would_read_in_silence_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PolicyFileError, match=said):
        read_policy_set(*write_set(tmp_path, text))


def test_other_file_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match=r"\.yaml file"):
        read_policy_set(*write_set(tmp_path, name="limits/load_kw_max.yml"))


@pytest.mark.parametrize("inherits", ["nobody", "county"])
def test_profile_that_inherits_from_nobody_or_in_a_circle_is_refused(tmp_path: Path, inherits: str) -> None:
    data, profiles = write_set(tmp_path)
    (profiles / "county.yaml").write_text(f"id: county\ntitle: 县\ninherits: {inherits}\n", encoding="utf-8")
    with pytest.raises(PolicyFileError) as caught:
        read_policy_set(data, profiles)
    assert caught.value.context["field"] == "inherits"


def test_hash_follows_content_and_not_the_form_of_the_file(tmp_path: Path) -> None:
    def sha256(name: str, text: str) -> str:
        return read_policy_set(*write_set(tmp_path / name, text)).sha256

    assert sha256("a", PARAMETER) == sha256("b", "# a comment\n" + PARAMETER.replace("kW_max\n", "kW_max  \n"))
    assert sha256("a", PARAMETER) != sha256("c", PARAMETER.replace("value: 12", "value: 13"))
    assert sha256("a", PARAMETER) != sha256("d", PARAMETER.replace("op: le", "op: lt"))
    assert sha256("a", PARAMETER) != sha256("e", PARAMETER.replace("D 2", "D 3"))


def test_unknown_profile_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InputError, match=r"allowed: shenqiu-2022, xinyang-2021"):
        load_policy("zhengzhou", date(2026, 1, 1))


def test_base_is_no_profile_to_answer_by() -> None:
    with pytest.raises(InputError, match="unknown policy profile"):
        load_policy("base", date(2026, 1, 1))


def test_value_nobody_gave_is_refused_naming_parameter_profile_and_date() -> None:
    view = load_policy("shenqiu-2022", date(2026, 1, 1))
    with pytest.raises(PolicyNotInForceError) as caught:
        view.number("fees.high_reliability_hv_cny_per_kva")
    assert dict(caught.value.context) == {
        "parameter_id": "fees.high_reliability_hv_cny_per_kva",
        "profile": "shenqiu-2022",
        "as_of": "2026-01-01",
    }
    assert "the utility must supply" in str(caught.value)


def test_county_limits_are_not_in_force_before_its_paper() -> None:
    view = load_policy("shenqiu-2022", date(2022, 7, 19))
    with pytest.raises(PolicyNotInForceError):
        view.number("time_limit.lv_with_works_workdays_max")


def test_county_does_not_take_over_limits_of_the_city() -> None:
    view = load_policy("shenqiu-2022", date(2026, 1, 1))
    assert view.find("time_limit.lv_not_directly_meterable_workdays_max") is None


def test_unknown_parameter_is_a_fault_of_the_caller() -> None:
    with pytest.raises(NotFoundError):
        load_policy("shenqiu-2022", date(2026, 1, 1)).find("no.such_parameter")


def test_every_read_is_recorded_once_and_sorted() -> None:
    view = load_policy("shenqiu-2022", date(2026, 1, 1))
    for parameter_id in (
        "validity.lv_months",
        "supply.hv_kva_max",
        "validity.lv_months",
        "fees.high_reliability_lv_cny_per_kva",
    ):
        view.find(parameter_id)
    assert [read.id for read in view.reads] == ["supply.hv_kva_max", "validity.lv_months"]
    assert view.reads[0].op == "le"
    assert view.reads[1].op is None
    assert view.fresh().reads == ()


def test_asking_for_the_wrong_form_is_refused() -> None:
    view = load_policy("shenqiu-2022", date(2026, 1, 1))
    with pytest.raises(TypeError):
        view.number("fees.basis_without_rate")
    with pytest.raises(TypeError):
        view.number("time_limit.acceptance_is_day_zero")
    with pytest.raises(TypeError):
        view.get("validity.lv_months").allows(3)


OWN = {"profile.yaml": "id: our-county\ntitle: 本县\ninherits: shenqiu-2022\n"}
OWN_RATE = """\
id: fees.high_reliability_hv_cny_per_kva
values:
  - profile: our-county
    effective_from: 2024-01-01
    value: 220
    source: {document: 省价格文件, clause: 第一条}
"""
OWN_RED_LINE = """\
id: investment.red_line
values:
  - profile: our-county
    effective_from: 2024-01-01
    value: {boundary: 规划红线, utility_scope: 红线外}
    source: {document: 本县文件, clause: 第二条}
"""


def write_own(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


RATE_FILE = "fees/high_reliability_hv_cny_per_kva.yaml"


def test_utility_profile_inherits_and_supplies(tmp_path: Path) -> None:
    view = load_policy("our-county", date(2026, 1, 1), folder=write_own(tmp_path, {**OWN, RATE_FILE: OWN_RATE}))
    assert view.number("fees.high_reliability_hv_cny_per_kva") == 220.0
    assert view.number("time_limit.lv_with_works_workdays_max") == 5.0
    assert view.get("time_limit.works_tee_workdays").profile == "xinyang-2021"
    assert view.sha256 != load_policy_set().sha256


@pytest.mark.parametrize(
    ("files", "field"),
    [
        ({RATE_FILE: OWN_RATE}, None),
        ({**OWN, "profile.yaml": "id: base\ntitle: x\ninherits: base\n"}, "id"),
        ({**OWN, "profile.yaml": "id: a\ntitle: x\ninherits: nobody\n"}, "inherits"),
        ({**OWN, "profile.yaml": "id: a\ntitle: x\n"}, "inherits"),
        ({**OWN, RATE_FILE: OWN_RATE.replace("our-county", "xinyang-2021")}, "profile"),
        ({**OWN, RATE_FILE: OWN_RATE + "op: le\n"}, "op"),
        ({**OWN, "fees/other.yaml": OWN_RATE}, "id"),
        ({**OWN, "investment/red_line.yaml": OWN_RED_LINE}, "value"),
        ({**OWN, "fees/other.yaml": OWN_RATE.replace("high_reliability_hv_cny_per_kva", "other")}, "id"),
    ],
)
def test_faulty_utility_profile_is_refused(tmp_path: Path, files: dict[str, str], field: str | None) -> None:
    with pytest.raises(PolicyFileError) as caught:
        load_policy("our-county", date(2026, 1, 1), folder=write_own(tmp_path, files))
    assert caught.value.context["field"] == field


def test_every_parameter_is_read_by_code_and_every_id_in_code_exists() -> None:
    sources = [path.read_text(encoding="utf-8") for path in Path(__file__).parents[2].glob("scheme/**/*.py")]
    known = set(load_policy_set().parameters)
    topics = "|".join(sorted({parameter_id.split(".")[0] for parameter_id in known}))
    others = {"form.typ", *(f"demand.{name}" for name in Demand.model_fields)}  # a file, and fields of a request
    named = {found for text in sources for found in re.findall(rf'"((?:{topics})\.[a-z0-9_]+)"', text)} - others
    assert named <= known, sorted(named - known)
    # Ids of connections and works are partly put together from the voltage class.
    unread = {name for name in known - named if not name.startswith(("connection.", "works."))}
    assert not unread, sorted(unread)
