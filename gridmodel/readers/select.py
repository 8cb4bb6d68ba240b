"""Choose the reader for a source of topology data."""

from __future__ import annotations

from pathlib import Path

from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot

FORMATS = ("auto", "pandapower", "tables", "cim")
_ALLOWED = "a folder of CSV tables, a workbook .xlsx, or a pandapower network .json"


def read_source(path: Path, *, source_format: str = "auto") -> Snapshot:
    """Return the snapshot of a file or folder.

    Args:
        path: Source; ``auto`` decides by what it is: folder or ``.xlsx``: the product's own tables; ``.json``:
            pandapower; ``.xml`` or ``.zip``: CIM.
        source_format: One of ``auto``, ``pandapower``, ``tables``, ``cim``.

    Raises:
        InputError: The source is missing, of a format not available, or its content is refused.
    """
    if source_format not in FORMATS:
        raise InputError("unknown format", field="format", value=source_format, allowed=", ".join(FORMATS))
    if not path.exists():
        raise InputError("no such file or folder", file=path.name or str(path), allowed=_ALLOWED)
    kind = _kind_of(path) if source_format == "auto" else source_format
    if kind == "cim":
        raise InputError("CIM is not available in this version", file=path.name, field="format", allowed=_ALLOWED)
    if kind == "tables":
        from gridmodel.readers.tables import read_tables

        return read_tables(path)
    if path.is_dir():
        raise InputError("a folder is not a pandapower network", file=path.name, allowed="a .json file")
    from gridmodel.readers.pandapower_json import read_pandapower

    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=path.name) from error
    return read_pandapower(data, file=path.name)


def _kind_of(path: Path) -> str:
    if path.is_dir() or path.suffix.lower() == ".xlsx":
        return "tables"
    kinds = {".json": "pandapower", ".xml": "cim", ".zip": "cim"}
    if path.suffix.lower() not in kinds:
        raise InputError("the ending of the file names no known format", file=path.name, allowed=_ALLOWED)
    return kinds[path.suffix.lower()]
