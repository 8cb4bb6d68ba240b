"""The capacity ledger (容量台账): every call is one short transaction, after whatever had to be computed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Unpack

from sqlalchemy import Connection, and_

from gridmodel.errors import InputError
from scheme.ledger import reader, writer
from scheme.ledger.calls import Call as Call
from scheme.ledger.calls import hold_id_of, new_hold, plain_answer
from scheme.ledger.clock import ClockLimits, database_time, ledger_time, to_text
from scheme.ledger.errors import HoldStateError
from scheme.ledger.expiry import civil_day
from scheme.ledger.heads import ENTRY_CHAIN, read_head
from scheme.ledger.idempotency import claim_key, keep
from scheme.ledger.movements import HoldChange, reduced_shares, take_step
from scheme.ledger.records import (
    Account,
    Actor,
    Balance,
    Certificate,
    Hold,
    HoldSourceKey,
    LedgerHead,
    Pins,
    WantedHold,
)
from scheme.ledger.remapping import map_holds
from scheme.ledger.states import LIVE, Step
from scheme.ledger.tables import HOLD
from scheme.policy.parameter import PolicyView
from scheme.store import Database, StoreError
from scheme.store.turns import Turns

_TURN_S = 10.0
"""How long a change waits for those before it."""

Clock = Callable[[Connection], datetime]


class Ledger:
    """Holds, accounts and entries of one store.

    Args:
        store: Where they are kept.
        now: The database's clock; tests replace it.

    A call with an idempotency claim that was carried out before returns the hold it made then, in its present state;
    what is sent to the caller is the stored answer, :func:`scheme.ledger.idempotency.find_answer`.
    """

    def __init__(self, store: Database, *, now: Clock | None = None) -> None:
        self.store = store
        self.clock: Clock = now or database_time
        """The database's clock, as it stands; :meth:`time` never goes back."""
        self._turns = Turns()

    def open_accounts(self, connection: Connection, accounts: Sequence[Account]) -> None:
        """Set the accounts of a snapshot in the transaction that activates it; those over their limit are flagged.

        Live holds are locked first, so that none of them moves before :meth:`remap`.
        """
        writer.lock_opening(connection)
        connection.execute(HOLD.select().where(HOLD.c.state.in_(LIVE)).order_by(HOLD.c.hold_id).with_for_update()).all()
        writer.set_accounts(connection, accounts, decided_at=self.time_in(connection))

    def lock_opening(self, connection: Connection) -> None:
        """Wait until nobody else opens accounts; what is read afterwards is what the last one left."""
        writer.lock_opening(connection)

    def pin(self, account_ids: Collection[str]) -> Pins:
        """Return the versions of accounts, to be read before a certificate is worked out.

        Raises:
            NotFoundError: One of them does not exist.
        """
        with self.store.read() as connection:
            return reader.pin(connection, account_ids)

    def reserve(self, wanted: WantedHold, *, certificate: Certificate, **call: Unpack[Call]) -> Hold:
        """Keep capacity free for an answered scheme; an earlier hold it supersedes goes in the same transaction.

        Raises:
            CapacityExhaustedError: An account on the path has no room; the earlier hold stays.
            PinsMovedError: The certificate is stale: compute it again.
            HoldStateError: The validity has ended, the request has another live hold, or the earlier one cannot go.
            KeyReusedError: The idempotency key stands for another request.
        """

        def work(connection: Connection, at: datetime) -> Sequence[HoldChange]:
            if wanted.expires_on < civil_day(at):
                raise HoldStateError("the last valid day has ended", expires_on=wanted.expires_on.isoformat())
            changes: list[HoldChange] = []
            if wanted.supersedes is not None:
                old = reader.get_hold(connection, wanted.supersedes, is_locked=True)
                if (old.owner_id, old.request_id) != (wanted.owner_id, wanted.request_id):
                    raise HoldStateError("a hold is superseded by a scheme of its own request", hold_id=old.hold_id)
                changes.append(take_step(old, "supersede", at))
            new = new_hold(wanted, certificate.certificate_id, at, call.get("claim"))
            return (*changes, HoldChange(kind="issue", before=None, after=new))

        return self._carry_out(call, work, certificate=certificate)

    def commit(self, hold_id: str, **call: Unpack[Call]) -> Hold:
        """Take the hold as contracted (合同); its capacity is posted.

        Raises:
            NotFoundError: No such hold.
            HoldStateError: It is not ``held``, or its last valid day has ended.
        """
        return self._step(hold_id, "commit", call)

    def energise(self, hold_id: str, **call: Unpack[Call]) -> Hold:
        """Take the hold as connected (送电); it counts on until a snapshot contains the load.

        Raises:
            NotFoundError: No such hold.
            HoldStateError: It is neither ``held`` nor ``committed``, or ``held`` and its last valid day has ended.
        """
        return self._step(hold_id, "energise", call)

    def withdraw(self, hold_id: str, **call: Unpack[Call]) -> Hold:
        """Give the capacity back: ``held`` becomes ``withdrawn``, ``committed`` becomes ``cancelled``.

        Raises:
            NotFoundError: No such hold.
            HoldStateError: It is neither.
        """
        return self._step(hold_id, "withdraw", call)

    def reduce(self, hold_id: str, *, capacity_va: int, **call: Unpack[Call]) -> Hold:
        """Commit less than before: the hold becomes ``reduced``, a ``committed`` one with less follows it.

        Raises:
            NotFoundError: No such hold.
            HoldStateError: It is not ``committed``.
            InputError: ``capacity_va`` is not below the present one.
        """

        def work(connection: Connection, at: datetime) -> Sequence[HoldChange]:
            old = reader.get_hold(connection, hold_id, is_locked=True)
            if not 0 < capacity_va < old.capacity_va:
                raise InputError(
                    "a reduction asks for less than before",
                    field="capacity_va",
                    value=capacity_va,
                    allowed=f"1 to {old.capacity_va - 1} VA",
                )
            leaving = take_step(old, "reduce", at)
            new = replace(
                old,
                hold_id=hold_id_of(old.scheme_id, old.hold_id, str(capacity_va), to_text(at)),
                capacity_va=capacity_va,
                sources=reduced_shares(old.sources, capacity_va=capacity_va, was_va=old.capacity_va),
                predecessor_id=old.hold_id,
            )
            return (leaving, HoldChange(kind="succeed", before=None, after=new))

        return self._carry_out(call, work)

    def close(self, connection: Connection, hold_ids: Sequence[str], *, actor: Actor, reason: str = "") -> list[Hold]:
        """Close energised holds in the transaction that activates the first snapshot with their load.

        Raises:
            NotFoundError: No such hold.
            HoldStateError: One of them is not ``energised``.
        """
        at = self.time_in(connection)
        changes = [
            take_step(reader.get_hold(connection, hold_id, is_locked=True), "close", at) for hold_id in sorted(hold_ids)
        ]
        return list(self._post(connection, changes, Call(actor=actor, reason=reason), at)) if changes else []

    def remap(
        self,
        connection: Connection,
        mapping: Mapping[HoldSourceKey, tuple[str, ...] | None],
        actor: Actor,
        *,
        nodes: Mapping[HoldSourceKey, str] | None = None,
        reason: str = "",
    ) -> list[Hold]:
        """Move source points of live holds to their paths in the accounts just opened; return the holds that moved.

        What has no path goes on the orphan list, where it uses nothing and waits for a person; so does what nobody
        mapped and whose old path is gone. Nothing is refused for want of room: accounts are flagged instead.

        Args:
            connection: In the transaction of :meth:`open_accounts`.
            mapping: Hold id and source number -> path, ``None`` for the orphan list.
            actor: Who activates the snapshot, or decides.
            nodes: New connection nodes, where they change.
            reason: Why.

        Raises:
            NotFoundError: A source point is not one of a live hold.
            InputError: A path names an account that is not current.
        """
        current = {balance.account.account_id for balance in reader.find_accounts(connection) if balance.is_current}
        changes = map_holds(reader.list_live(connection), mapping, current=current, nodes=nodes or {})
        call = Call(actor=actor, reason=reason)
        return list(self._post(connection, changes, call, self.time_in(connection))) if changes else []

    def place_orphan(
        self, hold_id: str, source_no: int, *, node_element_id: str, path: tuple[str, ...], actor: Actor, reason: str
    ) -> Hold:
        """Put a source point at the place a person decided on.

        Raises:
            NotFoundError: No such hold, not this source point of it, or it uses no capacity any more.
            InputError: The path names an account that is not current.
        """
        key = (hold_id, source_no)
        with self.store.write() as connection:
            reader.get_hold(connection, hold_id, is_locked=True)
            self.remap(connection, {key: path}, actor, nodes={key: node_element_id}, reason=reason)
            return reader.get_hold(connection, hold_id)

    def sweep(self, *, actor: Actor, clock_limits: ClockLimits | None = None) -> list[Hold]:
        """Expire every held hold whose last valid day has ended; see :mod:`scheme.ledger.sweeper`.

        Args:
            actor: On whose behalf.
            clock_limits: What the clock is held to; that of the base policy by default.

        Raises:
            ClockJumpError: The clock jumped forward; nothing expires until a person has settled the alarm.
        """
        from scheme.ledger.sweeper import sweep

        return sweep(self, actor=actor, clock_limits=clock_limits or self._base_limits())

    def expire(self, hold_id: str, *, actor: Actor) -> Hold:
        """Expire one hold whose last valid day has ended.

        Raises:
            HoldStateError: It is not ``held``, or still valid.
        """
        return self._step(hold_id, "expire", Call(actor=actor, reason="validity ended"))

    def find_hold(self, hold_id: str) -> Hold:
        """Return a hold.

        Raises:
            NotFoundError: There is none with this id.
        """
        with self.store.read() as connection:
            return reader.get_hold(connection, hold_id)

    def find_by_scheme(self, scheme_id: str) -> Hold | None:
        """Return the live hold of a scheme, or its last one; ``None`` where it never had any."""
        with self.store.read() as connection:
            found = reader.find_holds(connection, HOLD.c.scheme_id == scheme_id)
        live = [hold for hold in found if hold.state in LIVE]
        return live[0] if live else found[-1] if found else None

    def find_live_by_request(self, owner_id: str, request_id: str) -> Hold | None:
        """Return the live hold of a request, which a newer scheme of it supersedes."""
        condition = and_(HOLD.c.owner_id == owner_id, HOLD.c.request_id == request_id, HOLD.c.state.in_(LIVE))
        with self.store.read() as connection:
            found = reader.find_holds(connection, condition)
        return found[0] if found else None

    def list_live(self, connection: Connection | None = None) -> list[Hold]:
        """Return every hold that uses capacity, in the order they were answered; orphans among them."""
        if connection is not None:
            return reader.list_live(connection)
        with self.store.read() as opened:
            return reader.list_live(opened)

    def list_orphans(self) -> list[Hold]:
        """Return the live holds with a source point the current snapshot has no place for."""
        return [hold for hold in self.list_live() if hold.is_orphan]

    def live_at(self, seq: int) -> list[Hold]:
        """Return the holds that used capacity after entry ``seq``, in the state and at the places they had then."""
        with self.store.read() as connection:
            return reader.live_at(connection, seq)

    def head(self) -> LedgerHead:
        """Return number and digest of the last entry."""
        with self.store.read() as connection:
            return reader.head(connection)

    def find_accounts(self, account_ids: Collection[str] | None = None) -> list[Balance]:
        """Return accounts with their counters, leaves first; all of them by default."""
        with self.store.read() as connection:
            return reader.find_accounts(connection, account_ids)

    def time(self) -> datetime:
        """Return ledger time."""
        with self.store.read() as connection:
            return self.time_in(connection)

    def time_in(self, connection: Connection) -> datetime:
        """Return ledger time: the database's clock, but never before the last entry."""
        return ledger_time(self.clock(connection), read_head(connection, ENTRY_CHAIN).last_at)

    def _base_limits(self) -> ClockLimits:
        from scheme.policy.loader import load_policy_set

        return ClockLimits.read(PolicyView(policies=load_policy_set(), profile="base", as_of=civil_day(self.time())))

    def _step(self, hold_id: str, step: Step, call: Call) -> Hold:
        def work(connection: Connection, at: datetime) -> Sequence[HoldChange]:
            return (take_step(reader.get_hold(connection, hold_id, is_locked=True), step, at),)

        return self._carry_out(call, work)

    def _carry_out(
        self,
        call: Call,
        work: Callable[[Connection, datetime], Sequence[HoldChange]],
        *,
        certificate: Certificate | None = None,
    ) -> Hold:
        """Claim the key, book what ``work`` decides, keep the answer: one transaction. Return the last hold of it."""
        claim, also = call.get("claim"), call.get("also")
        with self._turn(), self.store.write() as connection:
            if claim is not None:
                earlier = claim_key(connection, claim)
                if earlier is not None and earlier.object_id is not None:
                    return reader.get_hold(connection, earlier.object_id)
                if earlier is not None:
                    raise HoldStateError("the request was refused before; ask again under a new idempotency key")
            at = self.time_in(connection)
            hold = self._post(connection, work(connection, at), call, at, certificate=certificate)[-1]
            if also is not None:
                also(connection)
            if claim is not None:
                status, headers, body = (call.get("answer") or plain_answer)(hold)
                keep(connection, claim, status, headers, body, object_id=hold.hold_id, at=at)
        return hold

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let threads of this process write one after the other, first come, first served.

        They would wait for each other in the database anyway, where it is not known who comes next.

        Raises:
            StoreError: The turn did not come in time; nothing is changed.
        """
        if not self._turns.take(_TURN_S):
            raise StoreError("too many changes of the ledger at once; nothing is changed")
        try:
            yield
        finally:
            self._turns.pass_on()

    def _post(
        self,
        connection: Connection,
        changes: Sequence[HoldChange],
        call: Call,
        at: datetime,
        *,
        certificate: Certificate | None = None,
    ) -> tuple[Hold, ...]:
        posting = writer.Posting(
            changes=changes,
            actor=call["actor"],
            reason=call.get("reason", ""),
            decided_at=at,
            pins=None if certificate is None else certificate.pins,
            certificate=certificate,
            claim=call.get("claim"),
        )
        return writer.post(connection, posting)
