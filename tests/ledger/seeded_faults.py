"""Faults a ledger like this one has had elsewhere, put into the product on purpose; the suite must see each of them.

A fault replaces a function or statement of the product for the length of one test. Those that live in the ledger are
made here; :data:`ELSEWHERE` names who kills the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, or_, select, update

from api.services import Services
from scheme.ledger import expiry, movements, reader, remapping, rows, statements, states, sweeper, writer
from scheme.ledger import ledger as product
from scheme.ledger.errors import CapacityExhaustedError
from scheme.ledger.idempotency import StoredAnswer
from scheme.ledger.movements import CounterChange, Delta, HoldChange
from scheme.ledger.records import Hold, level_of
from scheme.ledger.rows import Standing
from scheme.ledger.tables import ACCOUNT, HOLD
from scheme.rules import validity
from tests.ledger.cases import ENGINEER, certificate, wanted

Patch = pytest.MonkeyPatch
Fault = Callable[[Patch], None]

ELSEWHERE: Mapping[str, str] = {"synchronous=NORMAL": "tests/harness/test_power_loss.py"}
"""Fault -> the file whose tests kill it."""


class ProcessDiedError(Exception):
    """Stands for the end of the process."""


def answer_before_commit(patch: Patch) -> None:
    """The caller is told first, and the process dies before the transaction ends."""
    sound, sound_post = product.Ledger._carry_out, writer.post

    def carry_out(self: Any, call: Any, work: Any, *, certificate: Any = None) -> Hold:
        told: list[Hold] = []

        def post(connection: Connection, posting: writer.Posting) -> tuple[Hold, ...]:
            told.extend(sound_post(connection, posting))
            raise ProcessDiedError

        with Patch.context() as dying:
            dying.setattr(writer, "post", post)
            with suppress(ProcessDiedError):
                sound(self, call, work, certificate=certificate)
        return told[-1]

    patch.setattr(product.Ledger, "_carry_out", carry_out)


def idempotency_in_memory(patch: Patch) -> None:
    """The key is remembered by the process, not by the database."""
    memory: dict[int, dict[str, str]] = {}

    def claim_key(connection: Connection, claim: Any) -> Any:
        made = memory.setdefault(id(connection.engine), {}).get(claim.key)
        return None if made is None else StoredAnswer(status=200, headers={}, body=b"", object_id=made)

    def keep(connection: Connection, claim: Any, *_: object, object_id: str, **__: object) -> None:
        memory[id(connection.engine)][claim.key] = object_id

    patch.setattr(product, "claim_key", claim_key)
    patch.setattr(product, "keep", keep)
    patch.setattr(writer, "hold_row", _row_without_key)


def same_key_after_expiry_creates_a_new_hold(patch: Patch) -> None:
    """A key counts only as long as its hold does."""
    sound_claim, sound_keep, kept = product.claim_key, product.keep, set[str]()

    def claim_key(connection: Connection, claim: Any) -> Any:
        earlier = sound_claim(connection, claim)
        if earlier is None or reader.get_hold(connection, str(earlier.object_id)).state in states.LIVE:
            return earlier
        return None

    def keep(connection: Connection, claim: Any, *given: Any, **named: Any) -> None:
        if claim.key not in kept:
            sound_keep(connection, claim, *given, **named)
        kept.add(claim.key)

    patch.setattr(product, "claim_key", claim_key)
    patch.setattr(product, "keep", keep)
    patch.setattr(writer, "hold_row", _row_without_key)


def _row_without_key(hold: Hold, _: object) -> dict[str, Any]:
    """A hold's row as it was before the database knew about keys."""
    return rows.hold_row(hold, None)


def counters_and_hold_in_two_transactions(patch: Patch) -> None:
    """The counters are committed first, the hold and its entries afterwards."""
    sound, change_counters = product.Ledger._carry_out, writer._change_counters

    def carry_out(self: Any, call: Any, work: Any, *, certificate: Any = None) -> Hold:
        with self.store.write() as connection:
            at = self.time_in(connection)
            posting = writer.Posting(
                changes=work(connection, at), actor=call["actor"], reason="", decided_at=at,
                pins=None if certificate is None else certificate.pins,
            )  # fmt: skip
            standing = change_counters(connection, posting)
        with Patch.context() as second:
            second.setattr(writer, "_change_counters", lambda *_: standing)
            return sound(self, call, work, certificate=certificate)

    patch.setattr(product.Ledger, "_carry_out", carry_out)


