"""The register of publications (发布登记), internal: drafts, reports, who released what, and the secret grid."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, Row, func, insert, select, update

from gridmodel.errors import NotFoundError
from scheme.ledger import audit_trail
from scheme.ledger.records import Actor
from scheme.publication.document import Basis, digest_of
from scheme.publication.grid import GridSecret
from scheme.publication.records import (
    Behind,
    Publication,
    PublicationStateError,
    State,
    read_report,
    report_to_json,
)
from scheme.publication.rules import MapAudience
from scheme.publication.scanner import LeakReport
from scheme.publication.tables import MAP_GRID, PUBLICATION
from scheme.store import Store

_COLUMNS = [column for column in PUBLICATION.c if column.name not in ("content", "behind", "bands")]


class Register:
    """Publications on one internal store.

    Args:
        store: The internal store; it holds the topology.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def find_grid(self) -> GridSecret | None:
        """Return the secret of the grid, ``None`` before it was founded."""
        with self._store.read() as connection:
            text = connection.execute(select(MAP_GRID.c.secret)).scalar()
        return None if text is None else GridSecret.read(text)

    def keep_grid(self, secret: GridSecret, actor: Actor) -> GridSecret:
        """Found the grid for ever; where somebody did already, theirs is returned."""
        with self._store.write() as connection:
            text = connection.execute(select(MAP_GRID.c.secret)).scalar()
            if text is not None:
                return GridSecret.read(text)
            values = {"only_row": 1, "secret": secret.to_json(), "founded_at": self._now(connection)}
            connection.execute(insert(MAP_GRID).values(**values))
            audit_trail.append(connection, actor, "publication.found_grid", "map_grid")
        return secret

    def add(
        self,
        *,
        publication_id: str,
        data_month: str,
        content: bytes,
        basis: Basis,
        profile: str,
        policy_sha256: str,
        as_of: str,
        behind: Sequence[Behind],
        bands: Mapping[str, int],
        compared_with_id: str | None,
        negative_list_sha256: str | None,
        actor: Actor,
    ) -> Publication:
        """Keep a draft."""
        content_sha256 = digest_of(content)
        values = {
            "publication_id": publication_id,
            "state": "draft",
            "data_month": data_month,
            "content": content,
            "content_sha256": content_sha256,
            "snapshot_sha256": basis.snapshot_sha256,
            "ledger_seq": basis.ledger_seq,
            "ledger_sha256": basis.ledger_sha256,
            "profile": profile,
            "policy_sha256": policy_sha256,
            "as_of": as_of,
            "behind": json.dumps(
                [[item.element_id, item.open_va, item.customers, item.is_restricted] for item in behind],
                ensure_ascii=False,
            ),
            "bands": json.dumps(bands, sort_keys=True),
            "compared_with_id": compared_with_id,
            "negative_list_sha256": negative_list_sha256,
            "made_by": actor.subject_id,
        }
        with self._store.write() as connection:
            connection.execute(insert(PUBLICATION).values(**values, made_at=self._now(connection)))
            audit_trail.append(connection, actor, "publication.draft", publication_id, after_sha256=content_sha256)
        return self.get(publication_id)

    def get(self, publication_id: str) -> Publication:
        """Return a publication.

        Raises:
            NotFoundError: There is none with this id.
        """
        with self._store.read() as connection:
            return _get(connection, publication_id)

    def list_all(self) -> tuple[Publication, ...]:
        """Return all publications, the newest first."""
        order = (PUBLICATION.c.made_at.desc(), PUBLICATION.c.publication_id)
        with self._store.read() as connection:
            rows = connection.execute(select(*_COLUMNS).order_by(*order)).all()
        return tuple(_read(row) for row in rows)

    def get_content(self, publication_id: str) -> bytes:
        """Return the file.

        Raises:
            NotFoundError: No such publication.
            PublicationStateError: The file is not the one that was kept.
        """
        content, sha256 = self._columns(publication_id, "content", "content_sha256")
        if digest_of(bytes(content)) != sha256:
            raise PublicationStateError("the file kept does not match its digest", publication_id=publication_id)
        return bytes(content)

    def get_behind(self, publication_id: str) -> tuple[Behind, ...]:
        """Return what the transformers brought.

        Raises:
            NotFoundError: No such publication.
        """
        [text] = self._columns(publication_id, "behind")
        names = ("element_id", "open_va", "customers", "is_restricted")
        return tuple(Behind(**dict(zip(names, item, strict=True))) for item in json.loads(text))

    def find_current(self) -> Publication | None:
        """Return the publication that is in public."""
        with self._store.read() as connection:
            return _find(connection, PUBLICATION.c.state == "released")

    def find_last_released(self) -> Publication | None:
        """Return the one that went into public last, whatever became of it: the public remembers it."""
        with self._store.read() as connection:
            return _find_last(connection)

    def get_bands(self, publication_id: str) -> Mapping[str, int]:
        """Return the classes of a publication by area.

        Raises:
            NotFoundError: No such publication.
        """
        [text] = self._columns(publication_id, "bands")
        bands: Mapping[str, int] = json.loads(text)
        return bands

    def note_scan(self, publication_id: str, report: LeakReport, actor: Actor) -> Publication:
        """Keep the scanner's report; the publication is ``scanned``, or ``refused`` where something was found.

        Raises:
            PublicationStateError: It has been released or given up.
        """
        values = {"state": "scanned" if report.is_clean else "refused", "report": report_to_json(report)}
        with self._store.write() as connection:
            values |= {"scanned_by": actor.subject_id, "scanned_at": self._now(connection)}
            _move(connection, publication_id, ("draft", "scanned", "refused"), values)
            reason = f"{report.findings_total} findings"
            audit_trail.append(
                connection, actor, "publication.scan", publication_id, reason, after_sha256=report.content_sha256
            )
        return self.get(publication_id)

    def note_release(self, publication_id: str, audience: MapAudience, actor: Actor) -> Publication:
        """Make a scanned publication the current one, and the current one ``replaced``, in one transaction.

        Raises:
            PublicationStateError: It was not scanned, or compared with another publication than the last one.
        """
        with self._store.write() as connection:
            wanted = _get(connection, publication_id)
            last = _find_last(connection)
            if wanted.compared_with_id != (None if last is None else last.publication_id):
                raise PublicationStateError(
                    "another publication was released since this one was made; make it anew",
                    publication_id=publication_id,
                )
            current = _find(connection, PUBLICATION.c.state == "released")
            now = self._now(connection)
            if current is not None:
                ended = {"state": "replaced", "ended_by": actor.subject_id, "ended_at": now}
                _move(connection, current.publication_id, ("released",), ended)
                audit_trail.append(
                    connection,
                    actor,
                    "publication.replace",
                    current.publication_id,
                    before_sha256=current.content_sha256,
                )
            values = {
                "state": "released",
                "release_no": 1 if last is None else (last.release_no or 0) + 1,
                "released_by": actor.subject_id,
                "released_at": now,
                "audience": audience,
            }
            _move(connection, publication_id, ("scanned",), values)
            audit_trail.append(
                connection, actor, "publication.release", publication_id, after_sha256=wanted.content_sha256
            )
        return self.get(publication_id)

    def note_withdrawal(self, publication_id: str, reason: str, actor: Actor) -> Publication:
        """Take a publication back, or give a draft up.

        Raises:
            PublicationStateError: It is not in public any more.
        """
        with self._store.write() as connection:
            before = _get(connection, publication_id)
            ended = {"ended_by": actor.subject_id, "ended_at": self._now(connection), "ended_reason": reason}
            open_states: tuple[State, ...] = ("draft", "scanned", "refused", "released")
            _move(connection, publication_id, open_states, {"state": "withdrawn", **ended})
            audit_trail.append(
                connection,
                actor,
                "publication.withdraw",
                publication_id,
                reason,
                before_sha256=before.content_sha256,
            )
        return self.get(publication_id)

    def _columns(self, publication_id: str, *names: str) -> Sequence[Any]:
        statement = select(*(PUBLICATION.c[name] for name in names)).where(_is(publication_id))
        with self._store.read() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            raise _no_such(publication_id)
        return tuple(row)

    def _now(self, connection: Connection) -> str:
        return self._store.now(connection).isoformat(timespec="microseconds")


