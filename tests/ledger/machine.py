"""Random histories of the ledger, held against the model after every step."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from scheme.ledger import (
    CapacityExhaustedError,
    Hold,
    HoldStateError,
    KeyReusedError,
    Ledger,
    PinsMovedError,
    WantedHold,
)
from scheme.ledger.auditor import audit
from scheme.ledger.clock import ClockLimits
from scheme.policy.loader import load_policy
from scheme.store import Database
from tests.ledger.cases import (
    ENGINEER,
    KVA,
    LIMITS_KVA,
    PATHS,
    ROOT,
    SWEEPER,
    Clock,
    accounts,
    certificate,
    claim,
    wanted,
)
from tests.ledger.model import BEIJING, LIVE, Model, ModelHold

_MEMORY = Path("/dev/shm")
NODES = st.sampled_from(sorted(PATHS))
SAID = {
    "exhausted": CapacityExhaustedError,
    "moved": PinsMovedError,
    "state": HoldStateError,
    "reused": KeyReusedError,
}
MOVED_PATHS = {**PATHS, "N2": ("transformer:T2", "feeder:F2", *ROOT)}
"""The second transformer hangs on the other feeder."""


def unhurried() -> ClockLimits:
    """Limits that no jump of these histories passes; jumps have a test of their own."""
    limits = ClockLimits.read(load_policy("shenqiu-2022", date(2026, 11, 23)))
    return replace(limits, forward=replace(limits.forward, value=1e9), backward=replace(limits.backward, value=1e9))


LIMITS = unhurried()


class Template:
    """An empty store with its tables, made once and copied for every history."""

    folder: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def copy(cls) -> tuple[Path, Database]:
        if cls.folder is None:
            cls.folder = tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None, prefix="gridscheme-")
            made = Database(f"sqlite:///{cls.folder.name}/empty.db")
            made.upgrade()
            made.close()
        folder = Path(tempfile.mkdtemp(dir=cls.folder.name))
        shutil.copy(Path(cls.folder.name) / "empty.db", folder / "store.db")
        return folder, Database(f"sqlite:///{folder / 'store.db'}")


class LedgerMachine(RuleBasedStateMachine):
    """Every rule asks the model what should come out, and the product for what does."""

    holds: Bundle[str] = Bundle("holds")
    keys: Bundle[tuple[str, WantedHold]] = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.folder, store = Template.copy()
        self.clock = Clock(datetime(2026, 11, 23, 4, 0, tzinfo=UTC))
        self.ledger = self.make_ledger(store)
        self.paths: dict[str, tuple[str, ...]] = dict(PATHS)
        self.model = Model(limits={}, clock=self.clock.at)
        self.certificates = 0

    def make_ledger(self, store: Database) -> Ledger:
        """The ledger under test; a seeded fault puts another one here."""
        return Ledger(store, now=self.clock)

    @initialize()
    def begin(self) -> None:
        self.activate({}, moved=False)

    def teardown(self) -> None:
        try:
            with self.ledger.store.read() as connection:
                report = audit(connection)
            assert report.is_clean, [f.details for f in report.findings if f.verdict == "broken"]
        finally:
            self.ledger.store.close()
            shutil.rmtree(self.folder)

    # answers

    @rule(target=holds, node=NODES, kva=st.integers(1, 300), days=st.integers(0, 40))
    def reserve(self, node: str, kva: int, days: int) -> Any:
        return self.issue(node, kva * KVA, self.model.today + timedelta(days=days))

    @rule(target=holds, node=NODES, off=st.sampled_from([-1, 0, 1]), days=st.integers(0, 40))
    def reserve_what_is_left(self, node: str, off: int, days: int) -> Any:
        """One VA less than the room, exactly the room, one VA more."""
        path = self.paths.get(node, PATHS[node])
        room = self.model.room(path) if all(account in self.model.limits for account in path) else None
        if room is None or room + off <= 0:
            return multiple()
        return self.issue(node, room + off, self.model.today + timedelta(days=days))

    @rule(target=holds, old=holds, node=NODES, off=st.sampled_from([-1, 0, 1]), days=st.integers(0, 40))
    def answer_again(self, old: str, node: str, off: int, days: int) -> Any:
        """A newer scheme of the request, at the edge of what fits once the earlier one is gone."""
        path = self.paths.get(node, PATHS[node])
        room = self.model.room(path, without=old) if all(a in self.model.limits for a in path) else None
        va = max(1, (KVA if room is None else room) + off)
        return self.issue(node, va, self.model.today + timedelta(days=days), old=old)

    @rule(target=keys, node=NODES, kva=st.integers(1, 50))
    def reserve_under_a_key(self, node: str, kva: int) -> Any:
        hold = self.ask(node, kva * KVA, self.model.today + timedelta(days=1), None)
        said = self.model.can_reserve(hold.request_id, hold.capacity_va, hold.sources[0].path, hold.expires_on, None)
        if said != "ok":
            return multiple()
        key = f"key-{hold.scheme_id}"
        made = self.call(said, lambda: self.send(hold, key, "body"))
        self.note(made, None)
        self.model.answers[key] = ("body", made.hold_id)
        return key, hold

    @rule(asked=keys, body=st.sampled_from(["body", "another body"]))
    def retry(self, asked: tuple[str, WantedHold], body: str) -> None:
        key, hold = asked
        kept_body, hold_id = self.model.answers[key]
        found = self.call("ok" if body == kept_body else "reused", lambda: self.send(hold, key, body))
        assert found is None or found.hold_id == hold_id

    @rule(target=holds, nodes=st.tuples(NODES, NODES), kva=st.integers(1, 200))
    def two_at_once(self, nodes: tuple[str, str], kva: int) -> Any:
        """Two certificates worked out on the same versions: one of them at most is still good."""
        asked = [self.ask(node, kva * KVA, self.model.today, None) for node in nodes]
        made = [self.certify(hold) for hold in asked]
        kept = []
        for hold, proof in zip(asked, made, strict=True):
            said = self.model.can_reserve(
                hold.request_id, hold.capacity_va, hold.sources[0].path, hold.expires_on, None
            )
            if kept and said == "ok":
                said = "moved"
            if kept and said == "exhausted":  # which of the two it hears first depends on the level
                said = "exhausted or moved"
            answer = self.call(said, lambda h=hold, p=proof: self.ledger.reserve(h, certificate=p, actor=ENGINEER))
            if answer is not None:
                self.note(answer, None)
                kept.append(answer.hold_id)
        return multiple(*kept)

    # steps

    @rule(hold=holds, step=st.sampled_from(["commit", "energise", "withdraw"]))
    def take(self, hold: str, step: str) -> None:
        self.call(self.model.step(hold, step), lambda: getattr(self.ledger, step)(hold, actor=ENGINEER))

    @rule(target=holds, hold=holds, share=st.floats(0.01, 0.99))
    def reduce(self, hold: str, share: float) -> Any:
        before = self.model.holds[hold]
        va = max(1, int(before.va * share))
        if before.state != "committed" or va >= before.va:
            return multiple()
        made = self.ledger.reduce(hold, capacity_va=va, actor=ENGINEER)
        self.model.reduce(hold, made.hold_id, va)
        return made.hold_id

    @rule(hold=holds)
    def expire(self, hold: str) -> None:
        self.call(self.model.step(hold, "expire"), lambda: self.ledger.expire(hold, actor=SWEEPER))

    @rule()
    def sweep(self) -> None:
        due = self.model.sweep()
        assert {hold.hold_id for hold in self.ledger.sweep(actor=SWEEPER, clock_limits=LIMITS)} == due

    # time, without a sweep

    @rule(step=st.sampled_from([timedelta(seconds=1), timedelta(hours=7), timedelta(days=1), timedelta(days=35)]))
    def go_on(self, step: timedelta) -> None:
        self.set_clock(self.clock.at + step)

    @rule(hold=holds, off=st.sampled_from([-1, 0, 1]))
    def go_to_the_end_of(self, hold: str, off: int) -> None:
        """The last second of the last valid day, the first of the next, and the one after."""
        last_day = self.model.holds[hold].last_day
        midnight = datetime.combine(last_day + timedelta(days=1), datetime.min.time(), tzinfo=BEIJING)
        self.set_clock(midnight.astimezone(UTC) + timedelta(seconds=off))

    @rule(days=st.integers(1, 10))
    def clock_goes_back(self, days: int) -> None:
        self.set_clock(self.clock.at - timedelta(days=days))

    # networks

    @rule(
        factors=st.dictionaries(st.sampled_from(sorted(LIMITS_KVA)), st.sampled_from([None, 0, 0.3, 1, 2]), max_size=3),
        moved=st.booleans(),
        gone=st.sampled_from([None, None, None, "N1", "N3"]),
    )
    def bring_a_new_network(self, factors: dict[str, float | None], moved: bool, gone: str | None) -> None:
        limits = {name: None if f is None else int(LIMITS_KVA[name] * f) for name, f in factors.items()}
        self.activate(limits, moved=moved, gone=gone)

    # at every moment

    @invariant()
    def counters_are_those_of_the_model(self) -> None:
        found = {b.account.account_id: (b.held_va, b.posted_va) for b in self.ledger.find_accounts()}
        assert found == {account: self.model.used(account) for account in found}

    @invariant()
    def states_are_those_of_the_model(self) -> None:
        live = {hold.hold_id: hold.state for hold in self.ledger.list_live()}
        assert live == {key: hold.state for key, hold in self.model.holds.items() if hold.state in LIVE}

    # what the rules share

    def issue(self, node: str, va: int, last_day: date, old: str | None = None) -> Any:
        hold = self.ask(node, va, last_day, old)
        said = self.model.can_reserve(hold.request_id, va, hold.sources[0].path, last_day, old)
        made = self.call(said, lambda: self.send(hold))
        if made is None:
            return multiple()
        self.note(made, old)
        return made.hold_id

    def ask(self, node: str, va: int, last_day: date, old: str | None) -> WantedHold:
        hold = wanted(
            node, 1, path=self.paths.get(node, PATHS[node]), expires_on=last_day, capacity_va=va, supersedes=old
        )
        hold = replace(hold, sources=(replace(hold.sources[0], share_va=va),))
        return hold if old is None else replace(hold, request_id=self.model.holds[old].request)

    def certify(self, hold: WantedHold) -> Any:
        return certificate(self.ledger, hold)

    def send(self, hold: WantedHold, key: str | None = None, body: str = "body") -> Hold:
        asked = None if key is None else claim(key, body)
        return self.ledger.reserve(hold, certificate=self.certify(hold), actor=ENGINEER, claim=asked)

    def note(self, made: Hold, old: str | None) -> None:
        [source] = made.sources
        self.model.reserve(
            made.hold_id,
            ModelHold("held", made.capacity_va, source.node_element_id, source.path, made.expires_on, made.request_id),
            old,
        )

    def call(self, said: str, work: Any) -> Any:
        """Call the product and compare what it says."""
        found, heard = None, "ok"
        try:
            found = work()
        except tuple(SAID.values()) as error:
            heard = next(word for word, kind in SAID.items() if isinstance(error, kind))
        assert heard in said.split(" or ")
        return found

    def set_clock(self, at: datetime) -> None:
        self.clock.at = self.model.clock = at

    def activate(self, limits_kva: dict[str, int | None], *, moved: bool, gone: str | None = None) -> None:
        self.paths = {node: path for node, path in (MOVED_PATHS if moved else PATHS).items() if node != gone}
        lost = set() if gone is None else {PATHS[gone][0]}
        opened = [account for account in accounts(limits_kva) if account.account_id not in lost]
        with self.ledger.store.write() as connection:
            self.ledger.open_accounts(connection, opened)
            live = self.ledger.list_live(connection)
            mapping = {(hold.hold_id, 1): self.paths.get(hold.sources[0].node_element_id) for hold in live}
            self.ledger.remap(connection, mapping, ENGINEER)
        limits = {account.account_id: account.limit_va for account in opened}
        has_entries = limits != self.model.limits or any(
            hold.state in LIVE and self.paths.get(hold.node, ()) != hold.path for hold in self.model.holds.values()
        )
        self.model.activate(limits, self.paths)
        if has_entries:
            self.model.last_at = self.model.now
