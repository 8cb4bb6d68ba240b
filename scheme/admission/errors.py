"""How admission refuses; elements are named in the context, which only internal roles read."""

from __future__ import annotations

from gridmodel.errors import DomainError


class NotIssuableError(DomainError):
    """The scheme holds nothing that could be promised, or its point is gone."""

    code = "admission.not_issuable"


class CertificateRefusedError(DomainError):
    """The grid with everything promised does not carry the customer any more (校核不通过)."""

    code = "admission.certificate_refused"


class ConcurrencyError(DomainError):
    """The grid or the ledger moved under every certificate worked out; the same call may succeed when sent again."""

    code = "admission.concurrent"
