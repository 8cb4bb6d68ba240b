"""Cut the electrical island (电气岛) of a bus out of a net, so that a county is not solved to answer for one place."""

from __future__ import annotations

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


class Islands:
    """Electrical islands of one net: buses joined by closed switches and live branches, supplied or not."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self._tables = element_tables(net)
        self._ends = {name: columns for name, columns in _ENDS.items() if name in self._tables}
        buses = self._tables["bus"].index.to_numpy()
        first, second = self._edges()
        position = pd.Index(buses)
        rows, columns = position.get_indexer(pd.Index(first)), position.get_indexer(pd.Index(second))
        graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(buses), len(buses)))
        _, labels = connected_components(graph, directed=False)
        if len(net.bus_dc):  # direct-current links join islands in ways this module does not follow
            labels = np.zeros(len(buses), dtype=labels.dtype)
        self._label = pd.Series(labels, index=buses)

    def label(self, bus: int) -> int:
        """Return the number of the island ``bus`` belongs to."""
        return int(self._label[bus])

    def has_source(self, bus: int) -> bool:
        """Return whether an external grid or a slack generator in service feeds the island of ``bus``."""
        sources = [self._net.ext_grid.loc[self._net.ext_grid.in_service.astype(bool), "bus"]]
        if len(self._net.gen):
            gen = self._net.gen
            sources.append(gen.loc[gen.in_service.astype(bool) & gen.slack.astype(bool), "bus"])
        return any((self._label.loc[buses.tolist()] == self.label(bus)).any() for buses in sources)

    def cut(self, label: int) -> Net:
        """Return a new net with one island; indices are those of the whole net.

        Branches that hang on the island by one end (open at the other) come with it, together with the bus beyond,
        because they charge the island; nothing else at that bus does.
        """
        if self._label.nunique() == 1:
            tables = dict(self._tables)
        else:
            tables = self._select(set(self._label.index[self._label == label].tolist()))
        return new_net(tables, like=self._net)

    def _edges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        live = set(self._tables["bus"].index[self._tables["bus"].in_service.to_numpy(dtype=bool)])
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
            couples = (switch.et == "b").to_numpy() & switch.closed.to_numpy(dtype=bool)
            pairs.append(switch.loc[couples, ["bus", "element"]].to_numpy(dtype=np.int64))
        edges = np.vstack(pairs)
        edges = edges[np.isin(edges, list(live)).all(axis=1)]
        return edges[:, 0], edges[:, 1]

    def _is_opened(self, name: str, ends: pd.Series) -> NDArray[np.bool_]:
        """Return per branch whether a switch at this end is open."""
        if "switch" not in self._tables or name not in _SWITCH_KINDS:
            return np.zeros(len(ends), dtype=bool)
        switch = self._tables["switch"]
        opened = switch[(switch.et == _SWITCH_KINDS[name]) & ~switch.closed.astype(bool)]
        places = pd.MultiIndex.from_arrays([opened.element, opened.bus])
        return np.asarray(pd.MultiIndex.from_arrays([ends.index, ends]).isin(places), dtype=bool)

    def _select(self, own: set[int]) -> dict[str, pd.DataFrame]:
        tables: dict[str, pd.DataFrame] = {}
        reach = set(own)
        for name, columns in self._ends.items():
            frame = self._tables[name]
            touches = np.isin(frame[list(columns)].to_numpy(), list(own)).any(axis=1)
            tables[name] = frame.loc[np.atleast_1d(touches)]
            for column in columns:
                reach |= set(tables[name][column].tolist())
        for name in _AT_ONE_BUS:
            if name in self._tables:
                frame = self._tables[name]
                tables[name] = frame.loc[frame.bus.isin(list(own)).to_numpy()]
        buses = self._tables["bus"]
        tables["bus"] = buses.loc[buses.index.isin(list(reach))]
        if "switch" in self._tables:
            switch = self._tables["switch"]
            keep = switch.bus.isin(own).to_numpy() | ((switch.et == "b") & switch.element.isin(own)).to_numpy()
            for name, kind in _SWITCH_KINDS.items():
                if name in tables:
                    keep |= ((switch.et == kind) & switch.element.isin(tables[name].index)).to_numpy()
            keep &= (~(switch.et == "b") | (switch.bus.isin(reach) & switch.element.isin(reach))).to_numpy()
            tables["switch"] = switch[keep]
        return tables | {name: self._tables[name] for name in _LOOKUPS if name in self._tables}


def new_net(tables: dict[str, pd.DataFrame], *, like: Net) -> Net:
    """Return a net with copies of ``tables``, which come from ``like`` and so already have pandapower's dtypes."""
    net = empty_net()
    net.name, net.f_hz, net.sn_mva = str(like.name or ""), like.f_hz, like.sn_mva
    for name, frame in tables.items():
        net[name] = frame.copy()
    return net
