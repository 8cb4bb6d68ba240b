"""Triggers that keep the ledger append-only in the database itself, on SQLite and on PostgreSQL.

They are made with the tables; a migration that makes the tables its own way runs :func:`trigger_statements`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Table, event

from scheme.ledger.tables import ACCOUNT, ANSWERED_REQUEST, APPEND_ONLY, HOLD

_MUTABLE_OF_HOLD = ("state", "changed_at")
_KEPT_ELSEWHERE: list[Table] = []
"""Tables of other parts whose rows stay; see :func:`keep_rows`."""
_FUNCTION = """\
CREATE OR REPLACE FUNCTION gridscheme_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION 'append-only: % of % is refused', TG_OP, TG_TABLE_NAME;
END
$body$"""


def _fixed_columns(table: Table, mutable: Sequence[str]) -> str:
    return ", ".join(column.name for column in table.columns if column.name not in mutable)


def _guards() -> Mapping[Table, Sequence[tuple[str, str, str]]]:
    """Return per table what is refused: name of the trigger, operation, condition on the row as it was."""
    fixed = _fixed_columns(HOLD, _MUTABLE_OF_HOLD)
    return {
        **dict.fromkeys((*APPEND_ONLY, *_KEPT_ELSEWHERE), (("no_update", "UPDATE", ""), ("no_delete", "DELETE", ""))),
        HOLD: (("no_update", f"UPDATE OF {fixed}", ""), ("no_delete", "DELETE", "")),
        ACCOUNT: (("no_delete", "DELETE", ""),),
        ANSWERED_REQUEST: (("no_update", "UPDATE", "OLD.status IS NOT NULL"), ("no_delete", "DELETE", "")),
    }


def _statements_of(table: Table, dialect: str) -> list[str]:
    made = []
    for name, operation, condition in _guards()[table]:
        head = f"CREATE TRIGGER {table.name}_{name} BEFORE {operation} ON {table.name} FOR EACH ROW"
        when = f" WHEN ({condition})" if condition else ""
        if dialect == "sqlite":
            refuse = f"SELECT RAISE(ABORT, 'append-only: {operation.partition(' ')[0]} of {table.name} is refused');"
            made.append(f"{head}{when} BEGIN {refuse} END")
        else:
            made.append(f"{head}{when} EXECUTE FUNCTION gridscheme_append_only()")
    return made


def keep_rows(table: Table) -> None:
    """Let the database refuse to change or remove rows of a table of another part."""
    _KEPT_ELSEWHERE.append(table)
    event.listen(table, "after_create", _on_create)


def trigger_statements(dialect: str) -> tuple[str, ...]:
    """Return the statements that make all triggers.

    Args:
        dialect: ``sqlite`` or ``postgresql``.
    """
    function = [_FUNCTION] if dialect == "postgresql" else []
    return (*function, *(line for table in _guards() for line in _statements_of(table, dialect)))


def _on_create(table: Table, connection: Connection, **_: object) -> None:
    dialect = connection.dialect.name
    statements = _statements_of(table, dialect)
    for statement in [_FUNCTION, *statements] if dialect == "postgresql" else statements:
        connection.exec_driver_sql(statement.replace("%", "%%") if dialect == "postgresql" else statement)


for _table in _guards():
    event.listen(_table, "after_create", _on_create)
