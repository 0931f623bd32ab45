"""A person at the terminal is asked what no configuration says."""

from __future__ import annotations

import sys
from collections.abc import Callable

from sources.config_import.entries import PatientIds
from sources.config_import.patient_ids import MEANINGS, IdQuestion

Write = Callable[[str], object]


def is_there() -> bool:
    """Tell whether somebody can answer."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask_for_ids(question: IdQuestion, write: Write) -> PatientIds | None:
    """Return which patient IDs a source is to have, or None without an answer. Continuity comes first."""
    kinds = list(PatientIds)
    write(f"{question.source}: {question.situation} Which IDs is it to have?")
    for number, kind in enumerate(kinds, start=1):
        write(f"  {number}  {MEANINGS[kind]}")
    write("1 or 2, or nothing to leave it open:")
    for line in iter(sys.stdin.readline, ""):
        answer = line.strip().lower()
        if not answer:
            return None
        for number, kind in enumerate(kinds, start=1):
            if answer in (str(number), kind):
                return kind
        write("1 or 2, please:")
    return None
