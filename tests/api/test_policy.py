"""Policy by HTTP and by command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.cli import main
from api.options import Shared
from api.services import Services
from scheme.policy.loader import load_policy
from tests.api.clients import make_client

URL = "/v1/policy/parameters/"


@pytest.fixture
def client(open_services: Callable[..., Services]) -> TestClient:
    return make_client(open_services(load_policy=load_policy), None)


def test_parameter_tells_number_date_and_clause(client: TestClient) -> None:
    body = client.get(URL + "supply.lv_industrial_commercial_kw_max").json()
    assert (body["value"], body["unit"], body["op"]) == (160, "kW", "le")
    assert (body["effective_from"], body["clause"]) == ("2022-07-20", "SQ-2022 二(三)3")
    assert (body["profile"], body["given_by_profile"]) == ("shenqiu-2022", "shenqiu-2022")


def test_date_and_profile_choose_the_value(client: TestClient) -> None:
    query = {"profile": "xinyang-2021", "as_of": "2024-05-31"}
    body = client.get(URL + "supply.single_phase_kw_max", params=query).json()
    assert (body["value"], body["given_by_profile"], body["next_change_on"]) == (10, "base", "2024-06-01")
    body = client.get(URL + "supply.single_phase_kw_max", params={**query, "as_of": "2024-06-01"}).json()
    assert (body["value"], body["next_change_on"]) == (12, None)


def test_taken_over_value_names_who_gave_it(client: TestClient) -> None:
    body = client.get(URL + "time_limit.works_tee_workdays").json()
    assert (body["value"], body["profile"], body["given_by_profile"]) == (4, "shenqiu-2022", "xinyang-2021")


@pytest.mark.parametrize(
    ("name", "query", "status", "code"),
    [
        ("no.such", {}, 404, "not_found"),
        ("fees.high_reliability_hv_cny_per_kva", {}, 409, "scheme.policy_not_in_force"),
        ("NOT-AN-ID", {}, 422, "input.invalid"),
        ("validity.lv_months", {"as_of": "yesterday"}, 422, "input.invalid"),
        ("validity.lv_months", {"as_of": "20260615"}, 422, "input.invalid"),
        ("validity.lv_months", {"profile": "nobody"}, 422, "input.invalid"),
    ],
)
def test_what_cannot_be_told_is_a_problem(
    client: TestClient, name: str, query: dict[str, str], status: int, code: str
) -> None:
    response = client.get(URL + name, params=query)
    assert (response.status_code, response.json()["code"]) == (status, code)


def run_json(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    status = main(["--json", *arguments])
    return status, json.loads(capsys.readouterr().out)


def test_coverage_command_prints_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    status, document = run_json(["policy", "coverage"], capsys)
    assert (status, document["gaps"]) == (0, [])
    assert len(document["rows"]) == 113
    main(["policy", "coverage"])
    assert "K13  [ok]" in capsys.readouterr().out


def write_own(folder: Path, value: str) -> Path:
    (folder / "profile.yaml").write_text("id: ours\ntitle: 本县\ninherits: shenqiu-2022\n", encoding="utf-8")
    (folder / "validity").mkdir()
    text = (
        f"id: validity.lv_months\nvalues:\n  - {{profile: ours, effective_from: 2024-01-01, value: {value}, "
        "source: {document: 本县文件, clause: 第一条}}\n"
    )
    (folder / "validity" / "lv_months.yaml").write_text(text, encoding="utf-8")
    return folder


def test_own_folder_by_option_or_environment_is_the_rule_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRIDSCHEME_POLICY", raising=False)
    assert Shared().profile_name() == "shenqiu-2022"
    by_option = Shared(policy_folder=write_own(tmp_path, "6"))
    monkeypatch.setenv("GRIDSCHEME_POLICY", str(tmp_path))
    for shared in (by_option, Shared()):
        view = shared.parts().load_policy(shared.profile_name(), date(2026, 6, 15))
        assert (view.profile, view.count("validity.lv_months"), view.count("validity.hv_months")) == ("ours", 6, 12)
    assert Shared(profile="xinyang-2021").profile_name() == "xinyang-2021"


def test_policy_option_without_a_profile_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--db", str(tmp_path / "s.db"), "--policy", str(tmp_path), "capacity", "--out", "c.csv"]) == 2
    assert "profile.yaml" in capsys.readouterr().err


def test_check_command_lists_overrides_and_missing_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_own(tmp_path, "6")
    status, document = run_json(["--as-of", "2026-06-15", "policy", "check", str(tmp_path)], capsys)
    assert status == 0
    assert [(item["id"], item["value"], item["inherited_value"]) for item in document["overrides"]] == [
        ("validity.lv_months", 6, 3)
    ]
    assert "fees.high_reliability_hv_cny_per_kva" in {item["id"] for item in document["missing"]}


def test_check_command_refuses_a_faulty_folder_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_own(tmp_path, "six")
    assert main(["policy", "check", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert all(part in message for part in ("lv_months.yaml", "row 1", "field value", "six", "allowed"))
