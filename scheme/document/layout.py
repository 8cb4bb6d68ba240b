"""Which fields a reply form (答复单) has and in which order: one layout feeds both Word template and PDF.

A layout names keys of the payload (``payload.py``) and carries the printed labels; it holds no value of any scheme.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

LayoutId = Literal[
    "hv_reply",  # 高压供电方案答复单
    "lv_reply",  # 低压供电方案答复单
    "residential_reply",  # 居民小区供电方案答复单
    "consultation_reply",  # 供电方案咨询初步答复意见
    "joint_work",  # 供电方案转专业联动单
    "works_order",  # 配套工程任务单
    "customer_reply",  # 供电方案答复(客户版)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A label and the payload key printed beside it."""

    label: str
    key: str
    is_wide: bool = False
    """Takes the whole width of the form instead of half."""
    no: str = ""
    """Number of the field (栏号), printed small before the label."""
    is_optional: bool = False
    """A wide field without a number that is left out where it does not apply (``—``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A bordered block of labels and values, once, or for each row of the payload list ``repeat``.

    Two or three rows stand side by side in columns, so that sources (电源) compare line by line; any other count has a
    block each.
    """

    title: str
    fields: tuple[Field, ...]
    repeat: str | None = None
    is_kept_with_next: bool = False
    """Not parted from what follows (a signature never stands alone on a page)."""
    shown_if: str | None = None
    """Payload key; left out where it is empty."""
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
    has_head: bool = True
    """Labels above the columns; a list that explains itself has none."""
    is_run_in: bool = False
    """Its columns are set as one text, the first as its heading, and a row may run over the end of a page."""
    is_kept_with_next: bool = False
    no: str = ""
    kind: Literal["grid"] = "grid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Variants side by side: a column each, as many as the payload's text ``count`` says; none, no table.

    ``head`` is a list of one row, the titles; ``rows`` the lines below. A row has ``label`` and ``v1``, ``v2``, … ; a
    row whose ``kind`` is not empty is the title of the lines that follow.
    """

    title: str
    head: str
    rows: str
    count: str
    note: str | None = None
    kind: Literal["comparison"] = "comparison"


COMPARED_MAX = 5
"""Columns a page has room for."""


FigureName = Literal["diagram", "map", "scores", "profile"]
FIGURES: tuple[FigureName, ...] = ("diagram", "map", "scores", "profile")
PARALLEL_MAX = 3
"""Rows of a repeated form that stand side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A drawing with its caption, as wide as the page where ``height_mm`` is ``None``."""

    title: str
    name: FigureName
    height_mm: float | None = None
    shown_if: str | None = None
    no: str = ""
    kind: Literal["figure"] = "figure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Start of an appendix, never parted from what follows."""

    title: str
    shown_if: str | None = None
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Blocks to stamp and sign (签署), side by side."""

    title: str
    parties: tuple[tuple[str, ...], ...]
    no: str = ""
    kind: Literal["signature"] = "signature"


Section = Form | Grid | Comparison | Figure | Heading | Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A whole document in one version of its form."""

    id: LayoutId
    title: str
    version: str
    basis: str
    """Under which rules the form is filled (编制依据), printed below the title."""
    sections: tuple[Section, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form for the PDF template; forms carry their fields arranged in ``lines``."""
        plain = {**asdict(self), "parallel_max": PARALLEL_MAX}
        for section, drawn in zip(self.sections, plain["sections"], strict=True):
            if isinstance(section, Form):
                drawn["lines"] = [[asdict(field) for field in line] for line in form_lines(section.fields)]
        return plain


def numbered(sections: tuple[Section, ...], numbers: Mapping[str, str]) -> tuple[Section, ...]:
    """Return the sections with the field numbers (栏号) of ``numbers``.

    Keys of ``numbers``: payload key of a field, ``list/key`` for a field of a repeated form, ``rows`` of a grid,
    ``figures`` and ``signature``. What is not named has no number.
    """
    return tuple(_numbered(section, numbers) for section in sections)


def _numbered(section: Section, numbers: Mapping[str, str]) -> Section:
    if isinstance(section, Form):
        prefix = f"{section.repeat}/" if section.repeat else ""
        fields = tuple(replace(field, no=numbers.get(prefix + field.key, "")) for field in section.fields)
        return replace(section, fields=fields)
    if isinstance(section, Grid):
        return replace(section, no=numbers.get(section.rows, ""))
    if isinstance(section, Figure) and section.name in {"diagram", "map"}:
        return replace(section, no=numbers.get("figures", ""))
    if isinstance(section, Signature):
        return replace(section, no=numbers.get("signature", ""))
    return section


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


def field(label: str, key: str) -> Field:
    """Return a field of half the width."""
    return Field(label=label, key=key)


def wide(label: str, key: str) -> Field:
    """Return a field of the whole width."""
    return Field(label=label, key=key, is_wide=True)


def optional(label: str, key: str) -> Field:
    """Return a field of the whole width that is left out where it does not apply."""
    return Field(label=label, key=key, is_wide=True, is_optional=True)


def column(label: str, key: str, share: float) -> Column:
    """Return a column of texts."""
    return Column(label=label, key=key, share=share)


def number(label: str, key: str, share: float) -> Column:
    """Return a column of numbers, aligned right."""
    return Column(label=label, key=key, share=share, align="right")


def centred(label: str, key: str, share: float) -> Column:
    """Return a column of short words or signs."""
    return Column(label=label, key=key, share=share, align="center")
