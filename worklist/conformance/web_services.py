"""These sections tell of the DICOM Web Services (PS3.18 chapters 14 and 15), as an origin server."""

from __future__ import annotations

from collections.abc import Iterator

from worklist.conformance.markdown import bullets, table
from worklist.dicom.item_attributes import STEP_SEQUENCE, Place, matched
from worklist.dicom.mpps_attributes import printed
from worklist.dicomweb import bodies, keys
from worklist.dicomweb.media_types import Form

SCHEDULED, PERFORMED = "/modality-scheduled-procedure-steps", "/modality-performed-procedure-steps"
ONE_PERFORMED = f"{PERFORMED}/{{mppsUID}}"
STATUSES = ("Status", "Code", "Condition")
HEADERS = ("Header field", "Values", "Comments")
INVALID = "A parameter, a value or the body is wrong: the payload says which and why."
COMMON = (
    ("Failure", "401 (Unauthorized)", "No token, or one that is no longer valid."),
    ("Failure", "403 (Forbidden)", "The account's role does not allow it, or the device is disabled."),
    ("Failure", "404 (Not Found)", "No device has the AE title of the base URI."),
    ("Failure", "406 (Not Acceptable)", "No media type, or no character set, that is accepted is offered."),
    ("Failure", "503 (Service Unavailable)", "The database cannot be reached, or is full: send it again."),
)
OF_REPORTS = (
    ("Failure", "400 (Bad Request)", f"{INVALID} The Warning header has the status of 7.3.2."),
    ("Failure", "413 (Payload Too Large)", f"The body has more than {bodies.LONGEST_BODY} bytes."),
    ("Failure", "415 (Unsupported Media Type)", "The body is neither JSON nor XML in UTF-8."),
    *COMMON,
)


def services() -> Iterator[str]:
    yield "As an origin server: 1.3.6 and 1.3.7. As a user agent: the search of archives (QIDO-RS,"
    yield "PS3.18 10.6) for studies, series and instances, by GET."
    yield "Base URIs: `/dicomweb`, and `/dicomweb/devices/{AE title}` for each scanner of its own row,"
    yield "whose rules of 6.2.1 then hold as they do for its DIMSE services."


def scheduled_overview() -> Iterator[str]:
    yield from table(
        ("Transaction", "Resource", "User agent", "Origin server"), (("Search", SCHEDULED, "No", "Yes"),)
    )


def performed_overview() -> Iterator[str]:
    yield from table(
        ("Transaction", "Resource", "User agent", "Origin server"),
        (
            ("Create", ONE_PERFORMED, "No", "Yes"),
            ("Update", f"{ONE_PERFORMED}?update", "No", "Yes"),
            ("Retrieve", ONE_PERFORMED, "No", "Yes"),
        ),
    )


def search() -> Iterator[str]:
    yield "##### Search Transaction - Origin Server"
    yield ""
    yield "It is answered by the code that answers C-FIND: the same keys find the same items,"
    yield "in the same order, with the same values (5.2.1)."
    yield ""
    yield from table(HEADERS, _accepted())
    yield ""
    yield from table(
        ("Query parameter", "Values", "Comments"),
        (
            (
                "{attributeID}",
                "keyword or tag, in sequences after a dot",
                "the keys below; others are warned of",
            ),
            (f"`{keys.INCLUDE}`", "attributes, or `all`", "may be repeated; `all` is all of 5.2.1"),
            (f"`{keys.LIMIT}`", f"0 to {keys.FURTHEST}", f"{keys.MOST_RESULTS} are returned at most"),
            (f"`{keys.OFFSET}`", f"0 to {keys.FURTHEST}", ""),
            (f"`{keys.FUZZY}`", "`true`, `false`", "not supported: a Warning says so"),
            (f"`{keys.EMPTY_VALUES}`", "`true`, `false`", "not supported: a Warning says so"),
            (f"`{keys.SEVERAL_VALUES}`", "`true`, `false`", "not supported: a Warning says so"),
            (f"`{keys.ACCEPT}`", "media types", "goes before the header field"),
            (f"`{keys.ACCEPT_CHARSET}`", "character sets", "goes before the header field"),
        ),
    )
    yield ""
    yield from table(
        ("Attribute", "Tag", "Matching"),
        (
            (
                f"{STEP_SEQUENCE.keyword}.{attribute.keyword}"
                if attribute.place is Place.STEP
                else attribute.keyword,
                f"{printed(STEP_SEQUENCE.tag)}.{printed(attribute.tag)}"
                if attribute.place is Place.STEP
                else printed(attribute.tag),
                attribute.matching.value,
            )
            for attribute in matched()
        ),
    )
    yield ""
    yield from bullets(
        "Attributes of Return Key Types 1, 1C and 2 are always returned, others where they are a key or "
        f"stand in `{keys.INCLUDE}`.",
        "Values of UID are separated by commas or backslashes, other values by backslashes.",
        "A key that is not matched is returned, and a Warning header names its tag, as FF01 does. "
        "A parameter that is no attribute is refused (400): a slip must not find everybody.",
        "A scheduled step's attribute without its sequence is another attribute, which is not matched.",
        "Texts are UTF-8, and Specific Character Set says ISO_IR 192, whatever a device's rules say.",
    )


