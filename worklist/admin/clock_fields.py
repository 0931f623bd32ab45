"""A time is typed without seconds, and stays empty where it is not known."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTimeWidget

from worklist.timeline.readable import UNKNOWN_TIME


class ClockWidget(AdminTimeWidget):
    """It shows seconds only where a time has some."""

    def format_value(self, value: Any) -> str | None:
        if not isinstance(value, time):
            return super().format_value(value)
        if value == UNKNOWN_TIME:
            return ""
        return f"{value:%H:%M:%S}" if value.second else f"{value:%H:%M}"


class ClockField(forms.TimeField):
    """Its empty value is the one by which an item says that the time is not known."""

    widget = ClockWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "required": False})

    def to_python(self, value: Any) -> time:
        return super().to_python(value) or UNKNOWN_TIME