def _is(publication_id: str) -> Any:
    return PUBLICATION.c.publication_id == publication_id


def _no_such(publication_id: str) -> NotFoundError:
    return NotFoundError("no such publication", publication_id=publication_id)


def _get(connection: Connection, publication_id: str) -> Publication:
    found = _find(connection, _is(publication_id))
    if found is None:
        raise _no_such(publication_id)
    return found


def _find(connection: Connection, condition: Any) -> Publication | None:
    row = connection.execute(select(*_COLUMNS).where(condition)).one_or_none()
    return None if row is None else _read(row)


def _find_last(connection: Connection) -> Publication | None:
    highest = select(func.max(PUBLICATION.c.release_no)).scalar_subquery()
    return _find(connection, PUBLICATION.c.release_no == highest)


def _move(connection: Connection, publication_id: str, from_states: Sequence[State], values: Mapping[str, Any]) -> None:
    """Change a publication that is in one of the states."""
    is_from = PUBLICATION.c.state.in_(from_states)
    done = connection.execute(update(PUBLICATION).where(_is(publication_id), is_from).values(**values))
    if done.rowcount != 1:
        state = _get(connection, publication_id).state
        raise PublicationStateError(
            f"the publication is {state}", publication_id=publication_id, allowed=", ".join(from_states)
        )


def _read(row: Row[Any]) -> Publication:
    kept = dict(row._mapping)
    pair = {name: kept.pop(name) for name in ("snapshot_sha256", "ledger_seq", "ledger_sha256")}
    state = cast(State, kept.pop("state"))
    return Publication(**{**kept, "state": state, "basis": Basis(**pair), "report": read_report(kept["report"])})
