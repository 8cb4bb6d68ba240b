"""A snapshot (电网断面): one electrical model, what stands where, and what the quality gate found.

Immutable by convention: nobody changes a table of a snapshot after it was built; whoever needs another state works on a
copy.

Tables beside the net (all pandas frames, index = the pandapower index of the element they describe):

``nodes`` (index = bus): ``node_id`` (unique, product-wide), ``source_id`` (identifier in the imported data; for
    pandapower the bus index as text), ``element_id`` (``bus:17`` for pandapower, the table's own id otherwise),
    ``name``, ``kind`` (NodeKind), ``u_nominal_kv``, ``lon_deg``, ``lat_deg`` (NaN = not known), ``feeder_id``,
    ``substation_id``, ``area_id`` (transformer area, 台区), each ``None`` where it does not apply, ``spare_bays``
    (float, NaN = not known; spare bays, 备用间隔), ``status`` (``assessable`` | ``not_assessable``) and ``reason``.
``lines`` (index = line): ``element_id``, ``name``, ``type_id`` (catalogue type or ``None``), ``laying``
    (``overhead`` | ``cable`` | ``unknown``), ``u_nominal_kv``, ``feeder_id``, ``area_id``.
``transformers`` (index = trafo): ``element_id``, ``name``, ``role`` (``main`` 主变 | ``public`` 公变 | ``dedicated``
    专变 | ``distribution`` where ownership is not known), ``model``, ``sn_kva``, ``feeder_id``, ``substation_id``,
    ``area_id``, ``measured_max_kva`` (NaN = not measured), ``measured_on``.
``feeders`` (index = feeder_id): ``name``, ``substation_id``, ``main_transformer`` (trafo index), ``head_line`` (line
    index), ``rating_a``, ``measured_max_a`` (NaN = not measured), ``measured_on``.
``in_flight`` (index = running number; 在途): ``commitment_id``, ``bus``, ``capacity_kva``, ``power_factor``,
    ``approved_on``, ``valid_to``; loads of these are NOT in the net.

Optional, ``None`` where the data hold none (pandapower never does):

``corridors``: ``element_id``, ``name``, ``kind`` (``road`` | ``duct`` | ``overhead``), ``geo`` (GeoJSON LineString).
``obstacles``: ``element_id``, ``name``, ``kind`` (``highway`` | ``railway`` | ``water_diversion_trunk`` |
    ``protected_cable`` | ``river``), ``geo``.

Dates (``*_on``, ``valid_to``) are ISO text, so that a snapshot read back from the store equals the one put in.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from gridmodel.errors import SnapshotFormatError
from gridmodel.findings import Finding, TableCount
from gridmodel.net import Net, build_net, element_tables

FORMAT = "gridscheme-snapshot/1"

NodeKind = Literal[
    "source",  # high-voltage side of a main transformer or an external grid
    "substation_busbar",  # 变电站 10 kV 母线
    "switching_station",  # 开关站
    "ring_main_unit",  # 环网柜
    "pole",  # 杆塔
    "station",  # distribution-transformer station, medium-voltage side (配变)
    "lv_board",  # 配变低压侧
    "branch_box",  # 低压分支箱
    "lv_pole",  # 低压杆
    "lv_node",  # other low-voltage node (cable joint, house connection)
    "node",  # medium-voltage node of unknown kind
]

_FRAMES = ("nodes", "lines", "transformers", "feeders", "in_flight")
_OPTIONAL_FRAMES = ("corridors", "obstacles")


@dataclass(frozen=True, eq=False, kw_only=True)
class Snapshot:
    """Everything one calculation needs; see the module docstring for the frames."""

    net: Net
    nodes: pd.DataFrame
    lines: pd.DataFrame
    transformers: pd.DataFrame
    feeders: pd.DataFrame
    in_flight: pd.DataFrame
    findings: tuple[Finding, ...]
    counts: tuple[TableCount, ...]
    source_name: str
    """File or folder name the data came from (no path)."""
    source_format: Literal["pandapower", "tables"]
    sha256: str = ""
    """Digest of the canonical content; set by :func:`seal`."""
    corridors: pd.DataFrame | None = None
    obstacles: pd.DataFrame | None = None

    @cached_property
    def transformer_of(self) -> Mapping[str, int]:
        """Index of each transformer by its ``element_id``; of several with one id the first."""
        own = self.transformers
        return dict(zip(reversed(own.element_id.tolist()), reversed(own.index.tolist()), strict=True))


def in_force_on(snapshot: Snapshot, day: date) -> Snapshot:
    """Return the snapshot with the in-flight commitments whose ``valid_to`` is not before ``day``.

    A commitment without a last day counts. The digest stays that of the imported content.
    """
    last_day = snapshot.in_flight.valid_to if len(snapshot.in_flight) else pd.Series(dtype=object)
    is_over = last_day.map(lambda text: isinstance(text, str) and date.fromisoformat(text) < day)
    if not is_over.any():
        return snapshot
    return replace(snapshot, in_flight=snapshot.in_flight[~is_over.astype(bool)])


def is_same_grid(one: Snapshot, other: Snapshot) -> bool:
    """Return whether two snapshots share everything but their commitments in flight (在途)."""
    names = (field.name for field in fields(Snapshot) if field.name != "in_flight")
    return all(getattr(one, name) is getattr(other, name) for name in names)


def build_lookups(snapshot: Snapshot) -> None:
    """Build the lookup of every table's index, so that threads may share the snapshot.

    pandas builds it at the first use and without a lock: a second thread may look into one that is half built and find
    nothing.
    """
    frames = [getattr(snapshot, name) for name in (*_FRAMES, *_OPTIONAL_FRAMES)]
    for frame in (*frames, *element_tables(snapshot.net).values()):
        if frame is not None and len(frame):
            frame.index.get_loc(frame.index[0])


def seal(snapshot: Snapshot) -> tuple[Snapshot, bytes]:
    """Return the snapshot with its digest, and the canonical bytes (gzip) it can be rebuilt from."""
    payload = json.dumps(_to_plain(snapshot), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(payload).hexdigest()
    return replace(snapshot, sha256=digest), gzip.compress(payload, compresslevel=5, mtime=0)


def unseal(blob: bytes, *, sha256: str | None = None) -> Snapshot:
    """Rebuild a snapshot from :func:`seal`'s bytes.

    Raises:
        SnapshotFormatError: The bytes are damaged, of another format, or do not have the digest asked for.
    """
    try:
        payload = gzip.decompress(blob)
        plain = json.loads(payload)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise SnapshotFormatError("stored snapshot cannot be read") from error
    digest = hashlib.sha256(payload).hexdigest()
    if sha256 is not None and digest != sha256:
        raise SnapshotFormatError("stored snapshot does not match its digest", expected=sha256, found=digest)
    found = plain.get("format") if isinstance(plain, dict) else None
    if found != FORMAT:
        raise SnapshotFormatError("unknown snapshot format", format=found)
    try:
        return _from_plain(plain, digest)
    except (KeyError, TypeError, ValueError) as error:
        raise SnapshotFormatError("stored snapshot is damaged") from error


def _from_plain(plain: Mapping[str, Any], digest: str) -> Snapshot:
    tables = {name: _frame_from_plain(frame) for name, frame in plain["net"]["tables"].items()}
    return Snapshot(
        net=build_net(tables, name=plain["net"]["name"], f_hz=plain["net"]["f_hz"], sn_mva=plain["net"]["sn_mva"]),
        **{name: _frame_from_plain(plain[name]) for name in _FRAMES},
        findings=tuple(Finding(**row) for row in plain["findings"]),
        counts=tuple(TableCount(**row) for row in plain["counts"]),
        source_name=plain["source_name"],
        source_format=plain["source_format"],
        sha256=digest,
        **{name: _frame_from_plain(plain[name]) for name in _OPTIONAL_FRAMES if name in plain},
    )


def _to_plain(snapshot: Snapshot) -> Mapping[str, Any]:
    net = snapshot.net
    return {
        "format": FORMAT,
        "net": {
            "name": str(net.name or ""),
            "f_hz": float(net.f_hz),
            "sn_mva": float(net.sn_mva),
            "tables": {name: _frame_to_plain(frame) for name, frame in element_tables(net).items()},
        },
        **{name: _frame_to_plain(getattr(snapshot, name)) for name in _FRAMES},
        "findings": [finding.as_dict() for finding in snapshot.findings],
        "counts": [
            {
                "table": c.table,
                "read": c.read,
                "accepted": c.accepted,
                "quarantined": c.quarantined,
                "merged": c.merged,
            }
            for c in snapshot.counts
        ],
        "source_name": snapshot.source_name,
        "source_format": snapshot.source_format,
        **{name: _frame_to_plain(frame) for name in _OPTIONAL_FRAMES if (frame := getattr(snapshot, name)) is not None},
    }


def _frame_to_plain(frame: pd.DataFrame) -> dict[str, Any]:
    """Columns as lists; NaN and None both become null, told apart again by the dtype."""
    return {
        "index": [_scalar(value) for value in frame.index],
        "columns": [[str(c), str(frame[c].dtype), _values(frame[c])] for c in frame.columns],
    }


def _values(column: pd.Series) -> list[Any]:
    """Return the cells of a column; whole columns of numbers at once, which is most of a large snapshot."""
    kind = column.dtype.kind if isinstance(column.dtype, np.dtype) else "O"
    values = column.tolist()
    if kind in "iub":
        return values
    if kind == "f":
        return [None if value != value else value for value in values]
    return [_scalar(value) for value in values]


def _frame_from_plain(plain: Mapping[str, Any]) -> pd.DataFrame:
    index = pd.Index(plain["index"])
    data = {}
    for name, dtype, values in plain["columns"]:
        if dtype.startswith(("float", "complex")):
            data[name] = pd.Series(np.array([np.nan if v is None else v for v in values], dtype=float), index=index)
        elif dtype.startswith(("Int", "UInt", "boolean")):  # pandas' own types, which may be empty
            data[name] = pd.Series(values, index=index, dtype=dtype)
        elif dtype.startswith(("int", "uint", "bool")):
            data[name] = pd.Series(np.array(values, dtype=dtype), index=index)
        else:
            data[name] = pd.Series(values, index=index, dtype=object)
    return pd.DataFrame(data, index=index)


def _scalar(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        if np.isnan(value):
            return None
        return value
    if isinstance(value, bool | int | str):
        return value
    return str(value)
