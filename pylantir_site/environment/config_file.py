"""The original's JSON configuration file decides where data live and who may connect; it is read here."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

OPTION = "--pylantir_config"
PATHS = ("db_path", "users_db_path")
# What the file may say at its top, and in its object `api`; the original wrote it in two formats.
OF_SERVER = frozenset({*PATHS, "allowed_aet", "db_echo", "api"})
OF_SOURCES = frozenset({"data_sources", "protocol", "mri_visit_session_mapping"})
OF_LEGACY = frozenset({"redcap2wl", "site", "db_update_interval", "operation_interval"})
OF_API = frozenset(
    {"cors_allowed_origins", "cors_allow_credentials", "cors_allow_methods", "cors_allow_headers"}
)
KEYS = OF_SERVER | OF_SOURCES | OF_LEGACY


def take_path_from_arguments(arguments: list[str]) -> None:
    """Hand `--pylantir_config FILE` to the settings, which are read before any command sees its options."""
    for position, argument in enumerate(arguments):
        if argument == OPTION and position + 1 < len(arguments):
            os.environ["PYLANTIR_CONFIG"] = arguments[position + 1]
        elif argument.startswith(f"{OPTION}="):
            os.environ["PYLANTIR_CONFIG"] = argument.removeprefix(f"{OPTION}=")


def read(path: str) -> dict[str, Any]:
    """Return the file's content. Raises ImproperlyConfigured, which says what is wrong with it."""
    if not path:
        return {}
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))  # Notepad begins files with a mark
    except OSError as error:
        raise ImproperlyConfigured(f"PYLANTIR_CONFIG: {path}: {error.strerror}.") from error
    except ValueError as error:
        raise ImproperlyConfigured(f"PYLANTIR_CONFIG: {path} is not JSON: {error}.") from error
    except RecursionError as error:
        raise ImproperlyConfigured(f"PYLANTIR_CONFIG: {path} is nested too deeply.") from error
    if not isinstance(content, dict):
        raise ImproperlyConfigured(f"PYLANTIR_CONFIG: {path} must hold a JSON object.")
    for name in PATHS:
        if not isinstance(content.get(name) or "", str):
            raise ImproperlyConfigured(f"PYLANTIR_CONFIG: {path}: {name} must be a text, in quotation marks.")
    return content
