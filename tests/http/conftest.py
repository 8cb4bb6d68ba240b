"""The two-node snapshot and the services of the interface's tests."""

from __future__ import annotations

from tests.api.conftest import open_services, snapshot

__all__ = ["open_services", "snapshot"]
