"""An archive's address is taken only where it is one, and no secret would go in clear."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from archives.words import ARCHIVE
from pylantir_site.outside.addresses import is_never_asked
from sources.http.address import parts_of

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


def dicomweb_url(value: str) -> None:
    """Let through the base URL of a DICOMweb service; migrations know the validator by this name."""
    try:
        parts_of(value, ARCHIVE)
    except ValueError as error:
        raise ValidationError(str(error), code="url") from error


def host_name(value: str) -> None:
    """Let through a host's name or address, without a scheme, a port or a path."""
    if not _HOST.fullmatch(value):
        raise ValidationError(
            _("This must be a host's name or address alone, such as pacs.example.org."), code="host"
        )
    if is_never_asked(value):
        raise ValidationError(
            _("This address is of a network link's or a cloud's own use: no archive is there."), code="host"
        )
