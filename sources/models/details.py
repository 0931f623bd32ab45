"""What only one kind of source has stands in a row of its own, beside the source.

The engine and the common pages ask the row through `SourceDetails`, and know no kind by its name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sources import host, secrets, validators
from sources.contract import ServerClock
from sources.mapping.rules import SessionLayout, WithoutTime
from worklist.models.history import Recorded

if TYPE_CHECKING:
    from sources.models.data_sources import DataSource

RECORDS_AT_ONCE = 100


class SecretMissing(Exception):
    """There is no token or password, or it is not where the source says."""


class SourceDetails(Recorded):
    """A kind of source derives its model from this, with `source` as a one-to-one primary key.

    It has a history (`worklist.models.history.actor_history`) without the columns that hold secrets, and is
    saved by `DataSource.save_with_details`.
    """

    # Columns that a person who may not change the source does not see in its history.
    hidden_from_viewers: ClassVar[tuple[str, ...]] = ()
    # Columns that are encrypted.
    secret_columns: ClassVar[tuple[str, ...]] = ()
    # Columns that name something of this machine, by what `host.refusals` calls it.
    host_columns: ClassVar[Mapping[str, str]] = {}

    # Whether its list of records is that of the source's horizon, and not of all that there ever was.
    lists_horizon: ClassVar[bool] = False
    # Whether one value may slip to another's record, as where a column is sorted alone.
    may_slip: ClassVar[bool] = False
    # What to look at where the source suddenly says that it has nothing, as a sentence.
    where_nothing_is: ClassVar[str] = ""

    source: Any

    class Meta:
        abstract = True

    def session_layout(self, *, conditions: str, without_time: WithoutTime) -> SessionLayout:
        """Return how sessions are found, as `sources.mapping` takes it."""
        raise NotImplementedError

    def take_sessions(self, sessions: SessionLayout) -> None:
        """Let `session_layout` return what a suggestion has found. The caller saves."""
        raise NotImplementedError

    def access(self) -> tuple[Any, ...]:
        """Return what decides whose data is read: where one part differs, a person has to look again."""
        raise NotImplementedError

    def others(self) -> list[DataSource]:
        """Return other sources that read the same data: everybody might be offered twice."""
        return []

    def clock(self) -> ServerClock | None:
        """Return by which clock changes are asked for, or None where no clock matters."""
        return None

    @property
    def records_at_once(self) -> int:
        """Return how many records are asked for, and decided, in one go."""
        return RECORDS_AT_ONCE

    def wait_at_most(self, seconds: int) -> None:
        """Shorten the wait for answers, as somebody waits for a page. It is not to be saved."""

    def names_what_it_may_not(self) -> tuple[str, ...]:
        """Return why something of this machine that it names may not be read, for administrators."""
        return host.refusals(**{part: getattr(self, column) for part, column in self.host_columns.items()})


class ServerDetails(SourceDetails):
    """A source that asks a server over HTTPS trusts certificates, and does not wait for ever."""

    host_columns: ClassVar[Mapping[str, str]] = {"certificates_at": "ca_bundle"}

    ca_bundle = models.CharField(
        _("CA bundle"),
        max_length=500,
        blank=True,
        default="",
        validators=[validators.existing_file],
        help_text=_(
            "The path of the certificates to trust, where the institution has its own: below the folder "
            "that SOURCE_FILES_FOLDER names."
        ),
    )
    read_timeout = models.PositiveIntegerField(
        _("time-out (seconds)"), default=120, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )

    class Meta:
        abstract = True

    def wait_at_most(self, seconds: int) -> None:
        self.read_timeout = min(self.read_timeout, seconds)

    def certificates(self) -> str:
        """Return the path of the CA bundle, or "" without one. Raises host.NotAllowed."""
        if not self.ca_bundle:
            return ""
        try:
            return str(host.certificates(self.ca_bundle))
        except OSError:
            raise host.NotAllowed("The CA bundle cannot be read.") from None


def secret_of(what: str, *, cipher: str, variable: str = "", file: str = "", owner: str = "source") -> str:
    """Return a secret from the environment, the file or the database; `what` is its name: token, password.

    `owner` is what has it.

    Raises SecretMissing or secrets.CannotDecrypt.
    """
    if variable:
        return _from_environment(variable)
    if file:
        try:
            return host.token_in(file) or _missing(f"The {what}'s file is empty.")
        except host.NotAllowed as error:
            _missing(str(error))
        except (OSError, UnicodeDecodeError):
            _missing(f"The {what}'s file cannot be read where the worker runs.")
    return secrets.decrypt(cipher) if cipher else _missing(f"The {owner} has no {what}.")


def _from_environment(named_by_people: str) -> str:
    _allow(host.check_variable, named_by_people)
    return os.environ.get(named_by_people, "").strip() or _missing(
        f"The environment variable {named_by_people} is not set where the worker runs."
    )


def kept(secret: str, *, by: str) -> tuple[str, datetime | None, str]:
    """Return the cipher of a secret, when it was set and by whom; "" forgets it."""
    return (secrets.encrypt(secret), timezone.now(), by) if secret else ("", None, "")


def _allow(check: Callable[[str], None], name: str) -> None:
    try:
        check(name)
    except host.NotAllowed as error:
        raise SecretMissing(str(error)) from None


def _missing(text: str) -> Any:
    raise SecretMissing(text)


def columns_of(details: type[SourceDetails]) -> Sequence[str]:
    """Return the columns of a kind's own, without the key."""
    return [field.name for field in details._meta.concrete_fields if not field.primary_key]
