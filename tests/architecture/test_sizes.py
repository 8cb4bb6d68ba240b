from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.sources import python_files, short, tree

MODULE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70


def function_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    count = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    is_docstring = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return count - ((first.end_lineno or first.lineno) - first.lineno + 1 if is_docstring else 0)


@pytest.mark.parametrize("path", python_files(), ids=short)
def test_module_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES_MAX


def test_functions_are_short() -> None:
    too_long = [
        f"{short(path)}:{node.lineno} {node.name} ({function_lines(node)} lines)"
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and function_lines(node) > FUNCTION_LINES_MAX
    ]
    assert too_long == []


def test_the_measure_leaves_the_docstring_out() -> None:
    [function] = ast.parse('def f():\n    """One.\n\n    Two.\n    """\n    return 1\n').body
    assert isinstance(function, ast.FunctionDef)
    assert function_lines(function) == 2


@pytest.mark.parametrize("path", python_files(), ids=short)
def test_module_name_says_what_is_in_it(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
