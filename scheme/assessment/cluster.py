"""Runs the tasks of an assessment on a cluster that exists: Dask distributed, an extra.

Tasks are functions named by module, over the digest of a grid and packed rows. The packed grid is itself the result
of a task, so that the scheduler has it handed to whoever needs it, and again after a worker was lost. What the
scheduler's port receives is executed, therefore only mutual TLS or this machine alone (loopback) is accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from gridmodel.errors import InputError
from scheme.assessment import task_host
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.cluster_address import Certificates, check_address
from scheme.assessment.parcel import content_of, pack
from scheme.assessment.software import software
from scheme.assessment.task_host import TaskReport, pack_rows, read_result
from scheme.assessment.workers import Input, Keep, Rows, Tick, in_order
from scheme.errors import WorkersDifferError, WorkersLostError

if TYPE_CHECKING:
    from distributed import Client, Future, Security

SCHEDULER_LOSSES_MAX = 3
"""So often may the scheduler be lost before the run gives up."""

_POLL_S = 0.2
"""How often a run that waits for tasks asks whether it was cancelled."""

_ENDED: set[str] = set()
"""Runs that were cancelled while this process, a worker, was at work for them."""


def cluster_software() -> Mapping[str, str]:
    """Return what must be the same on every machine."""
    return {**software(), "distributed": version("distributed")}


def hand_over(packed: bytes) -> bytes:
    """Return a packed grid: the task whose result the tasks of a run are given."""
    return packed


def run_task(
    packed: bytes, wanted: Mapping[str, str], run: str, name: str, grid_id: str, number: int, payload: bytes
) -> bytes:
    """Do a task of a run in a worker; a worker that runs other software than the run refuses it."""

    def fetch() -> bytes:
        _check_same(cluster_software(), wanted, where="this worker")
        return packed

    return task_host.do_task(name, grid_id, number, payload, fetch=fetch, is_cancelled=lambda: run in _ENDED)


def end_run(run: str) -> None:
    """Have the tasks of a run end after the project at hand; called in every worker."""
    _ENDED.add(run)


class DaskWorkers:
    """Workers of a cluster; connected at once, until :meth:`close`.

    Args:
        address: Of the scheduler: ``tls://HOST:PORT``, or ``tcp://HOST:PORT`` where the host is this machine.
        certificates: For ``tls``.
        policy_folder: The utility's own rules, where it has any; profile and date come from the grid.
        report: Told what every task took.
        timeout_s: How long to wait for the scheduler and a first worker.

    Raises:
        InputError: The address is not acceptable, or Dask distributed is not installed.
        WorkersLostError: No scheduler or no worker there.
        WorkersDifferError: A machine runs other software.
    """

    task = staticmethod(run_task)
    """What a worker is asked to do."""

    def __init__(
        self,
        address: str,
        *,
        certificates: Certificates | None = None,
        policy_folder: Path | None = None,
        report: Callable[[TaskReport], None] | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        check_address(address, certificates)
        self._address, self._certificates, self._timeout_s = address, certificates, timeout_s
        self._policy_folder, self._report = policy_folder, report
        self._grid: tuple[str, Future] | None = None
        self._numbers = count(1)
        self._client = self._connect()

    def run(
        self, name: str, inputs: Sequence[Input], grid: AssessedGrid, tick: Tick, *, keep: Keep | None = None
    ) -> Iterator[Rows]:
        """Yield the results of a kind of task, in the order of its inputs.

        Raises:
            WorkersLostError: A task ended its worker again and again, or the scheduler was lost for good.
            WorkersDifferError: A worker that came later runs other software.
        """
        return in_order(self._results(name, inputs, grid, tick, keep))

    def close(self) -> None:
        """Leave the cluster; it goes on without us."""
        self._grid = None
        self._client.close()

    def __enter__(self) -> DaskWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _results(
        self, name: str, inputs: Sequence[Input], grid: AssessedGrid, tick: Tick, keep: Keep | None
    ) -> Iterator[tuple[int, Rows]]:
        left, losses = dict(enumerate(inputs)), 0
        while left:
            run = self._new_name("assessment")
            futures = {self._submit(run, name, *left[place], grid): place for place in left}
            try:
                for future in _as_they_finish(list(futures), tick):
                    if future.status in ("cancelled", "lost"):
                        break
                    place = futures.pop(future)
                    rows = self._rows_of(future, name, *left.pop(place))
                    if keep is not None:
                        keep(place, rows)
                    tick(len(rows))
                    yield place, rows
            finally:
                self._drop(run, list(futures))
            if left:
                losses += 1
                self._join_again(losses)

    def _new_name(self, kind: str) -> str:
        """Return a name nobody else uses; nothing of a project is in it, for the scheduler shows it."""
        return f"{self._client.id}-{kind}-{next(self._numbers)}"

    def _submit(self, run: str, name: str, number: int, rows: Rows, grid: AssessedGrid) -> Future:
        content = content_of(grid)
        if self._grid is None or self._grid[0] != content.grid_id:
            packed = pack(content, policy_folder=self._policy_folder)
            self._grid = content.grid_id, self._client.submit(hand_over, packed, key=self._new_name("grid"))
        arguments = (self._grid[1], cluster_software(), run, name, content.grid_id, number, pack_rows(rows))
        return self._client.submit(self.task, *arguments, key=f"{run}-{name}-{number}", pure=False)

    def _rows_of(self, future: Future, name: str, number: int, rows: Rows) -> Rows:
        from distributed import KilledWorker

        try:
            result = future.result()
        except KilledWorker as error:
            raise WorkersLostError(
                f"task {name} {number} ended every worker that tried it; "
                "memory may be short, or one of its projects is at fault",
                task=name,
                number=number,
                project_ids=task_host.project_ids_of(rows),
            ) from error
        found, report = read_result(result, name=name, number=number)
        if self._report is not None:
            self._report(report)
        return found

    def _drop(self, run: str, futures: list[Future]) -> None:
        if not futures or self._client.status != "running":
            return
        self._client.cancel(futures)
        self._client.run(end_run, run, on_error="ignore")

    def _join_again(self, losses: int) -> None:
        self._grid = None
        self._client.close()
        if losses >= SCHEDULER_LOSSES_MAX:
            raise WorkersLostError(f"the scheduler was lost {losses} times", address=self._address)
        self._client = self._connect()

    def _connect(self) -> Client:
        distributed = _distributed()
        try:
            client = distributed.Client(
                self._address,
                security=_security(self._certificates),
                timeout=self._timeout_s,
                set_as_default=False,
                name="gridscheme-assessment",
            )
        except OSError as error:
            raise WorkersLostError("no scheduler answers there", address=self._address) from error
        try:
            self._check_cluster(client)
        except BaseException:
            client.close()
            raise
        return client

    def _check_cluster(self, client: Client) -> None:
        """Refuse a cluster that others can reach without a certificate, or that would compute something else."""
        try:
            client.wait_for_workers(1, timeout=self._timeout_s)
        except TimeoutError as error:
            raise WorkersLostError("the scheduler has no workers", address=self._address) from error
        info = client.scheduler_info(n_workers=-1)
        for address in (info["address"], *info["workers"]):
            check_address(address, self._certificates)
        _check_same(client.run_on_scheduler(cluster_software), cluster_software(), where="the scheduler")
        for address, found in sorted(client.run(cluster_software).items()):
            _check_same(found, cluster_software(), where=f"worker {address}")


def _as_they_finish(futures: list[Future], tick: Tick) -> Iterator[Future]:
    done: SimpleQueue[Future] = SimpleQueue()
    for future in futures:
        future.add_done_callback(done.put)
    for _ in futures:
        while True:
            try:
                future = done.get(timeout=_POLL_S)
            except Empty:
                tick(0)
            else:
                break
        yield future


def _check_same(found: Mapping[str, str], wanted: Mapping[str, str], *, where: str) -> None:
    for name, expected in wanted.items():
        if found.get(name) != expected:
            raise WorkersDifferError(
                f"{where} has another {name}: every machine of a cluster needs the same installation",
                where=where,
                name=name,
                found=found.get(name),
                expected=expected,
            )


def _security(certificates: Certificates | None) -> Security | None:
    if certificates is None:
        return None
    certificates.check_files()
    return _distributed().Security(
        tls_ca_file=str(certificates.ca_file),
        tls_client_cert=str(certificates.certificate_file),
        tls_client_key=str(certificates.key_file),
        require_encryption=True,
    )


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise InputError(
            "Dask distributed is not installed",
            field="scheduler",
            allowed="the extra: pip install 'gridscheme[cluster]'",
        ) from error
    return distributed
