"""Which schedulers may be spoken to: whoever reaches one can have code executed on every worker."""

from __future__ import annotations

from dataclasses import dataclass, fields
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from gridmodel.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Files (PEM) with which both sides of a connection show who they are."""

    ca_file: Path
    """The utility's own authority: whoever has a certificate of it may have code executed."""
    certificate_file: Path
    key_file: Path

    def check_files(self) -> None:
        """Refuse files that are not there.

        Raises:
            InputError: One is not.
        """
        for item in fields(self):
            path = getattr(self, item.name)
            if not path.is_file():
                raise InputError("no such file", file=str(path), field=item.name, allowed="a file in PEM format")


def check_address(address: str, certificates: Certificates | None) -> None:
    """Refuse an address at which somebody without a certificate could have code executed, or listen.

    Raises:
        InputError: It is neither TLS with certificates nor this machine.
    """
    parts = urlsplit(address)
    try:
        is_complete = bool(parts.hostname) and parts.port is not None
    except ValueError:
        is_complete = False
    if is_complete and parts.scheme == "tls":
        if certificates is None:
            raise InputError(
                "TLS needs certificates",
                field="scheduler",
                value=address,
                allowed="certificate, key and authority of the cluster, see its settings",
            )
        return
    if not (is_complete and parts.scheme == "tcp" and _is_loopback(parts.hostname or "")):
        raise InputError(
            "whoever reaches a scheduler can have code executed",
            field="scheduler",
            value=address,
            allowed="tls://HOST:PORT, or tcp://HOST:PORT of this machine itself (127.0.0.1)",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
