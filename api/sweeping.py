"""Runs the ledger's sweeper while a worker runs, so that what nobody confirmed in its validity is given back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gridmodel.errors import DomainError
from scheme.ledger import Actor, ClockJumpError, Hold, Ledger
from scheme.ledger.clock import ClockLimits

if TYPE_CHECKING:
    from api.services import Services

SWEEP_EVERY_S = 30.0
"""Well within the standstill after which the clock counts as having jumped."""
ACTOR = Actor(subject_id="sweeper", role="operator", request_id="worker")
_LOG = logging.getLogger(__name__)


class Sweeping:
    """A thread that sweeps every now and then.

    Args:
        services: Store and policy.
        ledger: The ledger of the store.
        every_s: How often.
    """

    def __init__(self, services: Services, ledger: Ledger | None = None, *, every_s: float = SWEEP_EVERY_S) -> None:
        self._services = services
        self._ledger = ledger or Ledger(services.store)
        self._every_s = every_s
        self._is_over = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Sweep in the background until the block ends."""
        thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()

    def sweep_once(self) -> list[Hold]:
        """Sweep; what stands in the way is logged and tried again the next time."""
        try:
            if self._services.store.find_current_sha256() is None:
                return []  # nothing was imported, so nothing was answered
            limits = ClockLimits.read(self._services.load_policy())
            return self._ledger.sweep(actor=ACTOR, clock_limits=limits)
        except ClockJumpError as error:
            _LOG.warning("%s: gridscheme sweep --clock-confirmed-by NAME", error.message)
        except DomainError as error:
            _LOG.warning("the sweeper could not run: %s", error.message)
        return []

    def _run(self) -> None:
        while True:
            self.sweep_once()
            if self._is_over.wait(self._every_s):
                return
