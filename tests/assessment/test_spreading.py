"""The options of the command choose who does the tasks, and what becomes of the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.settings import Settings, load_settings
from api.spreading import spread
from gridmodel.errors import InputError
from scheme.assessment.journal import Journalled
from scheme.assessment.pool import ProcessPool
from scheme.assessment.workers import ThisProcess


@pytest.mark.parametrize(("workers", "kind"), [(None, ThisProcess), (1, ThisProcess), (2, ProcessPool)])
def test_so_many_processes_as_are_asked_for(workers: int | None, kind: type) -> None:
    with spread(Settings(), workers=workers) as found:
        assert isinstance(found, kind)


def test_a_journal_is_removed_when_the_run_has_succeeded_and_kept_when_it_has_not(tmp_path: Path) -> None:
    path = tmp_path / "journal"

    def run(*, is_cut_off: bool) -> None:
        with spread(Settings(), journal=path) as found:
            assert isinstance(found, Journalled)
            assert path.exists()
            if is_cut_off:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        run(is_cut_off=True)
    assert path.exists()
    run(is_cut_off=False)
    assert not path.exists()


def test_a_cluster_and_processes_of_this_machine_are_not_asked_for_at_once() -> None:
    with pytest.raises(InputError, match="not both"), spread(Settings(), workers=2, scheduler="tcp://127.0.0.1:1"):
        pass


def test_a_cluster_by_tls_needs_the_certificates_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        pytest.raises(InputError, match="TLS needs certificates"),
        spread(load_settings(), scheduler="tls://10.0.0.5:8786"),
    ):
        pass
    for name in ("CA", "CERTIFICATE", "KEY"):
        monkeypatch.setenv(f"GRIDSCHEME_CLUSTER_TLS_{name}_FILE", f"{name}.pem")
    with (
        pytest.raises(InputError, match=r"CA\.pem.*no such file"),
        spread(load_settings(), scheduler="tls://10.0.0.5:8786"),
    ):
        pass
