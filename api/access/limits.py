"""How often one principal and one address may ask: moving windows of a minute, kept in this process."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.access.errors import TooManyRequestsError
from api.access.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Requests a minute; failures are credentials that did not hold."""

    anonymous_per_minute: int
    """Of one address that does not say who it is."""
    customer_per_minute: int
    """Of one customer."""
    staff_per_minute: int
    """Of one member of staff or one program of the utility."""
    failures_per_minute: int
    """Of one address; also of one key."""


class Limiter:
    """Counts requests and failed credentials of one process; a reverse proxy counts those of all."""

    def __init__(self, rates: Rates) -> None:
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._anonymous = RateLimitItemPerMinute(rates.anonymous_per_minute)
        self._customer = RateLimitItemPerMinute(rates.customer_per_minute)
        self._staff = RateLimitItemPerMinute(rates.staff_per_minute)
        self._failures = RateLimitItemPerMinute(rates.failures_per_minute)

    def count(self, principal: Principal, address: str) -> None:
        """Count a request.

        Raises:
            TooManyRequestsError: It is one too many.
        """
        if principal.is_anonymous:
            item, who = self._anonymous, f"address:{address}"
        else:
            item, who = self._staff if principal.is_staff else self._customer, f"subject:{principal.subject_id}"
        if not self._windows.hit(item, "request", who):
            raise self._refusal(item, "request", who)

    def check_failures(self, *whom: str) -> None:
        """Refuse to look at a credential where too many of the same address or key did not hold.

        Raises:
            TooManyRequestsError: Too many.
        """
        for who in whom:
            if not self._windows.test(self._failures, "failure", who):
                raise self._refusal(self._failures, "failure", who)

    def count_failure(self, *whom: str) -> None:
        """Count a credential that did not hold."""
        for who in whom:
            self._windows.hit(self._failures, "failure", who)

    def _refusal(self, item: RateLimitItemPerMinute, *identifiers: str) -> TooManyRequestsError:
        reset_s = self._windows.get_window_stats(item, *identifiers).reset_time - time.time()
        return TooManyRequestsError(max(1, math.ceil(reset_s)))
