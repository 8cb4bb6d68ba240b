"""The auditor: silent on a sound ledger, and loud about every way of tampering with one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from scheme.ledger import Ledger
from scheme.ledger.append_only import trigger_statements
from scheme.ledger.audit_trail import append, read_rows
from scheme.ledger.auditor import AuditReport, audit
from scheme.store import Database, StoreError
from tests.ledger.cases import (
    ENGINEER,
    KVA,
    PATHS,
    SWEEPER,
    Clock,
    accounts,
    activate,
    claim,
    open_ledger,
    reserve,
    wanted,
)


def audited(ledger: Ledger) -> AuditReport:
    with ledger.store.read() as connection:
        return audit(connection)


def broken(ledger: Ledger) -> set[str]:
    return {finding.invariant for finding in audited(ledger).findings if finding.verdict == "broken"}


def eventful(url: str) -> Ledger:
    """A ledger in which everything has happened once."""
    clock = Clock()
    ledger = open_ledger(url, clock=clock)
    first = wanted("N1", 30)
    held = reserve(ledger, first, key="k-first")
    clock.go(timedelta(seconds=1))
    newer = reserve(ledger, wanted("N2", 40, request_id=first.request_id, supersedes=held.hold_id), key="k-newer")
    ledger.commit(newer.hold_id, actor=ENGINEER, claim=claim("k-commit", operation="commit"))
    ledger.reduce(newer.hold_id, capacity_va=25 * KVA, actor=ENGINEER)
    ledger.withdraw(reserve(ledger, wanted("N3", 10)).hold_id, actor=ENGINEER)
    ledger.energise(reserve(ledger, wanted("N4", 20)).hold_id, actor=ENGINEER)
    reserve(ledger, wanted("N1", 5, expires_on=date(2026, 11, 23)))
    reserve(ledger, wanted("N3", 7))
    for _ in range(14):
        clock.go(timedelta(hours=1))
        ledger.sweep(actor=SWEEPER)
    activate(ledger, accounts({"feeder:F1": 10, "section:L9": None}))
    with ledger.store.write() as connection:
        [moved] = [hold for hold in ledger.list_live(connection) if hold.sources[0].node_element_id == "N3"]
        ledger.remap(connection, {(moved.hold_id, 1): PATHS["N4"]}, ENGINEER, nodes={(moved.hold_id, 1): "N4"})
    return ledger


def test_a_ledger_in_which_everything_happened_is_sound(store_url: str) -> None:
    report = audited(eventful(store_url))
    assert [(finding.invariant, finding.details) for finding in report.findings if finding.verdict == "broken"] == []
    assert report.is_clean
    assert {finding.invariant for finding in report.findings} == {f"I{n}" for n in range(1, 17)}
    assert {f.invariant for f in report.findings if f.verdict == "not_here"} == {"I6", "I9", "I14"}


def test_an_empty_store_is_sound(sqlite_url: str) -> None:
    assert audited(Ledger(Database(sqlite_url))).is_clean


def test_rows_of_other_parts_stand_in_the_same_trail_in_the_order_of_time(store_url: str) -> None:
    """The other part's row carries the database's clock, which is years ahead of the ledger's in this test."""
    ledger = open_ledger(store_url, clock=Clock(datetime(2020, 1, 1, tzinfo=UTC)))
    with ledger.store.write() as connection:
        append(connection, ENGINEER, "key.revoke", "key_1", reason="lost")
    hold = reserve(ledger, wanted("N1", 10))
    with ledger.store.read() as connection:
        rows = read_rows(connection, "key_1") + read_rows(connection, hold.hold_id)
    assert [(row["seq"], row["action"]) for row in rows] == [(1, "key.revoke"), (2, "hold.issue")]
    assert str(rows[0]["at"]) <= str(rows[1]["at"])
    assert audited(ledger).is_clean


