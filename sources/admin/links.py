"""Where a person mends it in REDCap: made from what is known of the project, without asking."""

from __future__ import annotations

from django.utils.html import format_html

from sources.backends.redcap import known_dictionary, record_link
from sources.contract import Key
from sources.models import DataSource
from sources.redcap.dictionary import Dictionary


class Links:
    """Into the projects of several sources; each one's dictionary is read once."""

    def __init__(self) -> None:
        self._known: dict[int, Dictionary | None] = {}

    def url(self, source: DataSource, record: str, key: Key, field: str = "") -> str:
        """Empty while the project is not known."""
        if source.pk not in self._known:
            self._known[source.pk] = known_dictionary(source)
        dictionary = self._known[source.pk]
        return record_link(source, dictionary, record, key, field) if dictionary else ""

    def anchor(self, source: DataSource, record: str, key: Key, field: str = "") -> str:
        url = self.url(source, record, key, field)
        return (
            format_html('<a href="{}" target="_blank" rel="noreferrer">{}</a>', url, "Open in REDCap")
            if url
            else ""
        )


def place(key: Key) -> str:
    """Which session of its record, for people."""
    number = f"no. {key.instance}" if key.instance else ""
    return ", ".join(filter(None, (key.event, key.instrument, number)))
