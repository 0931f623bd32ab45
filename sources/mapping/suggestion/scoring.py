"""A field is scored by how plainly its name and label say what is sought."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sources.mapping.suggestion import words
from sources.mapping.suggestion.described import Described, Project

DOUBTFUL = 45  # what may be about somebody else, or in an unknown unit, has at most this
WORTH_SHOWING = 20
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
    described: Described
    score: int
    reasons: tuple[str, ...]  # each a clause of a sentence

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
            scored, owner = by_words(each, concept), _unknown_owner(each.label, concept)
            yield doubtful(scored, f"its label speaks of “{owner}”") if owner else scored


def _unknown_owner(label: str, concept: Concept) -> str:
    """Return whose it is by the label, where that is no word for a participant: “Sex of caller”."""
    for found in concept.said.finditer(label):
        before, after = label[: found.start()].split(), label[found.end() :].split()
        if len(before) > 1 and before[-1] == "s" and _is_unknown(before[-2], concept):
            return before[-2]
        owners = [word for word in after[1:] if word not in words.ARTICLES]
        if after[:1] and after[0] in words.OF and owners and _is_unknown(owners[0], concept):
            return owners[0]
    return ""


def _is_unknown(word: str, concept: Concept) -> bool:
    known = (words.NEUTRAL, words.CHILD, words.INFANT, words.MOTHER, concept.said, *concept.known)
    return not any(pattern.fullmatch(word) for pattern in known)


def by_words(each: Described, concept: Concept) -> Scored:
    """Score name and label."""
    score = _HIDDEN if "@HIDDEN" in each.field.annotation else 0
    label = f"its label is “{shortened(each.field.label)}”"
    is_labelled = concept.said.search(each.label) is not None
    if concept.said.search(each.name):
        score += _of_name(each.name, concept) + (_LABEL_TOO if is_labelled else 0)
        return Scored(each, score, (f"its name is {each.field.name}", *([label] if is_labelled else [])))
    left = words.unknown(each.label, (concept.said, *concept.known))
    return Scored(each, score + _IN_LABEL + (_LABEL_EXACT if not left else _for(left)), (label,))


def _of_name(name: str, concept: Concept) -> int:
    if concept.said.fullmatch(name):
        return _EXACT
    left = words.unknown(name, (concept.said, *concept.known))
    return _EXACT_BUT_NEUTRAL if not left else _IN_NAME + _for(left)


def _for(unknown: int) -> int:
    return max(_MOST_FOR_WORDS, unknown * _UNKNOWN_WORD)


def with_points(scored: Scored, points: int, reason: str = "") -> Scored:
    return replace(scored, score=scored.score + points, reasons=(*scored.reasons, *filter(None, [reason])))


def doubtful(scored: Scored, reason: str) -> Scored:
    """Keep it from being taken, with the reason."""
    return replace(scored, score=min(scored.score, DOUBTFUL), reasons=(*scored.reasons, reason))


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
