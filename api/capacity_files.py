"""Capacity tables as files: CSV, GeoJSON, GeoPackage, Parquet; the contract's columns stand first.

Capacities of different nodes are not additive; every file says so in a column or member of its own.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridmodel.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

CONTRACT_COLUMNS = (
    "node_id",
    "source_id",
    "u_nominal_kv",
    "lon_deg",
    "lat_deg",
    "status",
    "administrative_kva",
    "physical_kva",
    "open_kva",
    "limit_kind",
    "limit_element_id",
    "limit_hour",
)
NOT_ADDITIVE = "各节点可开放容量不可相加:每个数值都只在其他节点不新增负荷时成立。"
ENDINGS = (".csv", ".geojson", ".gpkg", ".parquet")
GENERATION_PREFIX = "generation_"
_PLACE_COLUMNS = ("node_id", "source_id", "u_nominal_kv", "lon_deg", "lat_deg")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def contract_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the contract's columns first (missing ones empty) and ``is_additive``, all False."""
    ordered = table.reset_index(drop=True)
    for name in CONTRACT_COLUMNS:
        if name not in ordered:
            ordered[name] = None
    rest = [name for name in ordered.columns if name not in CONTRACT_COLUMNS]
    ordered = ordered[[*CONTRACT_COLUMNS, *rest]]
    ordered["is_additive"] = False
    return ordered


def check_ending(path: Path) -> str:
    """Return the ending that selects the format, in lower case.

    Raises:
        InputError: No format has this ending, or the folder does not exist.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError("no format has this ending", field="--out", value=path.name, allowed=", ".join(ENDINGS))
    if path.is_dir():
        raise InputError("a folder has this name", field="--out", value=path.name)
    if not path.absolute().parent.is_dir():
        raise InputError("the folder does not exist", field="--out", value=path.parent)
    return ending


def write_capacity(table: pd.DataFrame, path: Path) -> None:
    """Write ``table`` in the format of the path's ending; an older file is replaced only when the new one is complete.

    Raises:
        InputError: No format has this ending, or the folder cannot be written.
    """
    ending = check_ending(path)
    writers: dict[str, Callable[[pd.DataFrame, Path], None]] = {
        ".csv": _write_csv,
        ".geojson": _write_geojson,
        ".gpkg": _write_geopackage,
        ".parquet": _write_parquet,
    }
    try:
        with tempfile.TemporaryDirectory(dir=path.absolute().parent, prefix=".gridscheme-") as folder:
            draft = Path(folder) / f"capacity{ending}"
            writers[ending](contract_table(table), draft)
            os.replace(draft, path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", field="--out", value=path) from error


def features(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one GeoJSON point feature a row; unknown places have a null geometry, unknown values are null."""
    found = []
    for row in table.to_dict("records"):
        properties = {str(name): plain(value) for name, value in row.items() if name not in ("lon_deg", "lat_deg")}
        lon, lat = plain(row["lon_deg"]), plain(row["lat_deg"])
        geometry = None if lon is None or lat is None else {"type": "Point", "coordinates": [lon, lat]}
        properties.update(lon_deg=lon, lat_deg=lat)
        found.append({"type": "Feature", "id": properties["node_id"], "geometry": geometry, "properties": properties})
    return found


def plain(value: Any) -> Any:
    """Return ``value`` as JSON knows it; NaN, NaT and infinities become None."""
    import numpy as np
    import pandas as pd

    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | str) else str(value)


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    safe = table.copy()
    for name in safe.select_dtypes(object).columns:
        safe[name] = [_harmless(value) for value in safe[name]]
    safe.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def _harmless(value: Any) -> Any:
    """Put an apostrophe before a text a spreadsheet would run as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def _write_geojson(table: pd.DataFrame, path: Path) -> None:
    document = {"type": "FeatureCollection", "note": NOT_ADDITIVE, "features": features(table)}
    path.write_text(json.dumps(document, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def _write_geopackage(table: pd.DataFrame, path: Path) -> None:
    import geopandas

    places = geopandas.points_from_xy(table["lon_deg"], table["lat_deg"])
    missing = table["lon_deg"].isna() | table["lat_deg"].isna()
    geometry = geopandas.GeoSeries(places, crs="OGC:CRS84").mask(missing.to_numpy(), None)
    is_generation = [str(name).startswith(GENERATION_PREFIX) for name in table.columns]
    layers = {"capacity": table.loc[:, [not own for own in is_generation]]}
    if any(is_generation):  # a layer of its own: a map shows the one or the other
        layers["generation"] = table.loc[:, [*_PLACE_COLUMNS, *table.columns[is_generation], "is_additive"]]
    for name, layer in layers.items():
        frame = geopandas.GeoDataFrame(_flat(layer), geometry=geometry)
        frame.to_file(path, driver="GPKG", layer=name, engine="pyogrio")


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    table.to_parquet(path, engine="pyarrow", index=False)


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with lists as JSON text: a GeoPackage column holds one scalar."""
    flat = table.copy()
    for name in flat.select_dtypes(object).columns:
        flat[name] = [
            json.dumps(plain(v), ensure_ascii=False) if isinstance(v, list | tuple | dict) else plain(v)
            for v in flat[name]
        ]
    return flat
