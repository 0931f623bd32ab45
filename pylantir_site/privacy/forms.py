"""An administrator says here whom they mean, and why they erase."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from pylantir_site.privacy.models import Erasure


class WhoForm(forms.Form):
    """It comes by POST: an ID has no place in a URL."""

    patient_id = forms.CharField(label=_("Patient ID"), max_length=64, strip=True)


class EraseForm(forms.Form):
    reason = forms.CharField(
        label=_("Why"),
        max_length=Erasure._meta.get_field("reason").max_length,
        help_text=_("It is kept: say it without name, ID and birth date."),
    )
    sure = forms.BooleanField(
        label=_("I have looked at what is changed, and know that it cannot be brought back"),
        error_messages={"required": _("Tick the box if you are sure. Nothing was erased.")},
    )
