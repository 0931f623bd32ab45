"""A date is typed in forms that nobody can misread, and is said in words beside the field."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy

from worklist.items import typed_dates

HAS_PASSED = gettext_lazy("This day has passed.")
WRITE_IT_SO = gettext_lazy("Write the date as %(forms)s.")


class DayWidget(AdminDateWidget):
    """It shows the date in words: as stored, and by its script while a person types.

    With `warns_of_the_past` it also points out a day that has passed.
    """

    template_name = "admin/worklist/widgets/day.html"

    class Media:
        js = ("pylantir/dates.js",)

    def __init__(self, attrs: dict[str, Any] | None = None, *, warns_of_the_past: bool = False) -> None:
        super().__init__({"size": "12", **(attrs or {})})
        self.warns_of_the_past = warns_of_the_past

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        day = _read(value)
        context["in_words"] = typed_dates.in_words(day) if day else ""
        context["write_it_so"] = WRITE_IT_SO % {"forms": typed_dates.FORMS}
        if self.warns_of_the_past:
            today = timezone.localdate()
            context |= {"today": today.isoformat(), "has_passed": HAS_PASSED}
            context["is_past"] = bool(day and day < today)
        return context


class DayField(forms.DateField):
    widget = DayWidget

    def to_python(self, value: Any) -> date | None:
        return value if isinstance(value, date) else typed_dates.read(str(value or ""))


def _read(value: Any) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return typed_dates.read(str(value))
    except ValidationError:
        return None
