"""The two-node snapshot."""

from tests.api.conftest import snapshot

__all__ = ["snapshot"]
