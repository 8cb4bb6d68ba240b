"""Accounts of a snapshot: the limited elements (受限元件) above every node, from the leaf to the root.

Limits are those of the administrative formula (:mod:`gridmodel.capacity.administrative`) net of the commitments the
data bring along. Where a number of the formula is not known, and at sections and substations, which the formula does
not have, the limit is not known either: the account then only counts, and the certificate alone guards that level.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gridmodel.errors import NotFoundError
from scheme.ledger.records import VA_PER_KVA, Account, leaf_to_root
from scheme.policy.parameter import PolicyView

if TYPE_CHECKING:
    from gridmodel.capacity.administrative import Place
    from gridmodel.snapshot import Snapshot
    from gridmodel.topology import SupplyPath

_KIND = {"transformer": "transformer", "feeder": "feeder", "main transformer": "main_transformer"}
_BETWEEN = "+"
"""Between the ids of transformers that feed in parallel and count together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBook:
    """Every account of a snapshot, and which of them stand above each node."""

    accounts: tuple[Account, ...]
    """Leaves first."""
    paths: Mapping[str, tuple[str, ...]]
    """Node's ``element_id`` -> account ids, leaf to root; nodes without supply are not in it."""
    roots: Mapping[str, tuple[str, ...]]
    """Node's ``element_id`` -> root accounts of its supply island, which its certificate pins."""

    def path_of(self, node_element_id: str) -> tuple[str, ...]:
        """Return the accounts above a node, leaf to root; for a point on a line take its lower end.

        Raises:
            NotFoundError: No such node, or it has no supply.
        """
        path = self.find_path(node_element_id)
        if path is None:
            raise NotFoundError("no such node with a supply", node=node_element_id)
        return path

    def find_path(self, node_element_id: str) -> tuple[str, ...] | None:
        """Return the accounts above a node, ``None`` where it does not exist or has no supply."""
        return self.paths.get(node_element_id)

    def roots_of(self, node_element_id: str) -> tuple[str, ...]:
        """Return the root accounts of the supply island of a node: what is connected anywhere in it moves one of them.

        Raises:
            NotFoundError: No such node, or it has no supply.
        """
        self.path_of(node_element_id)
        return self.roots[node_element_id]


def build_accounts(snapshot: Snapshot, policy: PolicyView) -> AccountBook:
    """Return the accounts of a snapshot.

    Args:
        snapshot: Network, measured maxima, commitments in flight (those in force on the policy's date count).
        policy: Reads ``administrative.*`` and ``capacity.in_flight_coincidence_ratio``.
    """
    return _Builder(snapshot, policy).build()


class _Builder:
    """Works out places and paths of all nodes once."""

    def __init__(self, snapshot: Snapshot, policy: PolicyView) -> None:
        from gridmodel.capacity.administrative import AdministrativeFormula
        from gridmodel.capacity.upstream import is_main_transformer
        from gridmodel.snapshot import in_force_on
        from gridmodel.topology import SupplyTopology
        from scheme.limits import capacity_settings

        settings = capacity_settings(policy)
        self._snapshot = in_force_on(snapshot, policy.as_of)
        self._formula = AdministrativeFormula(
            self._snapshot, settings["loading"], coincidence_ratio=settings["in_flight_coincidence_ratio"]
        )
        self._topology = SupplyTopology(snapshot.net)
        self._mains = frozenset(snapshot.net.trafo.index[is_main_transformer(snapshot.net)].tolist())
        self._sections = _Sections(snapshot)
        self._nodes = {int(bus): row for bus, row in _rows(snapshot.nodes)}
        self._accounts: dict[str, Account] = {}

    def build(self) -> AccountBook:
        for bus, capacity_kva in zip(self._snapshot.in_flight.bus, self._snapshot.in_flight.capacity_kva, strict=True):
            if int(bus) in self._nodes:
                self._formula.book(self._place(int(bus), self._topology.path(int(bus))), float(capacity_kva))
        sources = _sources(self._snapshot)
        paths: dict[int, tuple[str, ...]] = {}
        for bus in self._nodes:
            path = self._topology.path(bus)
            if path.is_supplied:
                paths[bus] = tuple(sorted(self._above(bus, path, sources[bus]), key=leaf_to_root))
        names = {bus: str(row["element_id"]) for bus, row in self._nodes.items()}
        roots = self._roots(paths)
        return AccountBook(
            accounts=tuple(self._accounts[name] for name in sorted(self._accounts, key=leaf_to_root)),
            paths={names[bus]: path for bus, path in paths.items()},
            roots={names[bus]: roots[bus] for bus in paths},
        )

    def _place(self, bus: int, path: SupplyPath) -> Place:
        from gridmodel.capacity.administrative import Place
        from gridmodel.capacity.upstream import Above
        from gridmodel.topology import LOW_VOLTAGE_KV_MAX

        row = self._nodes[bus]
        area = tuple(sorted(set(path.trafos) - self._mains))
        mains = tuple(sorted(self._mains.intersection(path.trafos)))
        is_low_voltage = bool(self._snapshot.net.bus.vn_kv.at[bus] <= LOW_VOLTAGE_KV_MAX)
        return Place(is_low_voltage, _text(row["feeder_id"]), Above(area, mains))

    def _above(self, bus: int, path: SupplyPath, source_id: str) -> Iterator[str]:
        """Yield the ids of the accounts above a node, and note the accounts."""
        has_main = False
        for level in self._formula.levels(self._place(bus, path)):
            if level.element_ids:
                has_main = has_main or level.kind == "main transformer"
                yield self._account(_KIND[level.kind], level.element_ids, level.net_kva)
        if not has_main:
            three_winding = [f"trafo3w:{element}" for element in sorted(path.trafo3ws)]
            kind, ids = ("main_transformer", three_winding) if three_winding else ("source", [source_id])
            yield self._account(kind, ids, math.nan)
        for line_id in self._sections.on_path(path.lines):
            yield self._account("section", [line_id], math.nan)
        substation_id = self._substation_id(bus, path)
        if substation_id is not None:
            yield self._account("substation", [substation_id], math.nan)

    def _account(self, kind: str, element_ids: Sequence[str], net_kva: float) -> str:
        element_id = _BETWEEN.join(element_ids)
        account_id = f"{kind}:{element_id}"
        if account_id not in self._accounts:
            limit_va = None if math.isnan(net_kva) else math.floor(net_kva * VA_PER_KVA)
            self._accounts[account_id] = Account(account_id=account_id, element_id=element_id, limit_va=limit_va)
        return account_id

    def _substation_id(self, bus: int, path: SupplyPath) -> str | None:
        """Return the substation of a node, of its feeder, or of its main transformer, whichever the data name."""
        row = self._nodes[bus]
        feeders, transformers = self._snapshot.feeders, self._snapshot.transformers
        found = [row["substation_id"]]
        if row["feeder_id"] in feeders.index:
            found.append(feeders.substation_id.at[row["feeder_id"]])
        mains = [main for main in sorted(self._mains.intersection(path.trafos)) if main in transformers.index]
        found += [transformers.substation_id.at[main] for main in mains]
        return next((name for name in map(_text, found) if name is not None), None)

    def _roots(self, paths: Mapping[int, tuple[str, ...]]) -> Mapping[int, tuple[str, ...]]:
        from gridmodel.islands import Islands

        label = Islands(self._snapshot.net, split_at_sources=True).labels.to_dict()
        of_island: dict[int, set[str]] = {}
        for bus, path in paths.items():
            of_island.setdefault(label[bus], set()).add(_root(path))
        sorted_of = {number: tuple(sorted(roots, key=leaf_to_root)) for number, roots in of_island.items()}
        return {bus: sorted_of[label[bus]] for bus in paths}


