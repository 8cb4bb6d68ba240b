"""Where everything is kept: snapshots, capacity tables, schemes, and the tables of the other parts."""

from scheme.store.database import Database
from scheme.store.failures import StoreError
from scheme.store.records import (
    CapacityKey,
    IdempotencyConflictError,
    OwnerConflictError,
    SnapshotMovedError,
    StoredScheme,
)
from scheme.store.store import CUSTOMER_FOLDER, DEFAULT_FILE, Store

__all__ = [
    "CUSTOMER_FOLDER",
    "DEFAULT_FILE",
    "CapacityKey",
    "Database",
    "IdempotencyConflictError",
    "OwnerConflictError",
    "SnapshotMovedError",
    "Store",
    "StoreError",
    "StoredScheme",
]
