"""The interface against its own description, for every role and for nobody: Schemathesis with all checks.

Calculations answer at once, the ledger and the store are the product's. Some ids are replaced by ones that exist, so
that calls go beyond "not found".
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup

from scheme.model import Scheme
from scheme.policy.loader import load_policy
from tests.api.conftest import AS_OF, REQUEST, fake_documents, fake_scheme
from tests.http.conftest import Office

EXAMPLES, EXAMPLES_MANY = 2, 60
"""Cases of each operation and each kind of data; every case is called once for each role and once for nobody."""
POSITIVE_STATUSES = ["2xx", "400", "401", "403", "404", "409", "422", "503"]
"""What well-formed data may be answered with: a box may be turned around, a cursor may be nobody's, a key used up."""
OTHER_BRANCH = re.compile(r"Schema-violating request accepted.*/anyOf/\d", re.DOTALL)
"""Data made wrong for one branch of a choice may be right for another, as null is where a list may be left out."""
SEED = 20260302

Ids = Mapping[str, Sequence[str]]


def known_ids(office: Office) -> tuple[Ids, Ids]:
    """Return ids of things that exist, for reading and for moving on; some of them in every state."""
    moving = [office.quote(5.0) for _ in range(8)]
    ways = (["issue"], ["issue", "commit"], ["issue", "commit", "energize"], ["issue", "withdraw"])
    for scheme_id, steps in zip(moving, ways, strict=False):
        for step in steps:
            assert office.act(scheme_id, step).status_code in (200, 201)
    asked = office.engineer.post("/v1/schemes", json=REQUEST, headers={"Idempotency-Key": "known"})
    own = office.clients["customer"].post(
        "/v1/schemes", json={**REQUEST, "request_id": "R-own"}, headers={"Idempotency-Key": "known"}
    )
    assert (asked.status_code, own.status_code) == (201, 201)
    common = {
        "hold_id": [hold["hold_id"] for hold in office.engineer.get("/v1/holds").json()["items"]],
        "kind": ["json", "pdf"],
        "collection_id": ["capacity"],
        "feature_id": ["bus:1"],
        "parameter_id": ["validity.lv_months", "supply.lv_industrial_commercial_kw_max"],
    }
    read = [asked.json()["scheme_id"], own.json()["scheme_id"]]
    return {**common, "scheme_id": read}, {**common, "scheme_id": moving}


def call_everything(office: Office, *, examples: int) -> None:
    """Call every operation with data that fits its description and with data that does not, in every role."""
    reading, moving = known_ids(office)
    # Spelled as the description spells it, or the check for ignored authentication does not know it as ours.
    keys = [client.headers.get("authorization") for client in office.clients.values()]
    shown = [{} if key is None else {"Authorization": key} for key in keys]
    config = schemathesis.Config.from_dict(
        {"checks": {"positive_data_acceptance": {"expected-statuses": POSITIVE_STATUSES}}}
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", office.engineer.app, config=config)
    failures, count = [], 0
    for operation in (result.ok() for result in schema.get_all_operations()):
        count += 1
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                call_operation(operation, mode, moving if ":" in operation.path else reading, shown, examples)
            except FailureGroup as group:
                told = [f"{operation.label} ({mode.value}): {failure}" for failure in group.exceptions]
                failures += [failure for failure in told if not OTHER_BRANCH.search(failure)]
            except Unsatisfiable:  # there is nothing to get wrong about it
                assert mode is GenerationMode.NEGATIVE, operation.label
    assert count > 30
    assert failures == [], "\n\n".join(failures)


def call_operation(
    operation: Any, mode: GenerationMode, ids: Ids, shown: Sequence[Mapping[str, str]], examples: int
) -> None:
    chosen = random.Random(f"{SEED} {operation.label} {mode}")

    @seed(SEED)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: Case) -> None:
        if mode is GenerationMode.POSITIVE:
            for name, values in ids.items():
                if name in (case.path_parameters or {}) and chosen.random() < 0.8:
                    case.path_parameters[name] = chosen.choice(values)
        for headers in shown:  # each with a case of its own: a case remembers whether it showed a key
            case.derive().call_and_validate(headers=dict(headers))

    call()


def own_files(scheme: Scheme) -> dict[str, bytes]:
    """What a customer may read, as the product says it; the other files are empty."""
    from scheme.disclosure.customer_view import customer_view

    record = customer_view(scheme, load_policy("shenqiu-2022", AS_OF)).as_dict()
    return {"scheme.json": json.dumps(record).encode(), "scheme.pdf": b"%PDF-1.7"}


@pytest.fixture
def office_of_contract(open_office: Callable[..., Office]) -> Office:
    office = open_office(
        generate_scheme=fake_scheme, write_documents=fake_documents, show_customer=lambda scheme, _: own_files(scheme)
    )
    office.utility.tables.compute(confirm="none")
    return office


def test_every_operation_keeps_to_its_description_in_every_role(office_of_contract: Office) -> None:
    call_everything(office_of_contract, examples=EXAMPLES)
    office_of_contract.utility.check_ledger()


@pytest.mark.slow
def test_every_operation_keeps_to_its_description_in_many_calls(office_of_contract: Office) -> None:
    call_everything(office_of_contract, examples=EXAMPLES_MANY)
    office_of_contract.utility.check_ledger()
