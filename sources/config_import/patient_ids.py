"""Whether patient IDs stay as the original cut them, or become whole, is a person's decision.

The original kept of study and family ID what follows the last dash: sub_0042_ses_1_fam_7 for CPIP-0042 of
F-7, and sub_0042_ses_1_fam__site_792 where there is no family. Images carry these IDs; where they fall
together, two participants are one patient.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sources.config_import.directions import FAMILY, STUDY
from sources.config_import.entries import PatientIds
from sources.config_import.values import ConfigError
from sources.contract import SessionKey
from sources.dictionary import Dictionary
from sources.mapping import sessions
from sources.mapping.lookup import Lookup
from sources.mapping.mapped_project import MappedProject
from sources.mapping.outcomes import SessionOutcomes
from sources.mapping.rules import MappingPlan
from sources.rows import ExportRow
from worklist.models import WorklistItem

MEANINGS = {
    PatientIds.OLD: "old IDs, as images of the original already carry them: sub_0042_ses_1_fam_7 for "
    "CPIP-0042 of the family F-7. A participant's next visit is filed where the last one is.",
    PatientIds.WHOLE: "whole IDs: sub_CPIP-0042_ses_1_fam_F-7. No two participants can share one, but those "
    "who have images from the original get a second ID.",
}
HOW_TO_SAY = "--patient-ids old or --patient-ids whole, or config.patient_ids in the file"
UNDECIDED = "It is disabled, and nothing is mapped to patient_id, until that is decided:"
NOT_MADE = "config.patient_ids changes nothing: name and ID are not made of study and family ID."
NO_DASH = "No study or family ID has a dash so far: patient IDs are those of the original, and whole."


@dataclass(frozen=True)
class Participant:
    """Study and family ID, whole and as the original cut them; it wrote the family's part all the same."""

    whole: tuple[str, str]
    old: tuple[str, str]

    @property
    def lacks_family(self) -> bool:
        return not self.old[1]


@dataclass(frozen=True)
class IdQuestion:
    """It counts what a person must know before the IDs are decided; it names no participant."""

    source: str
    participants: int
    differing: int  # whose IDs the original cut
    without_family: int  # of whose IDs whole ones leave out a part
    colliding: int  # who would share an old ID with another participant
    in_worklist: int  # items that stand under old IDs

    @property
    def situation(self) -> str:
        cut = f"{self.differing} of {self.participants} participants"
        text = f"The original cut the IDs of {cut} at their dashes."
        if self.without_family:
            text += f" For {self.without_family} without a family it wrote _fam__, which whole IDs leave out."
        if self.in_worklist:
            text += f" The worklist holds {self.in_worklist} items under such old IDs."
        return text

    @property
    def loud(self) -> str:
        return (
            f"ATTENTION: cut at their dashes, the IDs of {self.colliding} participants are no longer theirs "
            "alone. In the original two people were one patient so; whole IDs keep them apart. Images that "
            "were filed under a shared ID may be of either: look at them."
        )


Chooser = Callable[[IdQuestion], PatientIds | None]
"""Return what a person chose, or None to leave it open; raise ConfigError to import nothing."""


def refuse(question: IdQuestion) -> PatientIds | None:
    """Refuse where nobody can be asked."""
    meanings = " ".join(f"{kind}: {MEANINGS[kind]}" for kind in PatientIds)
    raise ConfigError(
        f"{question.situation} Say which IDs it is to have ({HOW_TO_SAY}). {meanings} Nothing was changed."
    )


def leave_open(question: IdQuestion) -> PatientIds | None:
    """Decide nothing: the source then rests."""
    return None


@dataclass(frozen=True)
class IdDecision:
    """Until it is `decided`, a source is not pulled, and has no row for the patient ID."""

    kind: PatientIds
    lines: tuple[str, ...] = ()
    decided: bool = True


