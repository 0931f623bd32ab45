"""Report a performed procedure step to a server, as a scanner would."""

from __future__ import annotations

import shlex
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from pydicom import Dataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    generate_uid,
)
from pynetdicom.association import Association

from worklist import validators
from worklist.dicom import performed
from worklist.dicom.printable import readable
from worklist.items import identifiers
from worklist.management import client
from worklist.management.client import PERFORMED_STEP, WORKLIST

CREATE, SET = "create", "set"
COMPLETED, DISCONTINUED = "COMPLETED", "DISCONTINUED"
REASONS = {value: (scheme, meaning) for (value, scheme), meaning in performed.MEANINGS.items()}
# As the standard has it, at least.
NOT_WRITTEN_BY_PYDICOM = frozenset({"ISO 2022 IR 58", "ISO_IR 203", "ISO 2022 IR 203"})
UNSPECIFIED_REASON = "110513"

# What a scanner copies into a performed step (PS3.4 Table F.7.2-1).
REQUEST = (
    "StudyInstanceUID",
    "ReferencedStudySequence",
    "AccessionNumber",
    "RequestedProcedureID",
    "RequestedProcedureDescription",
)
SCHEDULED_STEP = (
    "ScheduledProcedureStepID",
    "ScheduledProcedureStepDescription",
    "ScheduledProtocolCodeSequence",
)
PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "ReferencedPatientSequence")
# Of type 3: copied where the worklist has them.
OPTIONAL_REQUEST = ("IssuerOfAccessionNumberSequence", "RequestedProcedureCodeSequence")
OPTIONAL_PATIENT = ("IssuerOfPatientID", "OtherPatientIDsSequence")
# Of type 2: not known yet when a step begins. The reason can only be set if it was created.
KNOWN_LATER = (
    "PerformedStationName",
    "PerformedLocation",
    "PerformedProcedureTypeDescription",
    "PerformedProcedureStepEndDate",
    "PerformedProcedureStepEndTime",
    "PerformedProcedureStepDiscontinuationReasonCodeSequence",
    "PerformedProtocolCodeSequence",
    "PerformedSeriesSequence",
)

IMAGE_STORAGE = {
    "CT": CTImageStorage,
    "MR": MRImageStorage,
    "PT": PositronEmissionTomographyImageStorage,
    "US": UltrasoundImageStorage,
}
IMAGES = 3
# Where no worklist entry says what was done.
PROTOCOL, OPERATOR = "Test", "Test^Operator"

# PS3.7 Annex C and PS3.4 Table F.7.2-2
ATTRIBUTE_LIST_ERROR, VALUE_OUT_OF_RANGE = 0x0107, 0x0116
MAY_NO_LONGER_BE_UPDATED = 0xA710  # an Error ID; some servers send it as the status
WARNINGS = {
    ATTRIBUTE_LIST_ERROR: "accepted, but the server ignored attributes. Look at the comment",
    VALUE_OUT_OF_RANGE: "accepted, but a value is out of range. Look at the comment",
}
NO_LONGER = (
    "the step is COMPLETED or DISCONTINUED already and may no longer be updated. Begin another with "
    "--mpps_action create"
)
FAILURES = {
    0x0105: "the server does not know an attribute. Look at the comment",
    0x0106: "a value is not allowed. Correct the attribute named, in the worklist entry if it is from there",
    0x0110: "the server could not process it. Look into its log",
    0x0111: "a step with this SOP Instance UID exists already. Leave out --sop_uid to begin another",
    0x0112: "no step has this SOP Instance UID. Give --sop_uid as --mpps_action create has printed it",
    0x0117: "the SOP Instance UID is not valid. Correct --sop_uid, or leave it out to have one made",
    0x0120: "a required attribute is missing. Add the one named to the worklist entry",
    0x0121: "a required attribute has no value. Fill the one named in the worklist entry",
    0x0122: "the server does not support performed procedure steps. Ask another with --ip and --port",
    0x0124: "this AE title may not do it. Allow it there, or use --callingAEtitle",
    0x0211: "the server does not know the operation. Ask another with --ip and --port",
    0x0213: "the server has no room or no time. Try again, and look into its log",
    MAY_NO_LONGER_BE_UPDATED: NO_LONGER,
}
ANOTHER_FAILURE = "the server refused it. Look into its log"


