"""Says once what many items have alike: a hundred sections re-conducted in one way are one line that names them all."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence

_PIECE = re.compile(r"[!-~]+|[^!-~]+")
"""A code or number, or what stands between them."""
ALIKE_MIN = 4
"""Fewer items are listed one by one."""


def group_alike(
    texts: Sequence[str], kinds: Sequence[Hashable], *, named_max: int | None = None
) -> list[tuple[str, tuple[int, ...]]]:
    """Return texts and which of the given ones each stands for, in order of their first.

    Texts of one kind that differ in one code or number only become one text with all of these in its place.

    Args:
        texts: What is listed.
        kinds: What besides the text must be the same, an entry for each text.
        named_max: Codes named at most, where the whole list stands elsewhere; ``None`` for all.
    """
    patterns: dict[Hashable, list[int]] = {}
    for place, (text, kind) in enumerate(zip(texts, kinds, strict=True)):
        for pattern in _patterns(text):
            patterns.setdefault((kind, *pattern), []).append(place)
    taken: set[int] = set()
    groups: list[tuple[str, tuple[int, ...]]] = []
    for place, (text, kind) in enumerate(zip(texts, kinds, strict=True)):
        if place in taken:
            continue
        found = [(pattern[0], [i for i in patterns[(kind, *pattern)] if i not in taken]) for pattern in _patterns(text)]
        piece, members = max(found, key=lambda item: len(item[1]), default=(0, [place]))
        if len(members) < ALIKE_MIN:
            members = [place]
        taken.update(members)
        groups.append((_together([texts[i] for i in members], piece, named_max), tuple(members)))
    return groups


def list_alike(texts: Sequence[str], *, named_max: int | None = None) -> list[str]:
    """Return texts with those alike said once."""
    return [text for text, _ in group_alike(texts, [None] * len(texts), named_max=named_max)]


def _patterns(text: str) -> list[tuple[int, tuple[str, ...]]]:
    """Return the text with each of its codes and numbers left out in turn, and the place of that one."""
    pieces = _PIECE.findall(text)
    codes = [place for place, piece in enumerate(pieces) if piece.isascii()] if len(pieces) > 1 else []
    return [(place, (*pieces[:place], "", *pieces[place + 1 :])) for place in codes]


def _together(texts: list[str], place: int, named_max: int | None) -> str:
    if len(texts) == 1:
        return texts[0]
    pieces = _PIECE.findall(texts[0])
    named = dict.fromkeys(_PIECE.findall(text)[place] for text in texts)
    rest = "等" if named_max is not None and len(named) > named_max else ""
    pieces[place] = f"{'、'.join([*named][:named_max])}{rest}（共{len(texts)}项）"
    return "".join(pieces)
