"""Topology data in: one reader a format, each ending in the same quality gate."""
