"""Changes of a snapshot (断面变更): a load, a rating, a switch, a commitment in flight (在途).

Elements go by the identifier they were imported with (``element_id`` of the frames; of a load or switch read from data
tables, its own identifier), or by pandapower table and index: ``load:3``, ``switch:7``, ``bus:17``. Which feeder and
transformer area a node belongs to stays that of the normal state (正常运行方式), whatever a switch does.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, ClassVar, Literal, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot

_KW_PER_MW = 1e3
_A_PER_KA = 1e3
_SAME_RATING_A = 1e-3
"""A feeder whose limit current is that of its head line, but for rounding, follows the line."""
_BRANCH_ENDS = {
    "l": ("line", ("from_bus", "to_bus")),
    "t": ("trafo", ("hv_bus", "lv_bus")),
    "t3": ("trafo3w", ("hv_bus", "mv_bus", "lv_bus")),
}
IN_FLIGHT_TYPES = {
    "commitment_id": "object",
    "bus": "int64",
    "capacity_kva": "float64",
    "power_factor": "float64",
    "approved_on": "object",
    "valid_to": "object",
}


class _Strict:
    """What a file is held to that names these records: no unknown field, no other type, no infinity."""

    __slots__ = ()
    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"extra": "forbid", "strict": True, "allow_inf_nan": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadChange(_Strict):
    """Another value of a load: its ``p_mw`` and ``q_mvar``; its scaling and voltage dependence stay."""

    kind: Literal["load"] = "load"
    element_id: str
    p_kw: float
    q_kvar: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRatingChange(_Strict):
    """Another continuous current (载流量) of one conductor of a line; parallel ones and the derating factor stay.

    A feeder whose limit current was that of this head line follows it.
    """

    kind: Literal["line_rating"] = "line_rating"
    element_id: str
    rating_a: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerRatingChange(_Strict):
    """Another rated power of one unit of a two-winding transformer.

    What is stated in per cent of it (short-circuit voltage, no-load current) stays, so the impedance follows.
    """

    kind: Literal["transformer_rating"] = "transformer_rating"
    element_id: str
    sn_kva: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchChange(_Strict):
    """Another state of a switch."""

    kind: Literal["switch"] = "switch"
    element_id: str
    is_closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentAdded(_Strict):
    """A commitment approved and not yet energised; dates are ISO text."""

    kind: Literal["commitment_added"] = "commitment_added"
    commitment_id: str
    element_id: str
    """The node."""
    capacity_kva: float
    power_factor: float | None = None
    """None = not known."""
    approved_on: str | None = None
    valid_to: str | None = None
    """Last day it counts; None = it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentEnded(_Strict):
    """A commitment energised, withdrawn or released."""

    kind: Literal["commitment_ended"] = "commitment_ended"
    commitment_id: str


Change = LoadChange | LineRatingChange | TransformerRatingChange | SwitchChange | CommitmentAdded | CommitmentEnded


def apply_changes(snapshot: Snapshot, changes: Iterable[Change]) -> tuple[Snapshot, NDArray[np.int64]]:
    """Return the changed snapshot and the buses touched, ascending; all changes or none, in the order given.

    The new snapshot shares every table that does not change with the old one, which stays as it was. Where the old one
    has a digest, the new one has that of :func:`changed_sha256`.

    Raises:
        InputError: An element does not exist, stands twice in the changes, or a value is out of range.
    """
    changes = tuple(changes)
    draft = _Draft(snapshot)
    for number, change in enumerate(changes, start=1):
        draft.number = number
        draft.apply(change)
    digest = changed_sha256(snapshot.sha256, changes) if snapshot.sha256 else ""
    return draft.finish(digest), np.array(sorted(draft.touched), dtype=np.int64)


def to_json(changes: Iterable[Change]) -> str:
    """Return changes as canonical JSON: the same changes give the same text."""
    plain = {"changes": [asdict(change) for change in changes]}
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def changed_sha256(parent_sha256: str, changes: Iterable[Change]) -> str:
    """Return the digest of a snapshot that came out of another one by changes."""
    return hashlib.sha256(f"{parent_sha256}\n{to_json(changes)}".encode()).hexdigest()


