"""Many clients, room for exactly one; and room filled to the last VA."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from scheme.ledger import Ledger
from scheme.ledger.accounts import AccountBook
from scheme.store import Store
from tests.harness.client import run_together
from tests.harness.demands import Demand
from tests.harness.service import Connection, Service

EXHAUSTED = "ledger.capacity_exhausted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A board and what its transformer has left; no account above it has less."""

    board: str
    account_id: str
    open_va: int


def find_rooms(url: str, book: AccountBook, boards: Sequence[str]) -> list[Room]:
    """Return the boards whose own transformer is what binds, and by how much.

    Args:
        url: Store; accounts it has not opened yet have all of their limit left.
        book: The accounts of the grid.
        boards: Where one may ask.
    """
    left_va = {account.account_id: account.limit_va for account in book.accounts}
    store = Store(url)
    try:
        left_va |= {balance.account.account_id: balance.open_va for balance in Ledger(store).find_accounts()}
    finally:
        store.close()
    rooms = []
    for board in boards:
        path = book.find_path(board)
        if path is None:
            continue
        known = [(open_va, name) for name in path if (open_va := left_va[name]) is not None]
        least_va, name = min(known, default=(0, ""))
        if name == path[0] and least_va >= 2:
            rooms.append(Room(board=board, account_id=name, open_va=least_va))
    return rooms


def run_duels(service: Service, room: Room, *, rounds: int, clients: int, prefix: str) -> list[str]:
    """Return what went wrong: in each round exactly one of the clients may win, and gives it back afterwards."""
    share_va = room.open_va // 2 + 1
    connections = [service.connection() for _ in range(clients)]
    schemes = [_answer(connections[0], f"{prefix}-{number}", room.board, share_va) for number in range(clients)]
    problems: list[str] = []
    for number in range(rounds):
        found = _fight(connections, schemes, f"{prefix}-{number}")
        winners = [place for place, (status, _) in enumerate(found) if status == 201]
        losers = [told for told in found if told[0] != 201]
        if len(winners) != 1 or any(told != (409, EXHAUSTED) for told in losers):
            problems.append(f"round {number}: {found}")
        for place in winners:
            path = f"/v1/schemes/{schemes[place]}:withdraw"
            connections[place].ask("POST", path, {"reason": "下一轮"}, key=f"{prefix}-{number}-back")
            schemes[place] = _answer(connections[place], f"{prefix}-{number}-next", room.board, share_va)
    return problems


def _fight(connections: Sequence[Connection], schemes: Sequence[str], prefix: str) -> list[tuple[int, str | None]]:
    """Let every client issue its scheme at the same moment and return status and code of each answer."""
    barrier = threading.Barrier(len(connections))
    found: list[tuple[int, str | None]] = [(0, None)] * len(connections)

    def issue(place: int) -> None:
        barrier.wait()
        path, key = f"/v1/schemes/{schemes[place]}:issue", f"{prefix}-{place}"
        reply = connections[place].ask("POST", path, {"reason": "答复", "variant_no": 1}, key=key)
        found[place] = reply.status, reply.json.get("code")

    run_together([partial(issue, place) for place in range(len(connections))])
    return found


def fill(service: Service, room: Room, *, step_va: int, prefix: str) -> tuple[int, list[str]]:
    """Issue steps until refusal, then the exact rest; return what was held (VA) and what went wrong."""
    connection, held_va, problems = service.connection(), 0, []
    for number in range(room.open_va // step_va + 1):
        told = _issue(connection, f"{prefix}-{number}", room.board, step_va)
        if told[0] != 201:
            break
        held_va += step_va
    rest_va = room.open_va - held_va
    if rest_va >= step_va or told != (409, EXHAUSTED):
        problems.append(f"refused {told} with {rest_va} VA left for {step_va} VA")
    if rest_va > 0:
        told = _issue(connection, f"{prefix}-rest", room.board, rest_va)
        held_va += rest_va if told[0] == 201 else 0
        if told[0] != 201:
            problems.append(f"the exact rest of {rest_va} VA was refused: {told}")
    told = _issue(connection, f"{prefix}-over", room.board, 1)
    if told != (409, EXHAUSTED):
        problems.append(f"one VA more than there is: {told}")
    return held_va, problems


def _answer(connection: Connection, name: str, board: str, capacity_va: int) -> str:
    demand = Demand(name=name, board=board, capacity_va=capacity_va)
    reply = connection.ask("POST", "/v1/schemes", demand.request(), key=f"{name}:answer")
    assert reply.status == 201, reply.body
    return str(reply.json["scheme_id"])


def _issue(connection: Connection, name: str, board: str, capacity_va: int) -> tuple[int, str | None]:
    scheme_id = _answer(connection, name, board, capacity_va)
    reply = connection.ask(
        "POST", f"/v1/schemes/{scheme_id}:issue", {"reason": "答复", "variant_no": 1}, key=f"{name}:issue"
    )
    return reply.status, reply.json.get("code")
