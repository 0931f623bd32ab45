"""Where and how somebody is scanned: the station, the protocol and who takes part."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sources.dictionary import Field
from sources.mapping import codes, targets
from sources.mapping.suggestion import scoring, words
from sources.mapping.suggestion.described import Described
from sources.mapping.suggestion.making import Making
from sources.mapping.suggestion.proposals import RuleCandidate
from sources.mapping.suggestion.scoring import Scored
from sources.mapping.wording import any_of

_TITLE = re.compile(r"(?:.* )?(?:scanner|station) ?(?:ae(?: ?t(?:itle)?)?|aet)")
_SCANNER = any_of("scanner", "station", "magnet", "gerat", "geraet", "appareil", "equipo", "escaner")


def stations(making: Making, scanners: Mapping[str, str]) -> list[RuleCandidate]:
    """Return texts that are called a station's AE title, and choices whose labels name the scanners."""
    return [*_titles(making), *_choices(making, scanners)]


def _titles(making: Making) -> Iterator[RuleCandidate]:
    for each in making.project.saying(_SCANNER, lambda each: each.is_free_text):
        if not _TITLE.fullmatch(each.name):
            continue
        reasons = (f"its name is {each.field.name}", "it must hold AE titles as the scanners call themselves")
        yield making.candidate(targets.STATION, Scored(each, 80, reasons))


def _choices(making: Making, scanners: Mapping[str, str]) -> Iterator[RuleCandidate]:
    for each in making.project.saying(_SCANNER, lambda each: each.is_choice):
        table = scanners_by_code(each.field, scanners) if _SCANNER.search(each.name) else {}
        if table:
            score = 75 - (0 if making.project.level(each.field, making.how) == "session" else 4)
            reasons = (f"its name is {each.field.name}", "its labels name the scanners")
            yield making.candidate(
                targets.STATION, Scored(each, score, reasons), f"codes {codes.write(table)}"
            )


def scanners_by_code(field: Field, scanners: Mapping[str, str]) -> dict[str, str]:
    """Return the AE title of each code whose label names just one scanner."""
    named = {code: _named_by(label, scanners) for code, label in field.choices.items()}
    return {code: titles[0] for code, titles in named.items() if len(titles) == 1}


def _named_by(label: str, scanners: Mapping[str, str]) -> list[str]:
    """Return the scanners that a label names: it has the AE title as a word, or is the name."""
    said = {label.casefold().strip(), *re.split(r"[\s,;:()/]+", label.casefold())}
    return [
        title
        for title, name in scanners.items()
        if title.casefold() in said or (name and name.casefold() == label.casefold().strip())
    ]


_PROTOCOL = re.compile(
    r"(?:.* )?(?:scan|scanning|mri|mr|mrt|irm|rm|imaging|session|sequence) "
    r"(?:protocol|type|protokoll|protocole|protocolo)"
    r"(?: name)?"
    r"|protocol(?: name)?|protokoll|protocole|protocolo"
    r"|(?:protocole|protocolo|protokoll|type|tipo) (?:d )?(?:de (?:la )?)?"
    r"(?:irm|rm|mrt|scan|escaneo|resonancia)"
)
_PREFIXED_PROTOCOL = re.compile(r"\w+ (?:protocol|protokoll|protocole|protocolo)")
_ANOTHER_PROTOCOL = any_of(
    *("storage", "stored", "genom\\w+", "genetics?", "dna", "rna", "blood", "samples?", "lab", "irb"),
    "ethics?",
    *("treatment", "drug", "version", "deviations?", "violations?", "number", "consent", "diet\\w*"),
    *("exercise", "biobank\\w*", "specimens?", "saliva", "tissue", "safety", "followed", "eeg", "meg"),
    *("pet", "ct"),
    *("lagerung", "proben?", "blut", "ethik", "conservation", "echantillons?", "sang", "ethique"),
    *("almacenamiento", "muestras?", "sangre", "etica"),
)
_STATION_NAME = re.compile(r"station(?: name)?|scanner(?: name)?|(?:.* )?scanner(?: name)?")
_REFERRING = re.compile(
    r"referring (?:physician|doctor)(?: name)?|referrer|zuweiser|medecin referent|medico remitente"
)
_REQUESTING = re.compile(r"requesting (?:physician|doctor)(?: name)?|medecin prescripteur|medico solicitante")
_PERFORMING = re.compile(
    r"performing (?:physician|doctor)(?: name)?|operator|technologist|mtra?|operateur|operador"
)
_READ_KEYS = re.compile(
    r"proto[ck]ol.*|type|tipo|station|scanner|name|referr.*|zuweiser|referent|remitente|request.*|prescripteur"
    r"|solicitante|perform.*|operat.*|operador|technologist|mtra?"
)
_DESCRIPTIONS = (
    ("protocol_name", _PROTOCOL),
    ("station_name", _STATION_NAME),
    ("referring_physician_name", _REFERRING),
    ("requesting_physician", _REQUESTING),
    ("performing_physician", _PERFORMING),
)


def descriptions(making: Making, form: str) -> Iterator[tuple[str, list[RuleCandidate]]]:
    """Yield the candidates of each target that people read; `form` is the appointment's."""
    for target, pattern in _DESCRIPTIONS:
        found = [
            making.candidate(target, _described(making, each, form))
            for each in making.project.saying(_READ_KEYS, _is_readable)
            if (pattern.fullmatch(each.name) or _is_of_form(target, each, form))
            and not _is_another(target, each)
        ]
        if found:
            yield target, found


def _is_of_form(target: str, each: Described, form: str) -> bool:
    """Tell whether it is a choice of protocols on the appointment's form, as `cita_protocolo`."""
    is_on_it = each.field.form == form and each.is_choice
    return is_on_it and target == "protocol_name" and _PREFIXED_PROTOCOL.fullmatch(each.name) is not None


def _is_readable(each: Described) -> bool:
    return each.is_choice or each.is_free_text


def _is_another(target: str, each: Described) -> bool:
    return target == "protocol_name" and _ANOTHER_PROTOCOL.search(f"{each.said} {each.form}") is not None


def _described(making: Making, each: Described, form: str) -> Scored:
    reasons = [f"its name is {each.field.name}"]
    score = 60
    if each.field.form == form:
        score += 15
        reasons.append("it is on the form of the appointment")
    if words.MRI.search(each.said) or words.SCAN.search(each.said):
        score += 8
    return scoring.own_or_doubtful(Scored(each, score, tuple(reasons)), making.project)
