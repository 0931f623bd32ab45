"""docs/conformance.md is generated, current, and true where it has facts of its own."""

from __future__ import annotations

import re
import ssl
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from pydicom import Dataset
from pydicom.uid import UID, ImplicitVRLittleEndian
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    AsynchronousOperationsWindowNegotiation,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityNegotiation,
)
from pynetdicom.presentation import build_context

from tests import scu
from tests.worklist.tls_certificates import Authority
from worklist.answering import statuses
from worklist.conformance import associations, configuration, performed, queries, security, sequences
from worklist.conformance.document import statement
from worklist.conformance.outline import SECTIONS, anchor
from worklist.devices import access
from worklist.devices.access import AssociationRequest
from worklist.dicom import item_attributes, json_model, retrieval
from worklist.dicom import mpps as rules
from worklist.dicom.item_attributes import matched
from worklist.dicom.mpps_attributes import ATTRIBUTES, printed
from worklist.dicomweb import keys
from worklist.dicomweb.media_types import Form
from worklist.examinations import performing
from worklist.models import Device
from worklist.scp import mpps, services, tls
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
    more = (
        SOPClassExtendedNegotiation(),
        AsynchronousOperationsWindowNegotiation(),
        SCP_SCU_RoleSelectionNegotiation(),
        UserIdentityNegotiation(),
    )
    more[0].sop_class_uid, more[0].service_class_application_information = UID(scu.WORKLIST), b"\1\1\1"
    more[1].maximum_number_operations_invoked = more[1].maximum_number_operations_performed = 8
    more[2].sop_class_uid, more[2].scu_role, more[2].scp_role = UID(scu.WORKLIST), True, True
    more[3].user_identity_type, more[3].primary_field, more[3].positive_response_requested = 1, b"me", True
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


# The sections of a conformance statement, by PS3.2 Annex N of 2024 and later.
ANNEX_N = """
1 Overview
1.1 Content and Transfer
1.1.1 Structured Reporting Root Template IDs
1.2 DIMSE Services
1.2.1 Verification
1.2.2 Storage
1.2.3 Workflow Management
1.2.4 Query/Retrieve
1.2.5 Printing
1.3 DICOM Web Services
1.4 Media Services
1.5 Real-Time Video Service
1.6 De-identification Profiles
1.7 Specific Character Sets
2 Table of Contents
3 Introduction
3.1 Revision History
3.2 Audience
3.3 Remarks
3.4 Terms and Definitions
3.5 Abbreviations
3.6 References
4 Implementation Model
4.1 Application Entities and Data Flow
4.1.1 Functional Definition of
5 Service and Interoperability Description
5.1 Mapping of Services to Application Entities
5.2 DIMSE Services
5.2.1 Basic Worklist Management Service
5.2.2 Modality Performed Procedure Step Service
5.2.3 Unified Worklist and Procedure Step Service
5.2.4 Instance Availability Notification Service
5.2.5 Storage Service
5.2.6 Storage Commitment Service
5.2.7 Query/Retrieve Service
5.2.8 Print Management Service
5.3 DICOM Web Services
5.4 Media Services
5.5 Real-Time Video Services
5.6 Cross-Service Considerations
5.7 Specific Character Sets
6 Configuration
6.1 General Configuration Parameters
6.2 Configuration of DIMSE Services
6.3 Configuration of DICOM Web Services
6.4 Configuration of Media Storage Service
6.5 Configuration of Real-Time Video Service
6.6 Configuration of Audit Trail - Syslog
7 Network and Media Communication Details
7.1 General
7.1.1 General Association Parameters
7.2 Application Entity Specifications
7.2.1 Worklist Server Application Entity
7.2.1.1 Sequencing of Real-World Activities
7.2.1.2 Association Parameters
7.2.1.3 Association Initiation Policy
7.2.1.4 Association Acceptance Policy
7.3 Status Codes
7.3.1 General Communication and Failure Behavior
7.3.2 DIMSE Services
7.3.3 DICOM Web Services
8 Security
8.1 Introduction
8.2 External Network Requirements
8.3 TCP Port Configuration
8.4 DICOM Security Profiles Support
8.4.1 Secure Use and User Identity Profiles
8.4.2 Secure Transport Connection Profiles
8.4.3 Media Storage Security Profiles
8.4.4 Attribute Confidentiality Profiles
8.4.5 Digital Signature Profiles
8.4.6 Additional DICOM Security Profiles
8.5 User Identity Negotiation Support
8.6 Web Services Security Features
8.7 Other Security Features
Annex A Information Object Definitions
Annex B Structured Report Content Encoding
Annex C Security Details
Annex D Mapping of Attributes
Annex E Code Set Usage
""".strip().splitlines()


@pytest.mark.acceptance("H174")
def test_it_has_the_sections_of_the_standards_template_in_their_order() -> None:
    headings = re.findall(r"^#{2,} ((?:Annex [A-E]|\d[\d.]*) .*)$", statement(), re.MULTILINE)

    found = [next((name for name in headings if name.startswith(wanted)), "") for wanted in ANNEX_N]
    assert all(found), [wanted for wanted, name in zip(ANNEX_N, found, strict=True) if not name]
    assert found == [name for name in headings if name in found]


@pytest.mark.acceptance("H174")
def test_no_section_is_empty() -> None:
    sections = re.split(r"^(#{2,}) (.*)$", statement(), flags=re.MULTILINE)[1:]
    depths, names, bodies = sections[::3], sections[1::3], sections[2::3]

    for place, body in enumerate(bodies[:-1]):
        has_parts = len(depths[place + 1]) > len(depths[place]) or names[place + 1].startswith("7.2.1.")
        assert body.strip() or has_parts, names[place]


