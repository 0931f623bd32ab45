"""A field that can never hold what its target needs is refused, and no field that might."""

from __future__ import annotations

import pytest

from sources.dictionary import Field
from sources.mapping import targets
from sources.mapping.check import mistakes
from sources.mapping.rules import MappingPlan, Rule, SessionKind, SessionLayout
from tests.sources.projects import a_dictionary, a_field

RECORD = SessionLayout(SessionKind.RECORD)
YES_OR_NO = {"1": "Yes", "0": "No"}
KILOS = {"60": "60 kg", "61": "61 kg"}
LOSS = a_field("weight_loss", "a", "yesno", label="Weight loss of more than 5 kg?", choices=YES_OR_NO)
BAND = a_field("weight", "a", "radio", label="Weight", choices={"1": "Below 50 kg", "2": "Above"})
DROPDOWN = a_field("weight", "a", "dropdown", label="Weight", choices=KILOS)
YEARS = a_field("born", "a", "dropdown", label="Year", choices={"1980": "1980", "1981": "1981"})
SLOTS = a_field("slot", "a", "radio", label="Slot", choices={"09:00": "at nine", "10:00": "at ten"})
BANDS = a_field(
    "w", "a", "dropdown", choices={"35": "under 40", "45": "40 to 50", "55": "50 to 60", "-9": "Unknown"}
)
RATING = a_field("w", "a", "radio", choices={"0": "None", "5": "Some", "10": "Most", "999": "Unknown"})
IN_LETTERS = a_field("sex", "a", "dropdown", choices={"M": "Male", "F": "Female", "U": "Unknown"})
IN_SMALL_LETTERS = a_field("sex", "a", "dropdown", choices={"m": "männlich", "f": "weiblich"})
IN_SPANISH_LETTERS = a_field("sex", "a", "dropdown", choices={"H": "Hombre", "M": "Mujer"})
CODED_SLOTS = a_field("slot", "a", "radio", label="Slot", choices={"1": "09:00", "2": "10:00"})


def of(target: str, field: Field, transforms: str = "") -> list[str]:
    """Return what `check` says of the rule in a project with the field."""
    plan = MappingPlan((Rule(target, field.name, transforms=transforms),), RECORD)
    found = mistakes(plan, a_dictionary(a_field("record_id", "a"), field))
    return [mistake.text for mistake in found if mistake.rule is not None]


@pytest.mark.acceptance("RC118")
@pytest.mark.parametrize(
    ("target", "field", "transforms", "said"),
    [
        (targets.KILOGRAMS, LOSS, "", "answered with yes or no"),
        (targets.POUNDS, LOSS, "", "answered with yes or no"),
        (targets.KILOGRAMS, LOSS, "pounds to kilograms", "answered with yes or no"),
        (targets.KILOGRAMS, LOSS, "label", "answered with yes or no"),
        (targets.KILOGRAMS, BAND, "", "none of its codes is a weight"),
        (targets.KILOGRAMS, a_field("w", "a", "checkbox", choices={"1": "Heavy"}), "", "none of its codes"),
        (targets.KILOGRAMS, RATING, "", "none of its codes is a weight"),
        (targets.SEX, IN_SPANISH_LETTERS, "", "say what its codes mean"),
        (targets.SEX, a_field("sex", "a", "radio", choices={"M": "Mother", "F": "Father"}), "", "codes"),
        (targets.KILOGRAMS, a_field("w", "a", validation="date_ymd"), "", "holds a date, which is never"),
        (targets.KILOGRAMS, a_field("w", "a", validation="time"), "", "holds a time"),
        (targets.START_DATE, LOSS, "", "yes or no, which is never a date"),
        (targets.START_DATE, BAND, "", "none of its codes is a date"),
        (targets.START, LOSS, "", "yes or no"),
        (targets.START_DATE, a_field("t", "a", validation="time"), "", "holds a time, which is never a date"),
        (targets.START_TIME, a_field("d", "a", validation="date_dmy"), "", "holds a date"),
        (targets.START_TIME, a_field("n", "a", validation="integer"), "", "holds a number"),
        (targets.START_TIME, CODED_SLOTS, "", "none of its codes is a time of day"),
        (targets.BIRTH_DATE, LOSS, "", "yes or no"),
        (targets.BIRTH_DATE, a_field("t", "a", validation="time"), "", "never a birth date"),
        (targets.BIRTH_DATE, a_field("age", "a", "calc", label="Age"), "", "is an age"),
        (targets.BIRTH_DATE, a_field("age_mri", "a", validation="integer"), "", "is an age"),
        (targets.SEX, a_field("sex", "a", validation="integer"), "", "such as codes 1=M, 2=F"),
        (targets.SEX, a_field("sex", "a", "yesno", label="Male?", choices=YES_OR_NO), "", "codes 1=M"),
        (targets.SEX, a_field("sex", "a", validation="date_ymd"), "", "holds a date, not M, F or O"),
    ],
)
def test_what_can_never_be_right_is_refused(target: str, field: Field, transforms: str, said: str) -> None:
    (found,) = of(target, field, transforms)

    assert said in found


