"""Whom the service is shown to: this machine by default, others only with authentication, TLS and names stated."""

from __future__ import annotations

import datetime
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from starlette.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.access.opening import has_authentication, open_access
from api.access.transport import RequireTls
from api.cli import main
from api.exposure import check_certificate, decide_exposure
from api.services import Services
from api.serving import bind, configure_server, create_application
from api.settings import PREFIX, Settings, load_settings
from gridmodel.errors import InputError
from scheme.store import Store
from tests.access.clients import make_key
from tests.access.identity_provider import AUDIENCE, ISSUER, RSA, jwks
from tests.serve_command import Service, wait_for

STATED: dict[str, Any] = {
    "tls_terminated_by_proxy": True,
    "trusted_proxies": ("10.0.0.7",),
    "trusted_hosts": ("grid.example",),
}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store.db"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.9.10"])
def test_this_machine_is_served_without_any_configuration(host: str) -> None:
    exposure = decide_exposure(host, Settings(), has_authentication=False)
    assert not exposure.is_exposed
    assert exposure.has_docs
    assert {"localhost", "127.0.0.1", "[::1]"} <= exposure.hosts


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "192.168.0.1", "2001:db8::1", "169.254.1.1"])
@pytest.mark.parametrize("missing", ["authentication", "tls", "names", None])
def test_others_are_served_only_when_everything_is_stated(host: str, missing: str | None) -> None:
    given = dict(STATED)
    if missing == "tls":
        given = {"trusted_hosts": given["trusted_hosts"]}
    if missing == "names":
        del given["trusted_hosts"]
    if missing is None:
        exposure = decide_exposure(host, Settings(**given), has_authentication=True)
        assert (exposure.is_exposed, exposure.has_docs) == (True, False)
        assert "grid.example" in exposure.hosts
    else:
        field = "--trusted-host" if missing == "names" else "--host"
        with pytest.raises(InputError, match=field):
            decide_exposure(host, Settings(**given), has_authentication=missing != "authentication")


def test_proxy_on_this_machine_shows_the_service_to_others() -> None:
    with pytest.raises(InputError, match="authentication"):
        decide_exposure("127.0.0.1", Settings(**STATED), has_authentication=False)
    assert decide_exposure("127.0.0.1", Settings(**STATED), has_authentication=True).is_exposed


def test_address_for_all_interfaces_is_no_host_name() -> None:
    assert "0.0.0.0" not in decide_exposure("0.0.0.0", Settings(**STATED), has_authentication=True).hosts


@pytest.mark.parametrize("host", ["", "example.org", "127.0.0.1:80", "256.0.0.1", "10.0.0.0/8", "*"])
def test_names_are_no_addresses_to_listen_on(host: str) -> None:
    with pytest.raises(InputError, match="--host"):
        decide_exposure(host, Settings(**STATED), has_authentication=True)
    with pytest.raises(InputError, match="--host"):
        bind(host, 0)


@pytest.mark.parametrize("proxy", ["proxy.example", "*", "10.0.0.0/40", ""])
def test_proxy_is_an_address_or_a_network(proxy: str) -> None:
    given = {**STATED, "trusted_proxies": (proxy,)}
    with pytest.raises(InputError, match="--trusted-proxy"):
        decide_exposure("0.0.0.0", Settings(**given), has_authentication=True)


def test_key_that_holds_or_a_provider_is_authentication(store: Store) -> None:
    assert not has_authentication(Settings(), store)
    make_key(store, "ZK-1", "engineer")
    assert has_authentication(Settings(), store)


