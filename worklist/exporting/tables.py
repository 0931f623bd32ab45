"""An export has one of these tables; its columns have names and order of the REST API's fields."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import models

from worklist.exporting.columns import Column, ColumnType, Disguise
from worklist.models import PerformedSeries, PerformedStep, WorklistItem

VERSION = 1  # of the columns: a new one that comes last, or another description, leaves it
# These are read through links, by one query for each batch.
ITEM_IDS, LINKED_PATIENT_ID, LINKED_PEOPLE = "item_ids", "linked_patient_id", "linked_people"


@dataclass(frozen=True)
class ExportTable:
    """`patient` and `day` are the fields that say whose a row is and of which day; `step` is its step's."""

    name: str
    model: type[models.Model]
    columns: tuple[Column, ...]
    day: str
    patient: str = ""  # before the fields of the patient
    step: str = ""  # the performed step whose items the row has

    @property
    def patient_id(self) -> str:
        return f"{self.patient}patient_id"

    @property
    def patient_name(self) -> str:
        return f"{self.patient}patient_name"

    @property
    def patient_birth_date(self) -> str:
        return f"{self.patient}patient_birth_date"

    @property
    def study(self) -> str:
        return f"{self.patient}study_instance_uid"


_WHO = (
    Column("patient_name", ColumnType.TEXT, "Patient's name, as DICOM writes it (PN)."),
    Column("patient_id", ColumnType.TEXT, "Patient ID.", Disguise.PARTICIPANT),
    Column("patient_birth_date", ColumnType.DATE, "Patient's birth date.", Disguise.AGE),
    Column("patient_sex", ColumnType.TEXT, "Patient's sex: F, M or O.", Disguise.AS_IT_IS),
)
# A scanner reports what was typed there, whatever it should be.
_REPORTED = (*_WHO[:-1], replace(_WHO[-1], disguise=Disguise.UNLESS_NAMED))