def check_then_insert(patch: Patch) -> None:
    """Read, compare, then add, on every level: at READ COMMITTED two of them both find room."""
    _check_first(patch, guarded_levels=())


def lock_on_the_leaf_only(patch: Patch) -> None:
    """The leaf is guarded by the database, the levels above are only read and compared."""
    _check_first(patch, guarded_levels=(5,))


def _check_first(patch: Patch, *, guarded_levels: tuple[int, ...]) -> None:
    sound, sound_all = writer.change_counter, writer._change_counters

    def change_counters(connection: Connection, posting: writer.Posting) -> Mapping[str, Standing]:
        for change in movements.counter_changes(posting.changes):
            if level_of(change.account_id) not in guarded_levels:
                _compare(connection, change)
        return sound_all(connection, posting)

    def change_counter(connection: Connection, change: CounterChange, *, must_fit: bool) -> Standing:
        return sound(connection, change, must_fit=must_fit and level_of(change.account_id) in guarded_levels)

    patch.setattr(writer, "_change_counters", change_counters)
    patch.setattr(writer, "change_counter", change_counter)


def _compare(connection: Connection, change: CounterChange) -> None:
    row = connection.execute(select(ACCOUNT).where(ACCOUNT.c.account_id == change.account_id)).one()
    used_va = row.held_va + row.posted_va + change.delta.used_va
    if change.delta.used_va > 0 and row.limit_va is not None and used_va > row.limit_va:
        raise CapacityExhaustedError(change.account_id, wanted_va=change.delta.used_va, open_va=None)


def replica_read_for_admission(patch: Patch) -> None:
    """Room is judged by a copy that is one transaction behind."""
    sound, behind, coming = writer.change_counter, dict[str, int](), dict[str, int]()

    def change_counter(connection: Connection, change: CounterChange, *, must_fit: bool) -> Standing:
        standing = sound(connection, change, must_fit=False)
        known = behind.get(change.account_id, 0)
        behind[change.account_id] = coming.get(change.account_id, 0)
        coming[change.account_id] = coming.get(change.account_id, 0) + change.delta.used_va
        if must_fit and standing.limit_va is not None and known + change.delta.used_va > standing.limit_va:
            raise CapacityExhaustedError(change.account_id, wanted_va=change.delta.used_va, open_va=None)
        return standing

    patch.setattr(writer, "change_counter", change_counter)


def off_by_one_at_the_root(patch: Patch) -> None:
    """One VA too many is let in at the substation."""
    sound = writer.change_counter

    def change_counter(connection: Connection, change: CounterChange, *, must_fit: bool) -> Standing:
        if level_of(change.account_id) > 1:
            return sound(connection, change, must_fit=must_fit)
        _compare(connection, replace(change, delta=change.delta + Delta(-1)))
        return sound(connection, change, must_fit=False)

    patch.setattr(writer, "change_counter", change_counter)


def release_leaf_only(patch: Patch) -> None:
    """Expiry and withdrawal free the transformer and forget the levels above."""
    sound = movements.deltas

    def deltas(change: HoldChange) -> dict[str, Delta]:
        found = sound(change)
        is_release = any(delta.used_va < 0 for delta in found.values())
        return dict(list(found.items())[:1]) if is_release else found

    patch.setattr(movements, "deltas", deltas)
    patch.setattr(rows, "deltas", deltas)


def release_twice(patch: Patch) -> None:
    """A second withdrawal is taken like the first."""

    def take_step(hold: Hold, step: Any, at: datetime) -> HoldChange:
        return movements.take_step(replace(hold, state="held"), step, at)

    patch.setattr(product, "take_step", take_step)
    _unguarded(patch)


