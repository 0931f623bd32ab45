"""Tables of codes are read and written here, and made of what labels say of sex and status.

A table is one line, `1=M, 2=F, 9=`: in quotation marks stands what has a comma, = or quotes in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sources.mapping import targets
from sources.mapping.wording import any_of, words

_TEXT = r'(?:"((?:[^"]|"")*)"|([^=,"]*?))'
_PAIR = re.compile(rf"\s*{_TEXT}\s*=\s*{_TEXT}\s*(?:,|$)")
_NEEDS_QUOTES = re.compile(r'[=,"]|^\s|\s$')


def read(text: str) -> dict[str, str]:
    """Read a table. Raises ValueError, which says what is expected."""
    table: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PAIR.match(text, position)
        if not match:
            raise ValueError('Pairs of code and value are expected: 1=M, 2=F, "a, b"=O.')
        code = _unquoted(match[1], match[2])
        if not code or code in table:
            raise ValueError(f"The code {code} is given twice." if code else "A code is empty.")
        table[code] = _unquoted(match[3], match[4])
        position = match.end()
    if not table:
        raise ValueError("Pairs of code and value are expected: 1=M, 2=F, 3=O.")
    return table


def write(table: Mapping[str, str]) -> str:
    """Return the line that `read` reads back."""
    return ", ".join(f"{_quoted(code)}={_quoted(value)}" for code, value in table.items())


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def _unquoted(quoted: str | None, plain: str | None) -> str:
    return quoted.replace('""', '"') if quoted is not None else (plain or "")


_MALE = (
    *("male", "man", "boy", "mannlich", "maennlich", "mann", "junge", "knabe"),
    *("masculin", "homme", "garcon", "masculino", "hombre", "varon", "nino"),
)
_FEMALE = (
    *("female", "woman", "girl", "weiblich", "frau", "madchen", "maedchen"),
    *("feminin", "feminine", "femme", "fille", "femenino", "femenina", "mujer", "nina"),
)
_SEX = {**dict.fromkeys(_MALE, "M"), **dict.fromkeys(_FEMALE, "F")}
_OTHER_SEX = frozenset(
    {"other", "intersex", "nonbinary", "divers", "andere", "anderes", "autre", "intersexe", "intersexue"}
    | {"intersexuell", "otro", "otra", "intersexual", "indeterminado"}
)
# A letter alone depends on the others: M is mujer beside H, and male beside F or W.
_LETTERS = {"m": "M", "f": "F", "w": "F", "o": "O", "d": "O"}
_LETTERS_OF_SPANISH = {"h": "M", "v": "M", "m": "F", "o": "O"}
_LETTERS_OF_FRENCH = {"h": "M", "f": "F"}
# What says no wins over what says yes: "confirmed, then cancelled".
_NO = any_of(
    *("cancel(?:l?ed)?", "no ?show(?:ed)?", "declined?", "withdr(?:awn|ew)", "completed?", "done", "refused"),
    *("not scheduled", "unscheduled", "deleted", "ineligible", "missed", "did not attend", "dna", "dnas"),
    *("scanned", "imaged", "acquired", "performed", "attended", "finished", "called off"),
    *("abgesagt", "storniert", "nicht (?:erschienen|geplant|gekommen)", "verpasst", "abgelehnt"),
    *("erfolgt", "gemessen", "gescannt", "stattgefunden", "ausgefallen", "entfallen"),
    *("faite?s?", "passee?s?", "hech[oa]s?", "efectuad[oa]s?", "suspendid[oa]s?"),
    *("zuruckgezogen", "zurueckgezogen", "abgeschlossen", "durchgefuhrt", "durchgefuehrt", "erledigt"),
    *("annulee?s?", "non venue?s?", "absente?s?", "refusee?s?", "declinee?s?", "terminee?s?", "realisee?s?"),
    *("effectuee?s?", "non (?:prevue?|planifiee?)", "pas venue?"),
    *("cancelad[oa]s?", "anulad[oa]s?", "no (?:asistio|se presento|acudio|vino|programad[oa])"),
    *("rechazad[oa]s?", "completad[oa]s?", "realizad[oa]s?", "finalizad[oa]s?", "terminad[oa]s?"),
)
_YES = any_of(
    *("scheduled", "confirmed", "requested", "booked", "planned", "rescheduled", "tentative"),
    *("geplant", "bestatigt", "bestaetigt", "gebucht", "vereinbart", "einbestellt", "angefragt"),
    *("prevue?s?", "planifiee?s?", "confirmee?s?", "reservee?s?", "programmee?s?"),
    *(
        "programad[oa]s?",
        "confirmad[oa]s?",
        "agendad[oa]s?",
        "citad[oa]s?",
        "reservad[oa]s?",
        "solicitad[oa]s?",
    ),
)
# "Not cancelled", "to be rescheduled": a person has to say what it means.
_DOUBT = any_of(
    *("not (?!scheduled|attend)\\w+", "un(?:confirmed|known|sure)", "pending", "to be", "will be", "needs?"),
    *("nicht (?!erschienen|geplant|gekommen)\\w+", "unbekannt", "offen", "ausstehend", "verschoben"),
    *("non (?!venue?|prevue?|planifiee?)\\w+", "en attente", "a (?:confirmer|planifier)", "inconnue?"),
    *("reportee?s?", "pas (?!venue?)\\w+", "pendientes?", "por (?:confirmar|programar)", "desconocid[oa]"),
    *("no (?!show|asistio|se presento|acudio|vino|programad[oa])\\w+", "reprogramad[oa]", "aplazad[oa]"),
)


def codes_by_label(target: str, choices: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return a table of codes for `patient_sex` or the status, and a remark for each label that says neither.

    A code in no table is a problem of its session when it turns up, so nothing is guessed.
    """
    said = {code: words(label) for code, label in choices.items()}
    if target == targets.SEX:
        letters = _letters({label for label in said.values() if len(label) == 1})
        meanings = {code: letters.get(label) or _sex(label) for code, label in said.items()}
    else:
        meanings = {code: _status(label) for code, label in said.items()}
    table = {code: found for code, found in meanings.items() if found is not None}
    remarks = [
        f"{target}: it is not clear what “{label}” (code {code}) means."
        for code, label in choices.items()
        if code not in table
    ]
    return table, remarks


def are_sexes(choices: Mapping[str, str]) -> bool:
    """Tell whether the codes are M and F themselves and mean that: M of “Mujer” is none."""
    table, _ = codes_by_label(targets.SEX, choices)
    is_same = all(code.upper() == found for code, found in table.items())
    return is_same and {"M", "F"} <= set(table.values())


def _letters(there: set[str]) -> Mapping[str, str]:
    if not there & {"h", "v"}:
        return _LETTERS
    return _LETTERS_OF_FRENCH if "f" in there else _LETTERS_OF_SPANISH


def _sex(label: str) -> str | None:
    """Judge by the first word alone: "male (at birth)" is male, "male to female" is left to a person."""
    first, *_ = [*label.replace("non binary", "nonbinary").split(), ""]
    found = {_SEX.get(word) for word in label.split()} - {None}
    if first in _OTHER_SEX:
        return "O" if not found or first.startswith("intersex") else None
    return found.pop() if len(found) == 1 and first in _SEX else None


def _status(label: str) -> str | None:
    if _DOUBT.search(label):
        return None
    if _NO.search(label):
        return targets.NOT_WANTED
    return targets.WANTED if _YES.search(label) else None