def _root(path: Sequence[str]) -> str:
    """Return the main transformer of a path, or the source where there is none."""
    return next(name for name in path if name.startswith(("main_transformer:", "source:")))


class _Sections:
    """Bottlenecks (卡口线段): medium-voltage lines that carry less than every line upstream of them."""

    def __init__(self, snapshot: Snapshot) -> None:
        from gridmodel.topology import LOW_VOLTAGE_KV_MAX

        line = snapshot.net.line
        u_kv = snapshot.net.bus.vn_kv.reindex(line.from_bus).to_numpy(dtype=float)
        rating_mva = math.sqrt(3.0) * u_kv * line.max_i_ka * line.df * line.parallel
        is_medium = u_kv > LOW_VOLTAGE_KV_MAX
        ids = snapshot.lines.element_id.to_dict()
        self._rating_mva = {
            int(index): float(mva)
            for index, mva, is_kept in zip(line.index, rating_mva, is_medium, strict=True)
            if is_kept and not math.isnan(mva)
        }
        self._ids = {index: str(ids.get(index, f"line:{index}")) for index in self._rating_mva}

    def on_path(self, lines: Sequence[int]) -> Iterator[str]:
        """Yield the bottlenecks on a path; ``lines`` nearest to the node first."""
        least_mva: float | None = None
        for line in reversed(lines):
            mva = self._rating_mva.get(line)
            if mva is None:
                continue
            if least_mva is not None and mva < least_mva:
                yield self._ids[line]
            least_mva = mva if least_mva is None else min(least_mva, mva)


def _sources(snapshot: Snapshot) -> Mapping[int, str]:
    """Return for every bus the first ideal source it is joined with; empty where there is none."""
    from gridmodel.islands import Islands

    label = Islands(snapshot.net).labels
    net = snapshot.net
    slack = (
        net.gen.bus[net.gen.in_service.astype(bool) & net.gen.slack.fillna(False).astype(bool)] if len(net.gen) else []
    )
    buses = sorted({*net.ext_grid.bus[net.ext_grid.in_service.astype(bool)].tolist(), *slack})
    names = snapshot.nodes.element_id.to_dict()
    first: dict[int, str] = {}
    for bus in sorted(buses):
        first.setdefault(int(label[bus]), str(names.get(bus, f"bus:{bus}")))
    return {bus: first.get(number, "") for bus, number in zip(label.index.tolist(), label.tolist(), strict=True)}


def _rows(frame: Any) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    columns = ("element_id", "feeder_id", "substation_id")
    yield from (
        (index, dict(zip(columns, values, strict=True))) for index, *values in frame[list(columns)].itertuples()
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
