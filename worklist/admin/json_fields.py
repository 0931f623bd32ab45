"""JSON that is typed is read as strictly as JSON that is sent: of two like names none is silently dropped."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

from pylantir_site.outside import strict_json


class StrictJSONField(forms.JSONField):
    def to_python(self, value: Any) -> Any:
        """Return what the JSON says. Raises ValidationError, which says what is wrong."""
        if isinstance(value, str) and not isinstance(value, InvalidJSONInput) and value.strip():
            try:
                strict_json.loads(value)
            except strict_json.JsonRefused as error:
                raise ValidationError(str(error), code="invalid", params={"value": value}) from error
        return super().to_python(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Show what was typed as it was typed where it cannot be read."""
        try:
            return super().bound_data(data, initial)
        except (ValueError, RecursionError):
            return InvalidJSONInput(data)
