"""Under the pseudonymous policy a mapping brings neither true names nor full birth dates into the worklist.

What PS3.15 Table E.1-1 removes or replaces of a patient is left out, except an ID, which the research needs
to find its images again. The birth date is left empty, as that table has it: DICOM's is a whole day, and the
first of January or July is nobody's, so a year alone could stand there only with a made-up rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from sources.contract import Mistake
from sources.dictionary import Dictionary, Field
from sources.mapping import columns, targets
from sources.mapping.identifying import names_behind
from sources.mapping.rules import MappingPlan, Rule
from sources.mapping.wording import any_of, words
from sources.rows import GROUP

NAME, PATIENT_ID = "patient_name", "patient_id"
# Of the person, by PS3.15 Table E.1-1: none has a use in a worklist that an ID could not have.
NEVER = frozenset(
    {
        *("PatientBirthName", "PatientMotherBirthName", "OtherPatientNames", "ResponsiblePerson"),
        *("PatientAddress", "PatientTelephoneNumbers", "PatientTelecomInformation", "CountryOfResidence"),
        *("RegionOfResidence", "PatientReligiousPreference", "MilitaryRank", "BranchOfService", "Occupation"),
        *("OtherPatientIDs", "InsurancePlanIdentification", "MedicalRecordLocator", "IssuerOfPatientID"),
        *("PatientBirthTime", "PatientBirthDateInAlternativeCalendar", "PersonAddress"),
        *("PatientDeathDateInAlternativeCalendar", "PersonTelephoneNumbers", "PersonTelecomInformation"),
    }
)
ALWAYS_FINE = frozenset({GROUP, "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"})
_OF_A_PERSON = any_of(
    *("(?:first|last|full|family|given|fore|sur|middle|maiden|birth|nick|patient|participant) ?names?",),
    *("surname", "forename", "initials", "(?:nach|vor|familien|geburts) ?namen?", "initialen"),
    *("nom", "noms", "prenoms?", "initiales", "apellidos?", "nombres?", "dob", "birth(?: ?da(?:te|y))?"),
    *("date of birth", "geburts ?datum", "geb ?datum", "date de naissance", "naissance", "nacimiento"),
    *("(?:e ?)?mail", "phone", "telefon", "telephone", "mobile", "handy", "address", "adresse", "direccion"),
    *("mrn", "medical record", "hospital (?:number|no|nr|id)", "nhs (?:number|no)", "ssn", "social security"),
)
_ALONE = frozenset({"name", "names"})
_VALIDATIONS = ("date", "datetime", "email", "phone", "postalcode", "zipcode", "ssn", "mrn", "alpha_only")
BIRTH_DATE_TEXT = (
    "The source is pseudonymous: the birth date stays empty, for DICOM's is a whole day, and the rest of a "
    "year would be made up. PatientAge can say how old somebody is."
)


def mistakes(plan: MappingPlan, dictionary: Dictionary | None) -> Iterator[Mistake]:
    """Yield what the policy refuses; without a dictionary, what can be told without one."""
    of_id = [rule for rule in plan.rules if rule.target == PATIENT_ID]
    for place, rule in enumerate(plan.rules):
        if rule.target == targets.BIRTH_DATE:
            yield Mistake(place, "target", BIRTH_DATE_TEXT)
        elif rule.target in NEVER:
            text = f"The source is pseudonymous: {rule.target} tells who somebody is, and has no place in it."
            yield Mistake(place, "target", text)
        elif dictionary is not None and targets.name_of(rule.target) is None:
            yield from _fields(place, rule, of_id, plan, dictionary)


def _fields(
    place: int, rule: Rule, of_id: list[Rule], plan: MappingPlan, dictionary: Dictionary
) -> Iterator[Mistake]:
    """Yield the fields behind the row that tell who somebody is."""
    behind = _behind(rule, plan, dictionary)
    ids = frozenset().union(*(_behind(each, plan, dictionary) for each in of_id))
    for name in sorted(behind - ALWAYS_FINE - {dictionary.record_id_field}):
        field = dictionary.fields.get(name)
        if field is not None and (why := _why_not(field, rule, is_of_id=name in ids)):
            yield Mistake(place, "field" if name == rule.field else "transforms", why)


def _behind(rule: Rule, plan: MappingPlan, dictionary: Dictionary) -> frozenset[str]:
    names = names_behind(rule, plan, dictionary.record_id_field)
    return frozenset(columns.exported_field(name, dictionary) for name in names)


def _why_not(field: Field, rule: Rule, *, is_of_id: bool) -> str:
    """Say why the field may not go into the row's target, or return ""."""
    who = "The source is pseudonymous"
    if (rule.target in (NAME, PATIENT_ID) or field.is_identifier) and _tells_who(field):
        return f"{who}: {field.name} tells who somebody is. Use the record ID or the study's own ID."
    if rule.target == NAME and not is_of_id:
        return f"{who}: the name is made of what the patient ID is made of, and {field.name} is not."
    if field.is_identifier and not is_of_id:
        return f"{who}: the source marks {field.name} as an identifier, so it may be in the patient ID alone."
    return ""


def _tells_who(field: Field) -> bool:
    """Tell a name, a birth date or an address by what the field is called and what it takes."""
    said = (words(field.name), words(field.label))
    is_called_so = any(_OF_A_PERSON.search(each) or each in _ALONE for each in said)
    return is_called_so or field.type == "notes" or field.validation.startswith(_VALIDATIONS)
