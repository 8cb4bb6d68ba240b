"""An authority and certificates of it, for a cluster of this machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Authority = tuple[x509.Name, ec.EllipticCurvePrivateKey]


def write_authority(folder: Path) -> Authority:
    """Write ``ca.pem``; return what signs."""
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("authority")
    builder = _builder(name, name, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    _write(folder / "ca.pem", builder.sign(key, hashes.SHA256()))
    return name, key


def write_certificate(folder: Path, authority: Authority) -> None:
    """Write ``cert.pem`` and ``key.pem``."""
    name, signing = authority
    key = ec.generate_private_key(ec.SECP256R1())
    _write(folder / "cert.pem", _builder(_name("machine"), name, key).sign(signing, hashes.SHA256()))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
