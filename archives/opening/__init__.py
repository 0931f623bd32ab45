"""The client of an archive's row is opened by the row's kind: the worker loads what it asks by, and no more.

cfind     the client by C-FIND
dicomweb  the client by QIDO-RS
files     certificates and keys that a row names
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module

from archives.contract import ArchiveClient
from archives.models import Archive, ArchiveKind
from sources import host, secrets
from sources.errors import AuthorisationError, ConfigurationError
from sources.models.details import SecretMissing

# Each has `client_of(archive, wait)`.
MODULES = {ArchiveKind.DICOM: "archives.opening.cfind", ArchiveKind.DICOMWEB: "archives.opening.dicomweb"}


def opened(archive: Archive, *, wait: Callable[[float], None] = time.sleep) -> ArchiveClient:
    """Return a client that asks the archive; nothing is asked yet. `wait` gets each pause, in seconds.

    Raises sources.errors.ConfigurationError or AuthorisationError where the row does not say enough.
    """
    module = import_module(MODULES[ArchiveKind(archive.kind)])
    try:
        client: ArchiveClient = module.client_of(archive, wait)
    except host.NotAllowed as error:
        raise ConfigurationError(str(error)) from None
    except (SecretMissing, secrets.CannotDecrypt) as error:
        raise AuthorisationError(str(error)) from None
    return client
