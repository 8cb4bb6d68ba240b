"""The use cases behind command line and HTTP: store a snapshot, answer one request, hand out what is stored."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from api.live_grid import LiveGrid, LiveState, NoSnapshotError
from gridmodel.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from api.asking import Asking
    from gridmodel.profiles import LoadProfiles
    from gridmodel.snapshot import Snapshot
    from scheme.disclosure.rules import ApplicationLimits
    from scheme.ledger.idempotency import StoredAnswer
    from scheme.model import Scheme
    from scheme.policy.parameter import PolicyView
    from scheme.request import SupplyRequest
    from scheme.stock import StockTable
    from scheme.store import Store, StoredScheme

__all__ = [
    "Answer",
    "NoSnapshotError",
    "Parts",
    "Progress",
    "Services",
    "Stage",
    "TellStage",
    "product_parts",
    "product_version",
]

Progress = Callable[[int, int], None]
Stage = Literal["queued", "grid", "search", "documents", "record"]
"""What an answer is at: others come first, the grid as promised, points and their load flows, documents, keeping it."""
TellStage = Callable[[Stage], None]


def _silent(_: Stage) -> None:
    """Tell nobody."""


def _certify(*given: Any, **named: Any) -> Mapping[str, Any]:
    from scheme.admission.certificate import certify_promise

    return certify_promise(*given, **named)


def _show_customer(scheme: Scheme, policy: PolicyView) -> Mapping[str, bytes]:
    from scheme.disclosure.customer_documents import customer_documents
    from scheme.disclosure.customer_view import customer_view

    return customer_documents(customer_view(scheme, policy))


def _check_site(scheme: Scheme, policy: PolicyView) -> Mapping[str, Any]:
    from scheme.disclosure.customer_view import customer_view
    from scheme.disclosure.site_check import site_check

    return site_check(customer_view(scheme, policy)).as_dict()


def _application_limits(policy: PolicyView) -> ApplicationLimits:
    from scheme.disclosure.rules import read_application_limits

    return read_application_limits(policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The calculations the use cases call; tests may replace the slow ones."""

    load_policy: Callable[[str, date], PolicyView]
    capacity_settings: Callable[[PolicyView], Mapping[str, Any]]
    """Named arguments of :func:`gridmodel.capacity.nodes.node_capacity` that policy decides."""
    node_capacity: Callable[..., pd.DataFrame]
    generate_scheme: Callable[..., Scheme]
    write_documents: Callable[[Scheme, Snapshot, Path], Scheme]
    certify: Callable[..., Mapping[str, Any]] = _certify
    """Shows that the grid carries what a scheme promises: :func:`scheme.admission.certificate.certify_promise`."""
    show_customer: Callable[[Scheme, PolicyView], Mapping[str, bytes]] = _show_customer
    """Returns the files a customer may read of an own scheme, ``scheme.json`` among them."""
    check_site: Callable[[Scheme, PolicyView], Mapping[str, Any]] = _check_site
    """Returns what a check of a site tells of the scheme that would answer."""
    application_limits: Callable[[PolicyView], ApplicationLimits] = _application_limits
    """Returns how many applications of one customer are answered online."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A scheme with its files."""

    stored: StoredScheme
    files: tuple[str, ...]
    """Names of the documents written, empty for a replay."""
    is_replayed: bool
    told: StoredAnswer | None = None
    """What was answered under the key of the call, byte for byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A scheme that nobody has been told and nothing is kept of."""

    scheme: Scheme
    stored: StoredScheme
    """As it would be kept."""
    documents: tuple[tuple[str, bytes], ...]
    """File name and content of each."""
    ledger_seq: int
    """Last entry of the ledger it was worked out on."""


