"""Histories nobody thought of: the product and a model of dictionaries must say the same, step by step."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.ledger.machine import LedgerMachine

IS_CI = os.environ.get("CI", "") not in {"", "0"}


def run(machine: type[LedgerMachine], examples: int, steps: int, *, is_shrunk: bool = True) -> None:
    """Run histories of a machine; one that fails is printed, as short as it gets unless ``is_shrunk`` is off."""
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=(Phase.generate, Phase.shrink) if is_shrunk else (Phase.generate,),
    )
    run_state_machine_as_test(machine, settings=chosen)  # type: ignore[no-untyped-call]


def test_random_histories_agree_with_the_model() -> None:
    run(LedgerMachine, *((200, 40) if IS_CI else (25, 25)))


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_many_long_histories_agree_with_the_model() -> None:
    run(LedgerMachine, 2_000, 60)
