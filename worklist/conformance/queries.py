"""These sections tell of C-FIND on the Modality Worklist; PS3.4 K.6.1 says what must be told of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from worklist.answering import compiled
from worklist.answering import statuses as sent
from worklist.conformance.markdown import bullets, table
from worklist.dicom import item_attributes
from worklist.dicom.code_elements import DEFINED_TERMS, ONLY_EXTENSIONS
from worklist.dicom.item_attributes import CODE, PROTOCOL_CONTEXT, REFERENCE, ItemAttribute, Matching, Place
from worklist.dicom.matching import STATUS_SYNONYMS
from worklist.dicom.values import STATUS_ON_THE_WIRE
from worklist.models import CHARACTER_SETS, WorklistItem
from worklist.models.items import OFFERED

# PS3.4 Table K.4-1, and when each is sent.
STATUSES = {
    sent.PENDING: ("Pending", "An answer; every requested attribute is supported."),
    sent.PENDING_WITHOUT_SOME_KEYS: (
        "Pending",
        "An answer; a requested attribute is not supported for this item and is returned empty, or a key "
        "carries a value that is not matched on.",
    ),
    0x0000: ("Success", "All answers are sent. No identifier."),
    sent.CANCELLED: (
        "Cancel",
        "A C-CANCEL was received. Answers already on their way come before it.",
    ),
    sent.OUT_OF_RESOURCES: (
        "Refused",
        "The database is not available, or more items match than `MWL_MAXIMUM_ANSWERS` and "
        "`MWL_OVER_MAXIMUM` is `refuse`. With an Error Comment (0000,0902).",
    ),
    sent.IDENTIFIER_DOES_NOT_MATCH: (
        "Failed",
        "A key cannot be understood: a malformed date, time or range, more than one item in the Scheduled "
        "Procedure Step Sequence, bytes that cannot be decoded. With Offending Element (0000,0901) and Error "
        "Comment (0000,0902).",
    ),
    sent.UNABLE_TO_PROCESS: (
        "Failed",
        "The identifier cannot be decoded or is too long, or an unexpected error. With an Error Comment.",
    ),
}

FURTHER = "as a further value"  # of a Defined Term
_LISTED = (
    item_attributes.STEP_SEQUENCE,
    *item_attributes.STEP_ATTRIBUTES,
    *item_attributes.ROOT_ATTRIBUTES[1:],
)
# Made of all their fields, not of the first that has a value.
_OF_SEVERAL_FIELDS = frozenset({"ScheduledProtocolCodeSequence"})
_ITEMS = {CODE: "codes", REFERENCE: "references", PROTOCOL_CONTEXT: "context items"}


def matching() -> Iterator[str]:
    yield "##### Matching keys"
    yield ""
    yield "R is a required key, O an optional one. Each may be universal: of zero length, or only asterisks."
    yield ""
    yield from table(
        ("Attribute", "Tag", "VR", "Key", "Matching"),
        (
            (_nested(attribute), str(attribute.tag), attribute.vr, _key(attribute), _kind(attribute))
            for attribute in _LISTED
            if attribute.matching is not Matching.NONE
        ),
    )
    yield ""
    yield "Any other key that carries a value is not matched on, and is returned: the answers are FF01."
    yield "So they are where a private attribute is asked for, one that the data dictionary has not, one of"
    yield "bytes, or one at another place than the table's. Any other attribute is returned, of zero length"
    yield "where it is not known: FF00. A binary number of null bytes is no value. A device whose rule is"
    yield "`plain_pending` gets FF00 always."


def rules() -> Iterator[str]:
    yield "##### How keys are matched"
    yield ""
    synonyms = ", ".join(
        f"{term} for {STATUS_ON_THE_WIRE[status]}" for term, status in STATUS_SYNONYMS.items()
    )
    yield from bullets(
        "Spaces around a value are padding. An item without a value matches universal keys only.",
        "Person names are matched without regard to case and to trailing delimiters, each component group "
        "by itself. A key without `=` may match any of the three groups. Accents matter. There is no fuzzy "
        "matching.",
        "Other keys are matched exactly, as written, except that those of VR CS are taken in capitals.",
        "Wild cards are `*` and `?`, and match whole values.",
        "A key of several values, on any VR, matches any of them. An item of several values matches when one "
        "of them does, and all are returned.",
        "Dates and times are matched by their meaning: 0930 is 093000. Ranges include both ends.",
        "A date or date range together with a time range is one interval from the first date and time to "
        "the last (PS3.4 K.6.1.2.2), always. With a single time each key is matched by itself.",
        "A time range that ends before it begins goes over midnight.",
        "The Scheduled Procedure Step Sequence of zero length, or with one empty item, matches universally "
        "and is returned whole; with more than one item the query fails (A900).",
        "Group lengths and Query/Retrieve Level (0008,0052) are ignored.",
        f"Items with the status {', '.join(STATUS_ON_THE_WIRE[status] for status in OFFERED)} are offered. "
        "A query that names a Scheduled Procedure Step Status gets the items that have it, whatever it is, "
        "unless the device has statuses of its own. "
        f"Understood besides: {synonyms}.",
    )


def answers() -> Iterator[str]:
    yield "##### Answers"
    yield ""
    yield from bullets(
        "One answer for each Scheduled Procedure Step, in the order of its start date and time.",
        "Only requested attributes are returned, and Specific Character Set where it is needed. Attributes "
        "without a value are of zero length, but for those of type 1C, which are left out.",
        "An item without a known start time is returned with 000000; one without a station is returned with "
        "the calling AE title as its Scheduled Station AE Title.",
        "Patient's Weight is in kilograms; an unknown one is empty.",
        "A code of the protocol that is stored without its scheme is returned with the item's own; where it "
        "has none either, the code is left out.",
        "The Scheduled Procedure Step Status is one of "
        f"{', '.join(dict.fromkeys(STATUS_ON_THE_WIRE.values()))}.",
        "An item that cannot be encoded, or is longer than the device takes, is left out, logged and "
        "counted; the others are sent.",
        "The priority of a query is not honoured: queries are answered as they come.",
    )
    yield ""
    yield from table(
        ("Attribute", "Tag", "VR", "Type", "Value from"),
        (
            (_nested(attribute), str(attribute.tag), attribute.vr, attribute.return_type, _source(attribute))
            for attribute in _LISTED
        ),
    )
    yield ""
    yield (
        "*Extra attributes* are an item's own, by DICOM keyword. Any other attribute of the data dictionary "
        "may be among them, and is returned where it is asked for, at the root and in the Scheduled "
        "Procedure Step Sequence; where an item has none, of zero length."
    )


def items() -> Iterator[str]:
    yield "##### Items of sequences"
    yield ""
    yield "Sequences that are not named here are returned with whatever was stored."
    yield ""
    rows = []
    for attribute in _LISTED:
        if attribute.items and attribute is not item_attributes.STEP_SEQUENCE:
            rows.append((attribute.name, _item_names(attribute.items)))
    yield from table(("Sequence", "Attributes of its items, with types"), rows)
    yield ""
    for items, name in _ITEMS.items():
        yield f"- {name.capitalize()}: {', '.join(_typed(each) for each in items)}."


def texts() -> Iterator[str]:
    yield from bullets(
        "Queries, performed steps and worklist files are read in their Specific Character Set (0008,0005), "
        "with code extensions as in PS3.5 6.1.2.5 and its Annexes H, I and K.",
        "Without one, or with one that is not known, what is not ASCII is read as UTF-8 where its bytes are "
        "that, else as ISO_IR 100, and told; a file's is refused.",
        "UTF-8 under a character set of one byte each is refused in a file; a query is matched, and a "
        "performed step kept, as that character set says, and told. "
        "Under GB18030, GBK and ISO_IR 13 it is not recognised.",
        "Bytes that are not written in their character set are refused in a file, end a query with A900, and "
        "are told with a performed step, or refused where MPPS is judged strictly.",
        "An answer is in the first of these that holds all its text: the default repertoire, without "
        "(0008,0005); the device's character set, or where it has none that of the query and ISO_IR 100; "
        "ISO_IR 192. No character is ever replaced.",
        "Where the device says so, letters that do not fit are sent without accents, and further component "
        "groups of a name are left out; IDs and codes never change.",
        "Some names in GB18030 and GBK hold the byte 5C, where receivers may wrongly see the end of a value.",
    )
    yield ""
    yield from table(
        ("Defined Term", "Read", "Answered to a query that names it", "Rule of a device"), terms()
    )


def terms() -> Iterator[tuple[str, str, str, str]]:
    """Yield each Defined Term of PS3.3 C.12.1.1.2, and what becomes of it."""
    for term in DEFINED_TERMS:
        rules = [f"`{rule}`" for rule in CHARACTER_SETS if term in rule.split("\\")]
        yield (f"`{term}`", "yes", FURTHER if term in ONLY_EXTENSIONS else "yes", ", ".join(rules) or "-")


def statuses() -> Iterator[str]:
    yield "##### Statuses of C-FIND"
    yield ""
    yield from table(
        ("Status", "Meaning", "Sent when"),
        ((f"{code:04X}", meaning, when) for code, (meaning, when) in STATUSES.items()),
    )


def limits() -> Iterator[str]:
    most = settings.MWL_MAXIMUM_ANSWERS or "no limit"
    yield "##### Limits"
    yield ""
    yield from bullets(
        f"Answers to a query: {most} (`MWL_MAXIMUM_ANSWERS`), or the device's own limit. Beyond it, "
        f"`MWL_OVER_MAXIMUM` (now: `{settings.MWL_OVER_MAXIMUM}`) or the device's rule: `truncate` sends the "
        "first ones and success, `refuse` sends none and A700.",
        f"An identifier of a query has at most {compiled.LONGEST_IDENTIFIER // 1024} KiB.",
        "Values are kept to the lengths of their VR when they are entered: an item never holds one that "
        "does not fit.",
        f"Several stations of one item have {_length('scheduled_station_aetitle')} characters together.",
    )


def _nested(attribute: ItemAttribute) -> str:
    return f"> {attribute.name}" if attribute.place is Place.STEP else attribute.name


def _key(attribute: ItemAttribute) -> str:
    return "R" if attribute.required else "O"


def _kind(attribute: ItemAttribute) -> str:
    kind = attribute.matching.value
    return f"{kind}; without case" if attribute.vr == "PN" else kind


def _source(attribute: ItemAttribute) -> str:
    if attribute is item_attributes.STEP_SEQUENCE:
        return "one item"
    fields = [f"`{field}`" for field in _fields_read(attribute)]
    if attribute.keyword in _OF_SEVERAL_FIELDS:
        fields = [" with ".join(fields)]
    if attribute.field is None:
        fields.insert(0, "extra attributes")
    return ", else ".join(fields)


class _FieldsRead(dict[str, Any]):
    """A record without values notes which of its fields are read."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[str] = []

    def __getitem__(self, field: str) -> Any:
        self.fields.append(field)
        return next(iter(STATUS_ON_THE_WIRE)) if field == "performed_procedure_step_status" else ""


def _fields_read(attribute: ItemAttribute) -> list[str]:
    if attribute.derive is None:
        return [attribute.field] if attribute.field else []
    reads = _FieldsRead()
    attribute.derive(reads)
    return reads.fields


def _item_names(items: tuple[ItemAttribute, ...]) -> str:
    for shared, name in _ITEMS.items():
        if items[: len(shared)] == shared:
            return ", ".join([name, *(_typed(each) for each in items[len(shared) :])])
    return ", ".join(map(_typed, items))


def _typed(attribute: ItemAttribute) -> str:
    nested = f" of {_item_names(attribute.items)}" if attribute.items else ""
    return f"{attribute.name} {attribute.tag} {attribute.return_type}{nested}"


def _length(field: str) -> int:
    length: int = WorklistItem._meta.get_field(field).max_length  # type: ignore[assignment, union-attr]
    return length
