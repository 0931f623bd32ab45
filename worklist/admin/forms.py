"""Forms whose values go through intake."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminDateWidget, AdminTextInputWidget, AdminTimeWidget
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from worklist import intake
from worklist.models import WorklistItem


class WorklistItemForm(forms.ModelForm):
    """Checks by intake, and knows what the person saw when the page was opened.

    Only what the person changed is written: the scanner and the sources write the same rows meanwhile.
    """

    patient_weight_lb = forms.DecimalField(
        label="or in pounds", required=False, help_text="Stored in kilograms: 1 lb is 0.45359237 kg."
    )

    class Meta:
        model = WorklistItem
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose
        widgets = {"scheduled_station_aetitle": AdminTextInputWidget(attrs={"list": "device-titles"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for field in self.fields.values():
                field.show_hidden_initial = True

    def values(self) -> dict[str, Any]:
        """What intake is given: all that was filled in for a new item, else what the person changed."""
        names = self.changed_data if self.instance.pk else self.cleaned_data
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}

    def seen(self) -> dict[str, Any]:
        """The values that the page showed, for the fields that changed."""
        return {name: self._shown(name) for name in self.changed_data if name in self.cleaned_data}

    def _shown(self, name: str) -> Any:
        field = self.fields[name]
        raw = field.hidden_widget().value_from_datadict(self.data, self.files, self.add_initial_prefix(name))
        try:
            return field.to_python(raw)
        except ValidationError:  # no page of ours showed that: it equals nothing, and intake refuses
            return raw

    def _post_clean(self) -> None:
        """In place of the model form's own: intake cleans first, and the instance stays as stored."""
        try:
            if self.instance.pk:
                intake.checked_change(self.instance, self.values(), seen=self.seen())
            else:
                intake.checked_new(self.values())
        except ValidationError as error:
            self._show(error)

    def _show(self, error: ValidationError) -> None:
        for name, messages in error.message_dict.items():
            shown = name if name in self.fields else None
            text = messages if shown or name == NON_FIELD_ERRORS else [f"{name}: {m}" for m in messages]
            if name not in self.errors:
                self.add_error(shown, ValidationError(text))


class ReasonForm(forms.Form):
    reason = forms.CharField(
        required=False, max_length=200, help_text="Kept in the history.", widget=forms.TextInput
    )


class RescheduleForm(ReasonForm):
    scheduled_start_date = forms.DateField(label="New date", widget=AdminDateWidget)
    scheduled_start_time = forms.TimeField(
        label="New time", required=False, widget=AdminTimeWidget, help_text="Empty: each keeps its time."
    )
    field_order = ("scheduled_start_date", "scheduled_start_time", "reason")

    def schedule(self) -> dict[str, Any]:
        """The fields of an item that were filled in."""
        return {
            name: value for name, value in self.cleaned_data.items() if name != "reason" and value is not None
        }
