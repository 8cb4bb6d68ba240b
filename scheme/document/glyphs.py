"""Which characters the bundled Chinese fonts can draw, and what stands for those they cannot."""

from __future__ import annotations

import functools
import importlib.resources
from pathlib import Path

PLACEHOLDER = "〓"
SANS_FILE = "NotoSansSC-Regular.otf"
SERIF_FILE = "NotoSerifSC-Regular.otf"


def font_folder() -> Path:
    """Return the folder of the bundled fonts (Noto Sans SC and Noto Serif SC)."""
    return Path(str(importlib.resources.files("pylopdf_fonts_zh_cn")))


def replace_missing(text: str) -> tuple[str, tuple[str, ...]]:
    """Return ``text`` with every character no bundled font draws as ``〓``, and those characters in order.

    An empty box in a name reads like a misprint; 〓 is the trade's mark for a missing sort, and a note gives the code
    point. White space a line cannot hold becomes a blank.
    """
    missing: list[str] = []
    drawn = _drawn_characters()
    characters = []
    for character in text:
        if character.isspace() and character != "\u3000":
            characters.append(" ")
        elif ord(character) in drawn:
            characters.append(character)
        else:
            characters.append(PLACEHOLDER)
            missing.append(character)
    return "".join(characters), tuple(missing)


@functools.cache
def _drawn_characters() -> frozenset[int]:
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    covered = [
        frozenset(TTFont(str(font_folder() / name), lazy=True).getBestCmap()) for name in (SANS_FILE, SERIF_FILE)
    ]
    return covered[0] & covered[1]
