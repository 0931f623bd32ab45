"""The API reads dates and times as DICOM or ISO 8601, and writes them as DICOM (PS3.5 6.2, DA and TM)."""

from __future__ import annotations

from datetime import date, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError as ModelError
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from worklist.items import cleaning


@extend_schema_field({"type": "string", "example": "19900131"})
class DicomDate(serializers.Field):
    def to_internal_value(self, data: Any) -> date | None:
        try:
            return cleaning.da(data)
        except ModelError as error:
            raise serializers.ValidationError(error.messages) from error

    def to_representation(self, value: date) -> str:
        return f"{value:%Y%m%d}"


@extend_schema_field({"type": "string", "example": "093000"})
class DicomTime(serializers.Field):
    def to_internal_value(self, data: Any) -> time:
        try:
            return cleaning.tm(data)
        except ModelError as error:
            raise serializers.ValidationError(error.messages) from error

    def to_representation(self, value: time) -> str:
        return f"{value:%H%M%S}"


class _DateKey(forms.Field):
    def to_python(self, value: Any) -> date | None:
        return cleaning.da(value)


@extend_schema_field(OpenApiTypes.STR)
class DicomDateFilter(filters.Filter):
    field_class = _DateKey
