"""Internal tables of the public map: its secret grid and the register of publications. Times are UTC text.

The released file itself is kept a second time, in a database of its own (:mod:`scheme.publication.public_store`).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from scheme.store.tables import METADATA

_SHA = String(64)

MAP_GRID = Table(
    "map_grid",
    METADATA,
    Column("only_row", Integer, CheckConstraint("only_row = 1"), primary_key=True, autoincrement=False),
    Column("secret", Text, nullable=False),  # JSON; never changed, never published
    Column("founded_at", String(40), nullable=False),
)
PUBLICATION = Table(
    "publication",
    METADATA,
    Column("publication_id", String(40), primary_key=True),
    Column("state", String(16), nullable=False, index=True),
    Column("data_month", String(7), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("content_sha256", _SHA, nullable=False),
    Column("snapshot_sha256", _SHA, nullable=False),
    Column("ledger_seq", BigInteger, nullable=False),
    Column("ledger_sha256", _SHA, nullable=False),
    Column("profile", Text, nullable=False),
    Column("policy_sha256", _SHA, nullable=False),
    Column("as_of", String(10), nullable=False),
    Column("behind", Text, nullable=False),  # JSON: what every transformer brought; never published
    Column("bands", Text, nullable=False),  # JSON: class by area, the memory of the next publication
    Column("compared_with_id", ForeignKey("publication.publication_id")),  # whose memory was used
    Column("negative_list_sha256", _SHA),  # null: no list was given
    Column("made_by", Text, nullable=False),
    Column("made_at", String(40), nullable=False),
    Column("report", Text),  # JSON of the leak scanner; null before the first scan
    Column("scanned_by", Text),
    Column("scanned_at", String(40)),
    Column("release_no", Integer, unique=True),
    Column("released_by", Text, CheckConstraint("released_by <> made_by", name="publication_two_persons")),
    Column("released_at", String(40)),
    Column("audience", String(16)),
    Column("ended_by", Text),
    Column("ended_at", String(40)),
    Column("ended_reason", Text),
)
