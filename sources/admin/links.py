"""A link leads to the place where a person mends a value; the source is not asked for it."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.translation import gettext as _

from sources.admin.kinds.page import page_of
from sources.contract import SessionKey
from sources.dictionary import Dictionary
from sources.models import DataSource
from sources.models.dictionaries import known_dictionary


class Links:
    """It links into the projects of several sources, and reads each one's dictionary once."""

    def __init__(self) -> None:
        self._known: dict[int, Dictionary | None] = {}

    def url(self, source: DataSource, record: str, key: SessionKey, field: str = "") -> str:
        """Return the address of the session's form, or "" while the project is not known."""
        if source.pk not in self._known:
            self._known[source.pk] = known_dictionary(source)
        dictionary = self._known[source.pk]
        page = page_of(source.kind)
        return page.link(source, dictionary, record, key, field) if dictionary else ""

    def anchor(self, source: DataSource, record: str, key: SessionKey, field: str = "") -> str:
        url, label = self.url(source, record, key, field), page_of(source.kind).link_label
        return format_html('<a href="{}" target="_blank" rel="noreferrer">{}</a>', url, label) if url else ""


def session_in_words(key: SessionKey) -> str:
    """Say in words which session of its record it is."""
    number = _("no. %(instance)s") % {"instance": key.instance} if key.instance else ""
    return ", ".join(filter(None, (key.event, key.instrument, number)))
