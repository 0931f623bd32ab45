"""Archives' rows for tests."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from archives.models import Archive, ArchivedStudy, ArchiveKind, Authentication
from tests.archives.stand_in import AE_TITLE, PASSWORD, USER, StandIn

OFTEN = 60_000  # questions a minute


def an_archive(**values: Any) -> Archive:
    """Return a stored archive of the kind DICOM, at which nobody listens unless `values` say otherwise."""
    given = {"host": "127.0.0.1", "port": 11112, "called_ae_title": AE_TITLE, **values}
    archive = Archive(**{"name": "PACS", "questions_per_minute": OFTEN, **given})
    archive.save_as("test")
    return archive


def archive_at(stand_in: StandIn, kind: str = ArchiveKind.DICOM, **values: Any) -> Archive:
    """Return a stored archive that is the stand-in."""
    if kind == ArchiveKind.DICOM:
        return an_archive(port=stand_in.dicom_port, **values)
    known: dict[str, Any] = {"kind": kind, "host": "", "port": None, "called_ae_title": ""}
    archive = Archive(
        **{"name": "PACS", "questions_per_minute": OFTEN, **known, "url": stand_in.url, **values}
    )
    archive.save_as("test")
    return archive


def with_password(archive: Archive) -> Archive:
    archive.authentication, archive.user_name = Authentication.BASIC.value, USER
    archive.set_secret(PASSWORD, by="alice")
    archive.save_as("alice")
    return archive


def a_study(archive: Archive, **values: Any) -> ArchivedStudy:
    now = timezone.now()
    given = {"study_instance_uid": "1.2.3", "first_found_at": now, "grew_at": now, "asked_at": now, **values}
    return ArchivedStudy.objects.create(archive=archive, **given)
