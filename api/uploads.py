"""Networks handed in over HTTP: which files, how large, and how one becomes a snapshot."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Query

from api.archives import unpack_tables
from api.inputs import JSON_MEDIA_TYPE, body_reader

if TYPE_CHECKING:
    from gridmodel.snapshot import Snapshot

UPLOAD_BYTES_MAX = 64 * 2**20
XLSX_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP_MEDIA_TYPE = "application/zip"
ENDINGS: Mapping[str, str] = {JSON_MEDIA_TYPE: ".json", XLSX_MEDIA_TYPE: ".xlsx", ZIP_MEDIA_TYPE: ".zip"}
"""Ending of a file by its media type."""

_BINARY = {"schema": {"type": "string", "format": "binary"}}
UPLOAD_CONTENT = {
    JSON_MEDIA_TYPE: {"schema": {"description": "a pandapower network; what it is, is found out when it is read"}},
    ZIP_MEDIA_TYPE: _BINARY,
    XLSX_MEDIA_TYPE: _BINARY,
}
"""What the API's description says of the body."""

UploadBody = Annotated[bytes, Depends(body_reader(UPLOAD_BYTES_MAX, *ENDINGS))]
UploadName = Annotated[
    str,
    Query(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="how messages and findings name the file", examples=["county"]),
]


def read_upload(content: bytes, file: str) -> Snapshot:
    """Return the snapshot in an uploaded file.

    Args:
        content: The file.
        file: Its name with one of the known endings, without a folder.

    Raises:
        InputError: It cannot be read, or its content is refused.
    """
    from gridmodel.readers.select import read_source

    with tempfile.TemporaryDirectory(prefix="gridscheme-") as folder:
        source = Path(folder) / file
        if source.suffix == ENDINGS[ZIP_MEDIA_TYPE]:
            tables = source.with_suffix("")
            tables.mkdir()
            unpack_tables(content, tables, file=file)
            return read_source(tables)
        source.write_bytes(content)
        return read_source(source)
