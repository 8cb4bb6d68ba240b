"""The project's own source files, as the architecture tests see them."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("gridmodel", "scheme", "api")

_TEXT_ENDINGS = {
    "", ".cfg", ".csv", ".css", ".html", ".js", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".typ", ".xml",
    ".yaml", ".yml",
}  # fmt: skip


def python_files(*packages: str) -> list[Path]:
    """Return every Python file of the packages, sorted."""
    return sorted(path for package in packages or PACKAGES for path in (ROOT / package).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def short(path: Path) -> str:
    """Return the path inside the repository."""
    return path.relative_to(ROOT).as_posix()


def tracked_text_files() -> list[Path]:
    """Return every text file that is part of the project: tracked, or new and not ignored."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 0:
        paths = [ROOT / name for name in done.stdout.split("\0") if name]
    else:  # an unpacked archive has no git folder
        paths = [path for path in ROOT.rglob("*") if not {".git", ".venv"} & set(path.parts)]
    return sorted(path for path in paths if path.is_file() and path.suffix in _TEXT_ENDINGS)
