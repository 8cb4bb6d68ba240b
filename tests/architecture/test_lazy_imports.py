from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT

HEAVY = ("pandapower", "power_grid_model", "docxtpl", "typst", "ezdxf", "geopandas", "numba")


def modules_after(statement: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{statement}\nprint(*sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return set(done.stdout.split())


def test_command_line_starts_without_the_load_flow() -> None:
    if not (ROOT / "api" / "cli.py").exists():
        pytest.skip("there is no command line yet")
    assert modules_after("import api.cli").isdisjoint(HEAVY)


def test_help_starts_without_the_load_flow() -> None:
    if not (ROOT / "api" / "cli.py").exists():
        pytest.skip("there is no command line yet")
    statement = (
        "import contextlib, io\n"
        "from api.cli import main\n"
        "sys.argv = ['gridscheme', '--help']\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main()"
    )
    assert modules_after(statement).isdisjoint(HEAVY)


def test_public_package_starts_without_the_load_flow() -> None:
    assert modules_after("import gridmodel").isdisjoint(HEAVY)
