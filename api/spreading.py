"""Where the tasks of an assessment are done: here, in processes of this machine, or on a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gridmodel.errors import InputError

if TYPE_CHECKING:
    from api.settings import Settings
    from scheme.assessment.cluster_address import Certificates
    from scheme.assessment.workers import Workers


@contextmanager
def spread(
    settings: Settings, *, workers: int | None = None, scheduler: str | None = None, journal: Path | None = None
) -> Iterator[Workers]:
    """Give who does the tasks of a run; a journal is removed when the run has succeeded, and kept when it has not.

    Args:
        settings: The utility's own rules, and certificates for a cluster.
        workers: Processes of this machine; 1 or ``None``: this one.
        scheduler: Address of a cluster instead.
        journal: File in which results are kept while the run goes on.

    Raises:
        InputError: Both kinds of workers are asked for, or one of the options does not fit.
        WorkersLostError: There is no scheduler, or it has no workers.
        WorkersDifferError: A machine of the cluster runs other software.
    """
    from scheme.assessment.journal import FileJournal, Journalled

    if scheduler is not None and workers is not None:
        raise InputError(
            "the tasks are done on a cluster or by processes of this machine",
            field="scheduler",
            value=scheduler,
            allowed="--scheduler or --workers, not both",
        )
    with ExitStack() as stack:
        found = _open(settings, workers, scheduler, stack)  # first, so that a refusal leaves no file behind
        kept = None if journal is None else stack.enter_context(FileJournal(journal))
        yield found if kept is None else Journalled(found, kept)
        if kept is not None:
            kept.remove()


def _open(settings: Settings, workers: int | None, scheduler: str | None, stack: ExitStack) -> Workers:
    from scheme.assessment.workers import ThisProcess

    if scheduler is not None:
        from scheme.assessment.cluster import DaskWorkers

        certificates = _certificates(settings)
        return stack.enter_context(DaskWorkers(scheduler, certificates=certificates, policy_folder=settings.policy))
    if workers is None or workers == 1:
        return ThisProcess()
    from scheme.assessment.pool import ProcessPool

    return stack.enter_context(ProcessPool(workers, policy_folder=settings.policy))


def _certificates(settings: Settings) -> Certificates | None:
    from scheme.assessment.cluster_address import Certificates

    files = (settings.cluster_tls_ca_file, settings.cluster_tls_certificate_file, settings.cluster_tls_key_file)
    ca_file, certificate_file, key_file = files
    if ca_file is None or certificate_file is None or key_file is None:
        return None
    return Certificates(ca_file=ca_file, certificate_file=certificate_file, key_file=key_file)