def ask(
    question: IdQuestion, *, demanded: PatientIds | None, used: PatientIds | None, choose: Chooser
) -> IdDecision:
    """Decide by what is demanded, what the source uses already, and what a person chooses.

    Raises ConfigError where old IDs are demanded that would be two people's, and where the chooser does.
    """
    if question.colliding:
        return _where_some_collide(question, demanded=demanded, used=used)
    if not question.differing and not question.without_family:
        return IdDecision(demanded or used or PatientIds.WHOLE, (NO_DASH,))
    kind = demanded or used or choose(question)
    if kind is None:
        text = f"{question.situation} {UNDECIDED} import it again and say which IDs ({HOW_TO_SAY})."
        return IdDecision(PatientIds.WHOLE, (text,), decided=False)
    lines = [f"{question.situation} It has {MEANINGS[kind]}"]
    if used not in (None, kind):
        lines.append(f"It had {used} IDs: the next pull changes the patient IDs of its items.")
    elif kind is PatientIds.WHOLE and question.in_worklist:
        lines.append("The items under old IDs stay as they are.")
    return IdDecision(kind, tuple(lines))


def _where_some_collide(
    question: IdQuestion, *, demanded: PatientIds | None, used: PatientIds | None
) -> IdDecision:
    if used is PatientIds.OLD and demanded is not PatientIds.WHOLE:
        return IdDecision(used, (f"{question.loud} It still has old IDs: {HOW_TO_SAY} changes that.",))
    if demanded is PatientIds.OLD:
        raise ConfigError(f"{question.loud} Old IDs are refused: ask for whole ones.")
    lines = [question.loud, question.situation, f"It has {MEANINGS[PatientIds.WHOLE]}"]
    return IdDecision(PatientIds.WHOLE, tuple(lines))


def unseen(reason: str, *, demanded: PatientIds | None, used: PatientIds | None) -> IdDecision:
    """Decide where the project cannot be asked: IDs in use stay, and old ones need a look first.

    Raises ConfigError where a source in use is to change without one.
    """
    if used is not None and demanded in (None, used):
        return IdDecision(used)
    held = sum(1 for _ in _as_the_original_made_them())
    text = f"Whether two participants would share an ID cut at its dash could not be looked at: {reason}"
    if held:
        text += f" The worklist holds {held} items with IDs such as the original made."
    if used is not None:
        raise ConfigError(f"{text} It keeps its {used} IDs, and nothing was changed.")
    if demanded is PatientIds.WHOLE:
        return IdDecision(demanded, (f"{text} It has {MEANINGS[demanded]}",))
    how = "" if demanded else f", and say which IDs it is to have ({HOW_TO_SAY})"
    text += f" {UNDECIDED} import it again when the project can be asked{how}."
    return IdDecision(demanded or PatientIds.WHOLE, (text,), decided=False)


def question_about(source: str, found: Iterable[Participant]) -> IdQuestion:
    people = set(found)
    shared = Counter(person.old for person in people)
    differing = [person for person in people if person.old != person.whole]
    olds = {person.old[0] for person in people if person.old != person.whole or person.lacks_family}
    return IdQuestion(
        source=source,
        participants=len(people),
        differing=len(differing),
        without_family=sum(person.lacks_family for person in people),
        colliding=sum(1 for person in people if shared[person.old] > 1),
        in_worklist=sum(1 for study in _as_the_original_made_them() if study in olds),
    )


def _as_the_original_made_them() -> Iterator[str]:
    """Yield the study ID in each patient ID of the worklist that is made as the original makes them."""
    ids = WorklistItem.objects.filter(patient_id__startswith="sub_", patient_id__contains="_ses_")
    for patient_id in ids.values_list("patient_id", flat=True).iterator():
        yield patient_id.removeprefix("sub_").partition("_ses_")[0]


def participants(
    rows: Sequence[ExportRow], *, whole: MappingPlan, old: MappingPlan, dictionary: Dictionary
) -> Iterator[Participant]:
    """Yield who one record's rows name, once for each session where these name them."""
    found = sessions.find(rows, whole.sessions, dictionary) or ((SessionKey(), rows[0]),)
    for key, row in found:
        lookup = Lookup(rows, key, row, whole.sessions, dictionary)
        names = [_names(plan, lookup, row.record) for plan in (whole, old)]
        if names[0][0]:
            yield Participant(*names)


def _names(plan: MappingPlan, lookup: Lookup, record: str) -> tuple[str, str]:
    project = MappedProject(plan, lookup.dictionary)
    outcomes = SessionOutcomes(project, lookup, record=record, today=date.today())
    values = {outcome.rule.target: str(outcome.value) for outcome in outcomes.all()}
    return values.get("{participant}") or values.get(STUDY, ""), values.get(FAMILY, "")