class Services:
    """One store under one rule profile.

    Args:
        store: Where everything is kept.
        profile: Rule profile.
        clock: Returns the date of decision.
        parts: Calculations; the product's own by default.
    """

    def __init__(self, store: Store, *, profile: str, clock: Callable[[], date], parts: Parts | None = None) -> None:
        self.store = store
        self.profile = profile
        self.clock = clock
        self.parts = parts or product_parts()
        self.stock: StockTable | None = None
        """Materials at hand or ordered (物资库存) that answers look into; ``None`` where nobody said."""
        self.curves: LoadProfiles | None = None
        """Load curves (负荷曲线) the map shows hours by; ``None`` where nobody gave them."""
        self._grid = LiveGrid(store)
        # pandapower keeps results in the net it solves, so one answer at a time.
        self._answer_lock = threading.Lock()

    def load_policy(self) -> PolicyView:
        """Return a fresh view of the policy on the date of decision; a view records what one answer reads.

        Raises:
            InputError: Unknown profile, or a value is not in force on the date.
        """
        return self.parts.load_policy(self.profile, self.clock())

    def get_live(self) -> LiveState:
        """Return the current grid with everything promised on it, by the ledger as it stands; kept in memory.

        Raises:
            NoSnapshotError: Nothing has been imported.
        """
        return self._grid.get(self.clock())

    def get_live_at(self, snapshot_sha256: str, *, ledger_seq: int, day: date | None = None) -> LiveState:
        """Return any grid of the store as it was promised at an entry of the ledger.

        Args:
            snapshot_sha256: Its digest.
            ledger_seq: Number of the entry.
            day: Imported commitments that ended before it are left out; today by default.

        Raises:
            NotFoundError: The store holds no such snapshot, or the ledger no such entry.
        """
        return self._grid.at(snapshot_sha256, day or self.clock(), seq=ledger_seq)

    def get_snapshot(self) -> Snapshot:
        """Return the snapshot of :meth:`get_live`: live holds stand in it as commitments in flight (在途).

        Raises:
            NoSnapshotError: Nothing has been imported.
        """
        return self.get_live().snapshot

    def answer(
        self,
        request: SupplyRequest,
        *,
        find_capacity: Callable[[LiveState], pd.DataFrame | None],
        asking: Asking | None = None,
        idempotency_key: str | None = None,
        folder: Path | None = None,
        progress: Progress | None = None,
        tell_stage: TellStage = _silent,
    ) -> Answer:
        """Answer ``request``, keep scheme and documents, and put the documents into ``folder`` where one is given.

        Args:
            request: What is asked.
            find_capacity: Returns the capacity table of a grid, ``None`` where the search does without.
            asking: Who asks and under which key; the same key with the same request gives what was answered before.
            idempotency_key: The key where the service itself asks.
            folder: Where the documents go.
            progress: Called with (load flows done, bound).
            tell_stage: Called when the answer comes to its next stage.

        Raises:
            NoSnapshotError: Nothing has been imported.
            KeyReusedError: The key stands for another request.
            OwnerConflictError: The same request was answered for another customer.
            InputError: The request cannot be answered as it stands, or the folder cannot be written.
        """
        from api.asking import asking_of_service, find_told

        fingerprint = request_sha256(request)
        if asking is None and idempotency_key is not None:
            asking = asking_of_service(idempotency_key)
        with self._answer_lock:
            told = None if asking is None else find_told(self.store, asking, fingerprint)
            if told is not None:
                return self._replay(told)
            with _draft_folder(folder) as draft:
                tell_stage("grid")
                live = self.get_live()
                written = self.write_answer(request, live, find_capacity(live), draft, progress, tell_stage)
                tell_stage("record")
                files = tuple(sorted(path.name for path in draft.iterdir()))
                documents = {name: (draft / name).read_bytes() for name in files}
                stored = _as_stored(written, live, fingerprint, documents["scheme.json"], asking)
                answer = self._keep(stored, written, documents, asking)
                if folder is not None:
                    _put_into(folder, draft, files)
        return answer

    def draft(self, request: SupplyRequest, *, find_capacity: Callable[[LiveState], pd.DataFrame | None]) -> Draft:
        """Answer ``request`` on the grid as it is promised now, and keep nothing.

        Args:
            request: What is asked; by staff.
            find_capacity: Returns the capacity table of a grid, ``None`` where the search does without.

        Raises:
            NoSnapshotError: Nothing has been imported.
            InputError: The request cannot be answered as it stands.
        """
        with self._answer_lock, _draft_folder(None) as folder:
            live = self.get_live()
            written = self.write_answer(request, live, find_capacity(live), folder)
            documents = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        stored = _as_stored(written, live, request_sha256(request), documents["scheme.json"], None)
        return Draft(scheme=written, stored=stored, documents=tuple(documents.items()), ledger_seq=live.head.seq)

    def _replay(self, told: StoredAnswer) -> Answer:
        stored = self.store.get_scheme(str(told.object_id))
        return Answer(stored=stored, files=(), is_replayed=True, told=told)

    def _keep(
        self, stored: StoredScheme, written: Scheme, documents: Mapping[str, bytes], asking: Asking | None
    ) -> Answer:
        """Keep scheme, documents, and where somebody asked, what is told: all or nothing."""
        if asking is None:
            self.store.store_scheme(stored, list(documents.items()))
            return Answer(stored=stored, files=tuple(documents), is_replayed=False)
        from api.asking import keep_told
        from scheme.store import CUSTOMER_FOLDER

        kept, record = dict(documents), stored.content
        if asking.owner_id is not None:
            own = self.parts.show_customer(written, self.load_policy())
            kept |= {f"{CUSTOMER_FOLDER}{name}": content for name, content in own.items()}
            record = own["scheme.json"]
        told, was_told = keep_told(self.store, stored, list(kept.items()), asking, record)
        if was_told:
            return self._replay(told)
        return Answer(stored=stored, files=tuple(documents), is_replayed=False, told=told)

    def write_answer(
        self,
        request: SupplyRequest,
        live: LiveState,
        capacity: pd.DataFrame | None,
        folder: Path,
        progress: Progress | None = None,
        tell_stage: TellStage = _silent,
    ) -> Scheme:
        """Answer ``request`` on a grid and write the documents into ``folder``; nothing is kept."""
        tell_stage("search")
        scheme = self._generate(request, live, capacity, progress)
        tell_stage("documents")
        return self.parts.write_documents(scheme, live.snapshot, folder)

    def draft_answer(
        self, request: SupplyRequest, *, find_capacity: Callable[[LiveState], pd.DataFrame | None]
    ) -> Scheme:
        """Answer ``request`` as it would be answered now, without documents; nothing is kept.

        Args:
            request: What is asked.
            find_capacity: Returns the capacity table of a grid, ``None`` where the search does without.

        Raises:
            NoSnapshotError: Nothing has been imported.
            InputError: The request cannot be answered as it stands.
        """
        with self._answer_lock:
            live = self.get_live()
            return self._generate(request, live, find_capacity(live), None)

    def _generate(
        self, request: SupplyRequest, live: LiveState, capacity: pd.DataFrame | None, progress: Progress | None
    ) -> Scheme:
        from gridmodel.catalogue.loader import load_catalogue

        return self.parts.generate_scheme(
            request,
            snapshot=live.snapshot,
            policy=self.load_policy(),
            catalogue=load_catalogue(),
            capacity=capacity,
            as_of=self.clock(),
            version=product_version(),
            progress=progress,
            stock=self.stock,
            ledger_seq=live.head.seq,
            ledger_sha256=live.head.sha256,
        )


