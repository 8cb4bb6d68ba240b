"""A snapshot cut into parts that do not influence each other: one supplied island each, and one for all that is left.

Islands are split at ideal sources. What is left has no load flow worth one: buses without supply, and the sources
themselves. Islands that hold nodes of one feeder with a commitment in flight (在途) are one part, because the
administrative formula counts the commitment at every node of the feeder, wherever a switch has put it.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmodel.islands import Islands
from gridmodel.net import Net, element_tables
from gridmodel.snapshot import Snapshot

REST = -1
"""Number of the part that holds the sources and what no source reaches."""

_Integers = NDArray[np.int64]


class Parts:
    """The parts of one snapshot; part snapshots are cut when first asked for and kept."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Find the parts of ``snapshot``."""
        self.snapshot = snapshot
        self._islands = Islands(snapshot.net, split_at_sources=True)
        self._feeder = pd.factorize(snapshot.nodes.feeder_id)[0]
        self._cuts: dict[bytes, tuple[Snapshot, Snapshot]] = {}
        """Part snapshot and the whole one it was last brought up to, by the nodes of the part."""
        self._divide()

    def _divide(self) -> None:
        labels, nodes = self._islands.labels, self.snapshot.nodes.index
        is_live = np.isin(labels.to_numpy(), self._islands.supplied) & ~self._islands.is_source
        self._island = labels.where(is_live, REST)
        """Number of the supplied island of each bus, or ``REST``."""
        self._part = self._joined(self._island.reindex(nodes).to_numpy(dtype=np.int64))
        order = np.argsort(self._part, kind="stable")
        numbers, first = np.unique(self._part[order], return_index=True)
        self._places = dict(zip(numbers.tolist(), np.split(order, first[1:]), strict=True))

    @property
    def numbers(self) -> list[int]:
        """Numbers of the parts; they mean nothing to another object."""
        return list(self._places)

    def numbers_of(self, buses: _Integers) -> list[int]:
        """Return the parts some nodes belong to."""
        places = self.snapshot.nodes.index.get_indexer(pd.Index(buses))
        return [int(number) for number in np.unique(self._part[places[places >= 0]])]

    def number_of_each(self, buses: _Integers) -> _Integers:
        """Return the part of each of some nodes, same shape.

        Raises:
            KeyError: A bus is no node of the snapshot.
        """
        places = self.snapshot.nodes.index.get_indexer(pd.Index(buses))
        if (places < 0).any():
            raise KeyError(f"bus {buses[places < 0][0]} is no node")
        return np.asarray(self._part[places], dtype=np.int64)

    def nodes(self, number: int) -> _Integers:
        """Return the nodes (bus indices) of a part in the order of the snapshot."""
        return np.asarray(self.snapshot.nodes.index[self._places[number]], dtype=np.int64)

    def get(self, number: int) -> Snapshot:
        """Return one part as a snapshot of its own, with the indices of the whole one; it has no digest."""
        key = self.nodes(number).tobytes()
        if key not in self._cuts:
            self._cuts[key] = self._cut(number), self.snapshot
        part, whole = self._cuts[key]
        if whole is not self.snapshot:
            part = self._brought_up(part, whole, number)
            self._cuts[key] = part, self.snapshot
        return part

    def after(self, changed: Snapshot, touched: _Integers) -> Parts:
        """Return the parts of a snapshot that came out of this one by changes at the buses ``touched``.

        What is cut already is kept, where no switch has moved in it.
        """
        new, before = copy.copy(self), self.snapshot
        new.snapshot = changed
        if changed.net.switch is before.net.switch:
            new._islands, new._cuts = self._islands.in_net(changed.net), dict(self._cuts)
        else:
            new._islands = Islands(changed.net, split_at_sources=True)
            new._cuts = {
                key: cut
                for key, cut in self._cuts.items()
                if not np.isin(touched, np.frombuffer(key, dtype=np.int64)).any()
            }
        if changed.net.switch is not before.net.switch or changed.in_flight is not before.in_flight:
            new._divide()
        return new

    def _joined(self, islands: _Integers) -> _Integers:
        """Return the part of each node: its island, or the first of the islands a feeder with commitments joins."""
        nodes, committed = self.snapshot.nodes.index, self.snapshot.in_flight.bus
        if not len(committed):
            return islands
        feeders = np.unique(self._feeder[nodes.get_indexer(pd.Index(committed))])
        part = islands.copy()
        for feeder in feeders[feeders >= 0].tolist():
            spread = np.unique(part[self._feeder == feeder])
            part[np.isin(part, spread)] = spread[0]
        return part

    def _cut(self, number: int) -> Snapshot:
        whole, own = self.snapshot, self.nodes(number)
        islands = self._islands.labels[self._island.isin(self._island.reindex(own))]
        return self._with_frames(whole, self._islands.cut(*islands.unique().tolist()), own)

    def _with_frames(self, whole: Snapshot, net: Net, own: _Integers) -> Snapshot:
        nodes = whole.nodes.loc[own]
        feeders = whole.feeders.loc[whole.feeders.index.isin(nodes.feeder_id.dropna().unique())]
        is_here = whole.lines.index.isin(net.line.index)
        if len(feeders):  # a feeder's first line may stand in another part
            is_here |= whole.lines.index.isin(feeders.head_line)
        return replace(
            whole,
            net=net,
            nodes=nodes,
            lines=whole.lines.loc[is_here],
            transformers=whole.transformers.loc[whole.transformers.index.isin(net.trafo.index)],
            feeders=feeders,
            in_flight=whole.in_flight.loc[whole.in_flight.bus.isin(own)],
            findings=(),
            counts=(),
            sha256="",
        )

    def _brought_up(self, part: Snapshot, before: Snapshot, number: int) -> Snapshot:
        """Return ``part`` with the values of the present snapshot in every table that is not the one of ``before``."""
        whole, net = self.snapshot, copy.copy(part.net)
        for name, frame in element_tables(whole.net).items():
            if frame is not before.net[name] and name in net and len(net[name]):
                net[name] = frame.loc[net[name].index]
        frames = {
            name: getattr(whole, name).loc[getattr(part, name).index]
            for name in ("nodes", "lines", "transformers", "feeders")
            if getattr(whole, name) is not getattr(before, name)
        }
        if whole.in_flight is not before.in_flight:
            frames["in_flight"] = whole.in_flight.loc[whole.in_flight.bus.isin(self.nodes(number))]
        return replace(part, net=net, **frames)
