"""Holds what the clients were told against what the store has; returns problems, none when all is well."""

from __future__ import annotations

from collections import Counter, defaultdict

from scheme.ledger import Ledger
from scheme.ledger.auditor import audit
from scheme.ledger.states import LIVE
from scheme.ledger.tables import HOLD
from scheme.store import Store
from tests.harness.journal import Journal


def find_problems(url: str, journal: Journal) -> list[str]:
    """Return what is wrong after a run.

    Counters, entries, holds and chains are the auditor's business; here it is whether what was acknowledged is there,
    once, and whether anything is there that nobody asked for; limits are checked again from the holds alone.
    """
    store = Store(url)
    try:
        ledger = Ledger(store)
        with store.read() as connection:
            report = audit(connection)
            holds = {row.hold_id: row for row in connection.execute(HOLD.select())}
        problems = [f"{f.invariant}: {d}" for f in report.findings if f.verdict == "broken" for d in f.details]
        problems += _compare(journal, holds)
        problems += _over_limit(ledger)
        problems += [f"{name}: the repeated answer differs" for name in journal.differing]
        problems += [
            f"status {status}: {count}" for status, count in journal.statuses.items() if status >= 500 and status != 503
        ]
        return problems
    finally:
        store.close()


def _compare(journal: Journal, holds: dict[str, object]) -> list[str]:
    problems = []
    by_scheme = Counter(row.scheme_id for row in holds.values())  # type: ignore[attr-defined]
    problems += [f"{scheme_id}: {count} holds" for scheme_id, count in by_scheme.items() if count > 1]
    told = {line.scheme_id: line for line in journal.lines}
    problems += [f"{scheme_id}: a hold nobody asked for" for scheme_id in by_scheme if scheme_id not in told]
    for line in journal.lines:
        hold = holds.get(line.hold_id or "")
        if line.outcome == "acknowledged":
            if hold is None:
                problems.append(f"{line.name}: acknowledged and lost")
            elif hold.capacity_va != line.capacity_va:  # type: ignore[attr-defined]
                problems.append(f"{line.name}: another capacity")
            elif (hold.state in LIVE) == line.is_withdrawn:  # type: ignore[attr-defined]
                problems.append(f"{line.name}: state {hold.state}")  # type: ignore[attr-defined]
        elif line.outcome == "refused" and by_scheme[line.scheme_id]:
            problems.append(f"{line.name}: refused and held all the same")
        elif line.outcome == "fault":
            problems.append(f"{line.name}: status {line.status} {line.body[:200]!r}")
    return problems


def _over_limit(ledger: Ledger) -> list[str]:
    used: dict[str, int] = defaultdict(int)
    for hold in ledger.list_live():
        for source in hold.sources:
            for account_id in source.path:
                used[account_id] += source.share_va
    problems = []
    for balance in ledger.find_accounts():
        limit_va, name = balance.account.limit_va, balance.account.account_id
        if limit_va is not None and used[name] > max(limit_va, 0):
            problems.append(f"{name}: {used[name]} of {limit_va} VA")
        if used[name] != balance.used_va:
            problems.append(f"{name}: drift, counter {balance.used_va} VA, holds {used[name]} VA")
    return problems