TAMPERED = {
    "counter": ("UPDATE ledger_account SET held_va = held_va + 1 WHERE account_id = 'transformer:T1'", {"I2"}),
    "limit": ("UPDATE ledger_account SET limit_va = limit_va + 1 WHERE account_id = 'transformer:T1'", {"I11"}),
    "flag": ("UPDATE ledger_account SET is_overcommitted = NOT is_overcommitted WHERE account_id = 'transformer:T1'",
             {"I16"}),
    "state": ("UPDATE ledger_hold SET state = 'expired' WHERE state = 'energised'", {"I2", "I3", "I4"}),
    "revival": ("UPDATE ledger_hold SET state = 'held' WHERE state = 'expired'", {"I2", "I3", "I4"}),
    "last day": ("UPDATE ledger_hold SET expires_on = '2026-12-31' WHERE state = 'expired'", {"I7"}),
    "earlier last day": ("UPDATE ledger_hold SET expires_on = '2026-11-22' WHERE state = 'energised'", {"I7"}),
    "hold gone": ("DELETE FROM ledger_hold_source WHERE hold_id IN "
                  "(SELECT hold_id FROM ledger_hold WHERE state = 'energised')", {"I2", "I3", "I13"}),
    "share": ("UPDATE ledger_hold_source SET share_va = share_va + 1 WHERE hold_id IN "
              "(SELECT hold_id FROM ledger_hold WHERE state = 'energised')", {"I2", "I3"}),
    "entry amount": ("UPDATE ledger_entry SET held_delta_va = held_delta_va + 1 WHERE seq = 12", {"I2", "I3", "I10"}),
    "entry gone": ("DELETE FROM ledger_entry WHERE seq = (SELECT max(seq) FROM ledger_entry)", {"I10"}),
    "limit in the log": ("UPDATE ledger_entry SET limit_va = 1 WHERE seq = 1", {"I1", "I10"}),
    "time": ("UPDATE ledger_entry SET at = '2020-01-01T00:00:00.000000+00:00' WHERE seq = 20", {"I10", "I12"}),
    "event gone": ("DELETE FROM ledger_event WHERE step = 'supersede'", {"I4", "I11", "I15"}),
    "audit gone": ("DELETE FROM audit_row WHERE action = 'hold.withdraw'", {"I10", "I15"}),
    "who": ("UPDATE audit_row SET subject_id = 'nobody' WHERE seq = 2", {"I10"}),
    "key": ("UPDATE answered_request SET object_id = 'hld_other' WHERE idempotency_key = 'k-first'", {"I5"}),
    "half answered": ("UPDATE answered_request SET status = NULL WHERE idempotency_key = 'k-commit'", {"I5"}),
    "certificate": ("""UPDATE ledger_certificate SET pins = '{"main_transformer:M1": 1000}'""", {"I8"}),
    "place gone": ("UPDATE ledger_account SET is_current = (1 = 0) WHERE account_id = 'feeder:F2'", {"I13"}),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_tampered_with_is_found(sqlite_url: str, name: str) -> None:
    statement, expected = TAMPERED[name]
    ledger = eventful(sqlite_url)
    with ledger.store.write() as connection:
        _drop_triggers(connection)
        assert connection.execute(text(statement)).rowcount >= 1
    assert expected <= broken(ledger)


def _drop_triggers(connection: Connection) -> None:
    for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
        connection.execute(text(f"DROP TRIGGER {name}"))


FORBIDDEN = (
    "UPDATE ledger_entry SET held_delta_va = 0",
    "DELETE FROM ledger_entry",
    "UPDATE ledger_event SET to_state = 'held'",
    "DELETE FROM ledger_event",
    "UPDATE audit_row SET subject_id = 'nobody'",
    "DELETE FROM audit_row",
    "UPDATE ledger_certificate SET engine = 'none'",
    "DELETE FROM ledger_certificate",
    "UPDATE ledger_hold_source SET share_va = 1",
    "DELETE FROM ledger_hold_source",
    "UPDATE ledger_hold SET capacity_va = 1",
    "UPDATE ledger_hold SET expires_on = '2099-12-31'",
    "DELETE FROM ledger_hold",
    "DELETE FROM ledger_account",
    "UPDATE answered_request SET body = NULL",
    "DELETE FROM answered_request",
)


def test_the_database_itself_refuses_to_change_what_was_written(store_url: str) -> None:
    ledger = open_ledger(store_url)
    reserve(ledger, wanted("N1", 10), key="k")
    for statement in FORBIDDEN:
        with pytest.raises(StoreError), ledger.store.write() as connection:
            connection.execute(text(statement))
    assert audited(ledger).is_clean
    assert len(ledger.list_live()) == 1


def test_the_triggers_can_be_made_apart_from_the_tables(store_url: str) -> None:
    ledger = open_ledger(store_url)
    reserve(ledger, wanted("N1", 10))
    drop: dict[str, Callable[[Connection], None]] = {"sqlite": _drop_triggers, "postgresql": _drop_postgresql_triggers}
    with ledger.store.write() as connection:
        drop[ledger.store.dialect](connection)
        connection.execute(text("UPDATE ledger_entry SET kind = kind"))
        for statement in trigger_statements(ledger.store.dialect):
            connection.exec_driver_sql(
                statement.replace("%", "%%") if ledger.store.dialect == "postgresql" else statement
            )
    with pytest.raises(StoreError), ledger.store.write() as connection:
        connection.execute(text("UPDATE ledger_entry SET kind = kind"))


def _drop_postgresql_triggers(connection: Connection) -> None:
    connection.execute(text("DROP FUNCTION gridscheme_append_only() CASCADE"))