ITEMS = ExportTable(
    "items",
    WorklistItem,
    (
        Column("id", ColumnType.TEXT, "Key of the item.", Disguise.KEY, keys_of="items"),
        Column("study_instance_uid", ColumnType.TEXT, "Study Instance UID.", Disguise.UID),
        Column("accession_number", ColumnType.TEXT, "Accession number."),
        Column("requested_procedure_id", ColumnType.TEXT, "Requested procedure ID."),
        Column("scheduled_procedure_step_id", ColumnType.TEXT, "Scheduled procedure step ID."),
        *_WHO,
        Column("patient_weight_kg", ColumnType.WEIGHT, "Patient's weight in kilograms.", Disguise.AS_IT_IS),
        Column("referring_physician_name", ColumnType.TEXT, "Referring physician's name (PN)."),
        Column("requesting_physician", ColumnType.TEXT, "Requesting physician (PN)."),
        Column("modality", ColumnType.TEXT, "Modality.", Disguise.AS_IT_IS),
        Column("study_description", ColumnType.TEXT, "Requested procedure description."),
        Column("procedure_description", ColumnType.TEXT, "Scheduled procedure step description."),
        Column(
            "scheduled_station_aetitle",
            ColumnType.TEXT,
            "AE titles of the scanners, separated by a backslash.",
            Disguise.UNLESS_NAMED,
        ),
        Column("station_name", ColumnType.TEXT, "Station name.", Disguise.UNLESS_NAMED),
        Column("scheduled_procedure_step_location", ColumnType.TEXT, "Location.", Disguise.UNLESS_NAMED),
        Column("scheduled_start_date", ColumnType.DATE, "Day of the appointment.", Disguise.SHIFTED),
        Column(
            "scheduled_start_time",
            ColumnType.TIME,
            "Time of day of the appointment; 00:00:00 where it is not known.",
            Disguise.AS_IT_IS,
        ),
        Column("performing_physician", ColumnType.TEXT, "Performing physician (PN)."),
        Column("protocol_name", ColumnType.TEXT, "Protocol.", Disguise.UNLESS_NAMED),
        Column(
            "hisris_coding_designator", ColumnType.TEXT, "Coding scheme designator.", Disguise.UNLESS_NAMED
        ),
        Column("performed_procedure_step_status", ColumnType.TEXT, "Status of the item.", Disguise.AS_IT_IS),
        Column(
            "data_source",
            ColumnType.TEXT,
            "Source that keeps the item; empty: made by hand.",
            Disguise.AS_IT_IS,
        ),
        Column("extra_attributes", ColumnType.JSON, "Other attributes by DICOM keyword, as JSON."),
        Column(
            "performed_by_evidence",
            ColumnType.TEXT,
            "What says that a completed item was performed: MPPS, ARCHIVE or PERSON; empty: not known.",
            Disguise.AS_IT_IS,
        ),
        Column(
            "arrived_at", ColumnType.MOMENT, "When the participant was marked as arrived.", Disguise.SHIFTED
        ),
        Column("created_at", ColumnType.MOMENT, "When the item was made.", Disguise.SHIFTED),
        Column("updated_at", ColumnType.MOMENT, "When the item was last changed.", Disguise.SHIFTED),
        Column("is_qa", ColumnType.BOOLEAN, "Whether a phantom is scanned.", Disguise.AS_IT_IS),
    ),
    day="scheduled_start_date",
)
STEPS = ExportTable(
    "steps",
    PerformedStep,
    (
        Column("id", ColumnType.TEXT, "Key of the performed step.", Disguise.KEY, keys_of="steps"),
        Column("sop_instance_uid", ColumnType.TEXT, "SOP Instance UID of the performed step.", Disguise.UID),
        Column("status", ColumnType.TEXT, "Status of the performed step.", Disguise.AS_IT_IS),
        *_REPORTED,
        Column("study_instance_uid", ColumnType.TEXT, "Study Instance UID.", Disguise.UID),
        Column("performed_procedure_step_id", ColumnType.TEXT, "Performed procedure step ID."),
        Column("description", ColumnType.TEXT, "Performed procedure step description."),
        Column("modality", ColumnType.TEXT, "Modality.", Disguise.UNLESS_NAMED),
        Column(
            "performed_station_ae_title", ColumnType.TEXT, "AE title of the station.", Disguise.UNLESS_NAMED
        ),
        Column("performed_station_name", ColumnType.TEXT, "Station name.", Disguise.UNLESS_NAMED),
        Column("performed_location", ColumnType.TEXT, "Location.", Disguise.UNLESS_NAMED),
        Column("start_date", ColumnType.DATE, "Day on which it began.", Disguise.SHIFTED),
        Column("start_time", ColumnType.TIME, "Time of day at which it began.", Disguise.AS_IT_IS),
        Column("end_date", ColumnType.DATE, "Day on which it ended.", Disguise.SHIFTED),
        Column("end_time", ColumnType.TIME, "Time of day at which it ended.", Disguise.AS_IT_IS),
        Column(
            "discontinuation_reason_code",
            ColumnType.TEXT,
            "Code of the reason why it was discontinued.",
            Disguise.UNLESS_NAMED,
        ),
        Column("discontinuation_reason", ColumnType.TEXT, "Reason why it was discontinued, in words."),
        Column("deviations", ColumnType.TEXTS, "Where the scanner's messages depart from the standard."),
        Column("remarks", ColumnType.TEXTS, "Departures that cost nothing."),
        Column("calling_ae_title", ColumnType.TEXT, "AE title that reported it.", Disguise.AS_IT_IS),
        Column("created_at", ColumnType.MOMENT, "First message.", Disguise.SHIFTED),
        Column("updated_at", ColumnType.MOMENT, "Last message.", Disguise.SHIFTED),
        Column("finished_at", ColumnType.MOMENT, "Final message.", Disguise.SHIFTED),
        Column(
            ITEM_IDS,
            ColumnType.TEXTS,
            "Keys of the items that it performs, `id` of items.",
            Disguise.KEY,
            keys_of="items",
        ),
    ),
    day="start_date",
    step="pk",
)
SERIES = ExportTable(
    "series",
    PerformedSeries,
    (
        Column("id", ColumnType.TEXT, "Key of the series.", Disguise.KEY, keys_of="series"),
        Column(
            "step_id",
            ColumnType.TEXT,
            "Key of its performed step, `id` of steps.",
            Disguise.KEY,
            keys_of="steps",
        ),
        Column("number", ColumnType.INTEGER, "Its place in the performed step, from 1.", Disguise.AS_IT_IS),
        Column("series_instance_uid", ColumnType.TEXT, "Series Instance UID.", Disguise.UID),
        Column("description", ColumnType.TEXT, "Series description."),
        Column("protocol_name", ColumnType.TEXT, "Protocol.", Disguise.UNLESS_NAMED),
        Column("operators_name", ColumnType.TEXT, "Operator's name (PN)."),
        Column("performing_physician_name", ColumnType.TEXT, "Performing physician (PN)."),
        Column("image_count", ColumnType.INTEGER, "Number of images.", Disguise.AS_IT_IS),
        Column("other_count", ColumnType.INTEGER, "Number of other instances.", Disguise.AS_IT_IS),
        Column(
            "sop_instance_uid",
            ColumnType.TEXT,
            "SOP Instance UID of its performed step.",
            Disguise.UID,
            "step__sop_instance_uid",
        ),
        Column(
            "study_instance_uid",
            ColumnType.TEXT,
            "Study Instance UID.",
            Disguise.UID,
            "step__study_instance_uid",
        ),
        Column("patient_id", ColumnType.TEXT, "Patient ID.", Disguise.PARTICIPANT, "step__patient_id"),
        Column("modality", ColumnType.TEXT, "Modality.", Disguise.UNLESS_NAMED, "step__modality"),
        Column(
            "start_date",
            ColumnType.DATE,
            "Day on which its performed step began.",
            Disguise.SHIFTED,
            "step__start_date",
        ),
    ),
    day="step__start_date",
    patient="step__",
    step="step_id",
)
TABLES = {table.name: table for table in (ITEMS, STEPS, SERIES)}
