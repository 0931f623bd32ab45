"""A fact is put as REDCap's import takes it: days as Y-M-D whatever a field shows, numbers with a point.

The importer sends `dateFormat` YMD, so the order in which people see a date makes no difference.
"""

from __future__ import annotations

from sources.dictionary import Dictionary, Field
from sources.mapping import columns
from sources.outgoing.facts import MOMENTS, NUMBERS, Moment, ScanOutcome
from sources.outgoing.rules import OutgoingRule

BETWEEN = ", "
CHOICES = frozenset({"radio", "dropdown", "yesno", "truefalse"})
TEXTS = frozenset({"text", "notes"})
FORM_STATUSES = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
# Validations that take a whole number, which are those without a fixed number of decimals.
WHOLE = frozenset({"", "integer", "number", "number_comma_decimal"})
DAY, SECONDS, MINUTES = "%Y-%m-%d", "%H:%M:%S", "%H:%M"


def form_of_moment(validation: str) -> str | None:
    """Return how a field of this validation takes a moment, as for `strftime`; None where it takes none."""
    if validation.startswith("datetime_seconds_") or not validation:
        return f"{DAY} {SECONDS}"
    if validation.startswith("datetime_"):
        return f"{DAY} {MINUTES}"
    if validation.startswith("date_"):
        return DAY
    return {"time": MINUTES, "time_hh_mm_ss": SECONDS}.get(validation)


def value(rule: OutgoingRule, outcome: ScanOutcome, dictionary: Dictionary) -> str:
    """Return what the field should hold, "" where nothing that it could hold was said.

    The rule is one that `check` finds nothing wrong with.
    """
    field = dictionary.fields.get(rule.field)
    if rule.fact in MOMENTS:
        return _moment(outcome.moment(rule.fact), field)
    if rule.fact in NUMBERS:
        number = outcome.number(rule.fact)
        return "" if number is None else str(number)
    return _texts(rule, outcome, takes_codes=field is None or field.type in CHOICES)


def choices(name: str, dictionary: Dictionary) -> dict[str, str]:
    """Return the codes that a field takes with their labels, none where it takes any text."""
    field = dictionary.fields.get(name)
    if field is not None:
        return dict(field.choices) if field.type in CHOICES else {}
    return dict(FORM_STATUSES) if columns.form_of(name, dictionary) else {}


def is_blank(name: str, held: str, dictionary: Dictionary) -> bool:
    """Tell whether nobody has filled the field. REDCap itself makes a form that is opened Incomplete."""
    return not held or (name not in dictionary.fields and held == "0")


def _moment(moment: Moment | None, field: Field | None) -> str:
    """Return the moment; a time that is not known is never made up."""
    if moment is None:
        return ""
    form = form_of_moment(field.validation if field else "") or ""
    if moment.at is None:
        is_day = form == DAY or not (field and field.validation)
        return moment.day.strftime(DAY) if is_day else ""
    day, at = moment.day.strftime(DAY), moment.at
    clock = at.strftime(SECONDS if SECONDS in form else MINUTES)
    return " ".join(part for wanted, part in ((DAY, day), ("%H", clock)) if wanted in form)


def _texts(rule: OutgoingRule, outcome: ScanOutcome, *, takes_codes: bool) -> str:
    """Return the texts by the table; a choice takes one code, so that two of them are none."""
    table, texts = rule.table(), outcome.texts(rule.fact)
    if not table:
        return BETWEEN.join(texts)
    found = list(dict.fromkeys(table[text] for text in texts if text in table))
    if takes_codes:
        return found[0] if len(found) == 1 else ""
    return BETWEEN.join(found)
