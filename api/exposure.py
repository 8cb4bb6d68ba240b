"""Whom a service is shown to: this machine alone, or others, and then only with authentication and TLS stated."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.guard import LOOPBACK_HOSTS
from gridmodel.errors import InputError

if TYPE_CHECKING:
    from api.settings import Settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Under what the service may answer."""

    address: Address
    is_exposed: bool
    """Whether anybody beyond this machine can reach it."""
    hosts: frozenset[str]
    has_docs: bool


def decide_exposure(host: str, settings: Settings, *, has_authentication: bool) -> Exposure:
    """Return whom the service is shown to.

    Args:
        host: Address to listen on.
        settings: What is stated about TLS, proxies and host names.
        has_authentication: Whether a key of the store or an identity provider can prove who asks.

    Raises:
        InputError: Others could reach it, but authentication, TLS or the host names are not stated.
    """
    address = parse_address(host)
    is_exposed = not address.is_loopback or settings.tls_terminated_by_proxy
    if is_exposed:
        _check_stated(host, settings, has_authentication=has_authentication)
    for network in settings.trusted_proxies:
        _check_network(network)
    own = set() if address.is_unspecified else {str(address), f"[{address}]" if address.version == 6 else str(address)}
    return Exposure(
        address=address,
        is_exposed=is_exposed,
        hosts=LOOPBACK_HOSTS | own | {name.lower() for name in settings.trusted_hosts},
        has_docs=not is_exposed if settings.docs is None else settings.docs,
    )


def parse_address(host: str) -> Address:
    """Return an address of this machine.

    Raises:
        InputError: Not an address.
    """
    text = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        allowed = "an address of this machine such as 127.0.0.1, ::1, localhost"
        raise InputError("not an address of this machine", field="--host", value=host, allowed=allowed) from error


def check_certificate(settings: Settings) -> None:
    """Refuse a certificate and a key that do not work together.

    Raises:
        InputError: They cannot be read or do not fit.
    """
    if settings.tls_certificate_file is None or settings.tls_key_file is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_certificate_file, settings.tls_key_file)
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            "certificate and key cannot be used",
            file=settings.tls_certificate_file.name,
            field="--tls-certificate",
            allowed="PEM files of a certificate and its key without a password",
        ) from error


def _check_stated(host: str, settings: Settings, *, has_authentication: bool) -> None:
    if not has_authentication:
        raise InputError(
            "authentication is not configured, so only this machine is served",
            field="--host",
            value=host,
            allowed="127.0.0.1, ::1 or localhost; or first: gridscheme key create, or GRIDSCHEME_OIDC_ISSUER",
        )
    if not settings.has_tls:
        raise InputError(
            "it is not stated where TLS ends, so only this machine is served",
            field="--host",
            value=host,
            allowed="with --tls-certificate and --tls-key, or --tls-terminated-by-proxy and --trusted-proxy",
        )
    if not settings.trusted_hosts:
        raise InputError(
            "it is not stated under which names the service answers",
            field="--trusted-host",
            allowed="the host name users type, once for each",
        )


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        allowed = "an address or a network such as 10.0.0.7, 10.0.0.0/24"
        raise InputError("not a proxy", field="--trusted-proxy", value=text, allowed=allowed) from error
