"""Which characters the bundled Chinese fonts can draw, and what stands for those they cannot."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Iterable
from pathlib import Path

PLACEHOLDER = "〓"
_DIRECTION_SIGNS = frozenset(
    chr(code) for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
)
"""Signs that turn the direction of writing: with them a name could read as another one."""
SANS_FILE = "NotoSansSC-Regular.otf"
SERIF_FILE = "NotoSerifSC-Regular.otf"


def font_folder() -> Path:
    """Return the folder of the bundled fonts (Noto Sans SC and Noto Serif SC)."""
    return Path(str(importlib.resources.files("pylopdf_fonts_zh_cn")))


def replace_directions(text: str) -> tuple[str, tuple[str, ...]]:
    """Return ``text`` with signs that turn the direction of writing as ``〓``, and those signs in order."""
    lost = tuple(character for character in text if character in _DIRECTION_SIGNS)
    return ("".join(PLACEHOLDER if c in _DIRECTION_SIGNS else c for c in text) if lost else text), lost


def list_codes(characters: Iterable[str]) -> str:
    """Return the code points of characters, each once."""
    return "、".join(f"U+{ord(character):04X}" for character in dict.fromkeys(characters))


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