def test_the_table_of_contents_leads_to_headings() -> None:
    text = statement()
    headings = {anchor(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}

    targets = re.findall(r"^ *- \[[^]]*\]\(#([^)]*)\)$", text, re.MULTILINE)
    assert len(targets) > 40
    assert set(targets) <= headings


def test_the_numbers_of_sections_go_up_and_each_is_there_once() -> None:
    numbers = [section.number for section in SECTIONS]

    assert len(numbers) == len(set(numbers))
    assert numbers == sorted(
        numbers, key=lambda number: [(part.isalpha(), part) for part in number.split(".")]
    )


@pytest.mark.acceptance("H175")
def test_each_operation_that_is_served_is_in_a_diagram_asked_and_answered() -> None:
    names = {0x0030: "C-ECHO", 0x0020: "C-FIND", 0x0140: "N-CREATE", 0x0120: "N-SET", 0x0110: "N-GET"}
    served = {names[field] for operations in services.OPERATIONS.values() for field in operations}
    drawn = {
        (said.operation, said.by)
        for activity in sequences.ACTIVITIES.values()
        for said in activity
        if said.operation
    }

    assert {operation for operation, _ in drawn} == served
    assert drawn == {(name, by) for name in served for by in (sequences.SCANNER, sequences.SERVER)}
    assert statement().count("```mermaid\nsequenceDiagram\n") == len(sequences.ACTIVITIES)


@pytest.mark.acceptance("H175")
@pytest.mark.parametrize("activity", sequences.ACTIVITIES)
def test_what_is_drawn_opens_an_association_and_ends_it(activity: str) -> None:
    said = [each.text for each in sequences.ACTIVITIES[activity]]

    assert sum(text == "A-ASSOCIATE-RQ" for text in said) == 1
    assert [text for text in said if text.startswith("A-")][-2:] == ["A-RELEASE-RQ", "A-RELEASE-RP"]


@pytest.mark.acceptance("H176")
def test_each_setting_of_dicom_is_stated_with_what_is_in_force(settings: Any) -> None:
    code = (DOCUMENT.parent.parent / "pylantir_site" / "settings.py").read_text(encoding="utf-8")
    of_dicom = set(re.findall(r"^((?:MWL|MPPS)_[A-Z_]+) = ", code, re.MULTILINE)) - {
        "MWL_ADDRESS",
        "MWL_ADDRESS_TLS",
    }
    settings.MWL_NETWORK_TIMEOUT = 77

    assert of_dicom <= configuration.PARAMETERS.keys()
    assert (
        "| `MWL_NETWORK_TIMEOUT` | seconds without a message until an association ends | `77` |"
        in statement()
    )


@pytest.mark.acceptance("H176")
def test_the_ports_stated_are_those_of_the_commands() -> None:
    from worklist.management.commands.run_mwl import Command

    parser = Command().create_parser("manage.py", "run_mwl")
    ports = [parser.get_default(name) for name in ("port", "tls_port")]

    assert [int(port.partition(",")[0]) for port, *_ in security.PORTS[:2]] == ports


@pytest.mark.acceptance("H177")
def test_the_tls_that_is_stated_is_what_the_server_speaks(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "CA")
    issued = authority.issue("mwl")
    files = tls.TlsFiles(issued.certificate, issued.key, authority.path)
    context = tls.server_context(files, tls.ClientCertificate.REQUIRED)

    assert set(security.CIPHER_SUITES) <= {str(suite["name"]) for suite in context.get_ciphers()}
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_COMPRESSION
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.acceptance("H178")
def test_a_private_attribute_of_a_performed_step_is_returned() -> None:
    sent = Dataset()
    sent.private_block(0x0099, "SITE", create=True).add_new(1, "LO", "kept")
    (tag,) = (element.tag for element in sent if not element.tag.is_private_creator)

    found, _ = retrieval.retrieve(json_model.read(sent).dataset, "COMPLETED", [tag])

    assert found[tag].value == "kept"


def test_each_presentation_context_that_is_accepted_is_a_row() -> None:
    rows = statement().splitlines()
    for sop_class in services.SOP_CLASSES:
        for syntax in services.TRANSFER_SYNTAXES:
            assert f"| {sop_class.name} | {sop_class} | {syntax.name} | {syntax} | SCP | none |" in rows


@pytest.mark.acceptance("CL190")
def test_what_is_said_of_dicom_web_services_is_what_is_served() -> None:
    text = statement()
    search = part("5.3.7", text)
    for name in keys.NO_ATTRIBUTES:
        assert f"`{name}`" in search
    for attribute in matched():
        assert f"{attribute.keyword} |" in search
    for form in Form:
        assert f"`{form.value}`" in search
    told = {"scheduled": part("7.3.3.7", text), "performed": part("7.3.3.8", text)}
    paths = SchemaGenerator().get_schema(public=True)["paths"]  # type: ignore[no-untyped-call]
    served = {path: verbs for path, verbs in paths.items() if path.startswith("/dicomweb/")}
    assert len(served) == 6
    for path, verbs in served.items():
        section = told["scheduled" if "scheduled" in path else "performed"]
        for operation in verbs.values():
            assert [code for code in operation["responses"] if f"| {code} (" not in section] == []


def part(number: str, text: str) -> str:
    """Return a section with its number, up to the next heading of a number."""
    return re.split(r"\n#{2,5} [0-9A]", text.split(f"# {number} ", 1)[1])[0]
