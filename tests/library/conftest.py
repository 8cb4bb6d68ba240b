"""Stores for the library's tests; nothing here tests what a power cut leaves, so SQLite's file may lie in memory."""

from __future__ import annotations

from tests.stores import postgres_server, postgres_url, sqlite_url, store_url

__all__ = ["postgres_server", "postgres_url", "sqlite_url", "store_url"]
