"""docs/conformance.md is generated, current, and true where it has facts of its own."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pydicom.uid import UID, ImplicitVRLittleEndian
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    AsynchronousOperationsWindowNegotiation,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
    SOPClassExtendedNegotiation,
)
from pynetdicom.presentation import build_context

from tests import scu
from worklist.answering import statuses
from worklist.conformance import associations, performed, queries, statement
from worklist.devices import access
from worklist.devices.access import AssociationRequest
from worklist.dicom import item_attributes
from worklist.dicom import mpps as rules
from worklist.dicom.mpps_attributes import ATTRIBUTES, printed
from worklist.examinations import performing
from worklist.models import Device
from worklist.scp import mpps, services
from worklist.upper_layer import negotiation
from worklist.upper_layer.negotiation import Proposal

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "conformance.md"


@pytest.mark.acceptance("D151")
def test_the_document_is_what_the_code_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == statement(), (
        "docs/conformance.md is not current. Run: python manage.py conformance > docs/conformance.md"
    )


def test_the_command_prints_the_statement() -> None:
    out = StringIO()
    call_command("conformance", stdout=out)
    assert out.getvalue() == statement()


def test_every_attribute_is_listed_with_its_tag_and_type() -> None:
    rows = statement().splitlines()
    for attribute in item_attributes.BY_KEYWORD.values():
        row = f"{attribute.name} | {attribute.tag} | {attribute.vr} | {attribute.return_type} | "
        assert any(row in line for line in rows), attribute.keyword


def test_every_matching_key_is_listed_with_its_kind() -> None:
    rows = statement().splitlines()
    for attribute in item_attributes.matched():
        key = "R" if attribute.required else "O"
        row = f"{attribute.name} | {attribute.tag} | {attribute.vr} | {key} | {attribute.matching.value}"
        assert any(row in line for line in rows), attribute.keyword


def test_a_value_made_of_several_fields_says_so() -> None:
    text = statement()
    assert "| > Scheduled Protocol Code Sequence | (0040,0008) | SQ | 1C | extra attributes, else " in text
    assert "`protocol_name` with `hisris_coding_designator`" in text
    assert "`study_description`, else `procedure_description`, else `protocol_name`" in text


def test_a_sites_own_settings_are_stated(settings: object) -> None:
    settings.MWL_MAXIMUM_ASSOCIATIONS = 7  # type: ignore[attr-defined]
    settings.MWL_MAXIMUM_ANSWERS = 500  # type: ignore[attr-defined]
    text = statement()
    assert "At most 7 associations" in text
    assert "Answers to a query: 500" in text


def test_the_server_offers_the_sop_classes_and_transfer_syntaxes_stated() -> None:
    for sop_class in services.SOP_CLASSES:
        for transfer_syntax in services.TRANSFER_SYNTAXES:
            (accepted,) = proposal_of([(sop_class, [transfer_syntax])]).contexts.values()
            assert (accepted.sop_class, accepted.transfer_syntax) == (sop_class, transfer_syntax)
        in_another_order = reversed(services.TRANSFER_SYNTAXES)
        (preferred,) = proposal_of([(sop_class, [*in_another_order])]).contexts.values()
        assert preferred.transfer_syntax == services.TRANSFER_SYNTAXES[0]
    assert set(services.OPERATIONS) == set(services.SOP_CLASSES)


def test_extended_negotiation_is_not_answered() -> None:
    more = (SOPClassExtendedNegotiation(), AsynchronousOperationsWindowNegotiation())
    more[0].sop_class_uid, more[0].service_class_application_information = UID(scu.WORKLIST), b"\1\1\1"
    more[1].maximum_number_operations_invoked = more[1].maximum_number_operations_performed = 8
    answered = A_ASSOCIATE_AC()
    answered.decode(proposal_of([(scu.WORKLIST, [ImplicitVRLittleEndian])], more).acceptance)
    assert answered.user_information is not None
    kinds = {type(item).__name__ for item in answered.user_information.user_data}
    assert kinds == {
        "MaximumLengthSubItem",
        "ImplementationClassUIDSubItem",
        "ImplementationVersionNameSubItem",
    }


def proposal_of(contexts: list[tuple[str, list[str]]], more: tuple[Any, ...] = ()) -> Proposal:
    request = A_ASSOCIATE()
    request.application_context_name = UID("1.2.840.10008.3.1.1.1")
    request.calling_ae_title, request.called_ae_title = "MR1", "MWL_SERVER"
    proposed = [build_context(sop_class, syntaxes) for sop_class, syntaxes in contexts]
    for number, context in enumerate(proposed):
        context.context_id = 2 * number + 1
    request.presentation_context_definition_list = proposed
    maximum, class_uid = MaximumLengthNotification(), ImplementationClassUIDNotification()
    maximum.maximum_length_received, class_uid.implementation_class_uid = 16382, UID("1.2.3")
    request.user_information = [maximum, class_uid, *more]
    return negotiation.proposal(A_ASSOCIATE_RQ(request).encode()[6:], services.SUPPORTED)


@pytest.mark.django_db
def test_associations_are_rejected_with_the_codes_stated(settings: object) -> None:
    settings.MWL_REQUIRE_CALLED_AETITLE = True  # type: ignore[attr-defined]
    settings.MWL_MAXIMUM_ASSOCIATIONS = 1  # type: ignore[attr-defined]
    Device.objects.create(ae_title="MR1")
    requests = [
        AssociationRequest("MR1", "OTHER", "10.0.0.1", 0),
        AssociationRequest("CT1", "MWL_SERVER", "10.0.0.1", 0),
        AssociationRequest("MR1", "MWL_SERVER", "10.0.0.1", 1),
    ]
    found = [access.refusal(request, own_ae_title="MWL_SERVER") for request in requests]
    assert [refusal[:3] for refusal in found if refusal] == [(1, 1, 7), (1, 1, 3), (2, 3, 2)]
    of_the_request = {
        negotiation.NO_REASON_GIVEN,
        negotiation.APPLICATION_CONTEXT_NOT_SUPPORTED,
        negotiation.PROTOCOL_VERSION_NOT_SUPPORTED,
    }
    assert set(associations.REJECTIONS) == {(1, 1, 7), (1, 1, 3), (2, 3, 2), (2, 3, 1)} | of_the_request


def test_every_status_of_the_server_is_stated() -> None:
    of_the_server = {
        statuses.PENDING,
        statuses.PENDING_WITHOUT_SOME_KEYS,
        statuses.CANCELLED,
        statuses.OUT_OF_RESOURCES,
        statuses.IDENTIFIER_DOES_NOT_MATCH,
        statuses.UNABLE_TO_PROCESS,
    }
    assert set(queries.STATUSES) == of_the_server | {0x0000}


def test_every_status_of_performed_steps_is_stated() -> None:
    of_the_rules = {
        rules.ATTRIBUTE_LIST_ERROR,
        rules.INVALID_ATTRIBUTE_VALUE,
        rules.PROCESSING_FAILURE,
        rules.INVALID_OBJECT_INSTANCE,
        rules.MISSING_ATTRIBUTE,
        rules.MISSING_ATTRIBUTE_VALUE,
    }
    of_the_server = {
        mpps.SUCCESS,
        mpps.OPTIONAL_ATTRIBUTES_NOT_SUPPORTED,
        mpps.ATTRIBUTE_LIST_ERROR,
        mpps.PROCESSING_FAILURE,
        services.UNRECOGNIZED_OPERATION,
        performing.DUPLICATE_SOP_INSTANCE,
        performing.NO_SUCH_SOP_INSTANCE,
    }
    assert set(performed.STATUSES) == of_the_rules | of_the_server


def test_every_attribute_of_a_performed_step_is_listed_with_its_types() -> None:
    rows = statement().splitlines()
    for attribute in ATTRIBUTES:
        n_set = attribute.n_set or "not allowed"
        types = f"{attribute.n_create} | {n_set}"
        row = f"| {attribute.name} | {printed(attribute.tag)} | {attribute.vr} | {types} | "
        assert any(line.startswith(row) for line in rows), attribute.keyword


def test_the_policies_in_force_are_stated(settings: object) -> None:
    settings.MPPS_STRICTNESS = "strict"  # type: ignore[attr-defined]
    settings.MPPS_DISCONTINUED = "scheduled"  # type: ignore[attr-defined]
    settings.MPPS_STALE_HOURS = 5  # type: ignore[attr-defined]
    text = statement()
    assert "(now: `strict`)" in text
    assert "DISCONTINUED makes them SCHEDULED again (`MPPS_DISCONTINUED`" in text
    assert "more than 5 hours" in text