def _as_stored(
    written: Scheme, live: LiveState, fingerprint: str, content: bytes, asking: Asking | None
) -> StoredScheme:
    from scheme.store import StoredScheme

    return StoredScheme(
        scheme_id=written.scheme_id,
        request_id=written.request_id,
        request_sha256=fingerprint,
        snapshot_sha256=live.snapshot.sha256,
        verdict=written.verdict,
        content=content,
        owner_id=None if asking is None else asking.owner_id,
    )


def request_sha256(request: SupplyRequest) -> str:
    """Return the digest of what was asked, whatever the order or spacing of the keys."""
    canonical = json.dumps(request.model_dump(mode="json"), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


@cache
def product_version() -> str:
    """Return the installed version of the product."""
    return installed_version("gridscheme")


def product_parts(policy_folder: Path | None = None) -> Parts:
    """Return the product's own calculations.

    Args:
        policy_folder: A utility's own policy folder.
    """
    from gridmodel.capacity.nodes import node_capacity
    from scheme.document.write import write_documents
    from scheme.generate import generate_scheme
    from scheme.limits import capacity_settings
    from scheme.policy.loader import load_policy

    return Parts(
        load_policy=partial(load_policy, folder=policy_folder),
        capacity_settings=capacity_settings,
        node_capacity=node_capacity,
        generate_scheme=generate_scheme,
        write_documents=write_documents,
    )


def _put_into(folder: Path, draft: Path, files: Sequence[str]) -> None:
    """Move the files over, and take away what an earlier scheme left there and this one has not."""
    from scheme.document.write import FILES

    for name in files:
        os.replace(draft / name, folder / name)
    for name in set(FILES) - set(files):
        (folder / name).unlink(missing_ok=True)


@contextmanager
def _draft_folder(folder: Path | None) -> Iterator[Path]:
    """Yield a folder that disappears, on the same file system as ``folder`` so that files can be moved at once.

    ``folder`` is made where it does not exist, and taken away again when nothing was put into it.
    """
    made = [] if folder is None else [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        draft = tempfile.TemporaryDirectory(dir=folder, prefix=".gridscheme-")
    except OSError as error:
        raise InputError(f"the folder cannot be written: {error.strerror}", field="--out", value=folder) from error
    try:
        with draft as name:
            yield Path(name)
    finally:
        with suppress(OSError):  # not empty: the documents are in it
            for path in made:
                path.rmdir()
