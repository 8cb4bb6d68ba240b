"""Sections of the report as its template draws them (``scheme/document/templates/report.typ``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from scheme.document.wording import NOT_APPLICABLE

Section = dict[str, Any]
PAGE: Section = {"kind": "page"}
_TABLE_PT, _TEXT_PT = 7.5, 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportColumn:
    """One column; ``share`` is its part of the width relative to the others."""

    label: str
    share: float
    align: Literal["left", "center", "right"] = "left"


def column(label: str, share: float) -> ReportColumn:
    """Return a column of texts."""
    return ReportColumn(label=label, share=share)


def figures(label: str, share: float) -> ReportColumn:
    """Return a column of figures, aligned right."""
    return ReportColumn(label=label, share=share, align="right")


def centred(label: str, share: float) -> ReportColumn:
    """Return a column of short words."""
    return ReportColumn(label=label, share=share, align="center")


def heading(text: str) -> Section:
    """Return a heading, never parted from what follows."""
    return {"kind": "heading", "text": text}


def title(text: str, below: str) -> Section:
    """Return the title of the report."""
    return {"kind": "title", "text": text, "below": below}


def paragraphs(*lines: str) -> Section:
    """Return running text."""
    return {"kind": "text", "lines": list(lines), "size": _TEXT_PT}


def points(lines: Sequence[str]) -> Section:
    """Return a list of sentences."""
    return {"kind": "points", "lines": list(lines)}


def facts(rows: Sequence[tuple[str, str]], wide: Sequence[tuple[str, str]] = ()) -> Section:
    """Return labels and values, two beside each other, then those of the whole width; an odd one out is wide."""
    paired = len(rows) - len(rows) % 2
    lines = [{"label": label, "value": value, "wide": False} for label, value in rows[:paired]]
    lines += [{"label": label, "value": value, "wide": True} for label, value in (*rows[paired:], *wide)]
    return {"kind": "facts", "rows": lines}


def table(
    columns: Sequence[ReportColumn],
    rows: Sequence[Sequence[str | None]],
    *,
    name: str = "",
    note: str = "",
    size_pt: float = _TABLE_PT,
) -> Section:
    """Return a table whose heading is repeated on every page; what is not known is shown as ``—``."""
    return {
        "kind": "table",
        "title": name,
        "note": note,
        "size": size_pt,
        "columns": [{"label": one.label, "share": one.share, "align": one.align} for one in columns],
        "rows": [[cell or NOT_APPLICABLE for cell in row] for row in rows],
    }


def figure(picture: str, *, name: str = "", alt: str, note: str = "") -> Section:
    """Return a drawing; a reader who does not see it is told ``alt``."""
    return {"kind": "figure", "picture": picture, "title": name, "alt": alt, "note": note}


def left_out(total: int, shown_max: int, *, where: str) -> str:
    """Return the note that says how much a table leaves out, empty where it leaves out nothing."""
    return (
        "" if total <= shown_max else f"共 {total} 项，此处列前 {shown_max} 项，其余 {total - shown_max} 项见{where}。"
    )
