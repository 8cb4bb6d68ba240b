"""The demo's map goes through the same hands as any other."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from api.capacity_tables import CapacityTables
from api.demo import PUBLISHERS, publish_map
from api.publications import Publications
from api.services import Services, product_parts
from scheme.publication.records import SecondPersonError
from scheme.store import Store
from tests.publication.test_public_http import quick_capacity


def open_services(tmp_path: Path, grid_file: Path, profile: str) -> Services:
    shutil.copy(grid_file, tmp_path / "grid.db")
    parts = replace(product_parts(), node_capacity=quick_capacity)
    return Services(Store(str(tmp_path / "grid.db")), profile=profile, clock=lambda: date(2026, 11, 20), parts=parts)


def test_two_subjects_publish_and_a_second_run_publishes_nothing_more(
    tmp_path: Path, grid_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    services = open_services(tmp_path, grid_file, "shenqiu-2022")
    tables = CapacityTables(services)
    made = publish_map(services, tables)
    assert made is not None
    assert (made["made_by"], made["released_by"], made["audience"]) == (*PUBLISHERS, "on_application")
    assert made["report"]["is_clean"]
    assert "依申请" in capsys.readouterr().err
    again = publish_map(services, tables)
    assert again is not None
    assert again["publication_id"] == made["publication_id"]
    publications = Publications(services, tables)
    assert len(publications.register.list_all()) == 1
    publications.close()


def test_rules_that_name_no_reader_leave_nothing_in_public(
    tmp_path: Path, grid_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    services = open_services(tmp_path, grid_file, "xinyang-2021")
    tables = CapacityTables(services)
    assert publish_map(services, tables) is None
    assert "disclosure.map_audience" in capsys.readouterr().err
    publications = Publications(services, tables)
    assert publications.register.list_all() == ()
    assert publications.find_public() is None
    publications.close()


def test_the_demo_does_not_get_round_the_second_person(
    tmp_path: Path, grid_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = open_services(tmp_path, grid_file, "shenqiu-2022")
    monkeypatch.setattr("api.demo.PUBLISHERS", (PUBLISHERS[0], PUBLISHERS[0]))
    with pytest.raises(SecondPersonError):
        publish_map(services, CapacityTables(services))
