"""A site's set-up is checked by `manage.py check`, and at every start."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corsheaders.conf import conf
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from pylantir_site.database.row_checks import row_check
from pylantir_site.environment import program
from pylantir_site.environment.originals import tables_of_the_original
from pylantir_site.metrics import expiring
from sources import host, secrets
from sources.models import OriginalDatabase
from sources.models.data_sources import details_models
from worklist.models import Device

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
NETWORK_FILE_SYSTEMS = frozenset(
    {"9p", "afs", "ceph", "cifs", "fuse.sshfs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"}
)
LEAST_SQLITE = (3, 35, 0)
MOUNTS = Path("/proc/mounts")
Apps = Sequence[AppConfig] | None


@register(Tags.security)
def debug_stays_on_this_machine(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    elsewhere = [host for host in settings.ALLOWED_HOSTS if host not in LOOPBACK]
    if not settings.DEBUG or not elsewhere:
        return []
    return [
        Warning(
            f"DEBUG is on while others may reach this server as {', '.join(elsewhere)}.",
            hint="Error pages show settings and participants' data: unset DEBUG.",
            id="pylantir.W001",
        )
    ]


@register(Tags.security)
def hosts_are_named(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Warning(
            "ALLOWED_HOSTS contains *: any host name is believed.",
            hint="Name the hosts that people type, separated by commas.",
            id="pylantir.W002",
        )
    ]


@register(Tags.security)
def origins_are_named(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if not conf.CORS_ALLOW_ALL_ORIGINS:
        return []
    return [
        Warning(
            "CORS_ALLOWED_ORIGINS contains *: pages of any site may ask the API with a visitor's token.",
            hint="Name the origins of your own pages (CORS_ALLOWED_ORIGINS, or api.cors_allowed_origins).",
            id="pylantir.W006",
        )
    ]


@register(Tags.files)
def sqlite_is_on_a_local_disk(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    return [
        Warning(
            f"The database {path} is on a network file system ({kind}).",
            hint="SQLite's write-ahead log needs a local disk: move the file (DB_PATH, USERS_DB_PATH) "
            "or use PostgreSQL (DATABASE_URL).",
            id="pylantir.W003",
        )
        for path in sqlite_files()
        if (kind := file_system(path, mounts())) in NETWORK_FILE_SYSTEMS
    ]


@register(Tags.files)
def data_is_the_owners_alone(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    folders = {settings.DATA_DIR, *(path.parent for path in sqlite_files())}
    return [
        Warning(
            f"Other users of this machine may read {folder}.",
            hint=f"It holds participants' data and keys: chmod 700 {folder}",
            id="pylantir.W004",
        )
        for folder in sorted(folders)
        if folder.is_dir() and folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]


@register(Tags.files)
def sqlite_is_recent(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if not sqlite_files() or sqlite3.sqlite_version_info >= LEAST_SQLITE:
        return []
    return [
        Error(
            f"SQLite {sqlite3.sqlite_version} is too old.",
            hint=f"Python must be linked with SQLite {'.'.join(map(str, LEAST_SQLITE))} or newer; "
            "or use PostgreSQL (DATABASE_URL).",
            id="pylantir.E001",
        )
    ]


@row_check
def nothing_of_the_original_lies_unused() -> list[CheckMessage]:
    """Say it of files into which an earlier version migrated."""
    if OriginalDatabase.objects.exists():
        return []
    return [
        Warning(
            f"{path} also holds what the original Pylantir kept, which is not used.",
            hint=f"Bring it in: {program.to_type('import_original', str(path))}",
            id="pylantir.W009",
        )
        for path in sqlite_files()
        if tables_of_the_original(path)
    ]


@row_check
def secrets_can_be_decrypted() -> list[CheckMessage]:
    locked = [
        name
        for model in details_models()
        if model.secret_columns
        for name, *ciphers in model._default_manager.values_list("source__name", *model.secret_columns)
        if not all(map(_can_be_decrypted, ciphers))
    ]
    if not locked:
        return []
    return [
        Warning(
            f"FIELD_ENCRYPTION_KEYS lacks the key of what is kept secret for {', '.join(locked)}.",
            hint="Add the key that it was saved with (the first encrypts, all decrypt), or enter the token "
            "again: nothing is pulled until then.",
            id="pylantir.W005",
        )
    ]


@row_check
def sources_name_what_they_may() -> list[CheckMessage]:
    """Say where one does not: earlier versions let sources name any variable and any file."""
    return [
        Warning(
            f"Nothing is pulled from the source {name}. {told}",
            hint="Whoever edits a source chooses where its token is sent: docs/sources.md says what it may "
            "name of this machine.",
            id="pylantir.W014",
        )
        for model in details_models()
        if model.host_columns
        for name, *named in model._default_manager.values_list("source__name", *model.host_columns.values())
        for told in host.refusals(**dict(zip(model.host_columns, named, strict=True)))
    ]


@row_check
def devices_are_listed() -> list[CheckMessage]:
    enabled = dict(Device.objects.values_list("ae_title", "enabled"))
    if not enabled:
        return [
            Warning(
                "No device is listed: the DICOM server accepts associations from this machine only.",
                hint="Add the scanners under Scanners in the admin.",
                id="pylantir.W007",
            )
        ]
    if not enabled.get(Device.ANY):
        return []
    return [
        Warning(
            "The device * is enabled: any AE title may read the worklist, and report examinations.",
            hint="List the scanners under Scanners in the admin, and disable the device *.",
            id="pylantir.W008",
        )
    ]


@row_check
def certificates_last() -> list[CheckMessage]:
    """Say which do not last: the DICOM server has said what it uses."""
    return [
        Warning(
            sentence,
            hint="Put a new file in its place and start Pylantir again: after its end no connection is made.",
            id="pylantir.W030",
        )
        for sentence in expiring.sentences()
    ]


def _can_be_decrypted(cipher: str) -> bool:
    try:
        return not cipher or bool(secrets.decrypt(cipher))
    except secrets.CannotDecrypt:
        return False


def sqlite_files() -> list[Path]:
    return [
        Path(database["NAME"])
        for database in settings.DATABASES.values()
        if database["ENGINE"] == "django.db.backends.sqlite3"
    ]


def mounts() -> dict[str, str]:
    """Return file system types by mount point; empty where the system does not tell.

    The last mount counts.
    """
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    fields = [line.split() for line in lines]
    return {point.replace("\\040", " "): kind for _, point, kind, *_ in fields}


def file_system(path: Path, mounted: dict[str, str]) -> str:
    real = Path(os.path.realpath(path))
    for folder in [real, *real.parents]:
        if str(folder) in mounted:
            return mounted[str(folder)]
    return ""