def reports() -> Iterator[str]:
    yield "##### Create, Update and Retrieve Transactions - Origin Server"
    yield ""
    yield "Create is N-CREATE, Update is N-SET, Retrieve is N-GET, by the same code (5.2.2)."
    yield ""
    yield from table(
        HEADERS, (*_accepted(), ("Content-Type", "`application/dicom+json`, `application/dicom+xml`", ""))
    )
    yield ""
    yield from bullets(
        "A success is answered after what it acknowledges is committed, without a payload. "
        "201 has Location and Content-Location.",
        f"A POST to `{PERFORMED}` without a UID creates a step under one that this server makes, as an "
        "N-CREATE without an Affected SOP Instance UID does; the standard has no such request.",
        "A body is one data set: as JSON alone or as the only one of a list. Attributes have each one `vr` "
        "and values of its kind; bulk data stands within. A document type in XML is refused.",
        f"`{keys.INCLUDE}` of Retrieve has attributes of the first level, or `all`.",
        "The history names the device of the base URI, and without one the account.",
        "There are no notifications, as the standard has none here.",
    )


def configuration() -> Iterator[str]:
    yield from table(
        ("Parameter", "Configurable", "Default value", "Comments"),
        (
            (
                "Origin server URL (Base URI)",
                "FIXED",
                "`http://<hostname>:<port>/dicomweb`",
                "or a device's, see 1.3",
            ),
            ("Port", "SERVICE", "8000", "`--api-port`"),
            ("Secured port", "SERVICE", "-", "of the proxy that speaks TLS, see 8.3"),
        ),
    )


def search_statuses() -> Iterator[str]:
    yield from table(
        STATUSES,
        (
            ("Success", "200 (OK)", "There are results. Warnings say what was not matched or is not all."),
            ("Success", "204 (No Content)", "There are no results."),
            ("Failure", "400 (Bad Request)", INVALID),
            (
                "Failure",
                "413 (Payload Too Large)",
                "More match than the device takes, by its rule to refuse.",
            ),
            *COMMON,
        ),
    )


def report_statuses() -> Iterator[str]:
    yield "Statuses of 7.3.2 that are no conflict and not of what is absent are answered 400."
    yield ""
    yield "###### Create Transaction as Origin Server"
    yield ""
    yield from table(
        STATUSES,
        (
            ("Success", "201 (Created)", "The step is stored."),
            ("Failure", "409 (Conflict)", "The UID is in use (0111)."),
            *OF_REPORTS,
        ),
    )
    yield ""
    yield "###### Update Transaction as Origin Server"
    yield ""
    yield from table(
        STATUSES,
        (
            ("Success", "200 (OK)", "The step is updated. A Warning with 0107 says what was ignored."),
            ("Failure", "404 (Not Found)", "There is no such step (0112)."),
            ("Failure", "409 (Conflict)", "The step has ended (0110 with A710)."),
            *OF_REPORTS,
        ),
    )
    yield ""
    yield "###### Retrieve Transaction as Origin Server"
    yield ""
    yield from table(
        STATUSES,
        (
            ("Success", "200 (OK)", "A Warning with 0001 says that some attributes are not supported."),
            ("Failure", "400 (Bad Request)", INVALID),
            ("Failure", "404 (Not Found)", "There is no such step (0112)."),
            *COMMON,
        ),
    )


def security() -> Iterator[str]:
    yield from bullets(
        "Each request bears a token (`Authorization: Bearer`, a JWT) of an account, whose role decides: all "
        "may search and retrieve, coordinators and administrators may report.",
        "TLS is spoken by the proxy in front.",
        "Each request is audited by account, address, parameters' names and rows, and sent by syslog as 6.6 "
        "says.",
    )


def _accepted() -> tuple[tuple[str, str, str], ...]:
    forms = ", ".join(f"`{form.value}`" for form in Form)
    return (
        ("Accept", forms, "the first is the default; several results in XML are sent in parts"),
        ("Accept-Charset", "`utf-8`", ""),
    )
