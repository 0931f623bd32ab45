"""Modality Performed Procedure Steps are created, updated and retrieved here (PS3.18 chapter 15).

Each is what N-CREATE, N-SET and N-GET do, by the same code. What is answered is committed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from pydicom.tag import BaseTag
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ParseError, ValidationError
from rest_framework.request import Request

from accounts.addresses import client_address
from pylantir_site.rest.errors import GENERAL, Conflict
from pylantir_site.rest.views import UNKNOWN_PARAMETER, actor
from worklist.dicom import datasets, mpps, report_reading, retrieval
from worklist.dicom.datasets import Unreadable
from worklist.dicom.json_model import Reading
from worklist.dicomweb import bodies, keys, payloads, schema
from worklist.dicomweb.keys import ACCEPT, ACCEPT_CHARSET, ALL, INCLUDE
from worklist.dicomweb.views import DicomwebView
from worklist.examinations import performing
from worklist.items import identifiers
from worklist.models import DeviceActivity, PerformedStep

UPDATE = "update"
OF_REPORTS = frozenset({ACCEPT, ACCEPT_CHARSET, UPDATE})
# PS3.7 Annex C
SUCCESS, OPTIONAL_ATTRIBUTES_NOT_SUPPORTED, ATTRIBUTE_LIST_ERROR = 0x0000, 0x0001, 0x0107
CONFLICTS = (performing.DUPLICATE_SOP_INSTANCE, mpps.PROCESSING_FAILURE)
SOME_NOT_SUPPORTED = "Requested optional Attributes are not supported."
ONLY_UPDATE = "Only an existing step is updated: name its UID in the path."
ONLY_LEVEL = "An attribute within a sequence is returned with it: name the sequence."

Act = Callable[..., mpps.Accepted]


class PerformedStepView(DicomwebView):
    permissions = {"POST": "worklist.change_performedstep"}
    parameters = OF_REPORTS | {INCLUDE}

    def report(self, request: Request, sop_instance_uid: str, *, is_update: bool) -> HttpResponse:
        """Do what the message asks for, and answer without a payload, whatever is accepted.

        Raises APIException.
        """
        _refuse_unknown(request)
        kind = DeviceActivity.Kind.N_SET if is_update else DeviceActivity.Kind.N_CREATE
        act: Act = performing.update if is_update else performing.begin
        try:
            accepted = act(sop_instance_uid, self._read(request), sender=self._sender(request))
        except mpps.MppsRefused as refused:
            self._record(kind, sop_instance_uid, refused.status, refused.comment)
            raise self._told(refused) from refused
        self.note(
            PerformedStep.objects.filter(sop_instance_uid=sop_instance_uid).values_list("pk", flat=True)
        )
        code = ATTRIBUTE_LIST_ERROR if accepted.warning else SUCCESS
        self._record(kind, sop_instance_uid, code, accepted.warning)
        response = HttpResponse(status=status.HTTP_200_OK if is_update else status.HTTP_201_CREATED)
        if not is_update:
            response["Location"] = response["Content-Location"] = self._uri(sop_instance_uid)
        self.warn(response, [f"{code:04X}: {accepted.warning}."] if accepted.warning else ())
        return response

    def _read(self, request: Request) -> Reading:
        """Return the body as an N-CREATE's data set is read. Raises APIException."""
        encoded = bodies.data_set(request._request.read, request.headers.get("Content-Type", ""))
        try:
            return report_reading.read(
                encoded, implicit_vr=False, deflated=False, longest=2 * bodies.LONGEST_BODY
            )
        except Unreadable as error:
            raise ParseError(f"The data set {error}.") from error

    def _sender(self, request: Request) -> performing.Sender:
        address = client_address(request._request)
        return performing.Sender(self.ae_title, address, account=actor(request))

    def _told(self, refused: mpps.MppsRefused) -> APIException:
        """Return the error; its Warning header has the status of DICOM, as PS3.18 10.5.3.2 recommends."""
        sentence = f"{refused.comment}."
        self.refusal = f"{refused.status:04X}: {sentence}"
        if refused.status == performing.NO_SUCH_SOP_INSTANCE:
            return NotFound(sentence)
        if refused.status in CONFLICTS:
            return Conflict(sentence)
        return ValidationError({GENERAL: [sentence]})

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if refusal := getattr(self, "refusal", ""):
            self.warn(response, [refusal])
        return super().finalize_response(request, response, *args, **kwargs)

    def _record(self, kind: DeviceActivity.Kind, uid: str, code: int, comment: str) -> None:
        self.record(kind, status=code, comment=comment, sop_instance_uid=uid[:64])

    def _uri(self, sop_instance_uid: str) -> str:
        return f"{self.service}/modality-performed-procedure-steps/{sop_instance_uid}"


