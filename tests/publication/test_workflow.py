from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import update

from gridmodel.errors import InputError, NotFoundError
from gridmodel.snapshot import Snapshot
from scheme.errors import PolicyNotInForceError
from scheme.ledger.audit_trail import read_rows
from scheme.ledger.records import Actor
from scheme.policy.loader import load_policy
from scheme.policy.parameter import PolicyView
from scheme.publication.document import digest_of
from scheme.publication.drafting import FrozenGrid, draft, remake, scan
from scheme.publication.public_store import PublicFile, PublicStore, check_apart, default_public_url
from scheme.publication.records import LeakFoundError, Publication, PublicationStateError, SecondPersonError
from scheme.publication.register import Register
from scheme.publication.releasing import mirror, release, withdraw
from scheme.publication.tables import PUBLICATION
from scheme.store import Store, StoreError
from tests.publication.examples import KEY, write_public_policy

MAKER = Actor(subject_id="zhang", role="operator", request_id="req-1")
OTHER = Actor(subject_id="li", role="operator", request_id="req-2")


@dataclass
class Desk:
    """Two stores, a frozen grid, and whose day it is."""

    register: Register
    public: PublicStore
    store: Store
    frozen: FrozenGrid
    folder: Path
    day: date = date(2026, 11, 20)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 100)))

    @property
    def policy(self) -> PolicyView:
        return load_policy("our-county", self.day, folder=self.folder)

    def draft(self, **given: object) -> Publication:
        options = {"publication_id": f"pub_{next(self.numbers)}", "key": KEY, "actor": MAKER, **given}
        return draft(self.register, self.frozen, self.policy, **options)  # type: ignore[arg-type]

    def scan(self, publication_id: str) -> Publication:
        return scan(self.register, publication_id, self.frozen.snapshot, self.policy, actor=MAKER)

    def scanned(self) -> Publication:
        return self.scan(self.draft().publication_id)

    def release(self, made: Publication, actor: Actor = OTHER, sha256: str | None = None) -> Publication:
        digest = made.content_sha256 if sha256 is None else sha256
        return release(self.register, self.public, made.publication_id, self.policy, content_sha256=digest, actor=actor)

    def withdraw(self, made: Publication, reason: str = "数据有误") -> Publication:
        return withdraw(self.register, self.public, made.publication_id, reason=reason, actor=OTHER)

    def in_public(self) -> str | None:
        found = self.public.find_current()
        return None if found is None else found.publication_id


@pytest.fixture
def desk(frozen: FrozenGrid, tmp_path: Path) -> Iterator[Desk]:
    """A desk on SQLite; what the database itself must do is tested on both."""
    yield from open_desk(str(tmp_path / "grid.db"), frozen, tmp_path)


@pytest.fixture
def any_desk(store_url: str, frozen: FrozenGrid, tmp_path: Path) -> Iterator[Desk]:
    yield from open_desk(store_url, frozen, tmp_path)


def open_desk(store_url: str, frozen: FrozenGrid, folder: Path) -> Iterator[Desk]:
    store, public = Store(store_url), PublicStore(str(folder / "public.db"))
    policy = write_public_policy(folder / "policy")
    yield Desk(register=Register(store), public=public, store=store, frozen=frozen, folder=policy)
    store.close()
    public.close()


def test_a_publication_goes_from_draft_by_a_second_person_into_public(any_desk: Desk) -> None:
    made = any_desk.draft()
    assert (made.state, made.data_month, made.made_by) == ("draft", "2026-11", "zhang")
    assert made.basis == any_desk.frozen.basis
    assert any_desk.in_public() is None
    scanned = any_desk.scan(made.publication_id)
    assert scanned.state == "scanned"
    assert scanned.report is not None
    assert scanned.report.is_clean
    assert any_desk.in_public() is None
    released = any_desk.release(scanned)
    assert (released.state, released.released_by, released.release_no, released.audience) == (
        "released",
        "li",
        1,
        "public",
    )
    shown = any_desk.public.find_current()
    assert shown is not None
    assert shown.content == any_desk.register.get_content(made.publication_id)
    assert json.loads(shown.content)["basis_sha256"] == any_desk.frozen.basis.sha256


