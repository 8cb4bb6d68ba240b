from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.sources import python_files, short, tracked_text_files, tree

# Put together from parts, so that this file does not hold what it looks for.
REGISTRY_HOSTS = re.compile(
    r"(pypi|files\.pythonhosted|pythonhosted|registry\.npmjs|conda\.anaconda|mirrors?\.[a-z]+)" + r"\.(org|com|cn|edu)",
    re.IGNORECASE,
)
MACHINE_PATH = re.compile(r"(?<![\w.:/~-])/" + r"(?:home|Users|root|work|mnt|private|tmp)/" + r"[\w.-]+")
WINDOWS_PATH = re.compile(r"\b[A-Z]:\\" + r"\\?(?:Users|Work|Temp)")


def calls(path: Path) -> list[tuple[int, str]]:
    """Line and dotted name of everything that is called in a file."""
    return [(node.lineno, ast.unparse(node.func)) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]


def found(packages: tuple[str, ...], pattern: str) -> list[str]:
    return [
        f"{short(path)}:{line} {name}"
        for path in python_files(*packages)
        for line, name in calls(path)
        if re.search(pattern, name)
    ]


def test_pandapowers_own_file_readers_are_never_called() -> None:
    """They import modules named in the file; see ``gridmodel/decisions/0004-files-from-outside.md``."""
    banned = r"(^|\.)(from_json|from_json_string|from_pickle|from_excel|from_cim|from_sqlite|read_pickle)$"
    assert found((), banned) == []
    names = {"from_json", "from_json_string", "from_pickle", "from_excel", "read_pickle"}
    imported = [
        f"{short(path)}:{node.lineno}"
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and names & {alias.name for alias in node.names}
    ]
    assert imported == []


def test_below_the_edge_nobody_asks_for_the_time_or_a_random_id() -> None:
    banned = r"(^|\.)(today|now|utcnow|uuid1|uuid4)$|^time\.time$|^random\.(?!Random\b)"
    named = found(("gridmodel", "scheme"), banned)
    # The clock of the database is the one time a ledger knows.
    assert [name for name in named if not re.search(r"(^|[ ._])(store|func)\.now$", name)] == []


def test_nobody_prints() -> None:
    assert found((), r"^print$") == []


def test_nothing_is_evaluated_or_unpickled() -> None:
    assert found((), r"^(eval|exec|pickle\.loads?|os\.system)$|^yaml\.(load|unsafe_load|full_load)$") == []


@pytest.mark.parametrize("package", ["gridmodel", "scheme", "api"])
def test_no_absolute_machine_path_in_the_source(package: str) -> None:
    held = [
        f"{short(path)}: {match.group()}"
        for path in python_files(package)
        for match in MACHINE_PATH.finditer(path.read_text(encoding="utf-8"))
    ]
    assert held == []


def test_no_machine_path_or_registry_host_in_any_text_file() -> None:
    held = []
    for path in tracked_text_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        for pattern in (REGISTRY_HOSTS, MACHINE_PATH, WINDOWS_PATH):
            held += [f"{short(path)}: {match.group()}" for match in pattern.finditer(text)]
    assert held == []


def test_the_patterns_find_what_they_are_for() -> None:
    assert REGISTRY_HOSTS.search("https://py" + "pi.org/simple")
    assert REGISTRY_HOSTS.search("https://mirror.tuna.tsinghua" + ".edu.cn") is None
    assert MACHINE_PATH.search("see /ho" + "me/me/data.csv")
    assert not MACHINE_PATH.search("GET /v1/work/items and ./work/x")
