"""`run_mwl` and `start` have these options for DICOM over TLS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser

from pylantir_site.counting import measures

if TYPE_CHECKING:
    import ssl

PORT = 2762  # registered for DICOM over TLS (PS3.15 B.1)
NEEDS_CERTIFICATE = ("tls_key", "tls_ca", "tls_client_certificate", "no_plain")


def add_tls_options(parser: CommandParser, port: Callable[[str], int] = int) -> None:
    parser.add_argument(
        "--tls-cert", metavar="FILE", help="PEM certificate, and its chain: DICOM over TLS, too."
    )
    parser.add_argument("--tls-key", metavar="FILE", help="Its key, where that is in a file of its own.")
    parser.add_argument("--tls-ca", metavar="FILE", help="PEM certificates of the clients' authorities.")
    parser.add_argument(
        "--tls-client-certificate",
        choices=("required", "optional", "none"),
        help="Default: required with --tls-ca, else none.",
    )
    parser.add_argument("--tls-port", type=port, default=PORT, help="Default %(default)s.")
    parser.add_argument("--no-plain", action="store_true", help="TLS only.")


def tls_context(options: Mapping[str, Any]) -> ssl.SSLContext | None:
    """Return the context, or None without a certificate. Raises CommandError."""
    from worklist.scp import tls

    refuse_without_certificate(options)
    if not options["tls_cert"]:
        return None
    certificate = Path(options["tls_cert"])
    files = tls.TlsFiles(certificate, _path(options["tls_key"]), _path(options["tls_ca"]))
    asked = options["tls_client_certificate"] or ("required" if files.authorities else "none")
    try:
        context = tls.server_context(files, tls.ClientCertificate(asked))
    except tls.TlsFileUnusable as error:
        raise CommandError(str(error)) from error
    for use, path in (("server", certificate), ("authority", files.authorities)):
        if path is not None and (ends := tls.warn_of_expiry(path)) is not None:
            measures.CERTIFICATE_ENDS.set(ends.timestamp(), use, path.name)
    return context


def refuse_without_certificate(options: Mapping[str, Any]) -> None:
    for name in NEEDS_CERTIFICATE:
        if options[name] and not options["tls_cert"]:
            raise CommandError(
                f"--{name.replace('_', '-')} needs --tls-cert: the certificate of this server."
            )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
