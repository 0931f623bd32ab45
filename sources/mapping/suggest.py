"""A first mapping is read off a data dictionary: a start for a person, who is told what was assumed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from sources.mapping import codes, columns, sessions, targets
from sources.mapping.codes import codes_by_label
from sources.mapping.evaluate import template_names
from sources.mapping.rules import Level, MappingPlan, Rule, SessionKind, SessionLayout, WithoutTime
from sources.mapping.suggestion.proposals import RuleCandidate, Suggestion, TargetProposal
from sources.redcap.dictionary import Dictionary, Field

__all__ = ["Suggestion", "codes_by_label", "suggest"]

Fits = Callable[[Field], bool]
_TEXT = frozenset({"text", "calc"})
_CHOICE = frozenset({"radio", "dropdown", "yesno", "truefalse", "sql"})


def suggest(
    dictionary: Dictionary,
    *,
    scanners: Mapping[str, str] = MappingProxyType({}),
    only_scanner: str = "",
    chosen: Mapping[str, str] = MappingProxyType({}),
) -> Suggestion:
    """Suggest a mapping. `scanners` has the name of each by its AE title; `only_scanner` is for all items.

    `chosen` has what a person chose: by a proposal's target the key of a candidate, or "" for none.
    """
    remarks: list[str] = []
    date_field = _date_field(dictionary)
    how = _sessions(dictionary, date_field, remarks)
    rules = [*_identity(dictionary, how, remarks), *_person(dictionary, how, remarks)]
    rules += _appointment(dictionary, how, date_field, remarks)
    rules += [*_scanner(dictionary, how, scanners, remarks), *_descriptions(dictionary, how, remarks)]
    proposals = tuple(_proposal(rule, chosen) for rule in rules)
    rules = [rule for rule, proposal in zip(rules, proposals, strict=True) if proposal.is_taken]
    if not any(rule.target in (targets.START, targets.START_TIME) for rule in rules):
        how = SessionLayout(how.kind, how.instrument, how.events, how.conditions, WithoutTime.MIDNIGHT)
        remarks.append("No field for the time was found: a date without one means some time that day.")
    fallbacks = dict(_scanner_of_all(rules, only_scanner, remarks))
    return Suggestion(MappingPlan(tuple(rules), how, fallbacks=fallbacks), tuple(remarks), proposals)


def _proposal(rule: Rule, chosen: Mapping[str, str]) -> TargetProposal:
    fields = tuple(filter(None, [rule.field])) or tuple(template_names(rule))
    candidate = RuleCandidate((rule,), "", 50, fields)
    return TargetProposal(rule.target, (candidate,), chosen.get(rule.target, candidate.key))


def _sessions(dictionary: Dictionary, date_field: Field | None, remarks: list[str]) -> SessionLayout:
    if date_field is None:
        remarks.append("No field for the date of the scan was found: map one, and say where sessions are.")
        return SessionLayout(SessionKind.RECORD)
    how = sessions.detect(dictionary, date_field.name)
    where = f" ({how.instrument})" if how.instrument else ""
    remarks.append(f"Sessions: {how.kind.value.replace('_', ' ')}{where}, for it has {date_field.name}.")
    if dictionary.repeating is None and dictionary.has_repeats:
        remarks.append("The token's user may not ask REDCap what repeats: check how sessions are found.")
    return how


def _identity(dictionary: Dictionary, how: SessionLayout, remarks: list[str]) -> Iterator[Rule]:
    own = _find(dictionary, r"study_?id|participant_?id|subject_?id|patient_?id|mrn")
    id_field = own.name if own is not None else dictionary.record_id_field
    remarks.append(f"patient_id is {id_field}: check that it is what images are to be filed under.")
    yield Rule("patient_id", id_field, level=_level(id_field, how, dictionary))
    yield _name(dictionary, how, id_field, remarks)


def _name(dictionary: Dictionary, how: SessionLayout, id_field: str, remarks: list[str]) -> Rule:
    last = _find(dictionary, r"last_?name|family_?name|surname")
    first = _find(dictionary, r"first_?name|given_?name|forename")
    if last is not None and first is not None:
        template = f"template {{{last.name}}}^{{{first.name}}}"
        remarks.append(f"patient_name is put together from {last.name} and {first.name}.")
        return Rule("patient_name", level=Level.RECORD, transforms=template)
    whole = _find(dictionary, r"(?:full_?|patient_?|participant_?|subject_?)?name")
    if whole is not None:
        remarks.append(f"patient_name is {whole.name}, in one field: “Doe, Jane” is read as Doe^Jane.")
        return Rule("patient_name", whole.name, level=_level(whole.name, how, dictionary))
    remarks.append(f"No field for a name was found: {id_field} takes its place.")
    return Rule("patient_name", id_field, level=_level(id_field, how, dictionary))


def _person(dictionary: Dictionary, how: SessionLayout, remarks: list[str]) -> Iterator[Rule]:
    born = _find(
        dictionary,
        r"(?:.*_)?(?:dob|yob|date_?of_?birth|year_?of_?birth|birth_?(?:date|day|year))(?:_.*)?",
        label=r"birth",
    )
    if born is not None and not _is_year(born):
        yield Rule(targets.BIRTH_DATE, born.name, level=_level(born.name, how, dictionary))
    elif born is not None:
        remarks.append(f"{born.name} seems to be only a year: the birth date is left empty.")
        level = _level(born.name, how, dictionary)
        yield Rule(targets.BIRTH_DATE, born.name, level=level, transforms="year only empty")
    yield from _sex(dictionary, how, remarks)
    yield from _weight(dictionary, how, remarks)


def _is_year(field: Field) -> bool:
    named_so = re.search(r"year|_y$|_yr$", field.name) or re.search(r"\byear\b", field.label, re.IGNORECASE)
    return not field.validation.startswith("date") and named_so is not None


def _sex(dictionary: Dictionary, how: SessionLayout, remarks: list[str]) -> Iterator[Rule]:
    field = _find(dictionary, r"sex|.*_sex|sex_.*|gender|.*_gender", fits=_is_choice)
    if field is None:
        return
    table, undecided = codes_by_label(targets.SEX, field.choices)
    remarks += undecided
    if not table:
        remarks.append(f"{field.name} seems to be the sex, but none of its labels says which.")
        return
    remarks.append(f"{targets.SEX} is {field.name} by its labels: {codes.write(table)}.")
    yield _with_codes(targets.SEX, field, table, how, dictionary)


def _weight(dictionary: Dictionary, how: SessionLayout, remarks: list[str]) -> Iterator[Rule]:
    field = _find(dictionary, r"weight|(?!birth).*_weight|weight_.*|wt|.*_wt|wt_.*|.*_wt_.*")
    if field is None:
        return
    said = f"{field.name} {field.label}".lower().replace("_", " ")
    in_pounds = re.search(r"\b(?:lbs?|pounds?)\b", said)
    in_kilograms = re.search(r"\b(?:kgs?|kilos?|kilograms?)\b", said)
    if bool(in_pounds) == bool(in_kilograms):
        remarks.append(f"{field.name} may be the weight, but not in which unit: it is not mapped.")
        return
    target = targets.POUNDS if in_pounds else targets.KILOGRAMS
    remarks.append(f"{field.name} is the weight in {'pounds' if in_pounds else 'kilograms'}, by its name.")
    yield Rule(target, field.name, level=_level(field.name, how, dictionary))


def _date_field(dictionary: Dictionary) -> Field | None:
    """Return the likeliest: a field with a date validation, named or labelled as an appointment's."""
    near = r"mri|scan|visit|appointment|appt|session|imaging"
    for pattern in (rf"(?:{near})(?:_?sched\w*)?_?date(?:_?time)?|date_(?:{near})", rf".*(?:{near}|sched).*"):
        found = _find(dictionary, pattern, fits=_is_date, label=rf"\b(?:{near})\b")
        if found is not None:
            return found
    return None


