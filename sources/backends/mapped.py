"""A backend that reads through a mapping checks it by the source's dictionary before anything is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from sources.contract import IdentifyingUse, Mistake
from sources.dictionary import Dictionary
from sources.errors import ConfigurationError
from sources.mapping import check, identifying, partial
from sources.mapping.identifying import Marks
from sources.mapping.rules import MappingPlan
from sources.models import DataSource, KnownDictionary

DICTIONARY_KEPT = timedelta(hours=6)
MISTAKES_NAMED = 3


class MappedBackend:
    """It is what backends share that have a `Dictionary`: the rest of `sources.contract.Backend` is theirs.

    `described_as` is what people call what is read, such as a project.
    """

    described_as = "project"

    def __init__(
        self, source: DataSource, plan: MappingPlan | None = None, dictionary: Dictionary | None = None
    ) -> None:
        """Read through the source's own mapping, or another plan; a dictionary given is not asked for."""
        self.source = source
        self.plan = source.plan if plan is None else plan
        self.warnings: list[str] = []
        self.alive: Callable[[], None] = _nobody_waits
        self._dictionary = dictionary
        self.is_fresh = dictionary is not None

    def ask_dictionary(self) -> Dictionary:
        """Return the dictionary as the source has it now. Raises SourceError."""
        raise NotImplementedError

    def fingerprint(self) -> str:
        """Tell whose dictionary it is: one that was kept under another fingerprint is asked for anew."""
        raise NotImplementedError

    def prepare(self) -> None:
        self.check_mapping(self.dictionary())

    def identifying(self) -> frozenset[IdentifyingUse]:
        return identifying.uses(self.plan, Marks.of(self.dictionary()))

    def prepare_to_show(self) -> tuple[str, ...]:
        """Go on with what is right of the mapping, and say what has to be mended before it can pull."""
        mistakes = self.mistakes(self.dictionary())
        possible = partial.without_mistakes(self.plan, self.dictionary())
        if not possible.rules or any(map(partial.is_of_sessions, mistakes)):
            self.check_mapping(self.dictionary())
        told = tuple(self.sentence(mistake) for mistake in mistakes)
        self.plan = possible
        return told

    def dictionary(self, *, fresh: bool = False) -> Dictionary:
        if self._dictionary is None or (fresh and not self.is_fresh):
            kept = None if fresh else self._kept()
            self._dictionary = kept or self._asked()
        return self._dictionary

    def _kept(self) -> Dictionary | None:
        oldest = timezone.now() - DICTIONARY_KEPT
        own = KnownDictionary.objects.filter(source=self.source, access=self.fingerprint())
        kept = own.filter(read_at__gte=oldest).first()
        return kept.dictionary() if kept else None

    def _asked(self) -> Dictionary:
        dictionary = self.ask_dictionary()
        KnownDictionary.keep(self.source, dictionary, access=self.fingerprint(), read_at=timezone.now())
        self.is_fresh = True
        return dictionary

    def check_mapping(self, dictionary: Dictionary) -> None:
        """Raise ConfigurationError where the mapping does not fit."""
        mistakes = self.mistakes(dictionary)
        if mistakes:
            named = " ".join(self.sentence(mistake) for mistake in mistakes[:MISTAKES_NAMED])
            raise ConfigurationError(f"The mapping does not fit the {self.described_as}. {named}")

    def mistakes(self, dictionary: Dictionary) -> tuple[Mistake, ...]:
        """Check the mapping; one that does not fit is checked by a fresh dictionary: one kept may be old."""
        mistakes = check.mistakes(self.plan, dictionary)
        if mistakes and not self.is_fresh:
            mistakes = check.mistakes(self.plan, self.dictionary(fresh=True))
        return mistakes

    def sentence(self, mistake: Mistake) -> str:
        """Say where in the mapping the mistake is."""
        if mistake.rule is not None:
            return f"Row {self.plan.rules[mistake.rule].target}: {mistake.text}"
        return mistake.text if mistake.field == "rules" else f"Sessions: {mistake.text}"


def _nobody_waits() -> None:
    pass
