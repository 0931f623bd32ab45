"""A field is scored by how plainly its name and label say what is sought."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sources.mapping.suggestion import words
from sources.mapping.suggestion.described import Described, Project

DOUBTFUL = 45  # what may be about somebody else, or in an unknown unit, has at most this
WORTH_SHOWING = 20
LONGEST_PREFIX = 4  # letters that a form or a study puts before a name, as `enr_dob`
MOST_FOUND = 24  # more than are shown, for `check` may refuse some
_EXACT, _EXACT_BUT_NEUTRAL, _IN_NAME, _IN_LABEL = 66, 58, 48, 38
_LABEL_TOO, _LABEL_EXACT, _HIDDEN = 8, 14, -6
TYPE_FITS = 15
_UNKNOWN_WORD, _MOST_FOR_WORDS = -3, -12


@dataclass(frozen=True)
class Concept:
    """It is what is sought: `said` finds it in names and labels; what `never` finds is something else.

    `keys` match the words of which one is in all that `said` finds.
    """

    keys: re.Pattern[str]
    said: re.Pattern[str]
    never: re.Pattern[str]
    known: tuple[re.Pattern[str], ...] = ()  # what may stand beside it
    fits: Callable[[Described], bool] = lambda each: True


@dataclass(frozen=True)
class Scored:
    """What is doubtful stays so, whatever points it gets."""

    described: Described
    points: int
    reasons: tuple[str, ...]  # each a clause of a sentence
    is_doubtful: bool = False

    @property
    def score(self) -> int:
        return min(self.points, DOUBTFUL) if self.is_doubtful else self.points

    @property
    def name(self) -> str:
        return self.described.field.name


def find(project: Project, concept: Concept, more: Callable[[Scored], Scored]) -> list[Scored]:
    """Return the fields that the concept may be, those of relatives left out, the best first.

    `more` adds to each what only the concept knows.
    """
    found = (more(each) for each in _find(project, concept))
    shown = (each for each in found if each.score >= WORTH_SHOWING)
    return sorted(shown, key=lambda each: -each.score)[:MOST_FOUND]


def _find(project: Project, concept: Concept) -> Iterator[Scored]:
    for each in project.saying(concept.keys, concept.fits):
        said = concept.said.search(each.said)
        if said and not concept.never.search(each.said) and not project.is_another_persons(each):
            yield with_doubts(by_words(each, concept, project.who), project, concept)


def with_doubts(scored: Scored, project: Project, concept: Concept) -> Scored:
    """Doubt a field that speaks of something more than what is sought: “Weight of the device”."""
    each = scored.described
    left = leftover(each, project, concept.said, concept.known)
    return doubtful(scored, f"“{left[0]}” says that it may be something else") if left else scored


def leftover(
    each: Described, project: Project, said: re.Pattern[str], known: tuple[re.Pattern[str], ...]
) -> list[str]:
    """Return what name and label say beyond the known.

    A label counts that says what is sought. Beside a plain one, a short word of the name may be any prefix.
    """
    all_known = (said, *known, project.participant, words.CHILD, words.INFANT, words.MOTHER)
    is_labelled = said.search(each.label) is not None
    of_label = words.beyond(each.label, all_known) if is_labelled else []
    of_name = project.beyond_name(each, all_known) if said.search(each.name) else []
    if is_labelled and not of_label and len(of_name) == 1 and len(of_name[0]) <= LONGEST_PREFIX:
        return []
    return [*of_label, *of_name]


def by_words(each: Described, concept: Concept, who: re.Pattern[str]) -> Scored:
    """Score name and label; `who` says whose it is, and nothing else."""
    known = (concept.said, *concept.known, who)
    score = _HIDDEN if "@HIDDEN" in each.field.annotation else 0
    label = f"its label is “{shortened(each.field.label)}”"
    is_labelled = concept.said.search(each.label) is not None
    if concept.said.search(each.name):
        score += _of_name(each.name, concept, known) + (_LABEL_TOO if is_labelled else 0)
        return Scored(each, score, (f"its name is {each.field.name}", *([label] if is_labelled else [])))
    left = len(words.beyond(each.label, known))
    return Scored(each, score + _IN_LABEL + (_LABEL_EXACT if not left else _for(left)), (label,))


def _of_name(name: str, concept: Concept, known: tuple[re.Pattern[str], ...]) -> int:
    if concept.said.fullmatch(name):
        return _EXACT
    left = len(words.beyond(name, known))
    return _EXACT_BUT_NEUTRAL if not left else _IN_NAME + _for(left)


def _for(unknown: int) -> int:
    return max(_MOST_FOR_WORDS, unknown * _UNKNOWN_WORD)


def with_points(scored: Scored, points: int, reason: str = "") -> Scored:
    return replace(scored, points=scored.points + points, reasons=(*scored.reasons, *filter(None, [reason])))


def doubtful(scored: Scored, reason: str) -> Scored:
    """Keep it from being taken, with the reason."""
    return replace(scored, is_doubtful=True, reasons=(*scored.reasons, reason))


def own_or_doubtful(scored: Scored, project: Project) -> Scored:
    if project.may_be_another_persons(scored.described):
        return doubtful(scored, "it may be somebody else’s than who is scanned")
    return scored


def shortened(label: str) -> str:
    return label if len(label) <= 60 else f"{label[:57].rstrip()}…"


def sentence(reasons: Sequence[str]) -> str:
    """Return the clauses as one sentence."""
    *first, last = reasons
    text = f"{', '.join(first)} and {last}" if first else last
    return f"{text[:1].upper()}{text[1:]}."
