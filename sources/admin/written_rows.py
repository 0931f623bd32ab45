"""What a source writes back is edited as rows beside its mapping; what cannot be right is refused by name."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sources.admin.kinds.page import kind_of, page_of
from sources.admin.mapping import STEP, MappingRuleInline
from sources.admin.project_search import FIELD_SEARCH
from sources.admin.source_forms import DataSourceForm
from sources.models import WriteRule
from sources.models.dictionaries import known_dictionary
from sources.models.write_back import other_plans
from sources.outgoing import check

REFUSED = gettext_lazy("Nothing was saved: what is written back cannot be right as it is.")
NO_ROWS = gettext_lazy("Say in a row at least which field is written, or do not write outcomes back.")
NOT_KNOWN = gettext_lazy(
    "The project is not known yet: save this without writing back, and press Test connection. "
    "Then what is written can be checked."
)


class WriteRuleForm(forms.ModelForm):
    class Meta:
        model = WriteRule
        fields = ("field", "fact", "codes", "event")
        widgets = {
            "field": AdminTextInputWidget(attrs=FIELD_SEARCH),
            "codes": AdminTextInputWidget,
            "event": AdminTextInputWidget,
        }


class WriteRuleFormSet(forms.BaseInlineFormSet):
    def add_fields(self, form: Any, index: int | None) -> None:
        """Give each input a name of its own, for its column's header is not its label."""
        super().add_fields(form, index)
        row = _("a new row that is written") if form.instance.pk is None else str(form.instance)
        for field in (each for each in form.fields.values() if not each.widget.is_hidden):
            field.widget.attrs["aria-label"] = _("%(field)s of %(row)s") % {"field": field.label, "row": row}

    def clean(self) -> None:
        """Check the rows together with the source and the mapping as they would be saved."""
        super().clean()
        form: DataSourceForm | None = getattr(self.instance, "saved_by", None)
        if form is None or not self.is_valid():
            return
        rows = self.kept()
        for place, row in enumerate(rows, start=1):
            row.instance.position = place * STEP
        is_known = not page_of(self.instance.kind).access & set(form.changed_data)
        dictionary = known_dictionary(self.instance) if is_known else None
        if self.instance.writes_back and not rows:
            raise ValidationError(NO_ROWS)
        if self.instance.writes_back and dictionary is None and "writes_back" in form.changed_data:
            raise ValidationError(NOT_KNOWN)
        plan = form.mapping_plan or self.instance.plan
        others = other_plans(self.instance) if rows else {}
        mistakes = check.mistakes([row.instance.as_rule() for row in rows], plan, dictionary, others=others)
        for mistake in mistakes:
            rows[mistake.rule or 0].add_error(mistake.field, mistake.text)
        if mistakes:
            raise ValidationError(REFUSED)

    def kept(self) -> list[Any]:
        """Return the forms of the rows that there will be."""
        return [
            form
            for form in self.forms
            if (form.has_changed() or form.instance.pk) and form not in self.deleted_forms
        ]


class WriteRuleInline(MappingRuleInline):
    model = WriteRule
    form = WriteRuleForm
    formset = WriteRuleFormSet
    verbose_name = gettext_lazy("row that is written")
    verbose_name_plural = gettext_lazy("written back")
    template = "admin/sources/written_rows.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return WriteRuleForm.Meta.fields

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = admin.TabularInline.get_formset(self, request, obj, **kwargs)
        if "field" in formset.form.base_fields:
            formset.form.base_fields["field"].label = page_of(kind_of(request, obj)).field_label
        return formset

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 1
