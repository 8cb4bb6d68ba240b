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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection
from typing_extensions import Unpack

from api.live_grid import LiveState
from api.services import Services, product_version
from gridmodel.catalogue.loader import load_catalogue
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
from scheme.ledger.expiry import civil_day, expires_on
from scheme.ledger.idempotency import IdempotencyClaim, find_answer
from scheme.ledger.ledger import Call
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
    located: tuple[LocatedSource, ...]
    paths: Mapping[int, tuple[str, ...]]
    """Accounts above each source point, by its number."""
    roots: tuple[str, ...]


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
        earlier = self._find_earlier(call.get("claim"))
        if earlier is not None:
            return earlier
        asked = self._read(scheme_id, variant_no, call)
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
            "grid or ledger moved under every certificate; send the same call again", scheme_id=scheme_id
        )

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

    def _find_earlier(self, claim: IdempotencyClaim | None) -> Hold | None:
        """Return the hold made under this key before."""
        if claim is None:
            return None
        with self._services.store.read() as connection:
            found = find_answer(connection, claim)
        return None if found is None or found.object_id is None else self.ledger.find_hold(found.object_id)

    def _read(self, scheme_id: str, variant_no: int, call: Call) -> _Asked:
        stored = self._services.store.get_scheme(scheme_id)
        promise = read_promise(json.loads(stored.content), variant_no=variant_no)
        issued = self.ledger.find_by_scheme(scheme_id)
        if issued is not None:
            raise HoldStateError("the scheme was issued before", hold_id=issued.hold_id, state=issued.state)
        if promise.valid_to < civil_day(self.ledger.time()):
            raise NotIssuableError(
                "the scheme is out of date; answer the request again", valid_to=str(promise.valid_to)
            )
        return _Asked(stored=stored, promise=promise, owner_id=stored.owner_id or STAFF, call=call)

    def _find_ground(self, promise: Promise) -> _Ground:
        """Return places, paths and roots of the source points, with the ledger's accounts those of the grid."""
        live, policy = self._services.get_live(), self._services.load_policy()
        book = self._books.get(live, policy)
        located = locate(promise, live.snapshot, policy)
        paths = {one.source.source_no: book.find_path(one.place.node_element_id) for one in located}
        known = {number: path for number, path in paths.items() if path is not None}
        if len(known) < len(paths):
            raise NotIssuableError("a connection point has no supply on the grid of today")
        self._open_accounts(live, book, {name for path in known.values() for name in path})
        roots = {name for one in located for name in book.roots_of(one.place.node_element_id)}
        return _Ground(live=live, policy=policy, located=located, paths=known, roots=tuple(sorted(roots)))

    def _open_accounts(self, live: LiveState, book: AccountBook, needed: Collection[str]) -> None:
        """Make the ledger's accounts those of the grid, where they are not: after a change of day or of policy."""
        wanted = {account.account_id: account for account in book.accounts}
        found = {balance.account.account_id: balance for balance in self.ledger.find_accounts(needed)}
        if all(_is_open(found.get(name), wanted[name]) for name in needed):
            return
        with self._services.store.write() as connection:
            self._check_current(connection, live)
            self.ledger.open_accounts(connection, book.accounts)

    def _admit(self, asked: _Asked, ground: _Ground) -> Hold:
        """Work out a certificate and have the ledger take it."""
        pins = self.ledger.pin(ground.roots)
        # Read after the pins, so that the grid holds at least what they stand for.
        live = self._services.get_live()
        if live.imported.sha256 != ground.live.imported.sha256:
            raise SnapshotMovedError("another snapshot became current")
        old = self.ledger.find_live_by_request(asked.owner_id, asked.promise.request_id)
        if old is not None and old.state != "held":
            raise HoldStateError("the request has a contract already", hold_id=old.hold_id, state=old.state)
        shares = _shares(ground)
        if old is None:
            self._check_room(shares)
        content = self._services.parts.certify(
            asked.promise,
            ground.located,
            live.snapshot if old is None else live.without(old.hold_id),
            policy=ground.policy,
            catalogue=load_catalogue(),
        )
        certificate = self._certificate(asked, ground, live, pins, content, old)
        wanted = self._wanted(asked, ground, shares, old)
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

    def _check_room(self, shares: tuple[SourceShare, ...]) -> None:
        """Refuse at once what the counters refuse as they stand, before any load flow."""
        wanted_va: dict[str, int] = {}
        for share in shares:
            for name in share.path:
                wanted_va[name] = wanted_va.get(name, 0) + share.share_va
        for balance in self.ledger.find_accounts(wanted_va):
            name, open_va = balance.account.account_id, balance.open_va
            if open_va is not None and wanted_va[name] > open_va:
                raise CapacityExhaustedError(name, wanted_va=wanted_va[name], open_va=open_va)

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

    def _wanted(self, asked: _Asked, ground: _Ground, shares: tuple[SourceShare, ...], old: Hold | None) -> WantedHold:
        promise = asked.promise
        today = civil_day(self.ledger.time())
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
            expires_on=expires_on(today, ground.policy, is_low_voltage=promise.is_low_voltage),
            supersedes=None if old is None else old.hold_id,
        )


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
