"""The networks that are asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gridmodel.readers.select import read_source
from gridmodel.snapshot import Snapshot
from tests.conftest import FIXTURES
from tests.county.build import load_county


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network and the voltage levels it has customers at."""

    name: str
    source: str | None
    """Under ``fixtures``; ``None`` for a county that is generated."""
    levels: tuple[str, ...]
    with_lv: bool = False
    """Whether a generated county has low-voltage trees."""


NETWORKS = {
    network.name: network
    for network in (
        Network(name="township", source="township", levels=("lv", "mv")),
        Network(name="schutterwald", source="pandapower/oberrhein_schutterwald/lv_schutterwald.json", levels=("lv",)),
        Network(name="oberrhein", source="pandapower/oberrhein_schutterwald/mv_oberrhein_load.json", levels=("mv",)),
        Network(name="simbench", source="pandapower/simbench_10kv_urban/1-MV-urban--0-sw.json", levels=("mv",)),
        Network(name="county", source=None, levels=("lv", "mv")),
        Network(name="county-lv", source=None, levels=("lv", "mv"), with_lv=True),
    )
}
REPLAYED = ("township", "county")


@lru_cache(maxsize=2)
def read_network(name: str) -> Snapshot:
    """Return a network by name, read once by a process."""
    network = NETWORKS[name]
    if network.source is None:
        return load_county(with_lv=network.with_lv)
    return read_source(FIXTURES / network.source)
