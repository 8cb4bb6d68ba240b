"""Write the revision that brings a store from the last one to the tables as they are now.

``python -m tests.store.new_revision NUMBER NAME "what it is for" [TABLE ...]``: the revision before ``NUMBER`` is made
in an SQLite file, compared with the tables, and what differs (in the tables named, else in all) is written, one
function for each table. Read what was written; data that must move, triggers and views are added by hand.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic.autogenerate import produce_migrations
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op
from alembic.operations.ops import CreateTableOp, ModifyTableOps
from alembic.runtime.migration import MigrationContext
from mako.pygen import PythonPrinter
from sqlalchemy import CheckConstraint, Column, Connection, MetaData

from scheme.store.address import parse_address
from scheme.store.engine import open_engine
from scheme.store.migration import upgrade_to
from scheme.store.migrations.compare import options

FOLDER = Path(__file__).parents[2] / "scheme" / "store" / "migrations" / "versions"
_INDENT = "    "


def table_of(operation: Any) -> str:
    """Name of the table an operation is about."""
    return str(operation.table_name)


def find_operations(connection: Connection, tables: set[str]) -> tuple[AutogenContext, list[Any]]:
    """Return what differs between the database and the tables of the product."""
    settings = options(connection)
    context = MigrationContext.configure(connection, opts=settings)
    script = produce_migrations(context, settings["target_metadata"])
    found = [each for each in script.upgrade_ops_list[0].ops if not tables or table_of(each) in tables]
    for operation in found:
        if isinstance(operation, CreateTableOp):
            _name_checks(operation)
    return AutogenContext(context, MetaData(), opts=settings | _RENDERING), found


def _name_checks(operation: CreateTableOp) -> None:
    """List the checks of single columns too; Alembic writes only those of the table."""
    columns = [each for each in operation.columns if isinstance(each, Column)]
    checks = [each for column in columns for each in column.constraints if isinstance(each, CheckConstraint)]
    operation.columns = [*operation.columns, *(CheckConstraint(str(each.sqltext), name=each.name) for each in checks)]


_RENDERING = {"sqlalchemy_module_prefix": "sa.", "alembic_module_prefix": "op.", "user_module_prefix": None}


def write_revision(number: str, before: str, title: str, operations: list[Any], autogen: AutogenContext) -> str:
    """Return the source of a revision."""
    bodies: dict[str, list[str]] = {}
    for operation in operations:
        bodies.setdefault(table_of(operation), []).extend(render_op(autogen, operation))
    functions = [_function(table, lines) for table, lines in bodies.items()]
    calls = "\n".join(f"{_INDENT}_{table}()" for table in bodies)
    head = f'"""{title}."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n' + "\n".join(sorted(autogen.imports))
    names = f'revision = "{number}"\ndown_revision = "{before}"\nbranch_labels = None\ndepends_on = None\n'
    end = f'def upgrade() -> None:\n{_INDENT}"""Bring the tables to this revision."""\n{calls}\n'
    return "\n\n\n".join([f"{head}\n{names}".rstrip(), *functions, end])


def _function(table: str, lines: list[str]) -> str:
    source = io.StringIO()
    printer = PythonPrinter(source)
    for line in (f"def _{table}() -> None:", *lines, None):
        printer.writeline(line)
    printer.close()
    return source.getvalue().rstrip()


def main(number: str, name: str, title: str, *tables: str) -> None:
    """Write the file and put it in form."""
    before = f"{int(number) - 1:04}"
    path = FOLDER / f"r{number}_{name}.py"
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(parse_address(str(Path(folder) / "store.db")))
        with engine.begin() as connection:
            upgrade_to(connection, before)
            autogen, found = find_operations(connection, set(tables))
            source = write_revision(number, before, title, found, autogen)
        engine.dispose()
    compile(source, path.name, "exec")
    path.write_text(source, encoding="utf-8")
    ruff = Path(sys.executable).with_name("ruff")
    for command in (["check", "--fix-only", "--select", "F401,I"], ["format"]):
        subprocess.run([ruff, *command, "-q", path], check=True)
    kinds = sorted({type(each).__name__ for each in found} - {ModifyTableOps.__name__})
    sys.stdout.write(f"{path.name}: {len(found)} operations {kinds}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
