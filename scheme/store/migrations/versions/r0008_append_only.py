"""What was written into the ledger stays: the database itself refuses to change or remove it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_FIXED_OF_HOLD = (
    "hold_id",
    "hold_no",
    "scheme_id",
    "request_id",
    "owner_id",
    "capacity_va",
    "power_factor",
    "is_low_voltage",
    "snapshot_sha256",
    "policy_sha256",
    "certificate_id",
    "created_at",
    "expires_on",
    "predecessor_id",
    "claim_principal_id",
    "claim_operation",
    "claim_key",
)
_APPEND_ONLY = ("ledger_entry", "ledger_event", "audit_row", "ledger_certificate", "ledger_hold_source")
_REFUSED = (
    *((table, "no_update", "UPDATE", "") for table in _APPEND_ONLY),
    *((table, "no_delete", "DELETE", "") for table in _APPEND_ONLY),
    ("ledger_hold", "no_update", f"UPDATE OF {', '.join(_FIXED_OF_HOLD)}", ""),
    ("ledger_hold", "no_delete", "DELETE", ""),
    ("ledger_account", "no_delete", "DELETE", ""),
    ("answered_request", "no_update", "UPDATE", " WHEN (OLD.status IS NOT NULL)"),
    ("answered_request", "no_delete", "DELETE", ""),
)
_FUNCTION = """\
CREATE OR REPLACE FUNCTION gridscheme_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION 'append-only: % of % is refused', TG_OP, TG_TABLE_NAME;
END
$body$"""


def upgrade() -> None:
    """Make the triggers."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        op.get_bind().exec_driver_sql(_FUNCTION.replace("%", "%%"))
    for table, name, operation, condition in _REFUSED:
        head = f"CREATE TRIGGER {table}_{name} BEFORE {operation} ON {table} FOR EACH ROW{condition}"
        refuse = f"SELECT RAISE(ABORT, 'append-only: {operation.partition(' ')[0]} of {table} is refused');"
        end = f"BEGIN {refuse} END" if is_sqlite else "EXECUTE FUNCTION gridscheme_append_only()"
        op.execute(sa.text(f"{head} {end}"))
