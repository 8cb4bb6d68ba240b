"""Rows of a capacity table as arrays (Arrow stream, compressed): what the store keeps of one part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_INDEX = "bus"
_COMPRESSION = "zstd"


def to_blob(rows: pd.DataFrame) -> bytes:
    """Return rows and their index as bytes; the same rows give the same bytes."""
    import pyarrow as pa

    arrays = [pa.array(rows.index.to_numpy()), *(pa.array(rows[name].to_numpy(), from_pandas=True) for name in rows)]
    batch = pa.record_batch(arrays, names=[_INDEX, *map(str, rows.columns)])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression=_COMPRESSION)) as stream:
        stream.write_batch(batch)
    return bytes(sink.getvalue())


def from_blobs(blobs: Sequence[bytes], *, digests: Sequence[str] = ()) -> pd.DataFrame:
    """Return the rows of all blobs, one after the other; unknown is None in texts and NaN in numbers.

    Args:
        blobs: Parts of a table.
        digests: Digest of each, for a column ``part_sha256`` that says which part a row is from.
    """
    import pyarrow as pa

    # a column that is empty in one part and not in another has a type only in the other
    parts = [pa.ipc.open_stream(blob).read_all() for blob in blobs]
    for number, digest in enumerate(digests):
        rows = parts[number]
        parts[number] = rows.append_column("part_sha256", pa.repeat(digest, rows.num_rows))
    frame: pd.DataFrame = pa.concat_tables(parts, promote_options="default").to_pandas()
    return frame.set_index(_INDEX)
