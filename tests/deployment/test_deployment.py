"""What describes the deployment holds together, without an engine to run it: linters, settings, who reaches whom."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
KNOWN = {PREFIX + name.upper() for name in Settings.model_fields}
OURS = ("service", "worker")


def lint(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which(program, path=str(Path(sys.executable).parent))
    assert found is not None, f"{program} is not installed"
    return subprocess.run([found, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_linter_has_nothing_to_say_about_the_image() -> None:
    done = lint("hadolint", "Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


def test_the_linter_finds_a_planted_fault(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text((ROOT / "Dockerfile").read_text().replace("python:3.11-slim-bookworm", "python:latest"))
    assert "DL3007" in lint("hadolint", str(bad)).stdout


def test_the_services_follow_the_compose_specification(tmp_path: Path) -> None:
    assert lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml").returncode == 0
    bad = tmp_path / "compose.yaml"
    bad.write_text((ROOT / "compose.yaml").read_text().replace("read_only: true", "readonly: true"))
    assert lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(bad)).returncode == 1


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_one_the_service_knows(name: str) -> None:
    given = {key for key in SERVICES[name]["environment"] if key.startswith(PREFIX)}
    assert given
    assert given <= KNOWN


def test_the_page_that_explains_it_names_no_setting_that_does_not_exist() -> None:
    text = (ROOT / "api" / "deployment" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z](?!\.\.\.)", text))
    assert {name for name in named if not any(known.startswith(name) for known in KNOWN)} == set()


def test_only_the_proxy_is_reached_from_outside_and_never_reaches_a_database() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert set(SERVICES["proxy"]["networks"]) & {"data"} == set()
    assert COMPOSE["networks"]["data"]["internal"] is True
    for name in ("db", "public-db", "worker"):
        assert SERVICES[name]["networks"] == ["data"]


def test_the_proxy_the_service_trusts_is_the_one_there_is() -> None:
    address = SERVICES["proxy"]["networks"]["edge"]["ipv4_address"]
    assert SERVICES["service"]["environment"]["GRIDSCHEME_TRUSTED_PROXIES"] == address


@pytest.mark.parametrize("name", OURS)
def test_the_program_runs_with_as_little_as_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER 10001:10001$", image, re.MULTILINE)


def test_no_secret_stands_in_a_setting() -> None:
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            is_secret = "PASSWORD" in key or "SECRET" in key or re.search(r"://[^/@]*:[^/@]*@", str(value))
            assert not is_secret or key.endswith("_FILE"), f"{name}: {key}"


def test_the_two_databases_are_not_one() -> None:
    settings = SERVICES["service"]["environment"]
    assert settings["GRIDSCHEME_DB"] != settings["GRIDSCHEME_PUBLIC_DB"]


def test_databases_wait_for_the_disk() -> None:
    for name in ("db", "public-db"):
        assert {"fsync=on", "synchronous_commit=on", "full_page_writes=on"} <= set(SERVICES[name]["command"])