@dataclass(slots=True)
class _Draft:
    """A snapshot under change: tables that change are copied first."""

    snapshot: Snapshot
    number: int = 0
    """Of the change being applied, from 1."""
    touched: set[int] = field(default_factory=set)
    _tables: dict[str, Any] = field(default_factory=dict)
    _frames: dict[str, Any] = field(default_factory=dict)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def apply(self, change: Change) -> None:
        name = change.commitment_id if isinstance(change, CommitmentAdded | CommitmentEnded) else change.element_id
        if (change.kind, name) in self._seen:
            field_name = "commitment_id" if change.kind.startswith("commitment") else "element_id"
            self._refuse("stands twice in the changes", field_name, name, "each element once")
        self._seen.add((change.kind, name))
        match change:
            case LoadChange():
                self._change_load(change)
            case LineRatingChange():
                self._change_line(change)
            case TransformerRatingChange():
                self._change_transformer(change)
            case SwitchChange():
                self._change_switch(change)
            case CommitmentAdded():
                self._add_commitment(change)
            case CommitmentEnded():
                self._end_commitment(change)

    def finish(self, sha256: str) -> Snapshot:
        net = copy.copy(self.snapshot.net)
        for name, table in self._tables.items():
            net[name] = table
        return replace(self.snapshot, net=net, sha256=sha256, **self._frames)

    def _change_load(self, change: LoadChange) -> None:
        index = self._find("load", change.element_id)
        for name in ("p_kw", "q_kvar"):
            self._check(name, getattr(change, name), math.isfinite, "a finite number")
        table = self._table("load")
        table.at[index, "p_mw"] = change.p_kw / _KW_PER_MW
        table.at[index, "q_mvar"] = change.q_kvar / _KW_PER_MW
        self.touched.add(int(table.at[index, "bus"]))

    def _change_line(self, change: LineRatingChange) -> None:
        index = self._find("line", change.element_id)
        self._check("rating_a", change.rating_a, _is_positive, "a finite number > 0")
        table = self._table("line")
        whole = float(table.at[index, "df"] * table.at[index, "parallel"])
        before_a = float(table.at[index, "max_i_ka"]) * _A_PER_KA * whole
        table.at[index, "max_i_ka"] = change.rating_a / _A_PER_KA
        self.touched.update(int(table.at[index, end]) for end in ("from_bus", "to_bus"))
        headed = self.snapshot.feeders
        if not len(headed):
            return
        feeders = self._frames.get("feeders", headed)
        follows = (feeders.head_line == index) & ((feeders.rating_a - before_a).abs() <= _SAME_RATING_A)
        if follows.any():
            self._frame("feeders").loc[follows, "rating_a"] = change.rating_a * whole
            nodes = self.snapshot.nodes
            self.touched.update(nodes.index[nodes.feeder_id.isin(feeders.index[follows])].tolist())

    def _change_transformer(self, change: TransformerRatingChange) -> None:
        index = self._find("trafo", change.element_id)
        self._check("sn_kva", change.sn_kva, _is_positive, "a finite number > 0")
        table = self._table("trafo")
        table.at[index, "sn_mva"] = change.sn_kva / _KW_PER_MW
        if index in self.snapshot.transformers.index:
            self._frame("transformers").at[index, "sn_kva"] = change.sn_kva * float(table.at[index, "parallel"])
        self.touched.update(int(table.at[index, end]) for end in ("hv_bus", "lv_bus"))

    def _change_switch(self, change: SwitchChange) -> None:
        index = self._find("switch", change.element_id)
        table = self._table("switch")
        table.at[index, "closed"] = change.is_closed
        element, kind = int(table.at[index, "element"]), str(table.at[index, "et"])
        if kind in _BRANCH_ENDS:
            branch, ends = _BRANCH_ENDS[kind]
            self.touched.update(int(self.snapshot.net[branch].at[element, end]) for end in ends)
        else:
            self.touched.add(element)
        self.touched.add(int(table.at[index, "bus"]))

    def _add_commitment(self, change: CommitmentAdded) -> None:
        bus = self._find("bus", change.element_id)
        self._check("capacity_kva", change.capacity_kva, _is_positive, "a finite number > 0")
        if change.power_factor is not None:
            self._check("power_factor", change.power_factor, lambda value: 0.0 < value <= 1.0, "(0, 1]")
        days = [self._day(name, getattr(change, name)) for name in ("approved_on", "valid_to")]
        if None not in days and days[0] > days[1]:  # type: ignore[operator]
            self._refuse("ends before it begins", "valid_to", change.valid_to, "not before approved_on")
        frame = self._frames.get("in_flight", self.snapshot.in_flight)
        if change.commitment_id in frame.commitment_id.tolist():
            self._refuse("commitment exists already", "commitment_id", change.commitment_id, "a new identifier")
        row = {name: getattr(change, name) for name in IN_FLIGHT_TYPES if name != "bus"} | {"bus": bus}
        self._frames["in_flight"] = _with_row(frame, row)
        self.touched.add(bus)

    def _end_commitment(self, change: CommitmentEnded) -> None:
        frame = self._frames.get("in_flight", self.snapshot.in_flight)
        ends = (frame.commitment_id == change.commitment_id).to_numpy(dtype=bool)
        if not ends.any():
            self._refuse("commitment does not exist", "commitment_id", change.commitment_id, "one that is in flight")
        self.touched.update(int(bus) for bus in frame.bus[ends])
        self._frames["in_flight"] = frame.loc[~ends]

    def _find(self, table: str, element_id: str) -> int:
        """Return the index of an element in a table of the net."""
        index, own = self.snapshot.net[table].index, self._own_ids(table)
        head, _, tail = element_id.partition(":")
        named = int(tail) if head == table and tail.isdecimal() and tail.isascii() else None
        if named is not None and named in index and (own is None or own.get(named) == element_id):
            return named
        found = [] if own is None else own.index[own == element_id].tolist()
        if len(found) > 1:
            self._refuse("identifier is not unique", "element_id", element_id, f"{table}:<index>")
        if found:
            return int(found[0])
        if named is None or named not in index:
            self._refuse(
                f"{table} does not exist", "element_id", element_id, f"an identifier of the data, {table}:<index>"
            )
        return named

    def _own_ids(self, table: str) -> pd.Series | None:
        """Return the imported identifier of each element of a table; None where it has none."""
        snapshot = self.snapshot
        frames = {"line": snapshot.lines, "trafo": snapshot.transformers, "bus": snapshot.nodes}
        if table in frames:
            return frames[table].get("element_id")
        return snapshot.net[table].name if snapshot.source_format == "tables" else None

    def _table(self, name: str) -> Any:
        """Return a table of the net that may be changed; a frame, untyped because its cells are of any type."""
        if name not in self._tables:
            self._tables[name] = self.snapshot.net[name].copy()
        return self._tables[name]

    def _frame(self, name: str) -> Any:
        """Return a frame beside the net that may be changed."""
        if name not in self._frames:
            self._frames[name] = getattr(self.snapshot, name).copy()
        return self._frames[name]

    def _check(self, name: str, value: float, is_allowed: Any, allowed: str) -> None:
        if not is_allowed(value):
            self._refuse("value out of range", name, value, allowed)

    def _day(self, name: str, text: str | None) -> date | None:
        try:
            return None if text is None else date.fromisoformat(text)
        except ValueError:
            self._refuse("not a date", name, text, "a date as YYYY-MM-DD")

    def _refuse(self, problem: str, field_name: str, value: object, allowed: str) -> NoReturn:
        raise InputError(problem, row=f"change {self.number}", field=field_name, value=value, allowed=allowed)


def _is_positive(value: float) -> bool:
    return math.isfinite(value) and value > 0.0


def _with_row(frame: pd.DataFrame, row: Mapping[str, Any]) -> pd.DataFrame:
    """Return the frame of commitments with one more."""
    number = int(frame.index.max()) + 1 if len(frame) else 0
    names = [*IN_FLIGHT_TYPES, *(name for name in frame.columns if name not in IN_FLIGHT_TYPES)]
    cells = {name: [*(frame[name] if name in frame else [None] * len(frame)), row.get(name)] for name in names}
    types = {name: IN_FLIGHT_TYPES.get(name, "object") for name in names}
    index = pd.Index([*frame.index, number])
    return pd.DataFrame({name: pd.Series(cells[name], index=index, dtype=types[name]) for name in names})
