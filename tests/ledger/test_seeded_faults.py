"""Every fault put into the product makes a test of this suite fail; without it the same test passes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from _pytest.outcomes import Failed

from gridmodel.errors import DomainError
from tests.ledger import seeded_faults as faults
from tests.ledger import (
    test_expiry,
    test_histories,
    test_idempotency,
    test_ledger,
    test_networks,
    test_quotes,
    test_races,
)
from tests.ledger.machine import LedgerMachine

Check = Callable[..., None]


def day_table(_: str) -> None:
    test_expiry.test_low_voltage_is_valid_for_three_calendar_months_and_10_kv_for_a_year(
        date(2026, 1, 31), True, date(2026, 4, 30)
    )


def race(url: str) -> None:
    test_races.test_exactly_one_of_two_steps_ends_a_hold(url, ("commit", "withdraw"))


def one_va_at_the_substation(url: str) -> None:
    test_ledger.test_one_va_more_than_the_room_is_refused_at_every_level(url, "substation:S1")


# Fault, the test that has to fail under it, and the store it needs: what only READ COMMITTED lets through needs that.
KILLED = (
    (faults.answer_before_commit, test_idempotency.test_the_answer_outlives_the_process, "sqlite"),
    (faults.idempotency_in_memory, test_idempotency.test_the_answer_outlives_the_process, "sqlite"),
    (faults.same_key_after_expiry_creates_a_new_hold,
     test_idempotency.test_the_key_of_an_expired_hold_still_gives_the_old_answer, "sqlite"),
    (faults.counters_and_hold_in_two_transactions,
     test_ledger.test_a_failure_of_what_is_written_with_it_undoes_the_hold, "sqlite"),
    (faults.check_then_insert, test_races.test_two_that_fit_alone_but_not_together_do_not_both_get_in, "postgresql"),
    (faults.lock_on_the_leaf_only, test_races.test_two_that_fit_alone_but_not_together_do_not_both_get_in,
     "postgresql"),
    (faults.replica_read_for_admission,
     test_ledger.test_the_level_that_binds_is_named_and_nothing_is_taken_anywhere, "sqlite"),
    (faults.off_by_one_at_the_root, one_va_at_the_substation, "sqlite"),
    (faults.release_leaf_only, lambda url: test_ledger.test_a_withdrawal_gives_everything_back(url, (), "withdrawn"),
     "sqlite"),
    (faults.release_twice, lambda url: test_ledger.test_a_withdrawal_gives_everything_back(url, (), "withdrawn"),
     "sqlite"),
    (faults.confirm_without_state_guard, race, "sqlite"),
    (faults.confirm_after_expiry,
     lambda url: test_expiry.test_a_hold_can_be_bound_in_the_last_second_of_its_last_day_and_not_after(url, "commit"),
     "sqlite"),
    (faults.expiry_by_90_days, day_table, "sqlite"),
    (faults.utc_day_end, test_expiry.test_a_hold_expires_after_the_end_of_its_last_day_and_not_before, "sqlite"),
    (faults.partial_confirm_keeps_the_full_kva,
     test_ledger.test_a_reduction_gives_back_exactly_what_is_no_longer_wanted, "sqlite"),
    (faults.failed_move_loses_the_hold,
     test_ledger.test_an_earlier_scheme_stays_where_the_newer_one_does_not_fit, "sqlite"),
    (faults.sweeper_uses_the_app_clock,
     test_expiry.test_a_hold_expires_after_the_end_of_its_last_day_and_not_before, "sqlite"),
    (faults.batch_pre_assessment_writes_holds, test_quotes.test_a_batch_of_computed_schemes_takes_no_capacity,
     "sqlite"),
    (faults.import_drops_orphan_holds,
     test_networks.test_a_hold_without_a_place_waits_for_a_person_and_is_not_lost, "sqlite"),
)  # fmt: skip

NEED_A_GRID = (test_quotes.test_a_batch_of_computed_schemes_takes_no_capacity,)


@pytest.mark.parametrize(("fault", "check", "store"), KILLED, ids=[fault.__name__ for fault, _, _ in KILLED])
def test_the_suite_sees_the_fault(
    request: pytest.FixtureRequest, fault: faults.Fault, check: Check, store: str
) -> None:
    url = request.getfixturevalue(f"{'postgres' if store == 'postgresql' else store}_url")
    grid = [request.getfixturevalue("township")] if check in NEED_A_GRID else []
    with pytest.MonkeyPatch.context() as patch:
        fault(patch)
        with pytest.raises((AssertionError, Failed, DomainError)):
            check(url, *grid)


def test_all_twenty_faults_have_a_test() -> None:
    assert len(KILLED) + len(faults.ELSEWHERE) == 20
    for path in faults.ELSEWHERE.values():
        assert (Path(__file__).parents[2] / path).exists()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "fault",
    [
        faults.off_by_one_at_the_root,
        faults.release_leaf_only,
        faults.confirm_after_expiry,
        faults.utc_day_end,
        faults.partial_confirm_keeps_the_full_kva,
        faults.failed_move_loses_the_hold,
        faults.same_key_after_expiry_creates_a_new_hold,
        faults.import_drops_orphan_holds,
    ],
    ids=lambda fault: fault.__name__,
)
def test_random_histories_see_the_fault_too(fault: faults.Fault) -> None:
    """Without rules at the very edge of what fits, and without time that passes unswept, some of these hide."""
    with pytest.MonkeyPatch.context() as patch:
        fault(patch)
        with pytest.raises((AssertionError, DomainError)):
            test_histories.run(LedgerMachine, 400, 40, is_shrunk=False)