def _appointment(
    dictionary: Dictionary, how: SessionLayout, date_field: Field | None, remarks: list[str]
) -> Iterator[Rule]:
    yield Rule("modality", default="MR")
    remarks.append("modality is MR for all.")
    if date_field is None:
        return
    if date_field.validation.startswith("datetime"):
        yield _rule(targets.START, date_field, how, dictionary)
    else:
        yield _rule(targets.START_DATE, date_field, how, dictionary)
        yield from _time(dictionary, how, date_field)
    yield from _status(dictionary, how, date_field, remarks)


def _time(dictionary: Dictionary, how: SessionLayout, date_field: Field) -> Iterator[Rule]:
    stem = re.escape(date_field.name.replace("date", "").strip("_"))
    found = _find(dictionary, rf"{stem}_?time|time_?{stem}", fits=_is_time, form=date_field.form)
    found = found or _find(dictionary, r".*time.*", fits=_is_time, form=date_field.form)
    if found is not None:
        yield _rule(targets.START_TIME, found, how, dictionary)


def _status(
    dictionary: Dictionary, how: SessionLayout, date_field: Field, remarks: list[str]
) -> Iterator[Rule]:
    field = _find(dictionary, r".*status.*", fits=_is_choice, form=date_field.form)
    table, undecided = codes_by_label(targets.STATUS, field.choices if field else {})
    if field is None or targets.NOT_WANTED not in table.values():
        return
    remarks += [
        *undecided,
        f"The status is {field.name} by its labels: {codes.write(table)}.",
    ]
    yield _with_codes(targets.STATUS, field, table, how, dictionary)