@pytest.mark.acceptance("RC255")
@pytest.mark.acceptance("RC118")
@pytest.mark.parametrize(
    ("target", "field", "transforms"),
    [
        (targets.KILOGRAMS, DROPDOWN, ""),
        (targets.POUNDS, DROPDOWN, ""),
        (targets.KILOGRAMS, BAND, "codes 1=45, 2=70"),
        (targets.KILOGRAMS, BANDS, ""),
        (targets.KILOGRAMS, a_field("w", "a", "radio", choices={"k40": "40 kg"}), "pattern 1 ^k(\\d+)$"),
        (targets.SEX, IN_LETTERS, ""),
        (targets.SEX, IN_SMALL_LETTERS, ""),
        (targets.BIRTH_DATE, a_field("cpr", "a", validation="integer"), "characters 1-8"),
        (targets.BIRTH_DATE, a_field("cpr", "a", validation="mrn_generic"), ""),
        (targets.KILOGRAMS, a_field("w", "a", "radio", choices={"a": "60", "b": "70"}), "label"),
        (targets.KILOGRAMS, a_field("w", "a", "slider"), ""),
        (targets.KILOGRAMS, a_field("w", "a", "calc"), ""),
        (targets.KILOGRAMS, a_field("w", "a", validation="number_1dp_comma_decimal"), ""),
        (targets.KILOGRAMS, a_field("w", "a", validation="alpha_only"), ""),
        (targets.KILOGRAMS, a_field("w", "a", validation="date_ymd"), "characters 1-4"),
        (targets.BIRTH_DATE, YEARS, ""),
        (targets.BIRTH_DATE, YEARS, "year only empty"),
        (targets.BIRTH_DATE, YEARS, "year only 0101"),
        (targets.BIRTH_DATE, a_field("yob", "a", validation="integer"), ""),
        (targets.BIRTH_DATE, a_field("age_and_dob", "a", validation="integer"), ""),
        (targets.BIRTH_DATE, a_field("born", "a", validation="datetime_ymd"), ""),
        (targets.START_DATE, a_field("d", "a", validation="integer"), ""),
        (targets.START_DATE, a_field("d", "a", validation="datetime_dmy"), ""),
        (targets.START, a_field("d", "a", validation="date_dmy"), ""),
        (targets.START_TIME, a_field("d", "a", validation="datetime_seconds_dmy"), ""),
        (targets.START_TIME, SLOTS, ""),
        (targets.START_TIME, CODED_SLOTS, "label"),
        (targets.SEX, a_field("sex", "a"), ""),
        (targets.SEX, a_field("sex", "a", validation="integer"), "codes 1=M, 2=F"),
        ("accession_number", LOSS, ""),
        ("PatientComments", a_field("age", "a", "calc"), ""),
    ],
)
def test_what_may_be_right_is_not_refused(target: str, field: Field, transforms: str) -> None:
    assert of(target, field, transforms) == []


@pytest.mark.acceptance("RC255")
@pytest.mark.acceptance("RC119")
@pytest.mark.parametrize(
    ("name", "label", "is_refused"),
    [
        ("mri_end_time", "End time of scan", True),
        ("scan_time_end", "Time the scan ended", True),
        ("mri_stop_time", "MRI stop time", True),
        ("mrt_ende", "Ende der MRT", True),
        ("heure_fin_irm", "Heure de fin de l'IRM", True),
        ("hora_fin", "Hora de finalización", True),
        ("mri_end_time", "Time of the MRI", False),  # the label does not say so
        ("mri_time", "End of scan", False),  # the name does not
        ("end_tx_mri_time", "Time of the end-of-treatment MRI", False),
        ("session_end", "End of session", True),
        ("mri_time_end", "Time of MRI (end of study visit)", False),
        ("mri_time_end", "Time of MRI at the end of visit", False),
        ("mrt_zeit_ende", "Uhrzeit der MRT am Ende der Untersuchung", False),
        ("weekend_time", "Time on the weekend", False),
        ("start_end_time", "Start of scan (end of scan is calculated)", False),
    ],
)
def test_an_end_is_no_start_where_name_and_label_both_say_so(name: str, label: str, is_refused: bool) -> None:
    found = of(targets.START_TIME, a_field(name, "a", label=label, validation="time"))

    assert bool(found) is is_refused
    assert all("choose the field of its start" in text for text in found)
