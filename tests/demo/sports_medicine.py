"""A trainer keeps the knees of a sports clinic in a spreadsheet, and the second scanner is booked from it."""

from __future__ import annotations

import io
from datetime import date, time, timedelta
from typing import NamedTuple

from openpyxl import Workbook
from openpyxl.styles import Font

from tests.demo.day import DemoDay

NAME = "sports_medicine"
FILE = "knee appointments.xlsx"
HEADERS = (
    *("Subject ID", "Family name", "Given name", "DOB", "Sex", "Weight (kg)"),
    *("Scan date", "Scan time", "Protocol", "Comment"),
)
SHEET = "Appointments"


class Athlete(NamedTuple):
    subject: str
    family: str
    given: str
    born: date
    sex: str
    kilograms: float | None
    days: int  # from today
    at: int  # minutes from now
    protocol: str
    comment: str = ""


ATHLETES = (
    Athlete("0041", "Haugen", "Sindre", date(1996, 2, 11), "M", 81.5, 0, 15, "KNEE_LEFT"),
    Athlete("0042", "Marchetti", "Giulia", date(2001, 9, 3), "F", 58.2, 0, 75, "KNEE_RIGHT"),
    Athlete("0043", "O'Connor", "Niamh", date(1999, 12, 30), "F", 64, 0, 135, "KNEE_LEFT", "Brace comes off"),
    Athlete("0044", "Desmet", "Wout", date(1994, 6, 17), "M", 77.3, 0, 210, "KNEE_BOTH"),
    Athlete("0045", "Kovačević", "Mila", date(2003, 4, 8), "F", None, 1, 0, "KNEE_RIGHT"),
    Athlete("0046", "Abara", "Tobe", date(1998, 10, 25), "M", 90.1, 3, 60, "KNEE_LEFT"),
)


def workbook(day: DemoDay) -> bytes:
    """Return the spreadsheet as Excel would have it: IDs as text, dates and times as such."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = SHEET
    sheet.append(HEADERS)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for number, athlete in enumerate(ATHLETES, start=2):
        sheet.append(_cells(athlete, day))
        sheet.cell(number, 1).number_format = "@"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _cells(athlete: Athlete, day: DemoDay) -> tuple[str | date | time | float | None, ...]:
    on = day.now.date() + timedelta(days=athlete.days)
    at = day.appointment(athlete.at) if not athlete.days else time(10, 30)
    person = (athlete.subject, athlete.family, athlete.given, athlete.born, athlete.sex, athlete.kilograms)
    return (*person, on, at, athlete.protocol, athlete.comment or None)


def add_source(content: bytes) -> None:
    """Add the source as an administrator does: the file, its columns, and what the columns are."""
    from sources.mapping.rules import Level, Rule
    from sources.models import DataSource, HowAgreed, MappingRule, TableFile, UploadedTable
    from sources.models.identifying import agree
    from sources.tables.content import TableContent

    person = Level.RECORD
    rules = (
        Rule("patient_id", "subject_id", level=person, transforms="template KN-{subject_id}"),
        Rule("patient_name", level=person, transforms="template {family_name}^{given_name}"),
        Rule("patient_birth_date", "dob", level=person),
        Rule("patient_sex", "sex", level=person),
        Rule("patient_weight_kg", "weight_kg"),
        Rule("scheduled_start_date", "scan_date"),
        Rule("scheduled_start_time", "scan_time"),
        Rule("protocol_name", "protocol"),
        Rule("PatientComments", "comment"),
        Rule("modality", default="MR"),
    )
    source = DataSource(kind="table", name=NAME, enabled=True, scheduled_station_aetitle="MR2")
    source.details = TableFile(record_column="Subject ID")
    source.save_with_details("demo")
    for position, rule in enumerate(rules):
        row = MappingRule(source=source, position=position, **MappingRule.columns_of_rule(rule))
        row.save_as("demo")
    agree(source, None, how=HowAgreed.PERSON, by="demo")
    UploadedTable.keep(source, TableContent(FILE, content), by="demo")
