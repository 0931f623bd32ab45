"""A source's URL and token come from the file, from what people gave meanwhile, or from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from pylantir_site.environment import env
from sources import host
from sources.config_import.entries import Credentials, Environment, SourceEntry
from sources.config_import.source_entry import check_url
from sources.config_import.values import ConfigError
from sources.models import RedcapProject
from sources.secrets import CannotDecrypt, decrypt


@dataclass(frozen=True)
class CredentialsFound:
    """`token` is None where the one that is kept stays, and "" where none is to be kept."""

    values: dict[str, Any]  # of RedcapProject: url, token_variable, token_file
    token: str | None = field(repr=False)
    lines: tuple[str, ...]

    def give(self, project: RedcapProject, *, by: str) -> bool:
        """Give the project the token, and tell whether that changed anything. The caller saves."""
        if self.token is None or self.token == _kept_token(project):
            return False
        project.set_token(self.token, by=by)
        return True


def find(entry: SourceEntry, existing: RedcapProject | None) -> CredentialsFound:
    """Find URL and token. Raises ConfigError for no URL, or where a kept token would go to another server."""
    given = entry.credentials
    names = entry.environment
    own = existing is not None and _has_own_token(existing, names)
    _check_host(given)
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


def _check_host(given: Credentials) -> None:
    """Refuse names that no pull would follow. Raises ConfigError."""
    try:
        if given.api_token_env:
            host.check_variable(given.api_token_env)
        if given.api_token_file:
            host.token_file(given.api_token_file)
    except host.NotAllowed as error:
        raise ConfigError(str(error)) from error
    except OSError:
        return  # it may be there when the worker runs


def _uses_environment(project: RedcapProject, names: Environment) -> bool:
    return project.token_variable == names.token or bool(
        project.token_file and project.token_file == os.environ.get(names.token_file)
    )


def _has_own_token(project: RedcapProject, names: Environment) -> bool:
    return project.has_token and not _uses_environment(project, names)


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


def _kept_token(project: RedcapProject) -> str | None:
    """Return the token, or None where no key decrypts it."""
    try:
        return decrypt(project.token_cipher) if project.token_cipher else ""
    except CannotDecrypt:
        return None
