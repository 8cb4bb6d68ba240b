"""A cluster of two workers of which one is killed at work gives the bytes of one process; strangers are refused."""

from __future__ import annotations

import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.errors import InputError
from scheme.assessment import cluster as cluster_module
from scheme.assessment import task_host
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.cluster import DaskWorkers, cluster_software, run_task
from scheme.assessment.cluster_address import Certificates, check_address
from scheme.assessment.parcel import content_of, pack
from scheme.assessment.task_host import TaskReport, pack_rows, read_result
from scheme.errors import CancelledError, WorkersDifferError, WorkersLostError
from tests.assessment.certificates import write_authority, write_certificate
from tests.assessment.grids import assess, policy, project, two_villages
from tests.assessment.held import Killer, end_own_process, hold_first, wait_for

distributed = pytest.importorskip("distributed")

PROJECTS = [
    project(f"SECRET{number:02d}", kva=18, at=(40_000.0 * (number % 2), 0.0), received_on=date(2026, 1, 1 + number))
    for number in range(4)
]
CERTIFICATES = Certificates(ca_file=Path("ca"), certificate_file=Path("certificate"), key_file=Path("key"))


@pytest.fixture(scope="module")
def local_cluster() -> Iterator[Any]:
    """Two workers of one process each, and a scheduler in this process."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as cluster:  # fmt: skip
        yield cluster


@pytest.fixture(scope="module")
def grid() -> AssessedGrid:
    return AssessedGrid(two_villages(), policy(), load_catalogue(), capacity=None)


def test_two_workers_of_which_one_is_killed_at_work_give_the_bytes_of_one_process(
    local_cluster: Any, tmp_path: Path
) -> None:
    """The task that is held cannot end but with its process; the cluster starts another and does it again."""
    seen: list[int] = []
    reports: list[TaskReport] = []
    names: list[str] = []
    killer = Killer(tmp_path)
    killer.start()
    with DaskWorkers(local_cluster.scheduler_address, report=reports.append) as workers:
        workers.task = partial(hold_first, str(tmp_path), run_task)

        def see(done: int, total: int) -> None:
            seen.append(done)
            names.extend(map(str, local_cluster.scheduler.tasks))

        together = assess(PROJECTS, two_villages(), workers=workers, progress=see)
    killer.join()
    assert killer.killed_pid is not None
    assert f"{platform.node()}:{killer.killed_pid}" not in {report.process for report in reports}
    assert together.to_json() == assess(PROJECTS, two_villages()).to_json()
    assert seen[-1] == 2 * len(PROJECTS)
    assert sorted(seen) == seen
    assert names
    assert not any("SECRET" in name for name in names)


def wait_until_ended(seen: str, packed: bytes, wanted: Any, run: str, *_: Any) -> bytes:
    Path(f"{seen}-begun").touch()
    while run not in cluster_module._ENDED:
        wait_for(Path(f"{seen}-begun"))
    Path(seen).touch()
    return b""


def test_a_run_that_is_cancelled_tells_the_workers_and_ends(
    local_cluster: Any, grid: AssessedGrid, tmp_path: Path
) -> None:
    """The task would wait for ever."""

    def stop(projects: int) -> None:
        if (tmp_path / "seen-begun").exists():
            raise CancelledError("enough")

    with DaskWorkers(local_cluster.scheduler_address) as workers:
        workers.task = partial(wait_until_ended, str(tmp_path / "seen"))
        with pytest.raises(CancelledError, match="enough"):
            list(workers.run("alone", [(0, []), (1, [])], grid, stop))
        wait_for(tmp_path / "seen")


def test_a_task_that_ends_every_worker_is_named_and_the_others_are_done(local_cluster: Any, grid: AssessedGrid) -> None:
    """The scheduler gives up at once here, so that no more than one worker has to be started again."""
    inputs = [(number, [{"project_id": f"P{number}"}]) for number in range(4)]
    local_cluster.scheduler.allowed_failures = 0
    with DaskWorkers(local_cluster.scheduler_address) as workers:
        workers.task = partial(end_own_process, 3)
        assert list(workers.run("alone", inputs[:3], grid, lambda _: None)) == [rows for _, rows in inputs[:3]]
        with pytest.raises(WorkersLostError, match="task alone 3 ended") as caught:
            list(workers.run("alone", inputs[3:], grid, lambda _: None))
        assert caught.value.context["project_ids"] == ["P3"]


def started(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.slow
def test_a_scheduler_that_is_killed_and_started_again_loses_no_result(grid: AssessedGrid, tmp_path: Path) -> None:
    """By the commands of the set-up; the task that is held is at work when the scheduler goes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    address = f"tcp://127.0.0.1:{port}"
    commands = (
        ("scheduler", "--host", "127.0.0.1", "--port", port),
        ("worker", address, "--host", "127.0.0.1", "--nworkers", "1", "--nthreads", "1"),
    )
    inputs = [(number, [{"project_id": f"P{number}"}]) for number in range(4)]
    kept: list[int] = []
    processes = [started(*command) for command in commands]
    try:
        with DaskWorkers(address) as workers:
            workers.task = partial(hold_first, str(tmp_path), partial(end_own_process, -1))

            def kill_scheduler(_: int) -> None:
                if (tmp_path / "held").exists() and len(processes) == 2:
                    processes[0].kill()
                    processes[0].wait()
                    processes.extend(started(*command) for command in commands)

            done = list(workers.run("alone", inputs, grid, kill_scheduler, keep=lambda place, _: kept.append(place)))
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()
    assert len(processes) == 4
    assert done == [rows for _, rows in inputs]
    assert sorted(kept) == [0, 1, 2, 3]