def test_whoever_made_it_may_not_release_it(desk: Desk) -> None:
    made = desk.scanned()
    with pytest.raises(SecondPersonError):
        desk.release(made, actor=MAKER)
    assert desk.in_public() is None
    assert desk.register.get(made.publication_id).state == "scanned"


def test_the_database_itself_refuses_a_release_by_the_maker(any_desk: Desk) -> None:
    made = any_desk.scanned()
    statement = update(PUBLICATION).where(PUBLICATION.c.publication_id == made.publication_id)
    with pytest.raises(StoreError), any_desk.store.write() as connection:
        connection.execute(statement.values(released_by="zhang"))


def test_nothing_unscanned_goes_out(desk: Desk) -> None:
    with pytest.raises(PublicationStateError, match="it is scanned first"):
        desk.release(desk.draft())
    assert desk.in_public() is None


def test_whoever_releases_names_the_file_looked_at(desk: Desk) -> None:
    made = desk.scanned()
    with pytest.raises(PublicationStateError, match="not the digest"):
        desk.release(made, sha256="0" * 64)
    assert desk.in_public() is None


def test_a_file_with_a_leak_is_refused_for_good(desk: Desk) -> None:
    made = desk.draft()
    content = desk.register.get_content(made.publication_id).replace(b'"class":"', b'"class":"F11', 1)
    change = {"content": content, "content_sha256": digest_of(content)}
    with desk.store.write() as connection:
        where = PUBLICATION.c.publication_id == made.publication_id
        connection.execute(update(PUBLICATION).where(where).values(**change))
    found = desk.scan(made.publication_id)
    assert found.state == "refused"
    assert found.report is not None
    assert {finding.kind for finding in found.report.findings} >= {"grid_text"}
    with pytest.raises(LeakFoundError):
        desk.release(found)
    assert desk.in_public() is None


def test_a_file_that_was_changed_in_the_store_is_not_read(desk: Desk) -> None:
    made = desk.scanned()
    with desk.store.write() as connection:
        connection.execute(update(PUBLICATION).values(content=b"{}"))
    with pytest.raises(PublicationStateError, match="does not match its digest"):
        desk.scan(made.publication_id)
    with pytest.raises(PublicationStateError, match="does not match its digest"):
        desk.release(made)
    assert desk.in_public() is None


def test_a_month_has_one_publication_and_a_new_one_replaces_the_old(any_desk: Desk) -> None:
    first = any_desk.release(any_desk.scanned())
    with pytest.raises(PublicationStateError, match="too recent"):
        any_desk.release(any_desk.scanned())
    any_desk.day = date(2026, 12, 20)
    second = any_desk.release(any_desk.scanned())
    assert any_desk.register.get(first.publication_id).state == "replaced"
    assert any_desk.in_public() == second.publication_id
    assert second.release_no == 2


def test_squares_are_the_same_in_every_month(desk: Desk) -> None:
    def squares(made: Publication) -> dict[str, object]:
        document = json.loads(desk.register.get_content(made.publication_id))
        return {item["id"]: item["geometry"] for item in document["features"]}

    first = squares(desk.release(desk.scanned()))
    desk.day = date(2026, 12, 20)
    later = squares(desk.draft(key=bytes(32)))  # another secret offered is not taken
    assert first == later


def test_a_draft_made_before_another_release_is_too_old(desk: Desk) -> None:
    old = desk.scanned()
    desk.release(desk.scanned())
    desk.day = date(2027, 1, 20)
    with pytest.raises(PublicationStateError):
        desk.release(old)


def test_the_memory_of_the_public_reaches_into_the_next_draft(desk: Desk) -> None:
    first = desk.release(desk.scanned())
    bands = desk.register.get_bands(first.publication_id)
    assert bands
    desk.withdraw(first)  # the public has seen it all the same
    again = desk.draft()
    assert again.compared_with_id == first.publication_id
    assert desk.register.get_bands(again.publication_id) == bands


