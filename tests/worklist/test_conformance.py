"""docs/conformance.md is generated, current, and true where it has facts of its own."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from pynetdicom import evt

from worklist.answering import statuses
from worklist.conformance import associations, performed, queries, statement
from worklist.devices import access
from worklist.devices.access import AssociationRequest
from worklist.dicom import item_attributes
from worklist.dicom import mpps as rules
from worklist.dicom.mpps_attributes import ATTRIBUTES, printed
from worklist.examinations import performing
from worklist.models import Device
from worklist.scp import mpps, server

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
    listener = server.listen("127.0.0.1", 0)
    (made,) = server.make_servers([server.Endpoint(listener)], ae_title="MWL_SERVER")
    made.server_close()
    offered = {context.abstract_syntax: context.transfer_syntax for context in made.ae.supported_contexts}
    assert offered == dict.fromkeys(server.SOP_CLASSES, server.TRANSFER_SYNTAXES)


def test_extended_negotiation_is_not_answered() -> None:
    handled = {handler[0] for handler in server._handlers("MWL_SERVER")}
    assert not handled & {evt.EVT_SOP_EXTENDED, evt.EVT_SOP_COMMON, evt.EVT_USER_ID, evt.EVT_ASYNC_OPS}


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
    assert set(associations.REJECTIONS) == {(1, 1, 7), (1, 1, 3), (2, 3, 2), (2, 3, 1)}


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
        mpps.UNRECOGNIZED_OPERATION,
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
