"""Every error has one shape: `detail` says it in a sentence, and `errors` names the fields of a 400."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, RequestDataTooBig
from django.core.exceptions import ValidationError as ModelError
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ErrorDetail, ParseError, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

from pylantir_site.rest.parsing import BodyTooLarge

GENERAL = "non_field_errors"  # what belongs to no one field


class Conflict(APIException):
    """It contradicts what is stored; `more` is told beside the sentence, as JSON."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "This contradicts what is stored."
    default_code = "conflict"

    def __init__(self, detail: str | None = None, *, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.more = more or {}


class PreconditionFailed(APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = "It was changed meanwhile: read it again."
    default_code = "precondition_failed"


class ErrorSerializer(serializers.Serializer):
    detail = serializers.CharField(help_text="What was wrong, for people.")


class InvalidSerializer(ErrorSerializer):
    errors = serializers.DictField(  # type: ignore[assignment] # a field, not the property of that name
        help_text="What is wrong with each field (or with each item of a list, by its index)."
    )


def handle(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Answer as Django REST framework's handler does, with `detail` in every answer."""
    if isinstance(exception, ModelError):
        exception = from_model(exception)
    if isinstance(exception, RequestDataTooBig):
        exception = BodyTooLarge()
    if isinstance(exception, ParseError):
        exception = ValidationError({GENERAL: [str(exception.detail)]})
    response = exception_handler(exception, context)
    _speak_json(context)
    if response is not None and isinstance(exception, ValidationError):
        errors = exception.detail if isinstance(exception.detail, dict) else {GENERAL: exception.detail}
        response.data = {"detail": sentence(errors), "errors": errors}
    if response is not None and isinstance(exception, Conflict):
        response.data |= exception.more
    return response


def _speak_json(context: dict[str, Any]) -> None:
    """Let the answer be JSON, whatever else the client accepts."""
    request = context.get("request")
    if request is not None:
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type


def from_model(error: ModelError) -> ValidationError:
    """Turn a refusal of a model or of intake into one by field."""
    if not hasattr(error, "error_dict"):
        return ValidationError({GENERAL: error.messages})
    named = {
        GENERAL if name == NON_FIELD_ERRORS else name: texts for name, texts in error.message_dict.items()
    }
    return ValidationError(named)


def sentence(errors: Any) -> str:
    """Return all that is wrong in one line."""
    return " ".join(_sentences(errors, ""))


def _sentences(errors: Any, path: str) -> list[str]:
    if isinstance(errors, dict):
        inner = ((value, _below(path, str(name))) for name, value in errors.items())
        return [text for value, name in inner for text in _sentences(value, name)]
    if isinstance(errors, list | tuple):
        return [text for value in errors for text in _sentences(value, path)]
    text = str(errors) if isinstance(errors, str | ErrorDetail) else repr(errors)
    return [f"{path}: {text}" if path else text]


def _below(path: str, name: str) -> str:
    if name in {GENERAL, api_settings.NON_FIELD_ERRORS_KEY}:
        return path
    return f"{path}.{name}" if path else name