def test_withdrawal_empties_the_public_side_and_needs_a_reason(desk: Desk) -> None:
    made = desk.release(desk.scanned())
    with pytest.raises(InputError, match="says why"):
        desk.withdraw(made, reason="  ")
    assert desk.in_public() == made.publication_id
    ended = desk.withdraw(made)
    assert (ended.state, ended.ended_by, ended.ended_reason) == ("withdrawn", "li", "数据有误")
    assert desk.in_public() is None
    with pytest.raises(PublicationStateError):
        desk.withdraw(made)
    again = desk.release(desk.scanned())  # a correction in the same month
    assert desk.in_public() == again.publication_id


def test_a_draft_can_be_given_up(desk: Desk) -> None:
    made = desk.scanned()
    desk.withdraw(made)
    with pytest.raises(PublicationStateError):
        desk.release(made)
    with pytest.raises(PublicationStateError):
        desk.scan(made.publication_id)


def test_every_change_of_state_has_one_audit_row(any_desk: Desk) -> None:
    made = any_desk.release(any_desk.scanned())
    any_desk.withdraw(made)
    with any_desk.store.read() as connection:
        rows = read_rows(connection, made.publication_id)
    assert [(row["action"], row["subject_id"]) for row in rows] == [
        ("publication.draft", "zhang"),
        ("publication.scan", "zhang"),
        ("publication.release", "li"),
        ("publication.withdraw", "li"),
    ]
    assert rows[2]["after_sha256"] == made.content_sha256
    assert rows[3]["reason"] == "数据有误"


def test_what_a_crash_left_between_the_two_stores_is_mended(desk: Desk) -> None:
    made = desk.release(desk.scanned())
    desk.public.clear()  # the release was noted, the public side not yet written
    mirror(desk.register, desk.public)
    assert desk.in_public() == made.publication_id
    with desk.store.write() as connection:  # noted as withdrawn, the public side not yet cleared
        connection.execute(update(PUBLICATION).values(state="withdrawn"))
    mirror(desk.register, desk.public)
    assert desk.in_public() is None


def test_a_scan_needs_the_snapshot_and_the_rules_of_the_draft(desk: Desk) -> None:
    made = desk.draft()
    other = replace(desk.frozen.snapshot, sha256="f" * 64)
    with pytest.raises(PublicationStateError, match="not those the draft was made of"):
        scan(desk.register, made.publication_id, other, desk.policy, actor=MAKER)
    (desk.folder / "disclosure" / "map_band_edges_kva.yaml").write_text(
        "id: disclosure.map_band_edges_kva\nvalues:\n  - profile: our-county\n    effective_from: 2024-01-01\n"
        "    value: [20, 60]\n    source: {document: 本单位文件, clause: 第二条}\n",
        encoding="utf-8",
    )
    with pytest.raises(PublicationStateError, match="not those the draft was made of"):
        desk.scan(made.publication_id)


