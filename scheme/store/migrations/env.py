"""Alembic runs this: on the connection it is given, inside the transaction of whoever gave it."""

from __future__ import annotations

from alembic import context

from scheme.store.migrations.compare import options

_CONNECTION = context.config.attributes["connection"]
context.configure(connection=_CONNECTION, **options(_CONNECTION))
context.run_migrations()
