"""Tables of the layers: the current snapshot and its newest capacity table, places in CGCS2000 (EPSG:4490)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.types import UserDefinedType

SRID = 4490
LAYERS = MetaData()


class Geom(UserDefinedType[str]):
    """A geometry column of PostGIS; values go in as extended well-known text.

    Args:
        kind: ``Point``, ``LineString``, ...
        srid: Number of the reference system.
    """

    cache_ok = True

    def __init__(self, kind: str, srid: int = SRID) -> None:
        self.kind = kind
        self.srid = srid

    def get_col_spec(self, **_: Any) -> str:
        """Return the type as PostGIS writes it."""
        return f"geometry({self.kind},{self.srid})"


GRID_NODE = Table(
    "grid_node",
    LAYERS,
    Column("bus", Integer, primary_key=True, autoincrement=False),
    Column("node_id", Text, nullable=False),
    Column("element_id", Text, nullable=False),
    Column("name", Text),
    Column("kind", Text),
    Column("u_nominal_kv", Float),
    Column("feeder_id", Text),
    Column("substation_id", Text),
    Column("area_id", Text),
    Column("status", Text),
    Column("place", Geom("Point")),  # null: not known
)
GRID_LINE = Table(
    "grid_line",
    LAYERS,
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("element_id", Text, nullable=False),
    Column("name", Text),
    Column("type_id", Text),
    Column("laying", Text),
    Column("u_nominal_kv", Float),
    Column("feeder_id", Text),
    Column("area_id", Text),
    Column("length_km", Float),
    Column("route", Geom("LineString")),  # null: not known
)
GRID_FEEDER = Table(
    "grid_feeder",
    LAYERS,
    Column("feeder_id", Text, primary_key=True),
    Column("name", Text),
    Column("substation_id", Text),
    Column("rating_a", Float),
    Column("measured_max_a", Float),
)


def _capacity(name: str) -> Table:
    return Table(
        name,
        LAYERS,
        Column("bus", Integer, primary_key=True, autoincrement=False),
        Column("part_sha256", String(64), nullable=False, index=True),  # part of the capacity table the row is from
        Column("status", Text),
        Column("administrative_kva", Float),
        Column("physical_kva", Float),
        Column("open_kva", Float),
        Column("limit_kind", Text),
        Column("limit_element_id", Text),
    )


NODE_CAPACITY = _capacity("node_capacity")
"""Of the imported grid."""
NODE_CAPACITY_LIVE = _capacity("node_capacity_live")
"""Net of live holds: rows of the parts of the grid that have any; they stand over those of the imported grid."""
LAYER_STATE = Table(
    "layer_state",
    LAYERS,
    Column("layer", String(16), primary_key=True),  # "grid", "capacity" or "live"
    Column("snapshot_sha256", String(64), nullable=False),
    Column("parameters_sha256", String(64)),  # of the capacity table
    Column("as_of", Text),
    Column("ledger_seq", BigInteger),  # last entry of the ledger the rows are net of; of "live" alone
)
Index("grid_node_place", GRID_NODE.c.place, postgresql_using="gist")
Index("grid_line_route", GRID_LINE.c.route, postgresql_using="gist")
Index("grid_node_feeder", GRID_NODE.c.feeder_id)
Index("grid_line_feeder", GRID_LINE.c.feeder_id)
