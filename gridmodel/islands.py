"""Cut electrical islands (电气岛) out of a net, so that a county is not solved to answer for one place.

An ideal source holds its voltage whatever hangs on it. Split at the sources, what hangs on one source by different
branches is different islands, as for :mod:`gridmodel.capacity.arrays`.
"""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gridmodel.net import Net, element_tables, empty_net

_ENDS = {
    "line": ("from_bus", "to_bus"),
    "trafo": ("hv_bus", "lv_bus"),
    "trafo3w": ("hv_bus", "mv_bus", "lv_bus"),
    "impedance": ("from_bus", "to_bus"),
    "tcsc": ("from_bus", "to_bus"),
    "dcline": ("from_bus", "to_bus"),
}
_SWITCH_KINDS = {"line": "l", "trafo": "t", "trafo3w": "t3"}
_AT_ONE_BUS = ("asymmetric_load", "asymmetric_sgen", "ext_grid", "gen", "load", "motor", "sgen", "shunt", "ssc",
               "storage", "svc", "ward", "xward")  # fmt: skip
_LOOKUPS = ("trafo_characteristic_table", "shunt_characteristic_table", "characteristic")

_Integers = NDArray[np.int64]
_Flags = NDArray[np.bool_]


class Islands:
    """Electrical islands of one net: buses joined by closed switches and live branches, supplied or not.

    Args:
        net: Network; only read.
        split_at_sources: Leave out the buses of ideal sources, which then are islands of their own.
    """

    def __init__(self, net: Net, *, split_at_sources: bool = False) -> None:
        self._net = net
        self._tables = element_tables(net)
        self._ends = {name: columns for name, columns in _ENDS.items() if name in self._tables}
        buses = self._tables["bus"].index
        edges = self._places(self._edges())
        self._is_cut = np.zeros(len(buses), dtype=bool)
        """Which buses are sources the islands are split at, by place in the bus table."""
        self._groups = np.arange(len(buses), dtype=np.int64)
        """Number of the buses that are one node with a bus, because closed switches without impedance join them."""
        inside = edges
        if split_at_sources and not len(net.bus_dc):
            self._groups = _components(self._places(self._fusing()), len(buses))
            self._is_cut = np.isin(self._groups, self._groups[self._places(self._source_buses())])
            inside = edges[~self._is_cut[edges].any(axis=1)]
        labels = _components(inside, len(buses))
        if len(net.bus_dc):  # direct-current links join islands in ways this module does not follow
            labels = np.zeros(len(buses), dtype=np.int64)
        self._label = pd.Series(labels, index=buses)
        reached = edges[self._is_cut[edges].any(axis=1)].ravel()
        self._fed = np.union1d(labels[self._places(self._source_buses())], labels[reached])

    @property
    def labels(self) -> pd.Series:
        """Number of the island of each bus, indexed by bus."""
        return self._label

    @property
    def supplied(self) -> _Integers:
        """Numbers of the islands that an ideal source in service feeds, or is."""
        return self._fed

    @property
    def is_source(self) -> _Flags:
        """Which buses are sources the islands are split at; shape (buses,), in the order of ``labels``."""
        return self._is_cut

    def label(self, bus: int) -> int:
        """Return the number of the island ``bus`` belongs to."""
        return int(self._label[bus])

    def has_source(self, bus: int) -> bool:
        """Return whether an external grid or a slack generator in service feeds the island of ``bus``."""
        return bool(np.isin(self.label(bus), self._fed))

    def in_net(self, net: Net) -> Islands:
        """Return the same islands for a net that differs in values only, not in what joins its buses."""
        same = copy.copy(self)
        same._net, same._tables = net, element_tables(net)
        return same

    def cut(self, *labels: int) -> Net:
        """Return a new net with some islands; indices are those of the whole net.

        Branches that hang on an island by one end (open at the other) come with it, together with the bus beyond,
        because they charge the island; nothing else at that bus does. Where islands are split at sources, the source
        a branch leads to comes with it, and nothing else that hangs there.
        """
        chosen = self._label.isin(labels).to_numpy()
        tables = dict(self._tables) if chosen.all() else self._select(chosen)
        return new_net(tables, like=self._net)

    def _places(self, buses: _Integers) -> _Integers:
        """Return the places of buses in the bus table; same shape."""
        found = self._tables["bus"].index.get_indexer(pd.Index(buses.ravel()))
        return np.asarray(found, dtype=np.int64).reshape(buses.shape)

    def _source_buses(self) -> _Integers:
        """Return the live buses with an external grid or a slack generator in service."""
        net = self._net
        feeding = [net.ext_grid.bus[net.ext_grid.in_service.to_numpy(dtype=bool)]]
        feeding.append(net.gen.bus[net.gen.in_service.to_numpy(dtype=bool) & net.gen.slack.to_numpy(dtype=bool)])
        sources = np.concatenate([buses.to_numpy(dtype=np.int64) for buses in feeding])
        return np.unique(sources[np.isin(sources, self._live())])

    def _edges(self) -> _Integers:
        """Return the pairs of live buses that branches and closed switches join, shape (edges, 2)."""
        pairs = [np.empty((0, 2), dtype=np.int64)]
        for name, columns in self._ends.items():
            frame = self._tables[name]
            in_service = frame.in_service.to_numpy(dtype=bool)
            closed = [in_service & ~self._is_opened(name, frame[column]) for column in columns]
            for other in range(1, len(columns)):
                for one in range(other):
                    both = closed[one] & closed[other]
                    pairs.append(frame.loc[both, [columns[one], columns[other]]].to_numpy(dtype=np.int64))
        if "switch" in self._tables:
            switch = self._tables["switch"]
            pairs.append(switch.loc[self._couples(), ["bus", "element"]].to_numpy(dtype=np.int64))
        return self._between_live(np.vstack(pairs))

    def _fusing(self) -> _Integers:
        """Return the pairs of live buses that closed switches without impedance make one node."""
        if "switch" not in self._tables:
            return np.empty((0, 2), dtype=np.int64)
        switch = self._tables["switch"]
        is_fused = self._couples() & ~(switch.z_ohm.to_numpy(dtype=float) > 0.0)
        return self._between_live(switch.loc[is_fused, ["bus", "element"]].to_numpy(dtype=np.int64))

    def _between_live(self, pairs: _Integers) -> _Integers:
        return pairs[np.isin(pairs, self._live()).all(axis=1)]

    def _live(self) -> _Integers:
        buses = self._tables["bus"]
        return np.asarray(buses.index[buses.in_service.to_numpy(dtype=bool)], dtype=np.int64)

    def _couples(self) -> _Flags:
        """Return which switches are closed ones between two buses."""
        switch = self._tables["switch"]
        return np.asarray((switch.et == "b").to_numpy() & switch.closed.to_numpy(dtype=bool))

    def _is_opened(self, name: str, ends: pd.Series) -> _Flags:
        """Return per branch whether a switch at this end is open."""
        if "switch" not in self._tables or name not in _SWITCH_KINDS:
            return np.zeros(len(ends), dtype=bool)
        switch = self._tables["switch"]
        opened = switch[(switch.et == _SWITCH_KINDS[name]) & ~switch.closed.astype(bool)]
        places = pd.MultiIndex.from_arrays([opened.element, opened.bus])
        return np.asarray(pd.MultiIndex.from_arrays([ends.index, ends]).isin(places), dtype=bool)

    def _select(self, chosen: _Flags) -> dict[str, pd.DataFrame]:
        """Return the tables of some buses: ``chosen`` by place in the bus table."""
        buses = self._tables["bus"]
        own = buses.index[chosen & ~self._is_cut].to_numpy()
        tables: dict[str, pd.DataFrame] = {}
        reached = [own]
        for name, columns in self._ends.items():
            ends = self._tables[name][list(columns)].to_numpy()
            touches = np.asarray(np.isin(ends, own).any(axis=1), dtype=bool)
            tables[name] = self._tables[name][touches]
            reached.append(ends[touches].ravel())
        if self._is_cut.any() and "switch" in self._tables:
            couples = self._tables["switch"].loc[self._couples(), ["bus", "element"]].to_numpy()
            reached.append(couples[np.isin(couples, own).any(axis=1)].ravel())
        in_reach = buses.index.isin(np.concatenate(reached))
        feeding = self._is_cut & np.isin(self._groups, self._groups[self._is_cut & (in_reach | chosen)])
        for name in _AT_ONE_BUS:
            if name in self._tables:
                frame = self._tables[name]
                tables[name] = frame.loc[frame.bus.isin(own).to_numpy() | self._feeds(name, buses.index[feeding])]
        tables["bus"] = buses.loc[in_reach | feeding]
        if "switch" in self._tables:
            tables["switch"] = self._switches(tables, own, buses.index[feeding].to_numpy())
        return tables | {name: self._tables[name] for name in _LOOKUPS if name in self._tables}

    def _feeds(self, name: str, sources: pd.Index) -> _Flags:
        """Return which rows of a table are the ideal sources at some buses."""
        frame = self._tables[name]
        if name == "ext_grid":
            return np.asarray(frame.bus.isin(sources))
        is_slack = frame.slack.to_numpy(dtype=bool) if name == "gen" else np.zeros(len(frame), dtype=bool)
        return np.asarray(is_slack & frame.bus.isin(sources).to_numpy())

    def _switches(self, tables: dict[str, pd.DataFrame], own: _Integers, sources: _Integers) -> pd.DataFrame:
        """Return the switches at ``own``, in the branches selected, and between the buses of a source."""
        switch = self._tables["switch"]
        is_coupling = (switch.et == "b").to_numpy()
        at, element = switch.bus.to_numpy(), switch.element.to_numpy()
        keep = np.isin(at, own) | (is_coupling & np.isin(element, own))
        keep |= is_coupling & np.isin(at, sources) & np.isin(element, sources)
        for name, kind in _SWITCH_KINDS.items():
            if name in tables:
                keep |= (switch.et == kind).to_numpy() & np.isin(element, tables[name].index)
        reach = tables["bus"].index
        return switch[keep & (~is_coupling | (np.isin(at, reach) & np.isin(element, reach)))]


def _components(pairs: _Integers, count: int) -> _Integers:
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def new_net(tables: dict[str, pd.DataFrame], *, like: Net) -> Net:
    """Return a net with copies of ``tables``, which come from ``like`` and so already have pandapower's dtypes."""
    net = empty_net()
    net.name, net.f_hz, net.sn_mva = str(like.name or ""), like.f_hz, like.sn_mva
    for name, frame in tables.items():
        net[name] = frame.copy()
    return net
