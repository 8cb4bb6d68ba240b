"""Snapshots of generated nets, for tests that change them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridmodel.capacity.nodes import AdministrativeLimits
from gridmodel.readers.pandapower_frames import describe_net
from gridmodel.snapshot import Snapshot

LOADING = AdministrativeLimits(transformer_ratio=0.8, feeder_ratio=0.8, main_transformer_ratio=0.8)


def snapshot_of(net, *, measured: bool = True) -> Snapshot:
    """Return a net as a snapshot; with ``measured`` every feeder and transformer has drawn a tenth of its rating."""
    places = pd.DataFrame({"lon_deg": np.nan, "lat_deg": np.nan}, index=net.bus.index)
    frames = describe_net(net, places=places, not_assessable={})
    if measured:
        frames.feeders["measured_max_a"] = 0.1 * frames.feeders.rating_a
        frames.transformers["measured_max_kva"] = 0.1 * frames.transformers.sn_kva
    return Snapshot(
        net=net,
        nodes=frames.nodes,
        lines=frames.lines,
        transformers=frames.transformers,
        feeders=frames.feeders,
        in_flight=frames.in_flight,
        findings=(),
        counts=(),
        source_name="generated",
        source_format="pandapower",
    )


def settings(limits) -> dict[str, object]:
    """Return the settings of a node table without certificates."""
    return {
        "limits": limits,
        "loading": LOADING,
        "power_factor": 0.95,
        "in_flight_coincidence_ratio": 0.8,
        "confirm": "none",
    }
