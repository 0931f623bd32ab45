"""The tests have two authorities, a server, and clients' certificates: right, expired or another's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """These are PEM files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = _subject(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(_pem(_builder(self._name, self._name, self._key, DAY, is_ca=True), self._key))

    def issue(self, name: str, *, days: int = 90, password: bytes | None = None) -> Issued:
        """Issue a certificate for so many days from now; for fewer than none, it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_subject(name), self._name, key, days * DAY, is_ca=False)
        certificate, key_path = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        certificate.write_bytes(_pem(builder, self._key))
        encryption = serialization.BestAvailableEncryption(password) if password else None
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                encryption or serialization.NoEncryption(),
            )
        )
        return Issued(certificate, key_path)


def _subject(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Hospital"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, lasts: timedelta, *, is_ca: bool
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 400 * DAY)
        .not_valid_after(now + lasts)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )


def _pem(builder: x509.CertificateBuilder, signing_key: ec.EllipticCurvePrivateKey) -> bytes:
    return builder.sign(signing_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