def test_squares_of_another_size_are_refused_for_ever(desk: Desk) -> None:
    desk.draft()
    (desk.folder / "disclosure" / "map_cell_side_m.yaml").write_text(
        "id: disclosure.map_cell_side_m\nvalues:\n  - profile: our-county\n    effective_from: 2024-01-01\n"
        "    value: 500\n    source: {document: 本单位文件, clause: 第二条}\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="fixed for ever") as caught:
        desk.draft()
    assert caught.value.context["allowed"] == "1000 m in blocks of 4"


def test_nothing_goes_out_where_nobody_decided_who_may_see_it(desk: Desk) -> None:
    made = desk.scanned()
    nobody = load_policy("xinyang-2021", desk.day)
    with pytest.raises(PolicyNotInForceError, match="map_audience"):
        release(
            desk.register, desk.public, made.publication_id, nobody, content_sha256=made.content_sha256, actor=OTHER
        )
    assert desk.in_public() is None
    county = load_policy("shenqiu-2022", desk.day)
    released = release(
        desk.register, desk.public, made.publication_id, county, content_sha256=made.content_sha256, actor=OTHER
    )
    assert released.audience == "on_application"


def test_negative_list_is_checked_and_marks_squares(desk: Desk, sealed: Snapshot) -> None:
    with pytest.raises(InputError, match="no such transformer or feeder"):
        desk.draft(negative_list=["T000", "T-unknown"])
    made = desk.draft(negative_list=["F11", "F12", "F21", "F22"])
    told = [item["properties"] for item in json.loads(desk.register.get_content(made.publication_id))["features"]]
    assert {item["is_restricted"] for item in told if item["class"] != "suppressed"} == {True}
    assert made.negative_list_sha256 is not None
    assert desk.scan(made.publication_id).state == "scanned"


def test_the_frozen_pair_gives_the_same_bytes_again(desk: Desk) -> None:
    desk.release(desk.scanned())
    desk.day = date(2026, 12, 20)
    made = desk.draft(negative_list=["F11"])  # with a memory and a list
    again = remake(desk.register, made.publication_id, desk.frozen, desk.policy)
    assert again == desk.register.get_content(made.publication_id)
    moved = replace(desk.frozen, basis=replace(desk.frozen.basis, ledger_seq=1))
    with pytest.raises(PublicationStateError, match="not those of the publication"):
        remake(desk.register, made.publication_id, moved, desk.policy)


def test_draft_tells_how_far_it_is(desk: Desk) -> None:
    told: list[tuple[int, int]] = []
    desk.draft(progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_the_newest_publication_is_listed_first_and_an_unknown_one_is_not_found(desk: Desk) -> None:
    first, second = desk.draft(), desk.draft()
    assert [made.publication_id for made in desk.register.list_all()] == [second.publication_id, first.publication_id]
    with pytest.raises(NotFoundError):
        desk.register.get("pub_unknown")
    with pytest.raises(NotFoundError):
        desk.register.get_content("pub_unknown")


def test_the_public_side_refuses_the_database_of_the_grid_and_the_other_way_round(
    store_url: str, tmp_path: Path, sealed: Snapshot
) -> None:
    store = Store(store_url)
    store.store_snapshot(sealed)
    with pytest.raises(InputError, match="kept apart from the grid"):
        PublicStore(store_url).find_current()
    with pytest.raises(InputError, match="kept apart from the grid"):
        PublicStore(store_url).check()
    store.close()


def test_a_database_of_publications_is_no_store_of_the_grid(desk: Desk) -> None:
    desk.release(desk.scanned())
    with pytest.raises(InputError, match="another program"):
        Store(str(desk.public.file)).find_current_sha256()


def test_the_public_database_holds_one_file_and_nothing_of_the_grid(desk: Desk, sealed: Snapshot) -> None:
    desk.release(desk.scanned(), actor=replace(OTHER, subject_id="li-the-releaser"))
    assert desk.public.file is not None
    held = desk.public.file.read_bytes()
    for secret in ("li-the-releaser", "zhang", sealed.sha256, KEY.hex(), "T000", "10kV 松岭线", "石桥"):
        assert secret.encode() not in held


def test_one_database_for_both_sides_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    file.touch()
    (tmp_path / "link.db").symlink_to(file)
    for other in (str(file), f"sqlite:///{file}", str(tmp_path / "x" / ".." / "a.db"), str(tmp_path / "link.db")):
        with pytest.raises(InputError, match="database of its own"):
            check_apart(str(file), other)
    with pytest.raises(InputError, match="database of its own"):
        check_apart("postgresql+psycopg://u:secret@db/grid", "postgresql://other@db:5432/grid")
    check_apart("postgresql+psycopg://u@db/grid", "postgresql+psycopg://u@db/public")
    check_apart("postgresql+psycopg://u@db/grid", str(file))
    check_apart(str(file), str(tmp_path / "b.db"))


def test_the_public_file_stands_beside_the_store_unless_one_is_named() -> None:
    assert default_public_url("gridscheme.db") == "gridscheme-public.db"
    assert default_public_url("sqlite:///data/x.db") == "data/x-public.db"
    assert default_public_url("postgresql+psycopg://u@db/grid") is None


def test_the_public_side_works_on_postgresql(postgres_url: str) -> None:
    public = PublicStore(postgres_url)
    assert public.find_current() is None
    shown = PublicFile(publication_id="pub_1", content=b"{}", content_sha256=digest_of(b"{}"), audience="public")
    public.put(shown)
    public.put(replace(shown, publication_id="pub_2"))
    assert public.find_current() == replace(shown, publication_id="pub_2")
    public.clear()
    assert public.find_current() is None
    public.put(replace(shown, content=b"{} "))
    with pytest.raises(StoreError, match="does not match its digest"):
        public.find_current()
    public.close()
