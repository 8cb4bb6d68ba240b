"""The calls about publications against their own description, with something in public; Schemathesis, all checks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup

from tests.publication.test_public_http import Running, run

SEED = 20261120
EXAMPLES = 4
POSITIVE_STATUSES = ["2xx", "304", "400", "401", "403", "404", "409", "422"]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, grid_file: Path) -> Iterator[Running]:
    for made in run(tmp_path_factory.mktemp("contract"), grid_file):
        made.publish()
        yield made


@pytest.mark.parametrize("who", ["anyone", "zhang"])
def test_calls_keep_to_their_description(shown: Running, who: str) -> None:
    headers = dict(shown[who].headers)
    given_headers = {"Authorization": headers["authorization"]} if "authorization" in headers else {}
    config = schemathesis.Config.from_dict(
        {"checks": {"positive_data_acceptance": {"expected-statuses": POSITIVE_STATUSES}}}
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", shown.app, config=config).include(path_regex="/public")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 14
    [released] = [p["publication_id"] for p in shown["li"].get("/v1/publications").json()["publications"]][-1:]
    failures = []
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                _call(operation, mode, given_headers, released)
            except FailureGroup as group:
                failures += [f"{operation.label} ({mode.value}): {failure}" for failure in group.exceptions]
            except Unsatisfiable:  # there is nothing to get wrong about it
                assert mode is GenerationMode.NEGATIVE, operation.label
    assert failures == [], "\n\n".join(failures)
    assert shown["anyone"].get("/v1/public/capacity").status_code == 200 or who == "zhang"


def _call(operation: Any, mode: GenerationMode, headers: dict[str, str], publication_id: str) -> None:
    chosen = random.Random(f"{SEED} {operation.label} {mode}")

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: Case) -> None:
        is_known = mode is GenerationMode.POSITIVE and chosen.random() < 0.7
        if is_known and "publication_id" in (case.path_parameters or {}):
            case.path_parameters["publication_id"] = publication_id
        case.call_and_validate(headers=headers)

    call()
