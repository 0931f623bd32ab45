"""When somebody is scanned: date, time and status of the appointment."""

from __future__ import annotations

import re

from sources.mapping import codes, targets
from sources.mapping.suggestion import scoring, words
from sources.mapping.suggestion.described import Described, Project
from sources.mapping.suggestion.making import Making
from sources.mapping.suggestion.proposals import RuleCandidate
from sources.mapping.suggestion.scoring import Scored
from sources.mapping.wording import any_of

_PLACES = (words.MRI, words.SCAN, words.APPOINTMENT, words.VISIT)
_KNOWN = (*_PLACES, words.DATE, words.TIME, words.START)
# What names or labels a date: the plainer it is of a scan, the better.
_NAMED = ((words.MRI, 60), (words.SCAN, 56), (words.APPOINTMENT, 46), (words.VISIT, 44))
_ON_ITS_FORM = ((words.MRI, 14), (words.SCAN, 12), (words.APPOINTMENT, 4), (words.VISIT, 2))
_ONLY_ON_ITS_FORM = 34  # a field that is called date, on a form of the scan
_BY_LABEL = -8
_UNKNOWN_WORD, _MOST_FOR_WORDS = -4, -16
_RESCHEDULED = any_of("resched\\w*", "moved", "alternat(?:e|ive)", "verschoben\\w*", "reporte", "aplazad[oa]")


def dates(project: Project) -> list[Scored]:
    """Return date fields that may say when the scan is, the best first."""
    found = (_date(project, each) for each in project.where(lambda each: each.is_date))
    shown = [each for each in found if each is not None and each.score >= scoring.WORTH_SHOWING]
    return sorted(shown, key=lambda each: -each.score)[: scoring.MOST_FOUND]


def _date(project: Project, each: Described) -> Scored | None:
    score, reasons = _points(each)
    if not score or _is_elsewhere(each) or words.END.search(each.name) or project.is_another_persons(each):
        return None
    if words.APPOINTMENT.search(each.said):
        score += 8
    if _RESCHEDULED.search(each.said):
        score -= 20
    unknown = words.unknown(each.name, (*_KNOWN, words.CHILD, words.INFANT, words.MOTHER))
    score += max(_MOST_FOR_WORDS, unknown * _UNKNOWN_WORD) + scoring.TYPE_FITS
    kind = "a date and time" if each.has_time else "a date"
    return scoring.own_or_doubtful(Scored(each, score, (*reasons, f"REDCap checks it as {kind}")), project)


def _is_elsewhere(each: Described) -> bool:
    """Tell whether it is the date of something else, or of a scan that is no MRI."""
    texts = (each.name, each.label)
    if any(words.ELSEWHERE.search(text) for text in texts):
        return True
    everything = f"{each.said} {each.form}"
    return words.OTHER_MODALITY.search(everything) is not None and words.MRI.search(everything) is None


def _points(each: Described) -> tuple[int, tuple[str, ...]]:
    of_form = next((points for pattern, points in _ON_ITS_FORM if pattern.search(each.form)), 0)
    label = f"its label is “{scoring.shortened(each.field.label)}”"
    for pattern, points in _NAMED:
        if pattern.search(each.name):
            return points + of_form, (f"its name is {each.field.name}",)
        if pattern.search(each.label):
            return points + _BY_LABEL + of_form, (label,)
    if of_form >= _ON_ITS_FORM[1][1] and not words.unknown(each.label, _KNOWN):
        return _ONLY_ON_ITS_FORM + of_form, (f"its form is {each.field.form}", label)
    return 0, ()


def date_candidate(making: Making, each: Scored) -> RuleCandidate:
    target = targets.START if each.described.has_time else targets.START_DATE
    return making.candidate(target, each)


def times(making: Making, date: Described) -> list[RuleCandidate]:
    """Return times on the date's form that may be the start, never an end."""
    fields = making.project.where(lambda each: each.is_time and each.field.form == date.field.form)
    found = [_time(each, date) for each in fields if not _is_no_start(each)]
    return [
        making.candidate(targets.START_TIME, each) for each in found if each.score >= scoring.WORTH_SHOWING
    ]


def _is_no_start(each: Described) -> bool:
    return any(
        pattern.search(text) for pattern in (words.END, words.ELSEWHERE) for text in (each.name, each.label)
    )


_ARRIVAL = any_of("arriv\\w+", "check ?in", "ankunft", "arrivee", "llegada")


def _time(each: Described, date: Described) -> Scored:
    reasons = [f"it is on the form of {date.field.name}", f"its name is {each.field.name}"]
    stem = words.without(date.name, words.DATE)
    if stem and words.without(each.name, words.TIME, words.START) == stem:
        score = 60
    elif not words.unknown(each.name, _KNOWN):
        score = 52
    else:
        unknown = words.unknown(each.name, (*_KNOWN, any_of(*map(re.escape, stem.split() or ["time"]))))
        score = 52 + unknown * -12
    if words.START.search(each.said):
        score += 10
        reasons.append("it is the start")
    if _ARRIVAL.search(each.said):
        score -= 15
    return Scored(each, score + scoring.TYPE_FITS, (*reasons, "REDCap checks it as a time"))


_ANOTHER_STATUS = any_of(
    *("marital", "employment", "smok\\w+", "consent", "eligib\\w+", "enrol\\w+", "screening", "recruit\\w+"),
    *(
        "qc",
        "qa",
        "quality",
        "upload\\w*",
        "transfer\\w*",
        "process\\w*",
        "data",
        "analysis",
        "read",
        "report",
    ),
    *("reviews?", "payments?", "health", "disease", "vital", "job", "relationship", "insurance", "mental"),
    *("familienstand", "einwilligung", "zahlung", "civil", "paiement", "consentement", "pago", "civil"),
)


def statuses(making: Making, date: Described) -> list[RuleCandidate]:
    """Return choices on the date's form whose labels say what cancels an appointment."""
    fields = making.project.where(lambda each: each.is_choice and each.field.form == date.field.form)
    found = []
    for each in fields:
        if not words.STATUS.search(each.said) or _ANOTHER_STATUS.search(each.said):
            continue
        table, _ = codes.codes_by_label(targets.STATUS, each.field.choices)
        if targets.NOT_WANTED in table.values():
            found.append(_status(making, each, date, table))
    return found


def _status(making: Making, each: Described, date: Described, table: dict[str, str]) -> RuleCandidate:
    is_named = words.STATUS.search(each.name) is not None
    unknown = words.unknown(each.name, (*_KNOWN, words.STATUS))
    score = (75 if is_named else 65) + (10 if targets.WANTED in table.values() else -20) - 6 * min(unknown, 2)
    reasons = (
        f"it is on the form of {date.field.name}",
        f"its name is {each.field.name}"
        if is_named
        else f"its label is “{scoring.shortened(each.field.label)}”",
        "its labels say what is cancelled",
    )
    return making.candidate(targets.STATUS, Scored(each, score, reasons), f"codes {codes.write(table)}")
