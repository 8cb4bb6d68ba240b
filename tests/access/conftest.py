"""The two-node snapshot, and services with quick calculations."""

from tests.api.conftest import open_services, snapshot

__all__ = ["open_services", "snapshot"]
