"""Re-computes the ledger (台账核对): counters three ways, chains, states, and what every invariant says of them.

The invariants are those of ``decisions/0008-ledger.md``. Some cannot be seen in the store alone; their line says who
checks them.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal

from sqlalchemy import Connection

from scheme.ledger.chain import GENESIS, first_break
from scheme.ledger.clock import from_text
from scheme.ledger.evidence import Evidence, Rows, read_evidence
from scheme.ledger.expiry import civil_day
from scheme.ledger.states import CONFIRMING, LIVE, TRANSITIONS

Verdict = Literal["kept", "broken", "not_here"]
_SHOWN = 20
"""Findings listed of one invariant; the count says how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One invariant and what was found."""

    invariant: str
    title: str
    verdict: Verdict
    checked: int
    """Things looked at."""
    broken: int
    details: tuple[str, ...]
    """The first few; for an invariant that cannot be seen here, who checks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What the auditor found."""

    seq: int
    sha256: str
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether no invariant is broken."""
        return all(finding.verdict != "broken" for finding in self.findings)

    def as_plain(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {**asdict(self), "is_clean": self.is_clean}


def audit(connection: Connection) -> AuditReport:
    """Look at everything in one transaction."""
    evidence = read_evidence(connection)
    head = evidence.heads.get("entries")
    return AuditReport(
        seq=0 if head is None else head.seq,
        sha256=GENESIS if head is None else head.sha256,
        findings=tuple(_judge(evidence, *row) for row in CHECKS),
    )


def _judge(
    evidence: Evidence, invariant: str, title: str, size: str, check: Callable[[Evidence], Iterator[str]] | str
) -> Finding:
    if isinstance(check, str):
        return Finding(invariant=invariant, title=title, verdict="not_here", checked=0, broken=0, details=(check,))
    problems = list(check(evidence))
    return Finding(
        invariant=invariant,
        title=title,
        verdict="broken" if problems else "kept",
        checked=len(getattr(evidence, size)),
        broken=len(problems),
        details=tuple(problems[:_SHOWN]),
    )


def _within_limits(evidence: Evidence) -> Iterator[str]:
    """I1: after each transaction that adds to an account, its use is within the limit of that moment."""
    used: dict[str, int] = defaultdict(int)
    limit: dict[str, int | None] = {}
    for rows in _by_transaction(evidence.entries):
        added: dict[str, int] = defaultdict(int)
        for row in rows:
            if row.account_id is None:
                continue
            if row.kind == "limit":
                limit[row.account_id] = row.limit_va
            elif limit.get(row.account_id, "unset") != row.limit_va:
                yield f"entry {row.seq}: limit {row.limit_va} VA is not the one in force"
            change = row.held_delta_va + row.posted_delta_va
            used[row.account_id] += change
            added[row.account_id] += 0 if row.kind == "remap" else change
        for account_id, change in added.items():
            allowed = limit.get(account_id)
            if change > 0 and allowed is not None and used[account_id] > allowed:
                yield f"{account_id} in transaction {rows[0].transaction_no}: {used[account_id]} of {allowed} VA"


def _three_ways(evidence: Evidence) -> Iterator[str]:
    """I2: counter, sum of entries and sum of live holds are the same, for what is held and for what is posted."""
    entered: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in evidence.entries:
        if row.account_id is not None:
            entered[row.account_id][0] += row.held_delta_va
            entered[row.account_id][1] += row.posted_delta_va
    live: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for hold in evidence.holds.values():
        if hold.state in LIVE:
            for account_id, amount_va in evidence.amounts(hold.hold_id).items():
                live[account_id][hold.state != "held"] += amount_va
    for account_id, row in evidence.accounts.items():
        counted, by_entries, by_holds = [row.held_va, row.posted_va], entered[account_id], live[account_id]
        if not counted == by_entries == by_holds:
            yield f"{account_id}: counters {counted}, entries {by_entries}, live holds {by_holds} (held, posted; VA)"


def _whole_paths(evidence: Evidence) -> Iterator[str]:
    """I3: what was entered for a hold is, on every account, all of its share or nothing."""
    entered: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in evidence.entries:
        if row.hold_id is not None and row.account_id is not None:
            entered[row.hold_id][row.account_id] += row.held_delta_va + row.posted_delta_va
    for hold_id, hold in evidence.holds.items():
        wanted = evidence.amounts(hold_id) if hold.state in LIVE else {}
        found = {account_id: amount_va for account_id, amount_va in entered[hold_id].items() if amount_va}
        if found != dict(wanted):
            yield f"{hold_id} ({hold.state}): entered {found}, its paths say {dict(wanted)}"


def _one_way_out(evidence: Evidence) -> Iterator[str]:
    """I4: the events of a hold follow the transitions, end at its state, and leave ``held`` at most once."""
    for hold_id, hold in evidence.holds.items():
        events = evidence.events_of.get(hold_id, ())
        state = "quote"
        for event in events:
            allowed = event.from_state if event.step == "remap" else TRANSITIONS.get((event.from_state, event.step))
            if event.from_state != state or event.to_state != allowed:
                yield f"{hold_id}: event {event.event_no} goes from {event.from_state} to {event.to_state}, was {state}"
            state = event.to_state
        if state != hold.state:
            yield f"{hold_id}: is {hold.state}, its events end at {state}"
        if sum(event.from_state == "held" != event.to_state for event in events) > 1:
            yield f"{hold_id}: left held more than once"


def _one_key(evidence: Evidence) -> Iterator[str]:
    """I5: a hold and the key it was asked for under name each other; nothing is half answered."""
    keyed = {(row.principal_id, row.operation, row.idempotency_key): row for row in evidence.answers}
    for hold in evidence.holds.values():
        if hold.claim_key is None:
            continue
        answer = keyed.get((hold.claim_principal_id, hold.claim_operation, hold.claim_key))
        if answer is None or answer.object_id != hold.hold_id:
            yield f"{hold.hold_id}: its idempotency key answers for {None if answer is None else answer.object_id}"
    for row in evidence.answers:
        if row.status is None:
            yield f"key of {row.operation}: claimed, never answered"
        if row.object_id is not None and row.object_id.startswith("hld_") and row.object_id not in evidence.holds:
            yield f"key of {row.operation}: answers for a hold that does not exist"


def _within_validity(evidence: Evidence) -> Iterator[str]:
    """I7: nothing is bound after its last valid day, nothing expires before the end of it."""
    for event in evidence.events:
        hold = evidence.holds.get(event.hold_id)
        if hold is None:
            yield f"event {event.event_no}: no hold {event.hold_id}"
            continue
        day = civil_day(from_text(event.at)).isoformat()
        binds = (event.from_state == "held" and event.step in CONFIRMING) or event.step == "issue"
        if binds and day > hold.expires_on:
            yield f"{event.hold_id}: {event.step} on {day}, valid until {hold.expires_on}"
        if event.step == "expire" and day <= hold.expires_on:
            yield f"{event.hold_id}: expired on {day}, valid until {hold.expires_on}"


def _certified(evidence: Evidence) -> Iterator[str]:
    """I8, as far as the store shows: every hold has a certificate of the versions it was admitted on."""
    version = {(row.hold_id, row.account_id): row.version for row in evidence.entries if row.kind == "issue"}
    issued = {event.hold_id for event in evidence.events if event.step == "issue"}
    for hold_id, hold in evidence.holds.items():
        certificate = evidence.certificates.get(hold.certificate_id)
        if certificate is None:
            yield f"{hold_id}: no certificate"
            continue
        for account_id, pinned in json.loads(certificate.pins).items() if hold_id in issued else ():
            admitted = version.get((hold_id, account_id))
            if admitted is not None and admitted != pinned + 1:
                yield f"{hold_id}: certified on version {pinned} of {account_id}, admitted as {admitted}"


def _chained(evidence: Evidence) -> Iterator[str]:
    """I10: both chains verify without a gap and end where their heads say."""
    for name, rows in (("entries", evidence.entries), ("audit", evidence.audit)):
        plain = ((row.seq, row.sha256, {k: v for k, v in row._mapping.items() if k != "sha256"}) for row in rows)
        broken_at = first_break(plain)
        if broken_at is not None:
            yield f"{name}: row {broken_at} is missing or not what was written"
        head = evidence.heads.get(name)
        last = (rows[-1].seq, rows[-1].sha256) if rows else (0, GENESIS)
        if last != ((0, GENESIS) if head is None else (head.seq, head.sha256)):
            yield f"{name}: the chain ends at row {last[0]}, its head says {0 if head is None else head.seq}"


def _replayed(evidence: Evidence) -> Iterator[str]:
    """I11: the entry log alone gives every limit, every number and every state that is kept beside it."""
    limits = {row.account_id: row.limit_va for row in evidence.entries if row.kind == "limit"}
    for account_id, row in evidence.accounts.items():
        if limits.get(account_id, "unset") != row.limit_va:
            yield f"{account_id}: limit {row.limit_va} VA, the log says {limits.get(account_id, 'nothing')}"
    head = evidence.heads.get("entries")
    if head is not None:
        transactions = len({row.transaction_no for row in evidence.entries})
        counted = (transactions, len(evidence.events), len(evidence.holds))
        if counted != (head.transaction_no, head.event_no, head.hold_no):
            yield f"transactions, events and holds are {counted}, the head says otherwise"
        if sorted(hold.hold_no for hold in evidence.holds.values()) != list(range(1, len(evidence.holds) + 1)):
            yield "the queue of holds has a gap"


def _in_time(evidence: Evidence) -> Iterator[str]:
    """I12: time never goes back along entries, events and audit rows."""
    for name, rows in (("entry", evidence.entries), ("event", evidence.events), ("audit row", evidence.audit)):
        for before, after in pairwise(rows):
            if after.at < before.at:
                yield f"{name} after {before.at}: {after.at}"


def _placed_once(evidence: Evidence) -> Iterator[str]:
    """I13: every source point of a live hold has one path in the current snapshot, or is on the orphan list."""
    for hold_id, hold in evidence.holds.items():
        if hold.state not in LIVE:
            continue
        if not evidence.places.get(hold_id):
            yield f"{hold_id}: has no source point"
        for account_id in evidence.amounts(hold_id):
            account = evidence.accounts.get(account_id)
            if account is None or not account.is_current:
                yield f"{hold_id}: counts on {account_id}, which the current snapshot does not have"


def _witnessed(evidence: Evidence) -> Iterator[str]:
    """I15: every event has exactly one audit row, and each row goes on from the digest the one before left."""
    events = Counter((f"hold.{event.step}", event.hold_id) for event in evidence.events)
    rows = Counter((row.action, row.object_id) for row in evidence.audit if row.action.startswith("hold."))
    for key in sorted(set(events) | set(rows)):
        if events[key] != rows[key]:
            yield f"{key[1]}: {events[key]} events and {rows[key]} audit rows of {key[0]}"
    digest: dict[str, str | None] = {}
    for row in evidence.audit:
        if row.action.startswith("hold."):
            if row.before_sha256 != digest.get(row.object_id):
                yield f"audit row {row.seq}: does not go on from what was there"
            digest[row.object_id] = row.after_sha256


def _conserved(evidence: Evidence) -> Iterator[str]:
    """I16: open is negative just where the account is flagged, and a parent carries what its children carry."""
    for account_id, row in evidence.accounts.items():
        is_over = row.limit_va is not None and row.held_va + row.posted_va > row.limit_va
        if is_over != row.is_overcommitted:
            yield f"{account_id}: flagged {row.is_overcommitted}, over its limit {is_over}"
    below: dict[str, int] = defaultdict(int)
    parents: dict[str, set[str]] = defaultdict(set)
    for hold_id, hold in evidence.holds.items():
        for mappings in evidence.places.get(hold_id, {}).values() if hold.state in LIVE else ():
            path = [name for name in mappings[-1].path if not name.startswith("section:")]
            for child, parent in pairwise(path):
                parents[child].add(parent)
            if path:
                below[path[0]] += mappings[-1].share_va
    for child, found in parents.items():
        row = evidence.accounts.get(child)
        for parent in found:
            below[parent] += 0 if row is None else row.held_va + row.posted_va
    in_rings = {parent for found in parents.values() if len(found) > 1 for parent in found}
    for account_id, amount_va in below.items():
        row = evidence.accounts.get(account_id)
        if row is not None and account_id not in in_rings and row.held_va + row.posted_va != amount_va:
            yield f"{account_id}: carries {row.held_va + row.posted_va} VA, what stands below it {amount_va} VA"


def _by_transaction(entries: Rows) -> Iterator[Sequence[Any]]:
    rows: list[Any] = []
    for row in entries:
        if rows and row.transaction_no != rows[0].transaction_no:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


CHECKS: tuple[tuple[str, str, str, Callable[[Evidence], Iterator[str]] | str], ...] = (
    ("I1", "任一时刻,使占用增加的入账均不超当时限额", "entries", _within_limits),
    ("I2", "计数器 = 分录之和 = 有效占用之和", "accounts", _three_ways),
    ("I3", "占用在路径各级全部入账,或全部不入账", "holds", _whole_paths),
    ("I4", "占用离开“已答复”仅一次,状态依规定变化", "events", _one_way_out),
    ("I5", "一个幂等键至多一笔占用", "answers", _one_key),
    ("I6", "已应答者断电后仍在", "holds", "崩溃与断电试验"),
    ("I7", "有效期最后一日后不得确认,期满前不得失效", "events", _within_validity),
    ("I8", "每笔占用有按当时台账版本作出的潮流校核", "holds", _certified),
    ("I9", "无误拒", "holds", "并发试验按历史核对"),
    ("I10", "分录与审计记录只增不改,哈希链完整无缺号", "entries", _chained),
    ("I11", "由分录可逐位重算台账", "accounts", _replayed),
    ("I12", "台账时间不倒退", "entries", _in_time),
    ("I13", "每笔有效占用在现行断面恰有一处,或列入待定清单", "holds", _placed_once),
    ("I14", "公开数字出自同一断面与台账", "holds", "发布核对"),
    ("I15", "每次状态变化恰有一条审计记录", "events", _witnessed),
    ("I16", "余量 = 限额 - 占用,上级 = 下级之和", "accounts", _conserved),
)
