"""The annexes tell of IODs, private attributes and codes, and which attributes two services share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from worklist.conformance.markdown import bullets, table
from worklist.dicom import item_attributes
from worklist.dicom.mpps_attributes import ATTRIBUTES, MppsAttribute, printed
from worklist.dicom.performed import WRONG_ENTRY


def across_services() -> Iterator[str]:
    yield from bullets(
        "A scanner should report with the identifiers of the worklist item: Annex D lists them.",
        "What a report says of the patient is compared with the item, and a difference is shown to people; "
        "neither is overwritten by the other.",
        "Where an answer was sent in another form than stored (plain letters, the scanner's own station), "
        "the report is compared with what was sent.",
    )


def created() -> Iterator[str]:
    yield from bullets(
        "No composite IOD is created.",
        "Study Instance UIDs are made where a source or a person gives none: below `PYLANTIR_UID_ROOT`, else "
        "2.25 with a random UUID. An item keeps its own for ever.",
        "A SOP Instance UID is made for an N-CREATE that brings none.",
    )


def performed_step() -> Iterator[str]:
    yield "Its attributes stand in 5.2.2, with who must give them."
    yield "The server adds none of its own, and returns what the scanner gave."


def private() -> Iterator[str]:
    yield from bullets(
        "No private attributes, private SOP classes or private transfer syntaxes are defined.",
        "A private attribute in a query is returned empty, with FF01.",
        "Private attributes of a performed step are stored, and returned to an N-GET that asks for them.",
    )


def mapping() -> Iterator[str]:
    yield "These attributes of an answer are expected in the performed step as well, under the same values."
    yield ""
    places = dict(_places(ATTRIBUTES))
    rows = (
        (attribute.name, str(attribute.tag), _place_of(attribute), places[keyword])
        for keyword, attribute in item_attributes.BY_KEYWORD.items()
        if keyword in places
    )
    yield from table(("Attribute", "Tag", "In the answer", "In the performed step"), rows)


def codes() -> Iterator[str]:
    wrong = WRONG_ENTRY
    yield from table(
        ("Code", "Scheme", "Meaning", "Use"),
        (
            (wrong.value, wrong.scheme, wrong.meaning, "as a reason for discontinuation it frees the item"),
            ("any", "any", "", "other reasons (CID 9300) are stored, and shown by their meaning"),
            ("a site's own", "a site's own", "", "protocols, procedures: as stored, or by a device's rule"),
        ),
    )
    yield ""
    yield "No coding scheme is built in; a protocol without one is sent with its item's, or its device's."


def _places(attributes: Iterable[MppsAttribute], within: str = "") -> Iterator[tuple[str, str]]:
    for attribute in attributes:
        yield attribute.keyword, f"in {within}" if within else "at the root"
        if not within:
            yield from _places(attribute.items, f"{attribute.name} {printed(attribute.tag)}")


def _place_of(attribute: item_attributes.ItemAttribute) -> str:
    is_within = attribute.place is item_attributes.Place.STEP
    return "in the Scheduled Procedure Step Sequence" if is_within else "at the root"
