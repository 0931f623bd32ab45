"""A source's mapping is edited as rows; what cannot be right is refused with its row and field named."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sources.admin.kinds.page import MAPPING_FIELDS, kind_of, page_of
from sources.admin.project_search import FIELD_SEARCH
from sources.admin.source_forms import DataSourceForm, LinesField
from sources.contract import Mistake
from sources.dictionary import Dictionary
from sources.mapping import check, check_patterns, targets
from sources.mapping.rules import MappingPlan
from sources.mapping.targets import TARGETS
from sources.models import DataSource, KnownDictionary, MappingRule
from sources.models.dictionaries import known_dictionary

STEP = 10  # between the numbers of rows: another fits in between
REFUSED = gettext_lazy("Nothing was saved: the mapping cannot be right as it is.")
# What `check` calls a part of the sessions or the constants, and the source's own field for it; a kind adds
# its own.
FIELD_OF_SOURCE = {
    "conditions": "session_conditions",
    "without_time": "without_time",
    "protocol_name": "protocol_name",
    "hisris_coding_designator": "hisris_coding_designator",
    targets.STATION: targets.STATION,
    **{name: name for name in ("patient_id_pattern", "patient_name_pattern", "allowed_visits")},
}
WHERE_SESSIONS_ARE = frozenset({"kind", "instrument", "events"})


class TargetOption(NamedTuple):
    value: str
    label: str


def target_options() -> list[TargetOption]:
    return [TargetOption(name, label) for name, label in TARGETS.items()]


class MappingRuleForm(forms.ModelForm):
    position = forms.IntegerField(
        label=gettext_lazy("Order"),
        required=False,
        min_value=0,
        widget=forms.NumberInput(attrs={"class": "order"}),
    )

    class Meta:
        model = MappingRule
        fields = MAPPING_FIELDS
        widgets = {
            "target": AdminTextInputWidget(attrs={"list": "mapping-targets"}),
            "field": AdminTextInputWidget(attrs=FIELD_SEARCH),
            "events": AdminTextareaWidget(attrs={"rows": 1}),
            "transforms": AdminTextareaWidget(attrs={"rows": 2}),
            "default": AdminTextInputWidget,
        }
        field_classes = {"events": LinesField, "transforms": LinesField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.initial.pop("position", None)

    def has_changed(self) -> bool:
        """Tell whether anything but the order was filled in: an order alone makes no new row."""
        if self.instance.pk is None and self.changed_data == ["position"]:
            return False
        return super().has_changed()


class MappingFormSet(forms.BaseInlineFormSet):
    def add_fields(self, form: Any, index: int | None) -> None:
        """Give each input a name of its own, for its column's header is not its label."""
        super().add_fields(form, index)
        row = _("a new row") if form.instance.pk is None else _name_of_row(form.instance, index)
        for field in (each for each in form.fields.values() if not each.widget.is_hidden):
            named = _("%(field)s of %(row)s") % {"field": field.label, "row": row}
            field.widget.attrs["aria-label"] = named

    def clean(self) -> None:
        """Check the rows together with the source as it would be saved."""
        super().clean()
        form: DataSourceForm | None = getattr(self.instance, "saved_by", None)
        if form is None or not self.is_valid():
            return  # what is wrong with a field is said there already
        rows = self.in_order()
        if not rows:
            return  # without a mapping nothing is pulled
        is_known = self.instance.pk and not page_of(self.instance.kind).access & set(form.changed_data)
        dictionary = known_dictionary(self.instance) if is_known else None
        plan = form.mapping_plan = _plan(self.instance, rows)
        mistakes = [*_without_consequences(check.mistakes(plan, dictionary)), *_slow_patterns(plan, rows)]
        others = [text for mistake in mistakes if (text := _show_mistake(mistake, form, rows))]
        if mistakes:
            raise ValidationError([REFUSED, *others, *_dictionary_date(self.instance, dictionary)])

    def kept(self) -> list[Any]:
        """Return the forms of the rows that there will be."""
        return [
            form
            for form in self.forms
            if (form.has_changed() or form.instance.pk) and form not in self.deleted_forms
        ]

    def in_order(self) -> list[Any]:
        """Sort by number, then by place on the page; a row without a number comes last."""
        rows = self.kept()
        numbered = [row for row in rows if row.cleaned_data.get("position") is not None]
        numbered.sort(key=lambda row: row.instance.position)
        last = numbered[-1].instance.position if numbered else 0
        others = [row for row in rows if row not in numbered]
        for place, row in enumerate(others, start=1):
            row.instance.position = last + place * STEP
        return [*numbered, *others]


