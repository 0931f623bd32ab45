"""An archive's row is opened as a client by C-FIND."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from archives.cfind import tls
from archives.cfind.access import CFindAccess
from archives.cfind.client import CFindClient
from archives.models import Archive
from archives.opening import files
from sources.errors import ConfigurationError


def client_of(archive: Archive, wait: Callable[[float], None]) -> CFindClient:
    return CFindClient(access_of(archive), wait=wait)


def access_of(archive: Archive) -> CFindAccess:
    if not archive.host or archive.port is None or not archive.called_ae_title:
        raise ConfigurationError("Enter host, port and called AE title of the archive.")
    context = None
    if archive.tls:
        context = tls.context(
            ca_bundle=files.certificates(archive.ca_bundle),
            names_host=archive.tls_host_name,
            certificate=files.secret_file(archive.client_certificate),
            key=files.secret_file(archive.client_key),
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
