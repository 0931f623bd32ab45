"""A source's URL and token come from the file, from what people gave meanwhile, or from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from pylantir_site.environment import env
from sources.config_import.entries import Environment, SourceEntry
from sources.config_import.source_entry import check_url
from sources.config_import.values import ConfigError
from sources.models import DataSource
from sources.secrets import CannotDecrypt, decrypt


@dataclass(frozen=True)
class CredentialsFound:
    """`token` is None where the one that is kept stays, and "" where none is to be kept."""

    values: dict[str, Any]  # of DataSource: url, token_variable, token_file
    token: str | None = field(repr=False)
    lines: tuple[str, ...]

    def give(self, source: DataSource, *, by: str) -> bool:
        """Give the source the token, and tell whether that changed anything. The caller saves."""
        if self.token is None or self.token == _kept_token(source):
            return False
        source.set_token(self.token, by=by)
        return True


def find(entry: SourceEntry, existing: DataSource | None) -> CredentialsFound:
    """Find URL and token. Raises ConfigError for no URL, or where a kept token would go to another server."""
    given = entry.credentials
    names = entry.environment
    own = existing is not None and _has_own_token(existing, names)
    if given.has_token:
        values = {"token_variable": given.api_token_env, "token_file": given.api_token_file}
        token: str | None = given.api_token
        lines = ["The token is kept encrypted here: take it out of the file."] if given.api_token else []
    elif own:
        values, token, lines = {}, None, ["The file has no token: the source keeps the one that it has."]
    else:
        values, token = _of_environment(names), ""
        variable = names.token_file if values["token_file"] else names.token
        lines = [f"The token is read from {variable} at each pull."]
    url = given.api_url or (existing.url if own and existing else _url(names.url))
    if token is None and existing is not None:
        _refuse_other_server(url, existing.url)
    if not given.api_url and not own:
        lines.insert(0, f"The URL is from {names.url}: {url}")
    return CredentialsFound({"url": url, **values}, token, tuple(lines))


def _uses_environment(source: DataSource, names: Environment) -> bool:
    return source.token_variable == names.token or bool(
        source.token_file and source.token_file == os.environ.get(names.token_file)
    )


def _has_own_token(source: DataSource, names: Environment) -> bool:
    has_token = bool(source.token_cipher or source.token_variable or source.token_file)
    return has_token and not _uses_environment(source, names)


def _refuse_other_server(url: str, before: str) -> None:
    """A token goes to the server that it was entered for and to no other."""
    if urlsplit(url).netloc != urlsplit(before).netloc:
        raise ConfigError(
            "config.api_url leads to another server than the source's: give the token for it, too."
        )


def _of_environment(names: Environment) -> dict[str, str]:
    path = os.environ.get(names.token_file, "")
    if path and os.environ.get(names.token):
        raise ConfigError(f"{names.token} and {names.token_file} are both set: keep one of them.")
    return {"token_variable": "" if path else names.token, "token_file": path}


def _url(variable: str) -> str:
    try:
        url = env.text(variable)
    except ImproperlyConfigured as error:
        raise ConfigError(str(error)) from error
    if not url:
        raise ConfigError(f"There is no API URL: set {variable}, or give the source config.api_url.")
    check_url(url, variable)
    return url


def _kept_token(source: DataSource) -> str | None:
    """Return the token, or None where no key decrypts it."""
    try:
        return decrypt(source.token_cipher) if source.token_cipher else ""
    except CannotDecrypt:
        return None