class Command(BaseCommand):
    help = (
        "Begin a performed procedure step from a worklist entry (create: C-FIND and N-CREATE), "
        "or report that it is over (set: N-SET)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        client.add_arguments(parser)
        parser.add_argument("--mpps_action", required=True, choices=(CREATE, SET))
        parser.add_argument("--mpps_status", choices=(COMPLETED, DISCONTINUED), help="how it ended (set)")
        parser.add_argument(
            "--study_uid",
            type=_uid,
            metavar="UID",
            help="Study Instance UID of the worklist entry. Required to create; for set, the series gets "
            "its protocol and description from the entry",
        )
        parser.add_argument(
            "--sps_id", metavar="ID", help="Scheduled Procedure Step ID, where a study has several"
        )
        parser.add_argument(
            "--sop_uid",
            type=_uid,
            metavar="UID",
            help="SOP Instance UID of the performed step. Required for set; create makes one if not given",
        )
        parser.add_argument(
            "--reason",
            choices=REASONS,
            metavar="CODE",
            help=f"why it was DISCONTINUED (default: {UNSPECIFIED_REASON}): "
            + "; ".join(f"{code} {meaning}" for code, (_, meaning) in REASONS.items()),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_what_does_not_fit(options)
        if options["mpps_action"] == CREATE:
            self._create(options)
        else:
            self._set(options)

    def _create(self, options: dict[str, Any]) -> None:
        sop_uid = options["sop_uid"] or generate_uid(prefix=None)
        with client.associated(options, WORKLIST, PERFORMED_STEP) as association:
            entry = self._entry(association, options)
            if entry is None:
                raise CommandError(
                    f"The worklist does not offer {_asked(options)}. What is COMPLETED or CANCELLED is not "
                    "offered unless its status is asked for: see it with test_client "
                    f"--StudyInstanceUID {options['study_uid']} --ScheduledProcedureStepStatus '*'."
                )
            begun = begun_step(entry, station=options["callingAEtitle"], now=timezone.localtime())
            self._report(sop_uid, lambda: association.send_n_create(begun, PERFORMED_STEP, sop_uid)[0])
        self.stdout.write(f"The performed step is IN PROGRESS. SOP Instance UID: {sop_uid}")
        self.stdout.write(f"Next:\n{next_command(options, sop_uid)}")

    def _set(self, options: dict[str, Any]) -> None:
        sop_uid, study_uid = options["sop_uid"], options["study_uid"]
        with client.associated(options, *([WORKLIST] if study_uid else []), PERFORMED_STEP) as association:
            entry = self._entry(association, options) if study_uid else None
            if study_uid and entry is None:
                self.stdout.write(
                    f"The worklist does not offer {_asked(options)}: the series gets the protocol "
                    f"name {PROTOCOL} and no description."
                )
            ended = ended_step(options, entry or Dataset(), now=timezone.localtime())
            self._report(sop_uid, lambda: association.send_n_set(ended, PERFORMED_STEP, sop_uid)[0])
        self.stdout.write(f"The performed step is {options['mpps_status']}. SOP Instance UID: {sop_uid}")

    def _entry(self, association: Association, options: dict[str, Any]) -> Dataset | None:
        """Return the one entry of the worklist that was asked for, or None when it is not offered."""
        found = client.find(association, worklist_query(options))
        client.refuse_unless_found(found.final)
        entries = [entry for entry in found.answers if is_asked_for(entry, options)]
        if len(entries) > 1:
            ids = ", ".join(map(_step_id, entries))
            raise CommandError(
                f"The study has {len(entries)} scheduled steps. Choose one of them with --sps_id: {ids}."
            )
        if not entries:
            return None
        self.stdout.write(
            f"Worklist entry: step {_step_id(entries[0])} {_step_status(entries[0])}".rstrip() + "."
        )
        return entries[0]

    def _report(self, sop_uid: str, send: Callable[[], Dataset]) -> None:
        """Send, and say what the server answered. Raises CommandError unless it accepted."""
        status = send()
        if "Status" not in status:
            raise CommandError(
                f"{client.NO_ANSWER}. Whether the step was reported is not known: send it again with "
                f"--sop_uid {sop_uid}; status 0111 or Error ID A710 then says that it was."
            )
        if status.Status == client.SUCCESS:
            self.stdout.write("Status 0000: success.")
        elif status.Status in WARNINGS:
            self.stdout.write(_explained(status, WARNINGS[status.Status]))
        else:
            raise CommandError(_explained(status, _failure(status)))


def refuse_what_does_not_fit(options: dict[str, Any]) -> None:
    """Raise CommandError for options that the action lacks, or that say nothing to it."""
    if options["mpps_action"] == CREATE:
        if not options["study_uid"]:
            raise CommandError("--mpps_action create needs --study_uid: the study of a worklist entry.")
        if options["mpps_status"]:
            raise CommandError("--mpps_status is for --mpps_action set: a step begins as IN PROGRESS.")
    else:
        if not options["sop_uid"]:
            raise CommandError(
                "--mpps_action set needs --sop_uid: the performed step that --mpps_action create has printed."
            )
        if not options["mpps_status"]:
            raise CommandError(
                "--mpps_action set needs --mpps_status COMPLETED or DISCONTINUED: how the step ended."
            )
    if options["reason"] and options["mpps_status"] != DISCONTINUED:
        raise CommandError("--reason says why a step was stopped: it needs --mpps_status DISCONTINUED.")
    if options["sps_id"] and not options["study_uid"]:
        raise CommandError("--sps_id is one of a study's steps: it needs --study_uid.")


def worklist_query(options: dict[str, Any]) -> Dataset:
    """Ask for the study, and the step where it is given, with all that a performed step copies."""
    query, step = Dataset(), Dataset()
    query.SpecificCharacterSet = "ISO_IR 192"
    _fill(query, (*REQUEST, *OPTIONAL_REQUEST, *PATIENT, *OPTIONAL_PATIENT), Dataset())
    _fill(step, (*SCHEDULED_STEP, "Modality", "ScheduledProcedureStepStatus"), Dataset())
    query.StudyInstanceUID = options["study_uid"]
    step.ScheduledProcedureStepID = options["sps_id"] or ""
    query.ScheduledProcedureStepSequence = [step]
    return query


def is_asked_for(entry: Dataset, options: dict[str, Any]) -> bool:
    """Judge an answer again, for some servers ignore keys."""
    is_step = options["sps_id"] in (None, scheduled(entry).get("ScheduledProcedureStepID"))
    return is_step and bool(entry.get("StudyInstanceUID") == options["study_uid"])


def scheduled(entry: Dataset) -> Dataset:
    """Return the item of a worklist entry's Scheduled Procedure Step Sequence."""
    items = entry.get("ScheduledProcedureStepSequence")
    return items[0] if items else Dataset()


def begun_step(entry: Dataset, *, station: str, now: datetime) -> Dataset:
    """Make an N-CREATE's Attribute List from a worklist entry: all of types 1 and 2 (PS3.4 Table F.7.2-1)."""
    step, begun = scheduled(entry), Dataset()
    _take_character_set(begun, entry)
    request = Dataset()
    _fill(request, REQUEST, entry)
    _fill(request, SCHEDULED_STEP, step)
    _fill(request, filter(entry.get, OPTIONAL_REQUEST), entry)
    begun.ScheduledStepAttributesSequence = [request]
    _fill(begun, PATIENT, entry)
    _fill(begun, filter(entry.get, OPTIONAL_PATIENT), entry)
    begun.PerformedProcedureStepID = f"PPS{identifiers.new_stem()}"
    begun.PerformedStationAETitle = station
    begun.PerformedProcedureStepStartDate, begun.PerformedProcedureStepStartTime = _date_and_time(now)
    begun.PerformedProcedureStepStatus = "IN PROGRESS"
    begun.PerformedProcedureStepDescription = step.get("ScheduledProcedureStepDescription")
    begun.ProcedureCodeSequence = entry.get("RequestedProcedureCodeSequence")
    begun.Modality = step.get("Modality")
    begun.StudyID = entry.get("RequestedProcedureID")  # as IHE's scheduled workflow has it
    _fill(begun, KNOWN_LATER, Dataset())
    return begun


def ended_step(options: dict[str, Any], entry: Dataset, *, now: datetime) -> Dataset:
    """Make an N-SET's Modification List that ends the step.

    It is made from a worklist entry or from an empty data set.
    """
    ended = Dataset()
    _take_character_set(ended, entry)
    ended.PerformedProcedureStepStatus = options["mpps_status"]
    ended.PerformedProcedureStepEndDate, ended.PerformedProcedureStepEndTime = _date_and_time(now)
    if options["mpps_status"] == DISCONTINUED:
        reason = _code(options["reason"] or UNSPECIFIED_REASON)
        ended.PerformedProcedureStepDiscontinuationReasonCodeSequence = [reason]
    codes = scheduled(entry).get("ScheduledProtocolCodeSequence")
    if codes:
        ended.PerformedProtocolCodeSequence = codes
    ended.PerformedSeriesSequence = [_series(scheduled(entry))]
    return ended


def _series(step: Dataset) -> Dataset:
    series = Dataset()
    series.PerformingPhysicianName = None
    series.ProtocolName = _protocol(step)
    series.OperatorsName = OPERATOR
    series.SeriesInstanceUID = generate_uid(prefix=None)
    series.SeriesDescription = step.get("ScheduledProcedureStepDescription")
    series.RetrieveAETitle = None
    storage = IMAGE_STORAGE.get(step.get("Modality", ""), SecondaryCaptureImageStorage)
    series.ReferencedImageSequence = [_image(storage) for _ in range(IMAGES)]
    series.ReferencedNonImageCompositeSOPInstanceSequence = []
    return series


def _protocol(step: Dataset) -> str:
    codes = step.get("ScheduledProtocolCodeSequence") or [Dataset()]
    return codes[0].get("CodeMeaning") or step.get("ScheduledProcedureStepDescription") or PROTOCOL


def _image(storage: UID) -> Dataset:
    image = Dataset()
    image.ReferencedSOPClassUID = storage
    image.ReferencedSOPInstanceUID = generate_uid(prefix=None)
    return image


def _code(value: str) -> Dataset:
    code = Dataset()
    code.CodeValue = value
    code.CodingSchemeDesignator, code.CodeMeaning = REASONS[value]
    return code


def _fill(target: Dataset, keywords: Iterable[str], source: Dataset) -> None:
    """Copy the attributes; what the source does not have is there with zero length."""
    for keyword in keywords:
        setattr(target, keyword, source.get(keyword))


def _take_character_set(target: Dataset, entry: Dataset) -> None:
    given = entry.get("SpecificCharacterSet")
    if given:
        is_written_wrong = NOT_WRITTEN_BY_PYDICOM & set(client.as_list(given))
        target.SpecificCharacterSet = "ISO_IR 192" if is_written_wrong else given


def _date_and_time(moment: datetime) -> tuple[str, str]:
    return f"{moment:%Y%m%d}", f"{moment:%H%M%S}"


def next_command(options: dict[str, Any], sop_uid: str) -> str:
    """Return the command line that ends the step."""
    names = ("ip", "port", "AEtitle", "callingAEtitle", "study_uid", "sps_id")
    given = {name: options[name] for name in names if options[name]}
    given |= {"mpps_action": SET, "mpps_status": COMPLETED, "sop_uid": sop_uid}
    words = [f"--{name}={value}" for name, value in given.items()]  # a value may begin with a dash
    return shlex.join([sys.executable, sys.argv[0], "test_mpps", *words])


def _uid(text: str) -> str:
    try:
        validators.uid(text)
    except ValidationError as error:
        raise ArgumentTypeError(" ".join(error.messages)) from error
    return text


def _step_id(entry: Dataset) -> str:
    return readable(str(scheduled(entry).get("ScheduledProcedureStepID", "")))


def _step_status(entry: Dataset) -> str:
    return readable(str(scheduled(entry).get("ScheduledProcedureStepStatus", "")))


def _asked(options: dict[str, Any]) -> str:
    step = f" with step {options['sps_id']}" if options["sps_id"] else ""
    return f"the study {options['study_uid']}{step}"


def _explained(status: Dataset, sentence: str) -> str:
    return client.explained(status, sentence, named=status.get("AttributeIdentifierList"))


def _failure(status: Dataset) -> str:
    error_id = status.get("ErrorID")
    if error_id is None:
        return FAILURES.get(status.Status, ANOTHER_FAILURE)
    sentence = (
        NO_LONGER if error_id == MAY_NO_LONGER_BE_UPDATED else FAILURES.get(status.Status, ANOTHER_FAILURE)
    )
    return f"Error ID {error_id:04X}, {sentence}"
