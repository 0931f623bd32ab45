"""The OpenAPI schema says this of the DICOM Web Services; errors follow from the base class of all."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from pylantir_site.rest.errors import ErrorSerializer, InvalidSerializer
from worklist.dicom.item_attributes import STEP_SEQUENCE, Place, matched
from worklist.dicomweb import keys
from worklist.dicomweb.media_types import JSON, RELATED, XML

DATA_SET: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "object"}}
DATA_SETS: dict[str, Any] = {"type": "array", "items": DATA_SET}
TEXT: dict[str, Any] = {"type": "string"}
WHOLE: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": keys.FURTHEST}
BOOLEAN: dict[str, Any] = {"type": "string", "enum": ["true", "false"]}


def _query(name: str, description: str, type_: Any = str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, type_, OpenApiParameter.QUERY, description=description, **more)


def _payload(of_json: Any) -> dict[Any, Any]:
    return {(200, JSON): of_json, (200, XML): TEXT, (200, RELATED): TEXT}


def _error(description: str, serializer: Any = ErrorSerializer) -> Any:
    return OpenApiResponse(serializer, description)


NEGOTIATED = (
    _query(keys.ACCEPT, "Media types, in place of the header Accept."),
    _query(keys.ACCEPT_CHARSET, "Character sets, in place of the header Accept-Charset: UTF-8."),
)
INCLUDEFIELD = _query(
    keys.INCLUDE,
    "Attributes beside those that are always returned, by keyword or tag, with commas; or `all`.",
)
DEVICE = OpenApiParameter(
    "ae_title", str, OpenApiParameter.PATH, description="Of the device whose rules hold."
)
UID = OpenApiParameter("sop_instance_uid", str, OpenApiParameter.PATH, description="The MPPS UID.")
FORMS = (
    "Answered as `application/dicom+json` or `application/dicom+xml`, and as `multipart/related` with one of "
    "them as its `type`."
)
UPDATED = _query("update", "Update the step in place of creating one; without a value.")
INVALID = {400: _error("A parameter or an attribute is wrong: `errors` says which.", InvalidSerializer)}
TOO_LARGE = {413: _error("The body is larger than any that is meant.")}

SEARCH: dict[str, Any] = {
    "operation_id": "scheduled_steps_search",
    "summary": "Search for Modality Scheduled Procedure Steps",
    "description": "The answers to a C-FIND of the same keys, by the same code (PS3.18 14.4). Keys are "
    f"attributes by keyword or tag, in sequences after a dot. {FORMS}",
    "parameters": [
        *(
            _query(
                f"{STEP_SEQUENCE.keyword}.{attribute.keyword}"
                if attribute.place is Place.STEP
                else attribute.keyword,
                f"{attribute.name}: {attribute.matching.value}.",
            )
            for attribute in matched()
        ),
        INCLUDEFIELD,
        _query(keys.LIMIT, f"How many at most, {keys.MOST_RESULTS} in any case.", WHOLE),
        _query(keys.OFFSET, "How many to skip.", WHOLE),
        _query(keys.FUZZY, "Not supported: a Warning says so.", BOOLEAN),
        _query(keys.EMPTY_VALUES, "Not supported: a Warning says so.", BOOLEAN),
        _query(keys.SEVERAL_VALUES, "Not supported: a Warning says so.", BOOLEAN),
        *NEGOTIATED,
    ],
    "responses": {
        **_payload(DATA_SETS),
        204: OpenApiResponse(description="Nothing matches."),
        **INVALID,
        413: _error("More match than the device is sent at once: ask for fewer."),
        503: _error("The device's rules cannot be used."),
    },
}
RETRIEVE: dict[str, Any] = {
    "operation_id": "mpps_retrieve",
    "summary": "Retrieve a Modality Performed Procedure Step",
    "description": f"As N-GET does (PS3.18 15.6). {FORMS}",
    "parameters": [UID, INCLUDEFIELD, *NEGOTIATED],
    "responses": {**_payload(DATA_SETS), **INVALID},
}
_CREATED: dict[Any, Any] = {
    201: OpenApiResponse(description="Created: `Location` says where."),
    **INVALID,
    409: _error("The UID is in use, or the step may no longer be updated."),
    **TOO_LARGE,
}
_BODY: dict[str, Any] = {JSON: DATA_SET, XML: TEXT}
CREATE_WITHOUT_UID: dict[str, Any] = {
    "operation_id": "mpps_create_without_uid",
    "summary": "Create a Modality Performed Procedure Step under a UID of this server's",
    "description": "As an N-CREATE without an Affected SOP Instance UID does.",
    "parameters": [*NEGOTIATED],
    "request": _BODY,
    "responses": _CREATED,
}
CREATE_OR_UPDATE: dict[str, Any] = {
    "operation_id": "mpps_create_or_update",
    "summary": "Create or update a Modality Performed Procedure Step",
    "description": "As N-CREATE does (PS3.18 15.4), and with `?update` as N-SET does (15.5).",
    "parameters": [UID, UPDATED, *NEGOTIATED],
    "request": _BODY,
    "responses": {200: OpenApiResponse(description="Updated."), **_CREATED},
}


def of_a_device(operation: dict[str, Any]) -> dict[str, Any]:
    """Return the same for the base URI of a device."""
    return {
        **operation,
        "operation_id": f"{operation['operation_id']}_of_device",
        "summary": f"{operation['summary']}, by a device's rules",
        "parameters": [DEVICE, *operation["parameters"]],
    }