def oidc(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "jwks.json"
    file.write_bytes(jwks(RSA))
    return {
        "GRIDSCHEME_OIDC_ISSUER": ISSUER,
        "GRIDSCHEME_OIDC_AUDIENCE": AUDIENCE,
        "GRIDSCHEME_OIDC_JWKS_FILE": str(file),
        "GRIDSCHEME_OIDC_ROLES": '{"grid-engineer": "engineer"}',
        "GRIDSCHEME_OIDC_ALGORITHMS": "RS256, ES256",
    }


def test_provider_is_read_from_the_environment(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in oidc(tmp_path).items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert (settings.oidc_algorithms, settings.oidc_roles) == (("RS256", "ES256"), {"grid-engineer": "engineer"})
    assert has_authentication(settings, store)
    open_access(settings, store)


BAD_SETTINGS: dict[str, dict[str, str]] = {
    "unknown name": {"GRIDSCHEME_OIDC_ISUER": ISSUER},
    "no provider's keys": {"GRIDSCHEME_OIDC_JWKS_FILE": ""},
    "no audience": {"GRIDSCHEME_OIDC_AUDIENCE": ""},
    "shared secret": {"GRIDSCHEME_OIDC_ALGORITHMS": "RS256,HS256"},
    "no signature": {"GRIDSCHEME_OIDC_ALGORITHMS": "none"},
    "no algorithm": {"GRIDSCHEME_OIDC_ALGORITHMS": ","},
    "unknown role": {"GRIDSCHEME_OIDC_ROLES": '{"grid-engineer": "admin"}'},
    "roles that are not JSON": {"GRIDSCHEME_OIDC_ROLES": "grid-engineer=engineer"},
    "skew without bound": {"GRIDSCHEME_OIDC_CLOCK_SKEW_S": "86400"},
    "certificate without key": {"GRIDSCHEME_TLS_CERTIFICATE_FILE": "a.pem"},
    "cluster's certificate without authority": {
        "GRIDSCHEME_CLUSTER_TLS_CERTIFICATE_FILE": "a.pem",
        "GRIDSCHEME_CLUSTER_TLS_KEY_FILE": "b.pem",
    },
    "proxy nobody named": {"GRIDSCHEME_TLS_TERMINATED_BY_PROXY": "true"},
    "no requests at all": {"GRIDSCHEME_RATE_STAFF_PER_MINUTE": "0"},
    "text as number": {"GRIDSCHEME_WORKERS": "many"},
}


@pytest.mark.parametrize("name", BAD_SETTINGS)
def test_settings_that_do_not_fit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for variable, value in {**oidc(tmp_path), **BAD_SETTINGS[name]}.items():
        if value:
            monkeypatch.setenv(variable, value)
        else:
            monkeypatch.delenv(variable, raising=False)
    with pytest.raises(InputError):
        load_settings()


def test_password_of_the_store_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDSCHEME_DB", "postgresql://grid:tell-nobody@db/grid")
    monkeypatch.setenv("GRIDSCHEME_WORKERS", "0")
    with pytest.raises(InputError) as refused:
        load_settings()
    assert "tell-nobody" not in str(refused.value)
    monkeypatch.delenv("GRIDSCHEME_WORKERS")
    assert "tell-nobody" not in repr(load_settings())


def forwarded(peer: str, proxies: tuple[str, ...], headers: dict[str, str]) -> Any:
    """Return the answer to a request through the server's own treatment of proxies."""
    app = FastAPI()

    @app.get("/")
    def where() -> dict[str, str]:
        return {"ok": "yes"}

    app.add_middleware(RequireTls)
    config = configure_server(app, Settings(trusted_proxies=proxies))
    served: Any = app
    if config.proxy_headers:
        served = ProxyHeadersMiddleware(app, trusted_hosts=config.forwarded_allow_ips)
    return TestClient(served, client=(peer, 40_000)).get("/", headers=headers)


HTTPS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.5"}


@pytest.mark.parametrize(
    ("peer", "proxies", "headers", "status"),
    [
        ("10.0.0.7", ("10.0.0.7",), HTTPS, 200),
        ("10.0.0.7", ("10.0.0.7",), {"X-Forwarded-For": "203.0.113.5"}, 403),  # http in front of the proxy
        ("10.0.0.8", ("10.0.0.7",), HTTPS, 403),  # past the proxy
        ("10.0.0.8", ("10.0.0.7",), {**HTTPS, "X-Forwarded-For": "127.0.0.1"}, 403),
        ("10.0.0.8", (), {**HTTPS, "X-Forwarded-For": "127.0.0.1"}, 403),
        ("127.0.0.1", ("10.0.0.7",), {}, 200),  # a supervisor on this machine
    ],
)
def test_only_what_came_over_tls_is_answered(
    peer: str, proxies: tuple[str, ...], headers: dict[str, str], status: int
) -> None:
    answer = forwarded(peer, proxies, headers)
    assert answer.status_code == status
    assert ("strict-transport-security" in answer.headers) is (status == 200 and peer == "10.0.0.7")
    if status == 403:
        assert answer.json()["code"] == "http.tls"


def certificate(folder: Path) -> tuple[Path, Path]:
    """Return a self-signed certificate for localhost and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


def test_certificate_must_fit_its_key(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    file, key = certificate(tmp_path)
    check_certificate(Settings(tls_certificate_file=file, tls_key_file=key))
    other = certificate(tmp_path / "other")[1]
    for wrong in (other, file, tmp_path / "absent.pem"):
        with pytest.raises(InputError, match="--tls-certificate"):
            check_certificate(Settings(tls_certificate_file=file, tls_key_file=wrong))


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Service]:
    service = Service(str(tmp_path / "store.db"))
    yield service
    service.stop()


def test_without_configuration_each_role_has_a_key_that_is_printed_once(local: Service) -> None:
    keys = local.keys
    assert list(keys) == ["public", "customer", "engineer", "planner", "operator"]
    assert local.url.startswith("http://127.0.0.1:")
    assert wait_for(f"{local.url}/health").json() == {"status": "ok"}
    assert httpx2.get(f"{local.url}/docs").status_code == 200
    assert httpx2.get(f"{local.url}/metrics").status_code == 401
    statuses = {
        role: httpx2.get(f"{local.url}/metrics", headers={"X-API-Key": key}).status_code for role, key in keys.items()
    }
    assert statuses == {"public": 403, "customer": 403, "engineer": 403, "planner": 403, "operator": 200}


@contextmanager
def running(app: FastAPI, settings: Settings) -> Iterator[int]:
    """Yield the port of an application served in a thread as the command would serve it."""
    listener = bind("0.0.0.0", 0)
    server = uvicorn.Server(configure_server(app, settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


def test_for_others_it_speaks_tls_and_has_no_local_keys(tmp_path: Path, open_services: Callable[..., Services]) -> None:
    services = open_services()
    key = make_key(services.store, "monitor", "operator")
    file, key_file = certificate(tmp_path)
    settings = Settings(trusted_hosts=("localhost",), tls_certificate_file=file, tls_key_file=key_file)
    exposure = decide_exposure("0.0.0.0", settings, has_authentication=has_authentication(settings, services.store))
    app = create_application(lambda: services, settings, exposure, None)
    with running(app, settings) as port, httpx2.Client(verify=str(file), headers={"X-API-Key": key}) as client:
        url = f"https://localhost:{port}"
        metrics = client.get(f"{url}/metrics")
        assert metrics.status_code == 200
        assert "max-age" in metrics.headers["strict-transport-security"]
        assert client.get(f"{url}/docs").status_code == 404
        assert client.get(f"{url}/health", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host", "0.0.0.0"], "authentication is not configured"),
        (["--workers", "2"], "--workers"),
        (["--tls-terminated-by-proxy"], "trusted_proxies"),
        (["--tls-certificate", "absent.pem"], "belong together"),
        (["--host", "example.org"], "--host"),
    ],
)
def test_start_is_refused_with_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert main(["serve", "--port", "0", "--db", str(tmp_path / "store.db"), *options]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert message in line