def _name_of_row(rule: MappingRule, index: int | None) -> str:
    target = TARGETS.get(rule.target, rule.target)
    return _("row %(number)s, %(target)s") % {"number": (index or 0) + 1, "target": target}


def _plan(source: DataSource, rows: list[Any]) -> MappingPlan:
    """Return the plan of a source that may not be stored yet."""
    stand_in = copy(source)
    stand_in.pk = source.pk or 0
    return replace(stand_in.plan, rules=tuple(row.instance.as_rule() for row in rows))


def _slow_patterns(plan: MappingPlan, rows: list[Any]) -> list[Mistake]:
    """Return those of rows that were changed: a row from before keeps nobody from changing another."""
    slow = check_patterns.slow(plan)
    return [each for each in slow if each.rule is not None and "transforms" in rows[each.rule].changed_data]


def _without_consequences(mistakes: tuple[Mistake, ...]) -> list[Mistake]:
    """Leave out mistakes of level while the sessions are wrong: they follow from that alone."""
    if any(mistake.rule is None and mistake.field in WHERE_SESSIONS_ARE for mistake in mistakes):
        return [mistake for mistake in mistakes if mistake.field != "level"]
    return list(mistakes)


def _show_mistake(mistake: Mistake, form: DataSourceForm, rows: list[Any]) -> str:
    """Put the mistake beside its field and return ""; return the text where there is no such field."""
    if mistake.rule is not None:
        rows[mistake.rule].add_error(mistake.field, mistake.text)
        return ""
    field = _field_of_source(mistake, form.instance)
    if field not in form.fields:
        return mistake.text
    form.add_error(field, mistake.text)
    return ""


def _field_of_source(mistake: Mistake, source: DataSource) -> str:
    """Return the form's field. Mistakes in the values of all items are told apart by their text alone."""
    if mistake.field == "fallbacks":
        return mistake.text.partition(":")[0]
    return {**FIELD_OF_SOURCE, **page_of(source.kind).session_fields}.get(mistake.field, "")


def _dictionary_date(source: DataSource, dictionary: Dictionary | None) -> list[str]:
    """Say when the dictionary was read: what is missing may have come since."""
    known = KnownDictionary.objects.only("read_at").filter(source=source).first() if dictionary else None
    if known is None:
        return []
    read = date_format(timezone.localtime(known.read_at), "Y-m-d H:i")
    known_since = _("The project is known as it was on %(read)s: Test connection reads it again.")
    return [known_since % {"read": read}]


class MappingRuleInline(admin.TabularInline):
    """Whoever may change a source may change its mapping, and whoever may see it sees that."""

    model: Any = MappingRule
    form: Any = MappingRuleForm
    formset: Any = MappingFormSet
    verbose_name = gettext_lazy("row")
    verbose_name_plural = gettext_lazy("mapping")
    template = "admin/sources/mapping_rows.html"
    ordering = ("position", "pk")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return page_of(kind_of(request, obj)).mapping_fields

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Call the source's field what its kind calls it."""
        formset = super().get_formset(request, obj, **kwargs)
        if "field" in formset.form.base_fields:
            formset.form.base_fields["field"].label = page_of(kind_of(request, obj)).field_label
        return formset

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 1 if obj is not None else 3

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("sources.view_datasource")) or self._may_edit(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_edit(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_edit(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_edit(request)

    def _may_edit(self, request: HttpRequest) -> bool:
        return any(request.user.has_perm(f"sources.{verb}_datasource") for verb in ("add", "change"))
