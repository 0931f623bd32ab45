"""A kind of source says here what the admin's common pages show of it.

Its module has a `PAGE`, an instance of a class that derives from `KindPage`; `sources.kinds.KINDS` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sources.admin.source_forms import DataSourceForm
from sources.contract import SessionKey
from sources.dictionary import Dictionary
from sources.kinds import KINDS, dictionary_of
from sources.mapping.rules import SessionLayout
from sources.models import DataSource

MAPPING_FIELDS = ("position", "target", "field", "level", "events", "transforms", "default", "required")


class Button(NamedTuple):
    """A button of a source's page sends a POST to `act`, which answers with a page or leads back.

    `permission` is one of the app's, and `label` stands beside the state of a source that is enabled, where
    it is pressed from there. One that only looks is given a source that waits for answers no longer than a
    person does.
    """

    permission: str
    act: Callable[[Any, HttpRequest, DataSource], HttpResponse]
    label: Any = ""
    only_looks: bool = False


class Connected(NamedTuple):
    """Whether a source has what it needs to be asked, as its first step says, and why others wait if not.

    `button` is one of the kind's own that takes the step, and `label` stands on it there.
    """

    is_connected: bool
    words: str
    why_not: str = ""
    button: str = ""
    label: str = ""


class KindPage:
    """What a kind leaves out here is as most kinds have it."""

    form: type[DataSourceForm]
    # All groups of fields of a source's page, in order: the kind's own among those of `fieldsets`.
    fieldsets: tuple[Any, ...]
    # Whoever chooses the kind of a new source reads these: a few words, and a sentence about them.
    described: Any
    about: Any
    # Fields of the form: once one has changed, the source may be another one altogether, …
    access: frozenset[str] = frozenset()
    # … or its records mean something else, beside `source_forms.MEANING`.
    meaning: frozenset[str] = frozenset()
    # Fields whose groups are not shown to who may not edit.
    hidden_from_viewers: frozenset[str] = frozenset()
    # The form's field of a part of `SessionLayout` in which a mistake is found: kind, instrument, events.
    session_fields: Mapping[str, str] = {}
    # Columns of the mapping's editor, of MAPPING_FIELDS.
    mapping_fields: tuple[str, ...] = MAPPING_FIELDS
    # What people call a field of this kind, and its value as it stands there.
    field_label: Any = gettext_lazy("field")
    value_label: Any = gettext_lazy("At the source")
    # Why no record can be shown, as a sentence.
    no_records: Any = gettext_lazy("The source has no record.")
    # What leads to the place where a value is mended, in full and in a cell.
    link_label: Any = gettext_lazy("Open at the source")
    link_in_cell: Any = gettext_lazy("at the source")
    # Beside the buttons that every source has; the name is part of the URL, and no other kind's.
    buttons: Mapping[str, Button] = {}
    # Names of common buttons that have no sense for this kind.
    buttons_left_out: frozenset[str] = frozenset()
    # A template of what stands among the state of the source, and gets `source`, `state` and `edits_source`.
    state_template: str = ""

    def state_context(self, source: DataSource) -> dict[str, Any]:
        """Return what `state_template` gets beside that."""
        return {}

    def connected(self, source: DataSource) -> Connected:
        """Say whether the source has all that it takes to be asked."""
        raise NotImplementedError

    def dictionary_to_suggest(self, source: DataSource, *, fresh: bool) -> Dictionary:
        """Return what a mapping is suggested from. Raises SourceError."""
        return dictionary_of(source, fresh=fresh)

    def mapping_button(self, source: DataSource) -> tuple[str, str]:
        """Return the button that makes rows of the mapping, and what stands on it."""
        return "suggest", _("Suggest a mapping")

    def only_sessions(self, source: DataSource) -> SessionLayout | None:
        """Return how sessions are found where there is one way alone, None where a suggestion finds it."""
        return None

    def link(
        self, source: DataSource, dictionary: Dictionary, record: str, key: SessionKey, field: str
    ) -> str:
        """Return the address where a person mends a value, or "" where there is none."""
        return ""

    def prepare_form(self, form: Any, request: HttpRequest, source: DataSource | None) -> None:
        """Give the class of this request's form what the request and the source say."""

    def after_form(self, request: HttpRequest, form: DataSourceForm | None) -> None:
        """Look after what was typed: `form` is one that was refused, None once nothing waits any more."""


def page_of(kind: str) -> KindPage:
    page: KindPage = import_module(KINDS[kind].admin).PAGE
    return page


def chosen(request: HttpRequest) -> str:
    """Return the kind of a source that is to be added, or "" while a person has to choose."""
    asked = request.GET.get("kind") or request.POST.get("kind", "")
    only = "" if len(KINDS) > 1 else next(iter(KINDS))
    return asked if asked in KINDS else only


def kind_of(request: HttpRequest, source: DataSource | None) -> str:
    """Return the kind of a source, or of the one that is to be added; until one is chosen, the first."""
    return source.kind if source else chosen(request) or next(iter(KINDS))


def buttons_of_kinds() -> dict[str, Button]:
    """Return the buttons that some kind has of its own."""
    return {name: button for kind in KINDS for name, button in page_of(kind).buttons.items()}
