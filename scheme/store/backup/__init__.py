"""Copies of a store that can be put back: an SQLite file, or a dump of PostgreSQL, with its digest beside it."""