def confirm_without_state_guard(patch: Patch) -> None:
    """The state is read before the transaction and not asked for again in it."""
    post = product.Ledger._carry_out

    def step(self: Any, hold_id: str, taken: Any, call: Any) -> Hold:
        hold = self.find_hold(hold_id)
        time.sleep(0.3)
        return post(self, call, lambda _, at: (movements.take_step(hold, taken, at),))

    patch.setattr(product.Ledger, "_step", step)
    _unguarded(patch)


def _unguarded(patch: Patch) -> None:
    """Let the change of state ask for nothing: one of the conditions always holds."""
    unguarded = (
        update(HOLD)
        .where(
            HOLD.c.hold_id == bindparam("of_hold"),
            or_(
                HOLD.c.state == bindparam("from_state"),
                HOLD.c.expires_on >= bindparam("valid_on"),
                HOLD.c.expires_on < bindparam("over_on"),
            ),
        )
        .values(state=bindparam("to_state"), changed_at=bindparam("at"))
    )
    patch.setattr(statements, "CHANGE_STATE", unguarded)


def confirm_after_expiry(patch: Patch) -> None:
    """Binding a hold does not look at its last valid day."""
    patch.setattr(writer, "CONFIRMING", frozenset())


def expiry_by_90_days(patch: Patch) -> None:
    """A quarter is taken for 90 days."""

    def add(day: date, months: int) -> date:
        return day + timedelta(days=30 * months)

    patch.setattr(validity, "add_months", add)


def utc_day_end(patch: Patch) -> None:
    """The day ends when it ends in Greenwich."""
    patch.setattr(expiry, "CIVIL_ZONE", UTC)


def partial_confirm_keeps_the_full_kva(patch: Patch) -> None:
    """What is no longer wanted is not given back."""

    def reduced_shares(sources: Sequence[Any], **_: int) -> tuple[Any, ...]:
        return tuple(sources)

    patch.setattr(product, "reduced_shares", reduced_shares)


def failed_move_loses_the_hold(patch: Patch) -> None:
    """The earlier hold is given up before it is known whether the newer one fits."""
    sound = product.Ledger.reserve

    def reserve(self: Any, wanted: Any, *, certificate: Any, **call: Any) -> Hold:
        if wanted.supersedes is not None:
            self.withdraw(wanted.supersedes, actor=call["actor"])
            certificate = replace(certificate, pins=self.pin(certificate.pins.versions))
        return sound(self, replace(wanted, supersedes=None), certificate=certificate, **call)

    patch.setattr(product.Ledger, "reserve", reserve)


def sweeper_uses_the_app_clock(patch: Patch) -> None:
    """What is due is decided by the clock of the machine the program runs on."""
    sound = sweeper.sweep

    def sweep(ledger: Any, **given: Any) -> list[Hold]:
        return sound(product.Ledger(ledger.store, now=lambda _: datetime.now(UTC)), **given)

    patch.setattr(sweeper, "sweep", sweep)


def import_drops_orphan_holds(patch: Patch) -> None:
    """A hold the new network has no place for is let go."""
    sound = remapping.map_holds

    def map_holds(live: Sequence[Hold], mapping: Any, **given: Any) -> list[HoldChange]:
        changes = sound(live, mapping, **given)
        return [
            HoldChange(kind="withdraw", before=c.before, after=replace(c.after, state="withdrawn"))
            if c.after.is_orphan
            else c
            for c in changes
        ]

    patch.setattr(product, "map_holds", map_holds)


def batch_pre_assessment_writes_holds(patch: Patch) -> None:
    """Every computed scheme holds what it would need, to be on the safe side."""
    sound = Services.answer

    def answer(self: Services, request: Any, **given: Any) -> Any:
        found = sound(self, request, **given)
        ledger = product.Ledger(self.store)
        path = next(balance.account.account_id for balance in ledger.find_accounts() if balance.open_va is None)
        hold = wanted(kva=1, path=(path,), scheme_id=found.stored.scheme_id)
        ledger.reserve(hold, certificate=certificate(ledger, hold, ()), actor=ENGINEER)
        return found

    patch.setattr(Services, "answer", answer)