def _scanner(
    dictionary: Dictionary, how: SessionLayout, scanners: Mapping[str, str], remarks: list[str]
) -> Iterator[Rule]:
    """Yield the row of a field that names the station, or of a choice whose labels name the scanners."""
    titled = _find(dictionary, r"(?:.*_)?(?:scanner|station)_?ae(?:t|_?title)?", fits=_is_text)
    if titled is not None:
        remarks.append(
            f"The scanner is {titled.name}: it must hold AE titles as the scanners call themselves."
        )
        yield _rule(targets.STATION, titled, how, dictionary)
        return
    chosen = _find(
        dictionary,
        r"(?:.*_)?(?:scanner|station|magnet)(?:_.*)?",
        fits=lambda field: _is_choice(field) and bool(_scanners_by_code(field, scanners)),
    )
    if chosen is not None:
        table = _scanners_by_code(chosen, scanners)
        remarks.append(f"The scanner is {chosen.name} by its labels: {codes.write(table)}.")
        unknown = [label for code, label in chosen.choices.items() if code not in table]
        remarks += [f"“{label}” is no device: give it one, or the code its AE title." for label in unknown]
        yield _with_codes(targets.STATION, chosen, table, how, dictionary)


def _scanners_by_code(field: Field, scanners: Mapping[str, str]) -> dict[str, str]:
    """Return the AE title of each code whose label names just one scanner."""
    named = {code: _named_by(label, scanners) for code, label in field.choices.items()}
    return {code: titles[0] for code, titles in named.items() if len(titles) == 1}


def _named_by(label: str, scanners: Mapping[str, str]) -> list[str]:
    """Return the scanners that a label names: it has the AE title as a word, or is the name."""
    words = {label.casefold().strip(), *re.split(r"[\s,;:()/]+", label.casefold())}
    return [
        title
        for title, name in scanners.items()
        if title.casefold() in words or (name and name.casefold() == label.casefold().strip())
    ]


def _scanner_of_all(rules: list[Rule], only_scanner: str, remarks: list[str]) -> Iterator[tuple[str, str]]:
    if only_scanner and not any(rule.target == targets.STATION for rule in rules):
        remarks.append(
            f"The scanner is {only_scanner} for all, the only device: it goes among the constants."
        )
        yield targets.STATION, only_scanner


_DESCRIPTIONS = (
    ("protocol_name", r"protocol|.*_protocol|scan_type|mri_type|protocol_name"),
    ("station_name", r"station(?:_name)?|scanner(?:_name)?|.*_scanner"),
    ("referring_physician_name", r"referring_(?:physician|doctor)(?:_name)?|referrer"),
    ("requesting_physician", r"requesting_(?:physician|doctor)(?:_name)?"),
    ("performing_physician", r"performing_(?:physician|doctor)(?:_name)?|operator|technologist"),
)


def _descriptions(dictionary: Dictionary, how: SessionLayout, remarks: list[str]) -> Iterator[Rule]:
    for target, pattern in _DESCRIPTIONS:
        field = _find(dictionary, pattern)
        if field is not None:
            remarks.append(f"{target} is {field.name}.")
            yield _rule(target, field, how, dictionary)


def _with_codes(
    target: str, field: Field, table: dict[str, str], how: SessionLayout, dictionary: Dictionary
) -> Rule:
    level = _level(field.name, how, dictionary)
    return Rule(target, field.name, level=level, transforms=f"codes {codes.write(table)}")


def _rule(target: str, field: Field, how: SessionLayout, dictionary: Dictionary) -> Rule:
    return Rule(target, field.name, level=_level(field.name, how, dictionary))


def _level(name: str, how: SessionLayout, dictionary: Dictionary) -> Level:
    return sessions.level_of(name, how, dictionary)


def _find(
    dictionary: Dictionary, name: str, *, fits: Fits | None = None, label: str = "", form: str = ""
) -> Field | None:
    """Return the first field of the name, else of the label."""
    fields = [
        field
        for field in dictionary.fields.values()
        if _has_value(field) and (fits is None or fits(field)) and form in ("", field.form)
    ]
    by_name = (field for field in fields if re.fullmatch(name, field.name))
    by_label = (field for field in fields if label and re.search(label, field.label, re.IGNORECASE))
    return next(by_name, None) or next(by_label, None)


def _has_value(field: Field) -> bool:
    return field.type in _TEXT or field.type in _CHOICE or columns.is_checkbox(field)


def _is_text(field: Field) -> bool:
    return field.type in _TEXT


def _is_choice(field: Field) -> bool:
    return bool(field.choices) and field.type in _CHOICE


def _is_date(field: Field) -> bool:
    is_birth = re.search(r"dob|birth", field.name + field.label, re.IGNORECASE) is not None
    return field.validation.startswith("date") and not is_birth


def _is_time(field: Field) -> bool:
    return field.validation in ("time", "time_hh_mm_ss")
