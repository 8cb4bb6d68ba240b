"""Bringing the layers up to date: the current snapshot, its newest capacity table, and what live holds change of it.

Layers follow what is stored; nothing waits for them, and ``v_layer_state`` says which snapshot they show. Whoever finds
that another snapshot became current leaves them to the one that made it so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from psycopg import Error as DriverError
from sqlalchemy import Connection, Table, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from gridmodel.snapshot import Snapshot
from scheme.capacity_blobs import from_blobs, to_blob
from scheme.capacity_manifest import CapacityManifest, digest_of
from scheme.grid_map.routes import Route, is_place, line_routes
from scheme.store.failures import of_driver
from scheme.store.layers.tables import (
    GRID_FEEDER,
    GRID_LINE,
    GRID_NODE,
    LAYER_STATE,
    NODE_CAPACITY,
    NODE_CAPACITY_LIVE,
    SRID,
)
from scheme.store.records import CapacityKey
from scheme.store.tables import CAPACITY_PART, CURRENT_SNAPSHOT

_LOCK_TIMEOUT = "30s"
"""Nothing waits for a layer, so it may wait for the one that fills it now."""


def fill_grid(connection: Connection, snapshot: Snapshot, *, parent_sha256: str | None = None) -> None:
    """Show a snapshot's nodes, lines and feeders, if it is the current one.

    Args:
        connection: In a transaction on PostgreSQL.
        snapshot: With its digest.
        parent_sha256: The snapshot it came out of by changes, which move no node and no line.

    Raises:
        StoreError: The database failed.
    """
    shown = _lock(connection, "grid")
    if not _is_current(connection, snapshot.sha256) or shown == snapshot.sha256:
        return
    frames = {GRID_FEEDER: _feeders(snapshot)}
    if shown is None or shown != parent_sha256:
        frames |= {GRID_NODE: _nodes(snapshot), GRID_LINE: _lines(snapshot)}
        _clear_capacity(connection, snapshot.sha256)
    for table, frame in frames.items():
        connection.execute(delete(table))
        _copy(connection, table, frame)
    _note(connection, "grid", snapshot_sha256=snapshot.sha256)


def fill_capacity(
    connection: Connection,
    snapshot_sha256: str,
    key: CapacityKey,
    manifest: CapacityManifest,
    contents: Mapping[str, bytes],
) -> None:
    """Show a capacity table of the current snapshot; only rows of parts that are new are written.

    Args:
        connection: In a transaction on PostgreSQL.
        snapshot_sha256: What the table was computed from.
        key: What else it was computed from.
        manifest: The parts it consists of.
        contents: Contents of parts by digest; the others are read from the store.

    Raises:
        StoreError: The database failed.
    """
    _lock(connection, "capacity")
    if not _is_current(connection, snapshot_sha256):
        return
    new = _clear_all_but(connection, NODE_CAPACITY, {part.sha256 for part in manifest.parts})
    if new:
        found = [_content(connection, digest, contents) for digest in new]
        _copy(connection, NODE_CAPACITY, from_blobs(found, digests=new).rename_axis("bus").reset_index())
    known = {"parameters_sha256": key.parameters_sha256, "as_of": key.as_of}
    _note(connection, "capacity", snapshot_sha256=snapshot_sha256, **known)


def fill_live(connection: Connection, snapshot_sha256: str, pieces: Iterable[pd.DataFrame], *, ledger_seq: int) -> None:
    """Show the rows that live holds change, unless those of a later entry of the ledger are shown.

    Args:
        connection: In a transaction on PostgreSQL.
        snapshot_sha256: The grid the holds are on.
        pieces: Rows of each part of the grid with a live hold.
        ledger_seq: Last entry of the ledger the rows are net of.

    Raises:
        StoreError: The database failed.
    """
    shown = _lock(connection, "live")
    if not _is_current(connection, snapshot_sha256):
        return
    is_live = LAYER_STATE.c.layer == "live"
    seq = connection.execute(select(LAYER_STATE.c.ledger_seq).where(is_live)).scalar()
    if shown == snapshot_sha256 and seq is not None and seq > ledger_seq:
        return
    by_digest = {digest_of(to_blob(piece)): piece for piece in pieces}
    for digest in _clear_all_but(connection, NODE_CAPACITY_LIVE, set(by_digest)):
        rows = by_digest[digest].assign(part_sha256=digest).rename_axis("bus").reset_index()
        _copy(connection, NODE_CAPACITY_LIVE, rows)
    _note(connection, "live", snapshot_sha256=snapshot_sha256, ledger_seq=ledger_seq)


def _clear_all_but(connection: Connection, table: Table, wanted: set[str]) -> list[str]:
    """Take away the rows of other parts; return which of those wanted are still to be written."""
    present = set(connection.execute(select(table.c.part_sha256).distinct()).scalars())
    gone = sorted(present - wanted)
    if gone:
        connection.execute(delete(table).where(table.c.part_sha256 == func.any(gone)))
    return sorted(wanted - present)


def _content(connection: Connection, digest: str, given: Mapping[str, bytes]) -> bytes:
    if digest in given:
        return given[digest]
    statement = select(CAPACITY_PART.c.content).where(CAPACITY_PART.c.sha256 == digest)
    return bytes(connection.execute(statement).scalar_one())


def _lock(connection: Connection, layer: str) -> str | None:
    """Keep others from filling the layer at the same time; return the snapshot it shows."""
    connection.execute(text(f"SELECT set_config('lock_timeout', '{_LOCK_TIMEOUT}', true)"))
    row = {"layer": layer, "snapshot_sha256": ""}
    connection.execute(insert(LAYER_STATE).values(row).on_conflict_do_nothing())
    is_this = LAYER_STATE.c.layer == layer
    statement = select(LAYER_STATE.c.snapshot_sha256).where(is_this).with_for_update()
    return connection.execute(statement).scalar_one() or None


def _clear_capacity(connection: Connection, sha256: str) -> None:
    """Take away capacities of another grid: they would be shown at nodes that happen to have the same number."""
    for layer, table in (("capacity", NODE_CAPACITY), ("live", NODE_CAPACITY_LIVE)):
        if _lock(connection, layer) != sha256:
            connection.execute(delete(table))
            _note(connection, layer, snapshot_sha256="")


def _is_current(connection: Connection, sha256: str) -> bool:
    return connection.execute(select(CURRENT_SNAPSHOT.c.snapshot_sha256)).scalar() == sha256


def _note(connection: Connection, layer: str, **values: str | int) -> None:
    connection.execute(update(LAYER_STATE).where(LAYER_STATE.c.layer == layer).values(values))


def _copy(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """Write the rows of a frame by COPY; columns the frame lacks, and what is not known in it, are null."""
    names = [column.name for column in table.columns]
    plain = frame.reindex(columns=names).astype(object).replace({np.nan: None})
    rows: Iterable[tuple[Any, ...]] = plain.itertuples(index=False, name=None)
    driver = connection.connection.driver_connection
    assert driver is not None
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    except DriverError as error:
        raise of_driver(error) from error


def _nodes(snapshot: Snapshot) -> pd.DataFrame:
    frame = snapshot.nodes.rename_axis("bus").reset_index()
    places = zip(frame["lon_deg"], frame["lat_deg"], strict=True)
    return frame.assign(place=pd.Series([_point(lon_deg, lat_deg) for lon_deg, lat_deg in places], dtype=object))


def _lines(snapshot: Snapshot) -> pd.DataFrame:
    frame = snapshot.lines
    if frame.empty:
        return frame
    routes = pd.Series([_route(route) for route in line_routes(snapshot)], dtype=object)
    length_km = snapshot.net.line.loc[frame.index, "length_km"].to_numpy()
    return frame.rename_axis("line").reset_index().assign(route=routes, length_km=length_km)


def _feeders(snapshot: Snapshot) -> pd.DataFrame:
    return snapshot.feeders.rename_axis("feeder_id").reset_index()


def _point(lon_deg: float, lat_deg: float) -> str | None:
    return f"SRID={SRID};POINT({lon_deg!r} {lat_deg!r})" if is_place(lon_deg, lat_deg) else None


def _route(route: Route | None) -> str | None:
    if route is None:
        return None
    return f"SRID={SRID};LINESTRING({','.join(f'{x!r} {y!r}' for x, y in route.tolist())})"
