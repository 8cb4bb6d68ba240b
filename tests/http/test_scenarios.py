"""Scenarios over HTTP: saved, changed by versions, put away, listed by pages."""

from __future__ import annotations

from typing import Any

from tests.http.conftest import Office
from tests.http.test_projects import post


def test_a_scenario_is_saved_once_and_changed_by_versions(office: Office) -> None:
    planner = office.clients["planner"]
    entry = {"name": "甲", "growth_by_year_ratio": {"2027": 0.05}}
    made = post(planner, "/v1/scenarios", entry)
    assert made.status_code == 201, made.text
    place_of = f"/v1/scenarios/{made.json()['scenario_id']}"
    assert (made.headers["Location"], made.json()["version_no"]) == (place_of, 1)
    assert post(planner, "/v1/scenarios", entry).content == made.content
    changed = post(planner, f"{place_of}:update", {"name": "乙", "version_no": 1}, key="u")
    assert (changed.status_code, changed.json()["version_no"], changed.json()["growth_by_year_ratio"]) == (200, 2, {})
    assert office.engineer.get(place_of).json() == changed.json()
    stale = post(planner, f"{place_of}:update", {"name": "丙", "version_no": 1}, key="v")
    assert (stale.status_code, stale.json()["code"]) == (409, "scenario.moved")
    audit = office.clients["operator"].get("/v1/audit").json()["items"]
    told = [row["action"] for row in audit if row["object_id"] == made.json()["scenario_id"]]
    assert sorted(told) == ["scenario.create", "scenario.update"]


def test_a_scenario_put_away_is_read_and_not_changed(office: Office) -> None:
    planner = office.clients["planner"]
    place_of = f"/v1/scenarios/{post(planner, '/v1/scenarios', {'name': '甲'}).json()['scenario_id']}"
    for key in ("x", "y"):
        put_away = planner.post(f"{place_of}:archive", headers={"Idempotency-Key": key})
        assert (put_away.status_code, put_away.json()["is_archived"]) == (200, True)
    assert office.engineer.get("/v1/scenarios").json()["items"] == []
    archived = office.engineer.get("/v1/scenarios", params={"archived": "true"}).json()["items"]
    assert [one["name"] for one in archived] == ["甲"]
    refused = post(planner, f"{place_of}:update", {"name": "乙"}, key="u")
    assert (refused.status_code, refused.json()["code"]) == (409, "scenario.archived")


def test_pages_of_scenarios_follow_one_another(office: Office) -> None:
    planner = office.clients["planner"]
    names = [post(planner, "/v1/scenarios", {"name": f"情景{n}"}, key=f"s{n}").json()["name"] for n in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        asked: dict[str, Any] = {"limit": 2, **({} if cursor is None else {"cursor": cursor})}
        page = office.engineer.get("/v1/scenarios", params=asked).json()
        seen += [row["name"] for row in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == names[::-1]


def test_wrong_fields_are_named(office: Office) -> None:
    upgrade = {"table": "line", "element_id": "L1"}
    wrong: dict[str, dict[str, Any]] = {
        "colour": {"name": "S", "colour": "red"},
        "growth_by_year_ratio.2027": {"name": "S", "growth_by_year_ratio": {"2027": 50.0}},
        "upgrades.0": {"name": "S", "upgrades": [upgrade]},
        "first_ids": {"name": "S", "first_ids": ["prj_" + "0" * 32] * 2},
    }
    for field, body in wrong.items():
        answer = post(office.clients["planner"], "/v1/scenarios", body, key=field)
        assert (answer.status_code, answer.json()["context"]["field"]) == (422, field), answer.text
