"""``gridscheme audit``, ``sweep``, ``alarms`` and ``orphans`` as an operator sees them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from api.cli import main
from scheme.ledger import Ledger
from scheme.store import Database, Store
from tests.ledger.cases import ENGINEER, Clock, accounts, activate, open_ledger, reserve, used_kva, wanted
from tests.ledger.test_auditor import _drop_triggers


def run(capsys: pytest.CaptureFixture[str], url: str, *arguments: str) -> tuple[int, Any]:
    """Run a command with ``--json`` and return its status and document."""
    status = main([*arguments, "--db", url, "--json"])
    out = capsys.readouterr().out
    return status, json.loads(out) if out else None


def test_audit_of_a_sound_ledger_is_silent_and_done(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = open_ledger(sqlite_url)
    reserve(ledger, wanted("N1", 10), key="k")
    status, report = run(capsys, sqlite_url, "audit")
    assert (status, report["is_clean"], report["seq"]) == (0, True, ledger.head().seq)
    assert main(["audit", "--db", sqlite_url]) == 0
    shown = capsys.readouterr().out
    assert "I16" in shown
    assert "不成立" not in shown


def test_audit_names_what_is_broken_and_says_so_by_its_status(
    sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = open_ledger(sqlite_url)
    reserve(ledger, wanted("N1", 10))
    with ledger.store.write() as connection:
        _drop_triggers(connection)
        connection.execute(text("UPDATE ledger_account SET held_va = 9999 WHERE account_id = 'transformer:T1'"))
    status, report = run(capsys, sqlite_url, "audit")
    broken = {finding["invariant"]: finding for finding in report["findings"] if finding["verdict"] == "broken"}
    assert status == 1
    assert set(broken) == {"I2", "I16"}
    assert "transformer:T1" in broken["I2"]["details"][0]
    assert main(["audit", "--db", sqlite_url]) == 1
    assert "计数器 = 分录之和" in capsys.readouterr().out


def test_audit_of_an_absent_store_finds_nothing_to_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, report = run(capsys, str(tmp_path / "none.db"), "audit")
    assert (status, report["seq"]) == (0, 0)
    assert not (tmp_path / "none.db").exists()


def test_sweep_expires_what_is_due_once_a_person_confirmed_the_clock(
    sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The holds are of 2020, and the sweeper last looked then: to the machine's clock years have passed."""
    ledger = open_ledger(sqlite_url, clock=Clock(datetime(2020, 1, 2, tzinfo=UTC)))
    hold = reserve(ledger, wanted("N1", 10, expires_on=date(2020, 1, 5)))
    ledger.sweep(actor=ENGINEER)
    assert main(["sweep", "--db", sqlite_url]) == 2
    assert "clock jumped" in capsys.readouterr().err
    assert run(capsys, sqlite_url, "alarms")[1]["alarms"][0]["kind"] == "clock_forward"
    status, found = run(capsys, sqlite_url, "sweep", "--clock-confirmed-by", "zhao")
    assert (status, found) == (0, {"expired": [hold.hold_id]})
    assert used_kva(ledger) == {}
    assert run(capsys, sqlite_url, "alarms") == (0, {"alarms": []})


def test_orphans_are_listed_and_placed_by_hand(
    sqlite_url: str, capsys: pytest.CaptureFixture[str], township: Any
) -> None:
    store = Store(sqlite_url)
    store.store_snapshot(township)
    ledger = Ledger(Database(sqlite_url))
    activate(ledger, accounts())
    hold = reserve(ledger, wanted("N1", 10))
    with ledger.store.write() as connection:
        ledger.remap(connection, {(hold.hold_id, 1): None}, ENGINEER)
    status, found = run(capsys, sqlite_url, "orphans")
    assert status == 1
    assert found["orphans"] == [{"hold": hold.hold_id, "source": 1, "node": "N1", "share_va": 10_000}]
    board = township.nodes[township.nodes.area_id == "T000"].element_id.iloc[0]
    asked = ("orphans", "--hold", hold.hold_id, "--node", board, "--by", "zhao", "--as-of", "2026-11-23")
    assert main([*asked, "--db", sqlite_url]) == 2
    assert "--reason" in capsys.readouterr().err
    with ledger.store.write() as connection:
        from scheme.ledger.accounts import build_accounts
        from scheme.policy.loader import load_policy

        book = build_accounts(township, load_policy("shenqiu-2022", date(2026, 11, 23)))
        ledger.open_accounts(connection, book.accounts)
        ledger.remap(connection, {}, ENGINEER)
    status, found = run(capsys, sqlite_url, *asked, "--reason", "the customer's new meter")
    assert (status, found) == (0, {"orphans": []})
    assert ledger.find_hold(hold.hold_id).sources[0].path == book.path_of(board)
