"""The demonstration's small archive takes what MR1 has scanned, with a weight that only its images tell."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.archives.images import MadeSeries, MadeStudy
from tests.archives.stand_in import AE_TITLE, StandIn

NAME = "PACS"
TYPED_AT_THE_CONSOLE = "35"  # kilograms, of whom 28 were scheduled


def add_archive(stand_in: StandIn) -> None:
    """Add the archive as an administrator does; it is asked as soon as an examination has ended."""
    from archives.models import Archive

    archive = Archive(
        name=NAME,
        host="127.0.0.1",
        port=stand_in.dicom_port,
        called_ae_title=AE_TITLE,
        first_after_minutes=0,
        missing_after_hours=0,
    )
    archive.save_as("demo")


def study(item: Any, at: datetime, *numbers: int, weight: str = "") -> MadeStudy:
    """Return the study of what was scanned of an item, as its scanner sends it.

    `numbers` are those of its series, `weight` in kilograms what was typed in place of the scheduled one.
    """
    born, scheduled = item.patient_birth_date, item.patient_weight_kg
    return MadeStudy(
        uid=item.study_instance_uid,
        patient_id=item.patient_id,
        patient_name=item.patient_name,
        birth_date=f"{born:%Y%m%d}" if born else "",
        sex=item.patient_sex,
        weight=weight or (str(scheduled) if scheduled else ""),
        size="",
        accession_number=item.accession_number,
        study_date=f"{at:%Y%m%d}",
        study_time=f"{at:%H%M%S}",
        description=item.study_description,
        station_name="MR1",
        series=tuple(MadeSeries(str(number), number, f"t1_mprage_{number}", 2) for number in numbers),
    )


def ask_now() -> None:
    """Ask it for what has ended, as the worker does each minute."""
    from archives import opening
    from archives.verifying import claims, rounds

    for archive in claims.due():
        if claim := claims.claim(archive.pk):
            rounds.ask(archive.pk, claim, opening.opened)
            claims.release(archive.pk, claim)
