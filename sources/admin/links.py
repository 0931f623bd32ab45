"""A link leads to the place in REDCap where a person mends a value; REDCap is not asked for it."""

from __future__ import annotations

from django.utils.html import format_html

from sources.backends.redcap import known_dictionary, record_link
from sources.contract import SessionKey
from sources.models import DataSource
from sources.redcap.dictionary import Dictionary


class Links:
    """It links into the projects of several sources, and reads each one's dictionary once."""

    def __init__(self) -> None:
        self._known: dict[int, Dictionary | None] = {}

    def url(self, source: DataSource, record: str, key: SessionKey, field: str = "") -> str:
        """Return the address of the session's form, or "" while the project is not known."""
        if source.pk not in self._known:
            self._known[source.pk] = known_dictionary(source)
        dictionary = self._known[source.pk]
        return record_link(source, dictionary, record, key, field) if dictionary else ""

    def anchor(self, source: DataSource, record: str, key: SessionKey, field: str = "") -> str:
        url = self.url(source, record, key, field)
        return (
            format_html('<a href="{}" target="_blank" rel="noreferrer">{}</a>', url, "Open in REDCap")
            if url
            else ""
        )


def session_in_words(key: SessionKey) -> str:
    """Say in words which session of its record it is."""
    number = f"no. {key.instance}" if key.instance else ""
    return ", ".join(filter(None, (key.event, key.instrument, number)))
