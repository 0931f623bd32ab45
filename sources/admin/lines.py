"""Text with one thing a line."""

from __future__ import annotations

from typing import Any

from django import forms


class LinesField(forms.CharField):
    """Browsers end lines with CR LF: an untouched field must not look changed for that."""

    def to_python(self, value: Any) -> str:
        return "\n".join(str(super().to_python(value)).splitlines())
