"""The original's JSON configuration file decides where data live and who may connect; it is read here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from pylantir_site.outside import strict_json

PATHS = ("db_path", "users_db_path")
# What the file may say at its top, and in its object `api`; the original wrote it in two formats.
OF_SERVER = frozenset({*PATHS, "allowed_aet", "db_echo", "api"})
OF_SOURCES = frozenset({"data_sources", "protocol", "mri_visit_session_mapping"})
OF_LEGACY = frozenset({"redcap2wl", "site", "db_update_interval", "operation_interval"})
OF_API = frozenset(
    {"cors_allowed_origins", "cors_allow_credentials", "cors_allow_methods", "cors_allow_headers"}
)
MOST_BYTES = 16 * 1024 * 1024
KEYS = OF_SERVER | OF_SOURCES | OF_LEGACY


class ConfigFileError(ImproperlyConfigured):
    """The file is not there, or holds no configuration; the text says which file, and what is wrong."""


def choose(path: str) -> None:
    """Have the settings, which are read later, take the file that was typed. Raises ConfigFileError."""
    os.environ.pop("PYLANTIR_CONFIG_FILE", None)  # the other way to name one: what was typed counts
    os.environ["PYLANTIR_CONFIG"] = path
    read(path, named="--pylantir_config")


def read(path: str, *, named: str = "PYLANTIR_CONFIG") -> dict[str, Any]:
    """Return the file's content. Raises ConfigFileError, which says what is wrong with what was so named."""
    if not path:
        return {}
    try:
        content = strict_json.loads(_bytes_of(path, named=named))
    except OSError as error:
        raise ConfigFileError(f"{named}: {path}: {error.strerror}.") from error
    except strict_json.JsonRefused as error:
        raise ConfigFileError(f"{named}: {path}: {error}") from error
    if not isinstance(content, dict):
        raise ConfigFileError(f"{named}: {path} must hold a JSON object.")
    for name in PATHS:
        if not isinstance(content.get(name) or "", str):
            raise ConfigFileError(f"{named}: {path}: {name} must be a text, in quotation marks.")
    return content


def _bytes_of(path: str, *, named: str) -> bytes:
    """Return the file's content. Raises OSError and ConfigFileError."""
    with Path(path).open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ConfigFileError(f"{named}: {path} is larger than {MOST_BYTES // 2**20} megabytes.")
    return content
