"""One client: asks for schemes, issues them, repeats what it does not know the end of, writes down what it heard."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tests.harness.demands import Demand
from tests.harness.journal import Journal, Line
from tests.harness.service import UNKNOWN_OUTCOME, Connection, Reply

TRIES_MAX = 400
_TRY_AGAIN = frozenset({"admission.concurrent", "request.in_progress", "store.unavailable", "snapshot.moved"})
_PAUSE_S = 0.02

Connect = Callable[[], Connection]


class Client:
    """A customer's clerk.

    Args:
        connect: Opens a connection; called again after one broke, by then perhaps to another process.
        journal: Where it is written down.
        seed: Decides what is sent twice and what is withdrawn.
        twice_share: Share of issues that are sent again after their answer.
        withdraw_share: Share of issued schemes that are given back.
        is_answered: Whether the service has the schemes already, so that they are only issued.
    """

    def __init__(
        self,
        connect: Connect,
        journal: Journal,
        *,
        seed: int,
        twice_share: float = 0.1,
        withdraw_share: float = 0.1,
        is_answered: bool = False,
    ) -> None:
        self._connect, self._journal, self._is_answered = connect, journal, is_answered
        self._drawn = random.Random(seed)
        self._twice_share, self._withdraw_share = twice_share, withdraw_share
        self._connection: Connection | None = None

    def serve(self, demand: Demand) -> None:
        """Ask for a scheme, issue it, and sometimes repeat or withdraw it."""
        scheme_id = demand.scheme_id
        if not self._is_answered:
            scheme = self._until_known("/v1/schemes", demand.request(), f"{demand.name}:answer")
            if scheme is None or scheme.status != 201:
                self._note(demand, "", scheme, 0.0)
                return
            scheme_id = str(scheme.json["scheme_id"])
        path, body, key = f"/v1/schemes/{scheme_id}:issue", {"reason": "答复", "variant_no": 1}, f"{demand.name}:issue"
        began = time.monotonic()
        reply = self._until_known(path, body, key)
        elapsed_s = time.monotonic() - began
        is_withdrawn = False
        if reply is not None and reply.status == 201:
            if self._drawn.random() < self._twice_share:
                again = self._until_known(path, body, key)
                if again is not None and again.body != reply.body:
                    self._journal.differing.append(demand.name)
            if self._drawn.random() < self._withdraw_share:
                given_back = self._until_known(
                    f"/v1/schemes/{scheme_id}:withdraw", {"reason": "客户撤回"}, f"{demand.name}:withdraw"
                )
                is_withdrawn = given_back is not None and given_back.status == 200
        self._note(demand, scheme_id, reply, elapsed_s, is_withdrawn=is_withdrawn)

    def _note(
        self, demand: Demand, scheme_id: str, reply: Reply | None, elapsed_s: float, *, is_withdrawn: bool = False
    ) -> None:
        if reply is None:
            outcome, status, hold_id = "unknown", None, None
        else:
            status = reply.status
            is_done = status == 201 and scheme_id != ""
            outcome = "acknowledged" if is_done else ("refused" if status in (409, 422) else "fault")
            hold_id = str(reply.json["hold_id"]) if is_done else None
        self._journal.add(
            Line(
                name=demand.name,
                scheme_id=scheme_id,
                outcome=outcome,  # type: ignore[arg-type]
                capacity_va=demand.capacity_va,
                status=status,
                hold_id=hold_id,
                body=b"" if reply is None else reply.body,
                is_withdrawn=is_withdrawn,
                elapsed_s=elapsed_s,
            )
        )

    def _until_known(self, path: str, body: dict[str, object], key: str) -> Reply | None:
        """Return the answer; ``None`` when the service stayed away for all tries."""
        for _ in range(TRIES_MAX):
            try:
                if self._connection is None:
                    self._connection = self._connect()
                reply = self._connection.ask("POST", path, body, key=key)
            except UNKNOWN_OUTCOME:
                self._connection = None
                time.sleep(_PAUSE_S)
                continue
            self._journal.count_status(reply.status)
            if reply.status in (409, 503) and reply.json.get("code") in _TRY_AGAIN:
                time.sleep(_PAUSE_S * (1 + self._drawn.random()))
                continue
            return reply
        return None


def run_clients(
    connect: Connect,
    journal: Journal,
    demands: Iterator[Demand],
    *,
    count: int,
    clients: int,
    is_answered: bool = False,
) -> float:
    """Let clients serve ``count`` demands and return how long that took (s)."""
    lock, left = threading.Lock(), count

    def next_demand() -> Demand | None:
        nonlocal left
        with lock:
            left -= 1
            return next(demands) if left >= 0 else None

    def work(number: int) -> None:
        client = Client(connect, journal, seed=number, is_answered=is_answered)
        while (demand := next_demand()) is not None:
            client.serve(demand)

    return run_together([partial(work, number) for number in range(clients)])


def run_together(works: Sequence[Callable[[], None]]) -> float:
    """Run each in a thread of its own and return how long that took (s); a fault in one of them is raised."""
    faults: list[Exception] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised again by the caller's thread
            faults.append(error)

    began = time.monotonic()
    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return time.monotonic() - began
