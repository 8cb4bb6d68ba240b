"""API keys: shown once, kept as a hash, valid to the end of their last day in Asia/Shanghai. On both stores."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from api.access.errors import AuthenticationError
from api.access.keys import LocalKeys, StoredKeys, create_key
from api.access.principal import ROLES
from api.cli import main
from gridmodel.errors import InputError, NotFoundError
from scheme.access.hashing import hash_secret, is_secret
from scheme.access.keys import ApiKeys
from scheme.store import Store


class ClockedStore(Store):
    """A store whose clock says what the test wants."""

    time = datetime(2026, 11, 1, tzinfo=UTC)

    def now(self, connection: Connection) -> datetime:
        return self.time


@pytest.fixture
def store(store_url: str) -> ClockedStore:
    return ClockedStore(store_url)


def test_secret_is_kept_as_a_salted_hash_only(store: Store) -> None:
    _, key = create_key(ApiKeys(store), subject_id="ZK-1", roles=["engineer"], expires_on=date(2027, 1, 1))
    with store.read() as connection:
        rows = connection.execute(text("select * from api_key")).all()
    secret = key.rpartition("_")[2]
    assert len(secret) == 64
    assert secret not in repr(rows)
    assert hash_secret(key) != hash_secret(key)


def test_hash_holds_for_its_secret_alone() -> None:
    hashed = hash_secret("gsk_a")
    assert is_secret("gsk_a", hashed)
    assert not is_secret("gsk_b", hashed)
    assert not is_secret("gsk_a", hashed.replace("scrypt", "plain"))


def test_hash_is_scrypt_of_the_standard_library() -> None:
    import hashlib

    name, cost_log2, block, lanes, salt, digest = hash_secret("gsk_a").split("$")
    assert name == "scrypt"
    n, r, p = 2 ** int(cost_log2), int(block), int(lanes)
    assert n * r * 128 >= 16 * 2**20  # bytes of memory a guess takes
    expected = hashlib.scrypt(b"gsk_a", salt=bytes.fromhex(salt), n=n, r=r, p=p, maxmem=2**26, dklen=32)
    assert digest == expected.hex()


@pytest.mark.parametrize(
    ("moment", "is_valid"),
    [
        ("2026-11-30T15:59:59+00:00", True),  # 23:59:59 in Shanghai
        ("2026-11-30T16:00:00+00:00", False),  # 00:00:00 of the next day
    ],
)
def test_key_holds_to_the_end_of_its_last_day_in_shanghai(store: ClockedStore, moment: str, is_valid: bool) -> None:
    _, key = create_key(ApiKeys(store), subject_id="ZK-1", roles=["customer"], expires_on=date(2026, 11, 30))
    store.time = datetime.fromisoformat(moment)
    assert ApiKeys(store).has_valid() is is_valid
    if is_valid:
        assert StoredKeys(ApiKeys(store)).check(key).subject_id == "ZK-1"
    else:
        with pytest.raises(AuthenticationError):
            StoredKeys(ApiKeys(store)).check(key)


def test_key_that_would_never_hold_is_not_made(store: ClockedStore) -> None:
    with pytest.raises(InputError, match="never hold"):
        create_key(ApiKeys(store), subject_id="ZK-1", roles=["customer"], expires_on=date(2026, 10, 31))
    assert ApiKeys(store).list_all() == []


def test_proven_secret_still_ends_with_the_key(store: ClockedStore) -> None:
    keys = StoredKeys(ApiKeys(store))
    kept, key = create_key(ApiKeys(store), subject_id="ZK-1", roles=["engineer"], expires_on=date(2026, 11, 30))
    assert not keys.is_proven(key)
    assert keys.check(key).roles == {"engineer"}
    assert keys.is_proven(key)
    ApiKeys(store).revoke(kept.key_id)
    with pytest.raises(AuthenticationError):
        keys.check(key)
    assert not ApiKeys(store).has_valid()


def test_proven_key_costs_no_second_hash(store: ClockedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    import api.access.keys

    tried: list[str] = []

    def counted(secret: str, hashed: str) -> bool:
        tried.append(secret)
        return is_secret(secret, hashed)

    monkeypatch.setattr(api.access.keys, "is_secret", counted)
    keys = StoredKeys(ApiKeys(store))
    _, key = create_key(ApiKeys(store), subject_id="ZK-1", roles=["engineer"], expires_on=date(2026, 11, 30))
    for _ in range(3):
        keys.check(key)
    assert tried == [key]
    with pytest.raises(AuthenticationError):
        keys.check(f"gsk_{'0' * 16}_{'0' * 64}")
    assert len(tried) == 2  # an unknown id takes as long as a wrong secret


def test_last_use_is_kept_by_day_and_never_goes_back(store: ClockedStore) -> None:
    keys = ApiKeys(store)
    _, key = create_key(keys, subject_id="ZK-1", roles=["engineer"], expires_on=date(2026, 11, 30))
    assert keys.list_all()[0].last_used_on is None
    for moment in ("2026-11-05T01:00:00+00:00", "2026-11-05T17:00:00+00:00", "2026-11-04T01:00:00+00:00"):
        store.time = datetime.fromisoformat(moment)
        StoredKeys(keys).check(key)
    assert keys.list_all()[0].last_used_on == date(2026, 11, 6)


def test_making_and_revoking_a_key_stands_in_the_audit_trail_once(store: ClockedStore) -> None:
    keys = ApiKeys(store)
    kept, _ = create_key(keys, subject_id="ZK-1", roles=["engineer"], expires_on=date(2026, 11, 30))
    keys.revoke(kept.key_id)
    keys.revoke(kept.key_id)
    with store.read() as connection:
        rows = connection.execute(text("select action, object_id from audit_row order by seq")).all()
    assert [tuple(row) for row in rows] == [("key.create", kept.key_id), ("key.revoke", kept.key_id)]


def test_revoking_what_is_not_there_is_refused(store: ClockedStore) -> None:
    with pytest.raises(NotFoundError):
        ApiKeys(store).revoke("key_0000000000000000")


def test_keys_are_found_in_a_store_that_was_never_written(store: ClockedStore) -> None:
    assert ApiKeys(store).list_all() == []
    assert not ApiKeys(store).has_valid()
    assert ApiKeys(store).find("key_0000000000000000") is None


def test_local_keys_are_one_for_each_role_and_shown_once() -> None:
    local = LocalKeys()
    keys = local.show_once()
    assert set(keys) == set(ROLES)
    assert local.show_once() == {}
    for role, key in keys.items():
        found = local.find(key)
        assert found is not None
        assert found.roles == {role}
    assert local.find(keys["engineer"][:-1]) is None
    assert LocalKeys().find(keys["engineer"]) is None


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    status = main([*arguments, "--json"])
    captured = capsys.readouterr()
    return status, json.loads(captured.out) if captured.out else None, captured.err


def test_commands_make_list_and_revoke_a_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = ["--db", str(tmp_path / "keys.db")]
    options = ["--role", "customer", "--subject", "ZK-1", "--expires", "2100-01-01"]
    status, made, _ = run(capsys, "key", "create", *options, *db)
    assert (status, made["subject"], made["roles"], made["expires_on"]) == (0, "ZK-1", ["customer"], "2100-01-01")
    assert made["key"].startswith("gsk_" + made["key_id"].removeprefix("key_"))
    status, listed, _ = run(capsys, "key", "list", *db)
    assert (status, [key["key_id"] for key in listed["keys"]]) == (0, [made["key_id"]])
    assert made["key"].rpartition("_")[2] not in json.dumps(listed)
    assert run(capsys, "key", "revoke", made["key_id"], *db)[1]["is_revoked"] is True
    with pytest.raises(AuthenticationError):
        StoredKeys(ApiKeys(Store(db[1]))).check(made["key"])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--role", "boss"),
        ("--role", "public"),
        ("--role", "engineer"),  # besides customer
        ("--subject", "anonymous"),
        ("--subject", "a b"),
        ("--subject", ""),
        ("--subject", "x" * 65),
        ("--expires", "2020-01-01"),
        ("--expires", "20990101"),
        ("--expires", "soon"),
    ],
)
def test_bad_options_make_no_key(tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str) -> None:
    db = tmp_path / "keys.db"
    given = {"--role": "customer", "--subject": "ZK-1", "--expires": "2100-01-01"}
    options = [part for pair in given.items() for part in pair]
    status, made, message = run(capsys, "key", "create", *options, option, value, "--db", str(db))
    assert (status, made) == (2, None)
    assert option in message
    assert not db.exists() or ApiKeys(Store(str(db))).list_all() == []