class NewPerformedStep(PerformedStepView):
    @extend_schema(**schema.CREATE_WITHOUT_UID)
    def post(self, request: Request) -> HttpResponse:
        return self._create(request)

    def _create(self, request: Request) -> HttpResponse:
        """Create a step under a UID of ours, as an N-CREATE without one does (PS3.7 10.1.5.1.4)."""
        if UPDATE in request.query_params:
            raise ValidationError({UPDATE: [ONLY_UPDATE]})
        return self.report(request, identifiers.new_uid(), is_update=False)


class OnePerformedStep(PerformedStepView):
    permissions = {"GET": "worklist.view_performedstep", "POST": "worklist.change_performedstep"}

    @extend_schema(**schema.RETRIEVE)
    def get(self, request: Request, sop_instance_uid: str) -> HttpResponse:
        return self._retrieve(request, sop_instance_uid)

    @extend_schema(**schema.CREATE_OR_UPDATE)
    def post(self, request: Request, sop_instance_uid: str) -> HttpResponse:
        return self._report(request, sop_instance_uid)

    def _report(self, request: Request, sop_instance_uid: str) -> HttpResponse:
        return self.report(request, sop_instance_uid, is_update=UPDATE in request.query_params)

    def _retrieve(self, request: Request, sop_instance_uid: str) -> HttpResponse:
        if UPDATE in request.query_params:
            raise ValidationError({UPDATE: [UNKNOWN_PARAMETER]})
        form, tags = self.form(), _tags(request)
        step = _stored(sop_instance_uid)
        if step is None:
            refused = performing.no_such_step()
            self._record(DeviceActivity.Kind.N_GET, sop_instance_uid, refused.status, refused.comment)
            raise self._told(refused)
        self.note([step.pk])
        dataset, are_supported = retrieval.retrieve(step.dataset, step.status, tags)
        code = SUCCESS if are_supported else OPTIONAL_ATTRIBUTES_NOT_SUPPORTED
        self._record(DeviceActivity.Kind.N_GET, sop_instance_uid, code, "")
        found = payloads.of_identifier(datasets.write(dataset, implicit_vr=False, deflated=False))
        written = payloads.written(found, as_xml=form.is_xml)
        warnings = () if are_supported else (f"{code:04X}: {SOME_NOT_SUPPORTED}",)
        return self.answer(*payloads.payload([written], form), warnings=warnings)


class DeviceNewPerformedStep(NewPerformedStep):
    @extend_schema(**schema.of_a_device(schema.CREATE_WITHOUT_UID))
    def post(self, request: Request, ae_title: str) -> HttpResponse:  # type: ignore[override]  # its path has it
        return self._create(request)


class DeviceOnePerformedStep(OnePerformedStep):
    @extend_schema(**schema.of_a_device(schema.RETRIEVE))
    def get(self, request: Request, ae_title: str, sop_instance_uid: str) -> HttpResponse:  # type: ignore[override]  # its path has both
        return self._retrieve(request, sop_instance_uid)

    @extend_schema(**schema.of_a_device(schema.CREATE_OR_UPDATE))
    def post(self, request: Request, ae_title: str, sop_instance_uid: str) -> HttpResponse:  # type: ignore[override]  # its path has both
        return self._report(request, sop_instance_uid)


def _refuse_unknown(request: Request) -> None:
    """Raise ValidationError for another parameter: an `update` that is misspelt must not create."""
    unknown = sorted(request.query_params.keys() - OF_REPORTS)
    if unknown:
        raise ValidationError({name: [UNKNOWN_PARAMETER] for name in unknown})


def _stored(sop_instance_uid: str) -> PerformedStep | None:
    if "\0" in sop_instance_uid:
        return None
    return PerformedStep.objects.only("dataset", "status").filter(sop_instance_uid=sop_instance_uid).first()


def _tags(request: Request) -> list[BaseTag]:
    """Return what `includefield` asks for, nothing for all. Raises ValidationError."""
    values = request.query_params.getlist(INCLUDE)
    if values == [ALL]:
        return []
    paths = list(keys.included(values))
    if any(len(path) > 1 for path in paths):
        raise ValidationError({INCLUDE: [ONLY_LEVEL]})
    return list(dict.fromkeys(path[0] for path in paths))
