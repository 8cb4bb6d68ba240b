"""Writes the documents of a scheme into a folder: all of them or none, and the same bytes for the same scheme."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.document.forms import LAYOUTS, layout_id
from scheme.document.payload import build_payload
from scheme.model import Document, Scheme

DOCUMENTS = (
    Document(kind="json", file="scheme.json"),
    Document(kind="docx", file="scheme.docx"),
    Document(kind="pdf", file="scheme.pdf"),
    Document(kind="svg", file="diagram.svg"),
    Document(kind="svg", file="map.svg"),
)
_DIGITS = 6


def write_documents(scheme: Scheme, snapshot: Snapshot, folder: Path) -> Scheme:
    """Write the record, the reply as Word and PDF, the diagram and the sketch; return the scheme naming them.

    Args:
        scheme: What to write.
        snapshot: Grid the scheme was computed on; drawn around the customer.
        folder: Where to; made if missing. Files of the same names are replaced together.

    Raises:
        InputError: The folder cannot be written to.
    """
    complete = replace(scheme, documents=DOCUMENTS)
    files = render_documents(complete, snapshot)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".documents-", dir=folder))  # inside: the same file system for sure
        try:
            for name, content in files.items():
                (staging / name).write_bytes(content)
            _publish(staging, folder, tuple(files))
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        problem = f"documents cannot be written: {error.strerror or type(error).__name__}"
        raise InputError(problem, file=folder.name, allowed="a folder that can be written to") from error
    return complete


def render_documents(scheme: Scheme, snapshot: Snapshot) -> dict[str, bytes]:
    """Return the content of every document by file name."""
    from scheme.document.diagram import render_diagram
    from scheme.document.pdf import render_pdf, render_png
    from scheme.document.sketch import render_sketch
    from scheme.document.word import render_word

    layout, payload = LAYOUTS[layout_id(scheme)], build_payload(scheme)
    as_of = datetime.fromisoformat(scheme.provenance.as_of).replace(tzinfo=UTC)
    diagram, sketch = render_diagram(scheme), render_sketch(scheme, snapshot)
    pictures = {"diagram": render_png(diagram), "map": render_png(sketch)}
    return {
        "scheme.json": canonical_json(scheme.as_dict()),
        "scheme.docx": render_word(payload, layout=layout, pictures=pictures, as_of=as_of),
        "scheme.pdf": render_pdf(payload, layout=layout, diagram_svg=diagram, map_svg=sketch, as_of=as_of),
        "diagram.svg": diagram.encode(),
        "map.svg": sketch.encode(),
    }


def canonical_json(plain: Mapping[str, Any]) -> bytes:
    """Return the one encoding of a record: UTF-8, sorted keys, floats rounded to six digits.

    Rounding is to six decimals from 1 upwards and to six significant digits below, so a coordinate keeps a tenth of a
    metre and a small loss keeps its value.

    Raises:
        ValueError: A number is not finite.
    """
    text = json.dumps(_rounded(plain), ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False)
    return (text + "\n").encode()


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return (round(value, _DIGITS) if abs(value) >= 1.0 else float(f"{value:.{_DIGITS}g}")) + 0.0
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def _publish(staging: Path, folder: Path, names: tuple[str, ...]) -> None:
    """Move the new files over the old ones; on a failure put the old ones back."""
    kept = staging / "replaced"
    kept.mkdir()
    moved: list[str] = []
    try:
        for name in names:
            if (folder / name).exists():
                os.replace(folder / name, kept / name)
            moved.append(name)
            os.replace(staging / name, folder / name)
    except OSError:
        for name in moved:
            (folder / name).unlink(missing_ok=True)
        for old in kept.iterdir():
            os.replace(old, folder / old.name)
        raise