def test_a_worker_with_another_version_is_refused_at_the_start(
    local_cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler of this test runs in this process, the workers do not."""
    other = dict(cluster_module.software()) | {"numpy": "0.0.1"}
    monkeypatch.setattr(cluster_module, "software", lambda: other)
    with pytest.raises(WorkersDifferError, match=r"worker tcp://.* has another numpy"):
        DaskWorkers(local_cluster.scheduler_address)


def test_a_worker_with_other_code_that_comes_later_refuses_the_task(grid: AssessedGrid) -> None:
    task_host._GRIDS.clear()
    content = content_of(grid)
    wanted = dict(cluster_software()) | {"code_sha256": "0" * 64}
    result = run_task(pack(content), wanted, "run", "alone", content.grid_id, 0, pack_rows([]))
    with pytest.raises(WorkersDifferError, match="this worker has another code_sha256"):
        read_result(result, name="alone", number=0)
    result = run_task(pack(content), cluster_software(), "run", "alone", content.grid_id, 0, pack_rows([]))
    assert read_result(result, name="alone", number=0)[0] == []


@pytest.mark.parametrize(
    "address",
    [
        "tcp://10.0.0.5:8786", "tcp://scheduler:8786", "tcp://0.0.0.0:8786", "tcp://[::]:8786", "tcp://127.0.0.1",
        "tcp://127.0.0.1.example:8786", "127.0.0.1:8786", "inproc://127.0.0.1/1/1", "ws://127.0.0.1:8786",
        "ucx://127.0.0.1:8786", "tcp://127.0.0.1:none", "tls://", "",
    ],
)  # fmt: skip
def test_a_scheduler_others_could_reach_without_a_certificate_is_refused(address: str) -> None:
    for certificates in (None, CERTIFICATES):
        with pytest.raises(InputError, match="can have code executed"):
            check_address(address, certificates)


def test_loopback_and_tls_with_certificates_are_accepted_and_tls_without_is_not() -> None:
    for address in ("tcp://127.0.0.1:8786", "tcp://[::1]:8786", "tcp://localhost:8786"):
        check_address(address, None)
    check_address("tls://scheduler.example:8786", CERTIFICATES)
    with pytest.raises(InputError, match="TLS needs certificates"):
        check_address("tls://scheduler.example:8786", None)


def test_a_certificate_file_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="no such file"):
        DaskWorkers("tls://127.0.0.1:1", certificates=CERTIFICATES)


def test_nobody_at_the_address_is_said() -> None:
    with pytest.raises(WorkersLostError, match="no scheduler answers"):
        DaskWorkers("tcp://127.0.0.1:1", timeout_s=0.5)


def test_a_scheduler_that_listens_to_the_network_without_tls_is_refused_from_the_same_machine_too() -> None:
    """Every address of the machine, and so loopback as well."""
    with distributed.LocalCluster(
        n_workers=1, processes=False, protocol="tcp", host="0.0.0.0", dashboard_address="127.0.0.1:0", silence_logs=50
    ) as cluster:
        port = cluster.scheduler_address.rsplit(":", 1)[1]
        with pytest.raises(InputError, match="can have code executed"):
            DaskWorkers(f"tcp://127.0.0.1:{port}")


def test_mutual_tls_lets_in_whoever_has_a_certificate_of_the_authority_and_nobody_else(tmp_path: Path) -> None:
    own, stranger = tmp_path / "own", tmp_path / "stranger"
    for folder in (own, stranger):
        write_certificate(folder, write_authority(folder))
    security = distributed.Security(
        tls_ca_file=str(own / "ca.pem"),
        require_encryption=True,
        **{
            f"tls_{role}_{kind}": str(own / f"{kind}.pem")
            for role in ("scheduler", "worker", "client") for kind in ("cert", "key")
        },
    )  # fmt: skip

    def certificates(folder: Path) -> Certificates:
        return Certificates(ca_file=own / "ca.pem", certificate_file=folder / "cert.pem", key_file=folder / "key.pem")

    with distributed.LocalCluster(
        n_workers=1, processes=False, protocol="tls", security=security, host="127.0.0.1",
        dashboard_address="127.0.0.1:0", silence_logs=50,
    ) as cluster:  # fmt: skip
        address = cluster.scheduler_address
        assert address.startswith("tls://")
        DaskWorkers(address, certificates=certificates(own)).close()
        with pytest.raises(WorkersLostError):
            DaskWorkers(address, certificates=certificates(stranger), timeout_s=1.0)
        with pytest.raises(WorkersLostError):
            DaskWorkers(address.replace("tls", "tcp"), timeout_s=1.0)


def test_nothing_of_dask_is_imported_until_a_cluster_is_asked_for() -> None:
    loaded = "any(name.startswith(('dask', 'distributed')) for name in sys.modules)"
    code = f"import sys, scheme.assessment.cluster; sys.exit({loaded})"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
