"""What is known of a source's project is kept, so that pages and pulls need not ask it each time."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from sources.dictionary import Dictionary
from sources.mapping import field_search
from sources.mapping.identifying import Marks


class KnownDictionary(models.Model):
    """A source's project is kept as it was last read.

    Of a large project `content` is ten megabytes, so it stands in a table of its own; what the source's page
    needs stands beside it, and is read alone. `access` tells by whose token it was read.
    """

    source = models.OneToOneField(
        "sources.DataSource", models.CASCADE, related_name="known_dictionary", primary_key=True
    )
    access = models.CharField(max_length=64, blank=True, default="")
    read_at = models.DateTimeField()
    content = models.JSONField()
    identifier_marks = models.JSONField(
        null=True, blank=True, help_text="As sources.mapping.identifying has them."
    )
    event_names = models.JSONField(default=list)
    field_lines = models.TextField(default="", help_text="As sources.mapping.field_search reads them.")
    instrument_lines = models.TextField(default="")

    class Meta:
        verbose_name_plural = "known dictionaries"

    def __str__(self) -> str:
        return f"{self.source}: its project"

    @classmethod
    def keep(
        cls, source: models.Model, dictionary: Dictionary, *, access: str = "", read_at: datetime
    ) -> None:
        """Keep the dictionary in place of the one before."""
        values = {
            "access": access,
            "read_at": read_at,
            "content": dictionary.to_json(),
            "identifier_marks": Marks.of(dictionary).to_json(),
            "event_names": [event.name for event in dictionary.events],
            "field_lines": field_search.field_lines(dictionary),
            "instrument_lines": field_search.instrument_lines(dictionary),
        }
        cls.objects.update_or_create(source_id=source.pk, defaults=values)

    def dictionary(self) -> Dictionary:
        return Dictionary.from_json(self.content)


def known_dictionary(source: models.Model) -> Dictionary | None:
    """Return a source's dictionary as it was last read, without asking the source."""
    kept = KnownDictionary.objects.filter(source_id=source.pk).first()
    return kept.dictionary() if kept else None
