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
from scheme.document.forms import find_layout, layout_id
from scheme.document.layout import FigureName, LayoutId
from scheme.document.payload import build_payload
from scheme.model import Document, Scheme

FILES = (
    "scheme.json",
    "scheme.docx",
    "scheme.pdf",
    "diagram.svg",
    "diagram.dxf",
    "map.svg",
    "works_order.docx",
    "works_order.pdf",
)
"""Every file a scheme may have; those of an earlier scheme in the same folder are taken away."""
_DIGITS = 6


def write_documents(scheme: Scheme, snapshot: Snapshot, folder: Path) -> Scheme:
    """Write record, reply, drawings and, where something is built, the works order; return the scheme naming them.

    Args:
        scheme: What to write.
        snapshot: Grid the scheme was computed on; drawn around the customer.
        folder: Where to; made if missing. Files of the names in ``FILES`` are replaced together.

    Raises:
        InputError: The folder cannot be written to.
    """
    complete = replace(scheme, documents=list_documents(scheme))
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


def list_documents(scheme: Scheme) -> tuple[Document, ...]:
    """Return the documents of a scheme, with form and version of those filled from one."""
    documents = [Document(kind="json", file="scheme.json")]
    for form, stem in _filled_forms(scheme):
        version = find_layout(form, scheme).version
        documents.append(Document(kind="docx", file=f"{stem}.docx", form=form, template_version=version))
        documents.append(Document(kind="pdf", file=f"{stem}.pdf", form=form, template_version=version))
    return (
        *documents,
        Document(kind="svg", file="diagram.svg"),
        Document(kind="dxf", file="diagram.dxf"),
        Document(kind="svg", file="map.svg"),
    )


def _filled_forms(scheme: Scheme) -> list[tuple[LayoutId, str]]:
    """Return form and file stem of what is filled: the reply, and the works order of a connection that is built."""
    forms: list[tuple[LayoutId, str]] = [(layout_id(scheme), "scheme")]
    if scheme.variants and scheme.consultation is None:
        forms.append(("works_order", "works_order"))
    return forms


def render_documents(scheme: Scheme, snapshot: Snapshot) -> dict[str, bytes]:
    """Return the content of every document by file name."""
    from scheme.document.diagram import render_diagram, render_dxf
    from scheme.document.pdf import render_pdf, render_png
    from scheme.document.profile import render_profile
    from scheme.document.scores import render_scores
    from scheme.document.sketch import render_sketch
    from scheme.document.word import render_word

    as_of = datetime.fromisoformat(scheme.provenance.as_of).replace(tzinfo=UTC)
    drawings: dict[FigureName, str] = {
        "diagram": render_diagram(scheme),
        "map": render_sketch(scheme, snapshot),
        "scores": render_scores(scheme),
        "profile": render_profile(scheme),
    }
    pictures = {name: render_png(svg) for name, svg in drawings.items()}
    files = {
        "scheme.json": canonical_json(scheme.as_dict()),
        "diagram.svg": drawings["diagram"].encode(),
        "diagram.dxf": render_dxf(scheme),
        "map.svg": drawings["map"].encode(),
    }
    for form, stem in _filled_forms(scheme):
        layout, payload = find_layout(form, scheme), build_payload(scheme, form)
        files[f"{stem}.docx"] = render_word(payload, layout=layout, pictures=pictures, as_of=as_of)
        files[f"{stem}.pdf"] = render_pdf(payload, layout=layout, pictures=drawings, as_of=as_of)
    return files


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
        for name in (*names, *(name for name in FILES if name not in names)):
            if (folder / name).exists():
                os.replace(folder / name, kept / name)
            if name in names:
                moved.append(name)
                os.replace(staging / name, folder / name)
    except OSError:
        for name in moved:
            (folder / name).unlink(missing_ok=True)
        for old in kept.iterdir():
            os.replace(old, folder / old.name)
        raise
