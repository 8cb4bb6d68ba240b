"""Which fields a reply form (答复单) has and in which order: one layout feeds both Word template and PDF.

A layout names keys of the payload (``payload.py``) and carries the printed labels; it holds no value of any scheme.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

LayoutId = Literal["hv_reply", "lv_reply", "joint_work"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A label and the payload key printed beside it."""

    label: str
    key: str
    is_wide: bool = False
    """Takes the whole width of the form instead of half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A bordered block of labels and values, once, or once per row of the payload list ``repeat``."""

    title: str
    fields: tuple[Field, ...]
    repeat: str | None = None
    is_kept_with_next: bool = False
    """Not parted from what follows (a signature never stands alone on a page)."""
    kind: Literal["form"] = "form"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a grid; ``share`` is its part of the width relative to the other columns."""

    label: str
    key: str
    share: float
    align: Literal["left", "center", "right"] = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A bordered table with one line per row of the payload list ``rows``."""

    title: str
    rows: str
    columns: tuple[Column, ...]
    note: str | None = None
    """Payload key of a remark printed below the table."""
    is_optional: bool = False
    """Left out when there is no row."""
    is_dense: bool = False
    """Printed small: an appendix for whoever checks the figures."""
    is_kept_with_next: bool = False
    kind: Literal["grid"] = "grid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A drawing with its caption."""

    title: str
    name: Literal["diagram", "map"]
    height_mm: float
    starts_page: bool = False
    kind: Literal["figure"] = "figure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Start of an appendix on a new page."""

    title: str
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Blocks to stamp and sign (签署), side by side."""

    title: str
    parties: tuple[tuple[str, ...], ...]
    kind: Literal["signature"] = "signature"


Section = Form | Grid | Figure | Heading | Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A whole document."""

    id: LayoutId
    title: str
    sections: tuple[Section, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form for the PDF template; forms carry their fields arranged in ``lines``."""
        plain = asdict(self)
        for section, drawn in zip(self.sections, plain["sections"], strict=True):
            if isinstance(section, Form):
                drawn["lines"] = [[asdict(field) for field in line] for line in form_lines(section.fields)]
        return plain


def form_lines(fields: tuple[Field, ...]) -> list[tuple[Field, ...]]:
    """Return the fields line by line: two halves side by side, a wide one (or a lone half) across."""
    lines: list[tuple[Field, ...]] = []
    waiting: Field | None = None
    for field in fields:
        if field.is_wide:
            lines += [(waiting,)] if waiting else []
            lines.append((field,))
            waiting = None
        elif waiting is None:
            waiting = field
        else:
            lines.append((waiting, field))
            waiting = None
    return lines + ([(waiting,)] if waiting else [])
