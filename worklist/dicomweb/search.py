"""Modality Scheduled Procedure Steps are searched for by the code that answers C-FIND (PS3.18 14.4)."""

from __future__ import annotations

import logging
from typing import Any

from django.db import Error
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request

from pylantir_site.environment.logs import traceback_of
from pylantir_site.rest.errors import GENERAL
from worklist.answering import search as searching
from worklist.answering.search import Search
from worklist.answering.statuses import PENDING_WITHOUT_SOME_KEYS, SUCCESS, TooManyMatches, failure
from worklist.devices.offers import DeviceUnusable
from worklist.dicom.answer_elements import EncodingError
from worklist.dicom.datasets import Unreadable
from worklist.dicom.matching import IdentifierError
from worklist.dicom.mpps_attributes import printed
from worklist.dicomweb import keys, payloads, schema
from worklist.dicomweb.keys import MOST_RESULTS, AskedSearch
from worklist.dicomweb.media_types import Form
from worklist.dicomweb.payloads import AnswerWriter
from worklist.dicomweb.views import DicomwebView
from worklist.models import DeviceActivity

logger = logging.getLogger(__name__)

NOT_MATCHED = "Matching was not performed on {tags}: all values match."
SOME_NOT_SUPPORTED = "Some of the attributes that were asked for are not supported, and returned empty."
MORE = "There are {remaining} additional results that can be requested."
LEFT_OUT = "{number} matching results are left out: the server's log says why."


class TooManyResults(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_many"


class RulesUnusable(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The rules of this device cannot be used: open its row and save it."
    default_code = "rules_unusable"


class ScheduledSteps(DicomwebView):
    permissions = {"GET": "worklist.view_worklistitem"}
    parameters = keys.parameter_names()

    def check_parameters(self, request: Request) -> None:
        """Leave it to `keys.read`, which knows every attribute of DICOM."""

    @extend_schema(**schema.SEARCH)
    def get(self, request: Request) -> HttpResponse:
        return self._search(request)

    def _search(self, request: Request) -> HttpResponse:
        form, asked = self.form(), keys.read(request.query_params)
        try:
            found = searching.search(asked.request, self.ae_title)
        except Exception as error:
            self._refuse(error, asked)
            raise
        warnings = [*asked.unsupported, *_of_the_query(found)]
        remaining = _keep(found, asked)
        self.note(found.found.pks)
        answers = _written(found, form)
        if remaining:
            warnings.append(MORE.format(remaining=remaining))
        if found.left_out:
            warnings.append(LEFT_OUT.format(number=found.left_out))
        self._record(SUCCESS, asked, matches=len(answers), left_out=found.left_out)
        if not answers:
            return self._without_content(warnings)
        return self.answer(*payloads.payload(answers, form), warnings=warnings)

    def _without_content(self, warnings: list[str]) -> HttpResponse:
        response = HttpResponse(status=status.HTTP_204_NO_CONTENT)
        self.warn(response, warnings)
        return response

    def _refuse(self, error: Exception, asked: AskedSearch) -> None:
        """Record the failure as a C-FIND's is, and raise what says it by HTTP, where HTTP has a code."""
        if isinstance(error, Error):
            return
        failed = failure(error)
        self._record(failed.status, asked, comment=failed.comment)
        match error:
            case IdentifierError():
                raise ValidationError({GENERAL: [f"{printed(error.tag)}: {error.comment}."]}) from error
            case Unreadable():
                raise ValidationError({GENERAL: [f"The query {error}."]}) from error
            case TooManyMatches():
                raise TooManyResults(f"{failed.comment}.") from error
            case DeviceUnusable():
                raise RulesUnusable from error

    def _record(self, code: int, asked: AskedSearch, **more: Any) -> None:
        self.record(DeviceActivity.Kind.QUERY, status=code, identifier=asked.request.identifier, **more)


class DeviceScheduledSteps(ScheduledSteps):
    @extend_schema(**schema.of_a_device(schema.SEARCH))
    def get(self, request: Request, ae_title: str) -> HttpResponse:  # type: ignore[override]  # its path has it
        return self._search(request)


def _of_the_query(found: Search) -> list[str]:
    """Say in words what the status FF01 says of each answer (PS3.4 Table K.4-1)."""
    unmatched = [printed(tag) for tag in found.query.keys.unmatched]
    told = [NOT_MATCHED.format(tags=" and ".join(unmatched))] if unmatched else []
    if not found.query.plan.complete and found.query.status == PENDING_WITHOUT_SOME_KEYS:
        told.append(SOME_NOT_SUPPORTED)
    return told


def _keep(found: Search, asked: AskedSearch) -> int:
    """Keep the part of what is found that was asked for, and return how many there are after it."""
    total = found.found.total
    found.found.part(asked.offset, min(asked.limit, MOST_RESULTS))
    return max(total - asked.offset - found.found.total, 0)


def _written(found: Search, form: Form) -> list[bytes]:
    """Return the answers; what cannot be encoded is left out and told to the log, as for a scanner."""
    writer, answers = AnswerWriter(found.query, as_xml=form.is_xml), []
    for row in found.found.rows():
        try:
            answers.append(writer.write(row))
        except Exception as error:  # one bad row never loses the others
            found.unsent += 1
            what = str(error) if isinstance(error, EncodingError) else traceback_of(error)
            logger.error("Item %s is left out of the answers: %s", row.pk, what)
    return answers
