"""Issue a scheme (答复): from here on its capacity is kept free; and what follows until it is connected, or given back.

What has to be computed is computed without locks; the ledger then takes it in one short transaction, if nothing moved
under the certificate meanwhile. Requests that hang on the same root take turns, so that they do not spoil each other's
certificates; another process may still, and then the certificate is worked out again, not the scheme.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Connection, and_
from typing_extensions import Unpack

from api.live_grid import LiveState
from api.services import Services, product_version
from gridmodel.catalogue.loader import load_catalogue
from gridmodel.errors import DomainError
from gridmodel.snapshot import Snapshot
from scheme.admission.certificate import LocatedSource, as_json, locate
from scheme.admission.errors import ConcurrencyError, NotIssuableError
from scheme.admission.promise import Promise, read_promise
from scheme.admission.settlement import Outcome, Settlement
from scheme.generate import engine_name
from scheme.ledger import (
    Account,
    Actor,
    Balance,
    CapacityExhaustedError,
    Certificate,
    Hold,
    HoldStateError,
    Ledger,
    Pins,
    PinsMovedError,
    SourceShare,
    WantedHold,
)
from scheme.ledger.accounts import AccountBook, build_accounts
from scheme.ledger.calls import Call
from scheme.ledger.expiry import civil_day, expires_on
from scheme.ledger.idempotency import find_answer
from scheme.ledger.reader import find_accounts, find_holds, get_hold
from scheme.ledger.states import LIVE
from scheme.ledger.tables import HOLD
from scheme.policy.parameter import PolicyView
from scheme.store import SnapshotMovedError, StoredScheme
from scheme.store.statements import current_sha256

CERTIFICATES_MAX = 3
"""How often a certificate is worked out before the caller is told to come again."""
STAFF = "utility"
"""Owner of holds of schemes that staff asked for."""
_ID_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Activated:
    """A snapshot that became the current one, and what became of the live holds."""

    snapshot: Snapshot
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One call to issue a scheme."""

    stored: StoredScheme
    promise: Promise
    owner_id: str
    call: Call


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What a certificate is worked out on, fixed before the load flows."""

    live: LiveState
    policy: PolicyView
    book: AccountBook
    located: tuple[LocatedSource, ...]
    paths: Mapping[int, tuple[str, ...]]
    """Accounts above each source point, by its number."""
    roots: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """One moment of the ledger, read before the grid."""

    balances: Mapping[str, Balance]
    """Accounts on the paths and at the roots."""
    old: Hold | None
    """Live hold of the same request."""
    today: date


class Admission:
    """Issues schemes and leads their holds on.

    Args:
        services: Store, grid and calculations.
        ledger: The capacity ledger on the same store.
        moved: Called after every change of the ledger, to have the capacity table brought up.
    """

    def __init__(
        self, services: Services, ledger: Ledger | None = None, *, moved: Callable[[], None] | None = None
    ) -> None:
        self._services = services
        self.ledger = ledger or Ledger(services.store)
        self._moved = moved or (lambda: None)
        self._books = _Books()
        self._turns = _Turns()

    def issue(self, scheme_id: str, *, variant_no: int = 1, **call: Unpack[Call]) -> Hold:
        """Keep the capacity of a stored scheme free; an earlier hold of the same request goes in the same transaction.

        Args:
            scheme_id: The scheme.
            variant_no: Rank of the variant chosen.
            call: Who does it, under which key, and what the caller is told; see :class:`scheme.ledger.ledger.Call`.

        Raises:
            NotFoundError: No such scheme.
            NotIssuableError: It promises nothing, is out of date, or its point is gone.
            CapacityExhaustedError: An account on a path has no room; the earlier hold stays.
            CertificateRefusedError: The grid does not carry the customer beside what is promised already.
            HoldStateError: The scheme was issued before, or its request has a contract already.
            ConcurrencyError: Grid or ledger moved under every certificate; the same call may succeed later.
            KeyReusedError: The idempotency key stands for another request.
        """
        asked = self._read(scheme_id, variant_no, call)
        return asked if isinstance(asked, Hold) else self._promise(asked)

    def issue_draft(self, draft: StoredScheme, *, variant_no: int = 1, **call: Unpack[Call]) -> Hold:
        """Keep the capacity of a scheme free that is not kept yet: ``call["also"]`` keeps it in the same transaction.

        Raises:
            DomainError: As :meth:`issue`; then neither hold nor scheme is kept.
        """
        asked = self._read(draft.scheme_id, variant_no, call, draft)
        return asked if isinstance(asked, Hold) else self._promise(asked)

    def _promise(self, asked: _Asked) -> Hold:
        for _ in range(CERTIFICATES_MAX):
            try:
                ground = self._find_ground(asked.promise)
                with self._turns.take(ground.roots):
                    hold = self._admit(asked, ground)
            except (PinsMovedError, SnapshotMovedError):
                continue
            self._moved()
            return hold
        raise ConcurrencyError(
            "grid or ledger moved under every certificate; send the same call again",
            scheme_id=asked.promise.scheme_id,
        )

    def start(self) -> None:
        """Work the accounts of the current grid out in the background, so that the first answer need not wait."""
        threading.Thread(target=self._prepare, daemon=True).start()

    def _prepare(self) -> None:
        # who issues next is told what is wrong
        with suppress(DomainError):
            self._books.get(self._services.get_live(), self._services.load_policy())

    def find_book(self, live: LiveState, policy: PolicyView) -> AccountBook:
        """Return the accounts of a grid under a policy."""
        return self._books.get(live, policy)

    def commit(self, hold_id: str, **call: Unpack[Call]) -> Hold:
        """Take a hold as contracted (合同); see :meth:`scheme.ledger.Ledger.commit`."""
        return self._done(self.ledger.commit(hold_id, **call))

    def energise(self, hold_id: str, **call: Unpack[Call]) -> Hold:
        """Take a hold as connected (送电); see :meth:`scheme.ledger.Ledger.energise`."""
        return self._done(self.ledger.energise(hold_id, **call))

    def withdraw(self, hold_id: str, **call: Unpack[Call]) -> Hold:
        """Give the capacity back; see :meth:`scheme.ledger.Ledger.withdraw`."""
        return self._done(self.ledger.withdraw(hold_id, **call))

    def reduce(self, hold_id: str, *, capacity_va: int, **call: Unpack[Call]) -> Hold:
        """Contract less than was held; see :meth:`scheme.ledger.Ledger.reduce`."""
        return self._done(self.ledger.reduce(hold_id, capacity_va=capacity_va, **call))

    def activate(
        self,
        snapshot: Snapshot,
        *,
        actor: Actor,
        contains_energised_until: date | None = None,
        also: Callable[[Connection, Activated], None] | None = None,
    ) -> Activated:
        """Make an imported snapshot the current one, every live hold mapped onto it or on the orphan list.

        Args:
            snapshot: What was imported.
            actor: Who does it.
            contains_energised_until: Holds energised up to this day are in the data and are closed; ``None``: none is.
            also: What else is done in the same transaction, last.
        """
        settlement = self.settle(snapshot, actor=actor, contains_energised_until=contains_energised_until)

        def settle(connection: Connection, sealed: Snapshot) -> None:
            settlement(connection, sealed)
            if also is not None:
                also(connection, Activated(snapshot=sealed, outcome=settlement.outcome))

        stored = self._services.store.store_snapshot(snapshot, also=settle)
        self._moved()
        return Activated(snapshot=stored, outcome=settlement.outcome)

    def settle(self, after: Snapshot, *, actor: Actor, contains_energised_until: date | None = None) -> Settlement:
        """Return what is to be done in the transaction that makes ``after`` the current snapshot."""
        store = self._services.store
        sha256 = store.find_current_sha256()
        settlement = Settlement(
            ledger=self.ledger,
            before=None if sha256 is None else store.get_snapshot(sha256),
            after=after,
            policy=self._services.load_policy(),
            actor=actor,
            contains_energised_until=contains_energised_until,
        )
        settlement.prepare()
        return settlement

    def _done(self, hold: Hold) -> Hold:
        self._moved()
        return hold

    def _read(self, scheme_id: str, variant_no: int, call: Call, draft: StoredScheme | None = None) -> _Asked | Hold:
        """Return what is asked for, or the hold made under this key before; a draft is read as it is given."""
        claim = call.get("claim")
        with self._services.store.read() as connection:
            told = None if claim is None else find_answer(connection, claim)
            if told is not None and told.object_id is not None:
                return get_hold(connection, told.object_id)
            issued = find_holds(connection, HOLD.c.scheme_id == scheme_id)
            today = civil_day(self.ledger.time_in(connection))
        stored = draft or self._services.store.get_scheme(scheme_id)
        promise = read_promise(json.loads(stored.content), variant_no=variant_no)
        if issued:
            raise HoldStateError("the scheme was issued before", hold_id=issued[-1].hold_id, state=issued[-1].state)
        if promise.valid_to < today:
            raise NotIssuableError(
                "the scheme is out of date; answer the request again", valid_to=str(promise.valid_to)
            )
        return _Asked(stored=stored, promise=promise, owner_id=stored.owner_id or STAFF, call=call)

    def _find_ground(self, promise: Promise) -> _Ground:
        """Return places, paths and roots of the source points."""
        live, policy = self._services.get_live(), self._services.load_policy()
        book = self._books.get(live, policy)
        located = locate(promise, live.snapshot if promise.has_tee else live.imported, policy)
        paths = {one.source.source_no: book.find_path(one.place.node_element_id) for one in located}
        known = {number: path for number, path in paths.items() if path is not None}
        if len(known) < len(paths):
            raise NotIssuableError("a connection point has no supply on the grid of today")
        roots = {name for one in located for name in book.roots_of(one.place.node_element_id)}
        return _Ground(live=live, policy=policy, book=book, located=located, paths=known, roots=tuple(sorted(roots)))

    def _find_standing(self, asked: _Asked, ground: _Ground) -> _Standing:
        """Return the accounts as they stand, those of the grid; opened where a day or a policy changed them."""
        needed = {*ground.roots, *(name for path in ground.paths.values() for name in path)}
        wanted = {account.account_id: account for account in ground.book.accounts if account.account_id in needed}
        standing = self._read_standing(asked, needed)
        if not _are_open(standing.balances, wanted):
            with self._services.store.write() as connection:
                self._check_current(connection, ground.live)
                self.ledger.lock_opening(connection)
                now = {one.account.account_id: one for one in find_accounts(connection, needed)}
                if not _are_open(now, wanted):  # another process may have opened them meanwhile
                    self.ledger.open_accounts(connection, ground.book.accounts)
            standing = self._read_standing(asked, needed)
        return standing

    def _read_standing(self, asked: _Asked, account_ids: Collection[str]) -> _Standing:
        is_of_request = and_(
            HOLD.c.owner_id == asked.owner_id, HOLD.c.request_id == asked.promise.request_id, HOLD.c.state.in_(LIVE)
        )
        with self._services.store.read() as connection:
            old = find_holds(connection, is_of_request)
            return _Standing(
                balances={one.account.account_id: one for one in find_accounts(connection, account_ids)},
                old=old[0] if old else None,
                today=civil_day(self.ledger.time_in(connection)),
            )

    def _admit(self, asked: _Asked, ground: _Ground) -> Hold:
        """Work out a certificate and have the ledger take it."""
        standing = self._find_standing(asked, ground)
        pins = Pins(versions={root: standing.balances[root].version for root in ground.roots})
        # Read after the pins, so that the grid holds at least what they stand for.
        live = self._services.get_live()
        if live.imported.sha256 != ground.live.imported.sha256:
            raise SnapshotMovedError("another snapshot became current")
        old = standing.old
        if old is not None and old.state != "held":
            raise HoldStateError("the request has a contract already", hold_id=old.hold_id, state=old.state)
        shares = _shares(ground)
        if old is None:
            self._check_room(shares, standing)
        content = self._services.parts.certify(
            asked.promise,
            ground.located,
            partial(_grid_without, live, old),
            policy=ground.policy,
            catalogue=load_catalogue(),
        )
        certificate = self._certificate(asked, ground, live, pins, content, old)
        wanted = self._wanted(asked, ground, shares, standing)
        return self.ledger.reserve(wanted, certificate=certificate, **self._in_grid(asked.call, live))

    def _in_grid(self, call: Call, live: LiveState) -> Call:
        """Return the call, bound to the snapshot that was certified."""
        given = call.get("also")

        def also(connection: Connection) -> None:
            self._check_current(connection, live)
            if given is not None:
                given(connection)

        return {**call, "also": also}

    def _check_current(self, connection: Connection, live: LiveState) -> None:
        if current_sha256(connection) != live.imported.sha256:
            raise SnapshotMovedError("another snapshot became current")

    def _check_room(self, shares: tuple[SourceShare, ...], standing: _Standing) -> None:
        """Refuse at once what the counters refuse as they stand, before any load flow."""
        wanted_va: dict[str, int] = {}
        for share in shares:
            for name in share.path:
                wanted_va[name] = wanted_va.get(name, 0) + share.share_va
        for name, share_va in wanted_va.items():
            open_va = standing.balances[name].open_va
            if open_va is not None and share_va > open_va:
                raise CapacityExhaustedError(name, wanted_va=share_va, open_va=open_va)

    def _certificate(
        self,
        asked: _Asked,
        ground: _Ground,
        live: LiveState,
        pins: Pins,
        content: Mapping[str, Any],
        old: Hold | None,
    ) -> Certificate:
        text = as_json(
            {
                "scheme_id": asked.promise.scheme_id,
                "variant_no": asked.promise.variant_no,
                "snapshot_sha256": live.imported.sha256,
                "ledger_seq": live.head.seq,
                "ledger_sha256": live.head.sha256,
                "policy_sha256": ground.policy.sha256,
                "catalogue_sha256": load_catalogue().sha256,
                "as_of": live.day.isoformat(),
                "version": product_version(),
                "supersedes": None if old is None else old.hold_id,
                "pins": dict(pins.versions),
                **content,
            }
        )
        return Certificate(
            certificate_id="crt_" + hashlib.sha256(text.encode()).hexdigest()[:_ID_DIGITS],
            snapshot_sha256=live.imported.sha256,
            pins=pins,
            engine=engine_name(),
            content_json=text,
        )

    def _wanted(
        self, asked: _Asked, ground: _Ground, shares: tuple[SourceShare, ...], standing: _Standing
    ) -> WantedHold:
        promise = asked.promise
        return WantedHold(
            scheme_id=promise.scheme_id,
            request_id=promise.request_id,
            owner_id=asked.owner_id,
            capacity_va=promise.capacity_va,
            power_factor=promise.power_factor,
            is_low_voltage=promise.is_low_voltage,
            sources=shares,
            snapshot_sha256=ground.live.imported.sha256,
            policy_sha256=ground.policy.sha256,
            expires_on=expires_on(standing.today, ground.policy, is_low_voltage=promise.is_low_voltage),
            supersedes=None if standing.old is None else standing.old.hold_id,
        )


def _grid_without(live: LiveState, old: Hold | None) -> Snapshot:
    """Return the grid as promised, without the hold that goes when the new one comes."""
    return live.snapshot if old is None else live.without(old.hold_id)


def _shares(ground: _Ground) -> tuple[SourceShare, ...]:
    return tuple(
        SourceShare(
            source_no=one.source.source_no,
            node_element_id=one.place.node_element_id,
            share_va=one.source.share_va,
            path=ground.paths[one.source.source_no],
        )
        for one in ground.located
    )


def _are_open(balances: Mapping[str, Balance], wanted: Mapping[str, Account]) -> bool:
    return all(_is_open(balances.get(name), account) for name, account in wanted.items())


def _is_open(found: Balance | None, wanted: Account) -> bool:
    return found is not None and found.is_current and found.account.limit_va == wanted.limit_va


class _Books:
    """The accounts of the grid asked for last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[tuple[str, str, tuple[str, ...]], AccountBook] | None = None

    def get(self, live: LiveState, policy: PolicyView) -> AccountBook:
        """Return the accounts of the imported grid under a policy."""
        ids = tuple(sorted(map(str, live.imported.in_flight.commitment_id)))
        key = (live.imported.sha256, policy.sha256, ids)
        with self._lock:
            if self._last is None or self._last[0] != key:
                self._last = key, build_accounts(live.imported, policy)
            return self._last[1]


class _Turns:
    """One certificate at a time for each root."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of_root: dict[str, threading.Lock] = {}

    @contextmanager
    def take(self, roots: Collection[str]) -> Iterator[None]:
        """Hold the turn of all roots; always taken in one order."""
        with self._lock:
            locks = [self._of_root.setdefault(root, threading.Lock()) for root in sorted(roots)]
        with ExitStack() as stack:
            for lock in locks:
                stack.enter_context(lock)
            yield
