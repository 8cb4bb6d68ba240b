"""From one frozen state of grid and ledger to a draft that was looked at for leaks.

Plain steps with progress, so that a durable job can carry them out one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from gridmodel.errors import InputError
from scheme.ledger.records import Actor
from scheme.policy.parameter import PolicyView
from scheme.publication.cells import classify
from scheme.publication.document import Basis, digest_of, head, write_publication
from scheme.publication.grid import CellGrid, GridSecret, found_grid
from scheme.publication.records import (
    Behind,
    Publication,
    PublicationStateError,
)
from scheme.publication.register import Register
from scheme.publication.rows import TransformerRow, list_places, list_transformers
from scheme.publication.rules import MapRules, read_map_rules
from scheme.publication.scanner import scan_file
from scheme.publication.secrets import collect_secrets

if TYPE_CHECKING:
    import pandas as pd

    from gridmodel.snapshot import Snapshot

Progress = Callable[[int, int], None]
DRAFT_STEPS = 3


@dataclass(frozen=True, kw_only=True)
class FrozenGrid:
    """One state of grid and ledger: everything a draft is made of."""

    snapshot: Snapshot
    table: pd.DataFrame
    """Open capacity of the nodes, net of the ledger at its head."""
    basis: Basis


def draft(
    register: Register,
    frozen: FrozenGrid,
    policy: PolicyView,
    *,
    publication_id: str,
    key: bytes,
    actor: Actor,
    negative_list: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Publication:
    """Make a publication of a frozen state and keep it as a draft.

    Args:
        register: Where it is kept.
        frozen: What it is made of.
        policy: Reads ``disclosure.map_*``.
        publication_id: Random.
        key: 32 secret random bytes; used only where the grid has not been founded yet.
        actor: Who makes it, and may not release it.
        negative_list: Identifiers of transformers and feeders on the negative list; ``None``: no list is given.
        progress: Told after each step.

    Raises:
        InputError: The squares asked for are not those the grid was founded with; an identifier of the list is unknown.
    """
    told = progress or _silent
    told(0, DRAFT_STEPS)
    rules = read_map_rules(policy)
    _check_negative_list(negative_list, frozen.snapshot)
    rows = list_transformers(frozen.snapshot, frozen.table, negative_list=negative_list)
    grid = CellGrid(_get_grid(register, rows, rules, key, actor))
    told(1, DRAFT_STEPS)
    last = register.find_last_released()
    previous = {} if last is None else register.get_bands(last.publication_id)
    classes = classify(rows, grid, rules, previous=previous)
    told(2, DRAFT_STEPS)
    month = f"{policy.as_of:%Y-%m}"
    content = write_publication(
        classes, grid, rules, publication_id=publication_id, data_month=month, basis=frozen.basis
    )
    made = register.add(
        publication_id=publication_id,
        data_month=month,
        content=content,
        basis=frozen.basis,
        profile=policy.profile,
        policy_sha256=policy.sha256,
        as_of=policy.as_of.isoformat(),
        behind=[_behind(row) for row in rows],
        bands=classes.bands,
        compared_with_id=None if last is None else last.publication_id,
        negative_list_sha256=None if negative_list is None else _list_sha256(negative_list),
        actor=actor,
    )
    told(3, DRAFT_STEPS)
    return made


def scan(
    register: Register,
    publication_id: str,
    snapshot: Snapshot,
    policy: PolicyView,
    *,
    actor: Actor,
    further_texts: Iterable[str] = (),
) -> Publication:
    """Look for leaks in the file of a draft and keep the report.

    Args:
        register: Where the draft is kept.
        publication_id: Which.
        snapshot: The one it was made from, read anew.
        policy: The one it was made under.
        actor: Who scans.
        further_texts: Identifiers of the ledger that must not stand in the file.

    Raises:
        PublicationStateError: Snapshot or policy are others than those of the draft.
    """
    kept = register.get(publication_id)
    if (snapshot.sha256, policy.sha256) != (kept.basis.snapshot_sha256, kept.policy_sha256):
        raise PublicationStateError(
            "grid data or rules are not those the draft was made of; make it anew", publication_id=publication_id
        )
    rules, content = read_map_rules(policy), register.get_content(publication_id)
    secret = register.find_grid()
    if secret is None:
        raise PublicationStateError("the grid of the map is gone", publication_id=publication_id)
    grid = CellGrid(secret)
    report = scan_file(
        content,
        content_sha256=digest_of(content),
        expected_head=head(rules, grid, publication_id, kept.data_month, kept.basis),
        secrets=collect_secrets(snapshot, further=further_texts),
        grid=grid,
        rules=rules,
        rows=_rows_again(register.get_behind(publication_id), snapshot),
    )
    return register.note_scan(publication_id, report, actor)


def remake(register: Register, publication_id: str, frozen: FrozenGrid, policy: PolicyView) -> bytes:
    """Return the file made once more from the frozen pair it names: the same bytes where nothing was touched.

    Args:
        register: Where it is kept.
        publication_id: Which.
        frozen: Grid and ledger of the pair, read and computed anew.
        policy: The one it was made under.

    Raises:
        PublicationStateError: Another pair is given.
    """
    kept = register.get(publication_id)
    if frozen.basis != kept.basis:
        raise PublicationStateError("grid and ledger are not those of the publication", publication_id=publication_id)
    rules, secret = read_map_rules(policy), register.find_grid()
    assert secret is not None, "a publication stands on a grid"
    grid = CellGrid(secret)
    listed = {item.element_id: item.is_restricted for item in register.get_behind(publication_id)}
    rows = [
        replace(row, is_restricted=listed.get(row.element_id))
        for row in list_transformers(frozen.snapshot, frozen.table, negative_list=None)
    ]
    previous = {} if kept.compared_with_id is None else register.get_bands(kept.compared_with_id)
    classes = classify(rows, grid, rules, previous=previous)
    return write_publication(
        classes, grid, rules, publication_id=publication_id, data_month=kept.data_month, basis=kept.basis
    )


def _get_grid(
    register: Register, rows: Iterable[TransformerRow], rules: MapRules, key: bytes, actor: Actor
) -> GridSecret:
    secret = register.find_grid()
    if secret is None:
        places = [(row.lon_deg, row.lat_deg) for row in rows]
        founded = found_grid(
            [lon for lon, _ in places],
            [lat for _, lat in places],
            key=key,
            cell_side_m=rules.cell_side_m,
            block_side_cells=rules.block_side_cells,
        )
        secret = register.keep_grid(founded, actor)
    if (secret.cell_side_m, secret.block_side_cells) != (rules.cell_side_m, rules.block_side_cells):
        raise InputError(
            "the squares are fixed for ever; another size would, compared with them, say where equipment stands",
            field="disclosure.map_cell_side_m",
            value=rules.cell_side_m,
            allowed=f"{secret.cell_side_m:g} m in blocks of {secret.block_side_cells}",
        )
    return secret


def _check_negative_list(negative_list: Collection[str] | None, snapshot: Snapshot) -> None:
    known = {*map(str, snapshot.transformers.element_id), *map(str, snapshot.feeders.index)}
    unknown = sorted(set(negative_list or ()) - known)
    if unknown:
        raise InputError(
            "no such transformer or feeder",
            field="negative_list",
            value=unknown[0],
            allowed="identifiers of transformers and feeders of the current snapshot",
        )


def _list_sha256(negative_list: Collection[str]) -> str:
    return digest_of("\n".join(sorted(set(negative_list))).encode())


def _behind(row: TransformerRow) -> Behind:
    kept = asdict(row)
    return Behind(**{name: kept[name] for name in Behind.__slots__})


def _rows_again(behind: Iterable[Behind], snapshot: Snapshot) -> list[TransformerRow]:
    """Return the transformers with their places read anew from the snapshot."""
    places: Mapping[str, tuple[float, float]] = list_places(snapshot)
    return [
        TransformerRow(**asdict(item), lon_deg=places[item.element_id][0], lat_deg=places[item.element_id][1])
        for item in behind
    ]


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""
