"""An archive's row is opened as the client of its kind."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings

from archives.cfind import tls
from archives.cfind.access import CFindAccess
from archives.cfind.client import CFindClient
from archives.contract import ArchiveClient
from archives.dicomweb.access import DicomwebAccess
from archives.dicomweb.client import DicomwebClient
from archives.models import Archive, ArchiveKind, Authentication
from pylantir_site.outside.strict_json import Most
from sources import host, secrets
from sources.errors import AuthorisationError, ConfigurationError
from sources.models.details import SecretMissing


def opened(archive: Archive, *, wait: Callable[[float], None] = time.sleep) -> ArchiveClient:
    """Return a client that asks the archive; nothing is asked yet. `wait` gets each pause, in seconds.

    Raises sources.errors.ConfigurationError or AuthorisationError where the row does not say enough.
    """
    try:
        if archive.kind == ArchiveKind.DICOMWEB:
            return DicomwebClient(_dicomweb_access(archive), wait=wait)
        return CFindClient(_cfind_access(archive), wait=wait)
    except host.NotAllowed as error:
        raise ConfigurationError(str(error)) from None
    except (SecretMissing, secrets.CannotDecrypt) as error:
        raise AuthorisationError(str(error)) from None


def _cfind_access(archive: Archive) -> CFindAccess:
    if not archive.host or archive.port is None or not archive.called_ae_title:
        raise ConfigurationError("Enter host, port and called AE title of the archive.")
    context = None
    if archive.tls:
        context = tls.context(
            ca_bundle=_certificates(archive.ca_bundle),
            names_host=archive.tls_host_name,
            certificate=_file(archive.client_certificate),
            key=_file(archive.client_key),
        )
    return CFindAccess(
        host=archive.host,
        port=archive.port,
        called_ae_title=archive.called_ae_title,
        calling_ae_title=archive.calling_ae_title or settings.MWL_AETITLE,
        tls=context,
        read_timeout=archive.read_timeout,
        questions_per_minute=archive.questions_per_minute,
    )


def _dicomweb_access(archive: Archive) -> DicomwebAccess:
    if not archive.url:
        raise ConfigurationError("Enter the base URL of the archive.")
    secret = archive.secret() if archive.authentication != Authentication.NONE else ""
    is_basic = archive.authentication == Authentication.BASIC
    if is_basic and not archive.user_name:
        raise AuthorisationError("The archive has no user name.")
    rows = settings.SOURCE_ANSWER_ROWS
    return DicomwebAccess(
        url=archive.url,
        user=archive.user_name if is_basic else "",
        password=secret if is_basic else "",
        token="" if is_basic else secret,
        ca_bundle=_certificates(archive.ca_bundle),
        read_timeout=archive.read_timeout,
        requests_per_minute=archive.questions_per_minute,
        most_megabytes=settings.SOURCE_ANSWER_MEGABYTES,
        most=Most(objects=rows, names=settings.SOURCE_ANSWER_COLUMNS, values=10 * rows),
    )


def _certificates(path: str) -> str:
    if not path:
        return ""
    try:
        return str(host.certificates(path))
    except OSError:
        raise ConfigurationError("The CA bundle cannot be read.") from None


def _file(path: str) -> str:
    """Return where a file of the site's folder leads."""
    if not path:
        return ""
    try:
        return str(host.token_file(path))
    except OSError:
        raise ConfigurationError("The client certificate or its key cannot be read.") from None
