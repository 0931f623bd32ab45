"""A command takes a patient ID, and asks which participant is meant where several have it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from django.core.management.base import CommandError

from pylantir_site.privacy import participants
from worklist.dicom import name_parts
from worklist.privacy.people import ParticipantRows

NOBODY = "Nobody is known under this patient ID, or who was has been erased."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "patient_id", metavar="PATIENT_ID", help="whose; - reads it from the standard input, out of sight"
    )
    parser.add_argument(
        "--person", type=int, metavar="N", help="which one, where several people have the patient ID"
    )


def chosen(patient_id: str, person: int | None) -> tuple[str, ParticipantRows]:
    """Return the patient ID and who is meant. Raises CommandError where that is nobody, or not said."""
    given = sys.stdin.readline().strip() if patient_id == "-" else patient_id.strip()
    found = participants.find(given)
    if not found:
        raise CommandError(NOBODY)
    if len(found) == 1 and person in (None, 1):
        return given, found[0]
    if person is None or not 1 <= person <= len(found):
        lines = (f"  {number}  {in_words(each)}" for number, each in enumerate(found, start=1))
        raise CommandError(
            "\n".join(["Several people have this patient ID. Say whom you mean by --person N:", *lines])
        )
    return given, found[person - 1]


def in_words(participant: ParticipantRows) -> str:
    """Name a participant as people tell one from another."""
    names = "; ".join(map(name_parts.readable, participant.names)) or "without a name"
    births = ", ".join(f"{day:%Y-%m-%d}" for day in participant.birth_dates) or "not known"
    return f"{names}, born {births}: {len(participant.items)} items, {len(participant.steps)} examinations"
