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
_PLACE = any_of(words.MRI.pattern, words.SCAN.pattern)
_KNOWN = (*_PLACES, words.BODY, words.EXAMINATION, words.DATE, words.TIME, words.START)
_ARRIVAL = any_of("arriv\\w+", "check ?in", "ankunft", "arrivee", "llegada")
# What names or labels a date: the plainer it is of a scan, the better.
_NAMED = ((words.MRI, 60), (words.SCAN, 56), (words.APPOINTMENT, 46), (words.VISIT, 44))
_ON_ITS_FORM = ((words.MRI, 14), (words.SCAN, 12), (words.APPOINTMENT, 4), (words.VISIT, 2))
_EXAMINATION = 44  # on a form of the scan
_ONLY_ON_ITS_FORM = 34  # a field that is called date, on a form of the scan
_BY_LABEL = -8
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
    kind = "a date and time" if each.has_time else "a date"
    found = Scored(each, score + scoring.TYPE_FITS, (*reasons, f"the source checks it as {kind}"))
    left = _leftover(project, each, plain=_PLACE.search(each.name) is not None)
    if left:
        found = scoring.doubtful(found, f"“{left[0]}” says that it may be something else")
    return scoring.own_or_doubtful(found, project)


def _leftover(project: Project, each: Described, *, plain: bool) -> list[str]:
    """Return what name and label say of something else; a plain name bears one word more in the label."""
    known = (*_KNOWN, _ARRIVAL, project.participant, words.CHILD, words.INFANT, words.FETUS, words.MOTHER)
    of_name, of_label = project.beyond_name(each, known), words.beyond(each.label, known)
    if not of_name and plain:
        return of_label if len(of_label) > 1 else []
    if not of_label and len(of_name) == 1 and len(of_name[0]) <= scoring.LONGEST_PREFIX:
        return []
    return of_name or of_label


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
    is_at_scanner = of_form >= _ON_ITS_FORM[1][1]
    if is_at_scanner and words.EXAMINATION.search(each.name):
        return _EXAMINATION + of_form, (f"its name is {each.field.name}", f"its form is {each.field.form}")
    is_plain = not words.beyond(each.label, _KNOWN) and words.ELSEWHERE.search(each.form) is None
    if is_at_scanner and is_plain:
        return _ONLY_ON_ITS_FORM + of_form, (f"its form is {each.field.form}", label)
    return 0, ()


def date_candidate(making: Making, each: Scored) -> RuleCandidate:
    target = targets.START if each.described.has_time else targets.START_DATE
    return making.candidate(target, each)


def times(making: Making, date: Described) -> list[RuleCandidate]:
    """Return times on the date's form that may be the start, never an end."""
    fields = making.project.where(lambda each: each.is_time and each.field.form == date.field.form)
    found = [_time(making.project, each, date) for each in fields if not _is_no_start(each)]
    return [
        making.candidate(targets.START_TIME, each) for each in found if each.score >= scoring.WORTH_SHOWING
    ]


def _is_no_start(each: Described) -> bool:
    return any(
        pattern.search(text) for pattern in (words.END, words.ELSEWHERE) for text in (each.name, each.label)
    )


def _time(project: Project, each: Described, date: Described) -> Scored:
    reasons = [f"it is on the form of {date.field.name}", f"its name is {each.field.name}"]
    stem = words.without(date.name, words.DATE)
    has_stem = bool(stem) and words.without(each.name, words.TIME, words.START) == stem
    score = 60 if has_stem else 52
    if words.START.search(each.said):
        score += 10
        reasons.append("it is the start")
    elif _ARRIVAL.search(each.said):
        score -= 15
    found = Scored(each, score + scoring.TYPE_FITS, (*reasons, "the source checks it as a time"))
    left = _leftover(project, each, plain=has_stem) or _other_numbers(each, date)
    return scoring.doubtful(found, f"“{left[0]}” says that it may be something else") if left else found


def _other_numbers(each: Described, date: Described) -> list[str]:
    """Return numbers of a time's name that the date's has not: `mri_time_2` is of another scan."""
    if not words.TIME.search(each.name):
        return []
    return sorted({*re.findall(r"\d+", each.name)} - {*re.findall(r"\d+", date.name), "1"})


_ANOTHER_STATUS = any_of(
    *("marital", "employment", "smok\\w+", "consent", "eligib\\w+", "enrol\\w+", "screening"),
    "recruit\\w+",
    *("qc", "qa", "quality", "upload\\w*", "transfer\\w*", "process\\w*", "data", "analysis", "read"),
    "report",
    *("reviews?", "payments?", "health", "disease", "vital", "job", "relationship", "insurance"),
    "mental",
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
    unknown = len(words.beyond(each.name, (*_KNOWN, words.STATUS)))
    score = (75 if is_named else 65) + (10 if targets.WANTED in table.values() else -20) - 6 * min(unknown, 2)
    reasons = (
        f"it is on the form of {date.field.name}",
        f"its name is {each.field.name}"
        if is_named
        else f"its label is “{scoring.shortened(each.field.label)}”",
        "its labels say what is cancelled",
    )
    return making.candidate(targets.STATUS, Scored(each, score, reasons), f"codes {codes.write(table)}")
