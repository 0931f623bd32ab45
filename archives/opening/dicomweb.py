"""An archive's row is opened as a client by QIDO-RS."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from archives.dicomweb.access import DicomwebAccess
from archives.dicomweb.client import DicomwebClient
from archives.models import Archive, Authentication
from archives.opening import files
from pylantir_site.outside.strict_json import Most
from sources.errors import AuthorisationError, ConfigurationError


def client_of(archive: Archive, wait: Callable[[float], None]) -> DicomwebClient:
    return DicomwebClient(access_of(archive), wait=wait)


def access_of(archive: Archive) -> DicomwebAccess:
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
        ca_bundle=files.certificates(archive.ca_bundle),
        read_timeout=archive.read_timeout,
        requests_per_minute=archive.questions_per_minute,
        most_megabytes=settings.SOURCE_ANSWER_MEGABYTES,
        most=Most(objects=rows, names=settings.SOURCE_ANSWER_COLUMNS, values=10 * rows),
    )
