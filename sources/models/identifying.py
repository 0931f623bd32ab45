"""An administrator's yes to the identifying fields that a source's mapping brings into the worklist."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sources.contract import IdentifyingUse
from sources.models.data_sources import DataSource


class HowAgreed(models.TextChoices):
    PERSON = "PERSON", _("On the source's page")
    IMPORT = "IMPORT", _("With a configuration")
    UPGRADE = "UPGRADE", _("By the upgrade, to be confirmed")


class IdentifyingAgreement(models.Model):
    """Each row is one yes; the newest of a source counts, and none is changed by people.

    `uses` are pairs of field and target. Until the source is read for the first time they are not known of
    what came with a configuration or was there before: the row then covers what is found, and keeps it.
    """

    source = models.ForeignKey(DataSource, models.CASCADE, related_name="identifying_agreements")
    uses = models.JSONField(null=True, blank=True)
    how = models.CharField(max_length=10, choices=HowAgreed.choices)
    agreed_by = models.CharField(max_length=200)
    agreed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.source}: {self.get_how_display()}"

    @property
    def is_of_a_person(self) -> bool:
        return self.how == HowAgreed.PERSON

    def covered(self) -> frozenset[IdentifyingUse]:
        return frozenset(IdentifyingUse(*pair) for pair in self.uses or ())


def agree(
    source: DataSource, uses: Iterable[IdentifyingUse] | None, *, how: HowAgreed, by: str
) -> IdentifyingAgreement:
    """Keep a yes to these uses, or to those that the next pull finds."""
    pairs = None if uses is None else sorted(map(list, uses))
    return IdentifyingAgreement.objects.create(source=source, uses=pairs, how=how, agreed_by=by)


def latest(source: DataSource) -> IdentifyingAgreement | None:
    return IdentifyingAgreement.objects.filter(source=source).last()


def not_agreed(source: DataSource, uses: frozenset[IdentifyingUse]) -> frozenset[IdentifyingUse]:
    """Return the uses that nobody has agreed to."""
    return not_covered(latest(source), uses)


def not_covered(
    agreement: IdentifyingAgreement | None, uses: frozenset[IdentifyingUse]
) -> frozenset[IdentifyingUse]:
    if agreement is None:
        return uses
    return frozenset() if agreement.uses is None else uses - agreement.covered()


def settle(source: DataSource, uses: frozenset[IdentifyingUse]) -> frozenset[IdentifyingUse]:
    """Return the uses that nobody has agreed to; a yes to what would be found keeps what was found now."""
    open_ones = IdentifyingAgreement.objects.filter(source=source, uses__isnull=True)
    open_ones.update(uses=sorted(map(list, uses)))
    return not_agreed(source, uses)
