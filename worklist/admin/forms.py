"""The values of these forms go through intake."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget, AdminTimeWidget
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext_lazy as _

from worklist.admin import choices
from worklist.admin.clock_fields import ClockField, ClockWidget
from worklist.admin.date_fields import DayField, DayWidget
from worklist.admin.json_fields import StrictJSONField
from worklist.admin.name_fields import (
    WHOLE_NAME,
    PersonNameField,
    PersonNameWidget,
    looks_like_a_whole_name,
)
from worklist.admin.whose_id import WhoseIdField, people_in_words, question_of
from worklist.attention.points import LONGEST_NOTE
from worklist.items import intake, whose
from worklist.items.lifecycle import LONGEST_REASON
from worklist.items.whose import NOTHING_SAID, Answer
from worklist.models import PERSON_NAMES, PerformedStatus, WorklistItem

TO_CLOSE_AS = tuple(each for each in PerformedStatus.choices if each[0] != PerformedStatus.IN_PROGRESS)
ABOUT_THE_CHANGE = frozenset({"reason", "answer"})  # fields that are none of the item's


class WorklistItemForm(forms.ModelForm):
    """This form is checked by intake, and knows what the person saw when the page was opened.

    Only what the person changed is written: the scanner and the sources write the same rows meanwhile.
    """

    corrects = False  # whether the person may correct the identity of someone who is or was examined

    reason = forms.CharField(
        label=_("Why, for the history"),
        required=False,
        max_length=LONGEST_REASON,
        widget=AdminTextInputWidget,
        help_text=_("Kept with this change. Needed where images may carry what is corrected."),
    )
    answer = WhoseIdField()
    patient_weight_lb = forms.DecimalField(
        label=_("or in pounds"), required=False, help_text=_("Stored in kilograms: 1 lb is 0.45359237 kg.")
    )

    class Meta:
        model = WorklistItem
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose
        field_classes = {
            **dict.fromkeys(PERSON_NAMES, PersonNameField),
            **dict.fromkeys(("patient_birth_date", "scheduled_start_date"), DayField),
            "scheduled_start_time": ClockField,
            "extra_attributes": StrictJSONField,
        }
        help_texts: dict[str, Any] = {"scheduled_start_time": _("Leave empty when it is not known.")}
        widgets = {
            **dict.fromkeys(PERSON_NAMES, PersonNameWidget),
            "patient_birth_date": DayWidget,
            "scheduled_start_date": DayWidget(warns_of_the_past=True),
            "scheduled_start_time": ClockWidget,
            **{field: AdminTextInputWidget({"list": ids}) for field, ids in choices.DATALISTS.items()},
        }

    class Media:
        js = ("pylantir/stations.js", "pylantir/whose_id.js", "pylantir/unsaved.js")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known: list[str] = []  # whom items name under the ID, where intake asks whose it is
        self.question = self.data.get("question", "")  # which of these an answer is about
        for name, field in self.fields.items():
            if isinstance(field, forms.CharField) and name not in ABOUT_THE_CHANGE:
                field.strip = False  # by intake, which refuses a control character where this would drop it
        if self.instance.pk:
            for name in self.fields.keys() - ABOUT_THE_CHANGE:
                self.fields[name].show_hidden_initial = True

    def values(self) -> dict[str, Any]:
        """Return what intake is given: all that was filled in for a new item, else what changed."""
        names = self.changed_data if self.instance.pk else list(self.cleaned_data)
        return {name: self.cleaned_data[name] for name in names if self._is_of_the_item(name)}

    def reason_given(self) -> str:
        return str(self.cleaned_data.get("reason", ""))

    def answer_given(self) -> Answer:
        answer: Answer = self.cleaned_data.get("answer", NOTHING_SAID)
        return answer

    def seen(self) -> dict[str, Any]:
        """Return the values that the page showed, for the fields that changed, and of who it is."""
        looked_at = {*self.changed_data, *(name for name in whose.WHO if name in self.fields)}
        return {name: self._shown(name) for name in looked_at if self._is_of_the_item(name)}

    def clean(self) -> None:
        """Ask back where a whole name seems to stand in the field of the family name."""
        super().clean()
        for name in PERSON_NAMES:
            if name in self.cleaned_data and name in self.changed_data and self._is_in_one_part(name):
                self.fields[name].widget.asks = True
                self.add_error(name, ValidationError(WHOLE_NAME, code="whole_name"))

    def _is_in_one_part(self, name: str) -> bool:
        return looks_like_a_whole_name(self[name].data)

    def _is_of_the_item(self, name: str) -> bool:
        return name in self.cleaned_data and name not in ABOUT_THE_CHANGE

    def _shown(self, name: str) -> Any:
        field = self.fields[name]
        raw = field.hidden_widget().value_from_datadict(self.data, self.files, self.add_initial_prefix(name))
        try:
            return field.to_python(raw)
        except ValidationError:  # no page of ours showed that: it equals nothing, and intake refuses
            return raw

    def _post_clean(self) -> None:
        """Let intake clean in place of the model form; the instance stays as stored.

        An answer to another question is none: since it was shown, the ID or whom items name may have changed.
        """
        try:
            self._check(NOTHING_SAID)
        except ValidationError as error:
            known = whose.known_people(error)
            if known and self.question == question_of(known):
                self._show_unless_right(self.answer_given())
                return
            if known:
                self._forget_the_answer()
                self.question = question_of(known)
            self._show(error)

    def _show_unless_right(self, answer: Answer) -> None:
        try:
            self._check(answer)
        except ValidationError as error:
            self._show(error)

    def _check(self, answer: Answer) -> None:
        if not self.instance.pk:
            intake.checked_new(self.values(), reason=self.reason_given(), answer=answer)
            return
        intake.checked_change(
            self.instance,
            self.values(),
            reason=self.reason_given(),
            seen=self.seen(),
            corrects=self.corrects,
            answer=answer,
        )

    def _forget_the_answer(self) -> None:
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        data["answer"] = ""
        self.data = data
        self.cleaned_data["answer"] = NOTHING_SAID

    def _show(self, error: ValidationError) -> None:
        self.known = people_in_words(whose.known_people(error))
        for name, messages in error.message_dict.items():
            shown = name if name in self.fields else None
            text = messages if shown or name == NON_FIELD_ERRORS else [f"{name}: {m}" for m in messages]
            if name not in self.errors:
                self.add_error(shown, ValidationError(text))


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=LONGEST_REASON,
        help_text=_("Kept in the history."),
        widget=forms.TextInput,
    )


class RescheduleForm(ReasonForm):
    scheduled_start_date = DayField(label=_("New date"), widget=DayWidget(warns_of_the_past=True))
    scheduled_start_time = forms.TimeField(
        label=_("New time"),
        required=False,
        widget=AdminTimeWidget,
        help_text=_("Empty: each keeps its time."),
    )
    field_order = ("scheduled_start_date", "scheduled_start_time", "reason")

    def schedule(self) -> dict[str, Any]:
        """Return the fields of an item that were filled in."""
        return {
            name: value for name, value in self.cleaned_data.items() if name != "reason" and value is not None
        }


class RequiredReasonForm(forms.Form):
    """This form is for what nobody would understand later without a reason."""

    reason = forms.CharField(label=_("Why"), max_length=LONGEST_REASON)


class CloseForm(RequiredReasonForm):
    to = forms.ChoiceField(
        label=_("Close as"),
        choices=TO_CLOSE_AS,
    )


class NoteForm(forms.Form):
    note = forms.CharField(
        label=_("Note"),
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text=_("What was found, and what was done about it. Kept with the point."),
    )
