"""Table of the API keys; the secret is kept as a hash that cannot be turned back."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from scheme.store.tables import METADATA

API_KEY = Table(
    "api_key",
    METADATA,
    Column("key_id", String(32), primary_key=True),
    Column("secret_hash", Text, nullable=False),
    Column("subject_id", String(128), nullable=False, index=True),
    Column("roles", Text, nullable=False),  # names in order, separated by blanks
    Column("expires_on", String(10), nullable=False),  # last day it holds, Asia/Shanghai
    Column("created_at", Text, nullable=False),
    Column("revoked_at", Text),
    Column("last_used_on", String(10)),  # a day is enough to find keys nobody uses, and says little about people
)

APPLICATION = Table(
    "application",
    METADATA,
    Column("subject_id", String(128), primary_key=True),
    Column("request_id", String(64), primary_key=True),
    Column("site", Text, nullable=False),  # longitude, latitude and datum as entered
    Column("opened_on", String(10), nullable=False, index=True),  # Asia/Shanghai
)
