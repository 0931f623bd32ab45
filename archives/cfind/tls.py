"""A connection by TLS verifies the archive's certificate (PS3.15 B.9 and B.12), and may show one of ours."""

from __future__ import annotations

import ssl

from sources.errors import ConfigurationError


def context(
    *, ca_bundle: str = "", names_host: bool = True, certificate: str = "", key: str = ""
) -> ssl.SSLContext:
    """Return a context of TLS 1.2 or later. Paths are of PEM files; without a bundle the system's is used.

    `names_host` says that the certificate must name the host. Raises ConfigurationError.
    """
    made = ssl.create_default_context()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if ca_bundle:
            made = ssl.create_default_context(cafile=ca_bundle)
            made.minimum_version = ssl.TLSVersion.TLSv1_2
    except (OSError, ssl.SSLError):
        raise ConfigurationError("The CA bundle cannot be read as certificates in PEM.") from None
    made.check_hostname = names_host
    if certificate:
        try:
            made.load_cert_chain(certificate, key or None, password=_no_password)
        except (OSError, ssl.SSLError, ValueError):
            raise ConfigurationError(
                "Client certificate and key cannot be read: both in PEM, the key without a password, "
                "and each other's."
            ) from None
    return made


def _no_password() -> str:
    """Keep OpenSSL from asking at a terminal."""
    return ""
