"""The form of a source has the fields that every source has, and those of its kind beside them."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.admin import display
from django.contrib.admin.options import FORMFIELD_FOR_DBFIELD_DEFAULTS
from django.contrib.admin.utils import display_for_value
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.forms.models import construct_instance, model_to_dict
from django.utils.html import format_html
from django.utils.translation import gettext as _

from sources.mapping import check_patterns, targets, texts
from sources.mapping.patterns import InvalidPattern, Pattern
from sources.mapping.problems import UnusableValue
from sources.mapping.rules import MappingPlan
from sources.models import DataSource
from sources.models.details import SourceDetails, columns_of

# Every record means something else once one of these has changed; a kind adds its own.
MEANING = frozenset(
    {
        *("session_conditions", "without_time", "site_id", "protocol_name", "hisris_coding_designator"),
        *("identity_policy", targets.STATION, "horizon_back_days", "horizon_ahead_days", "enabled"),
        *("patient_id_pattern", "longest_patient_id", "patient_name_pattern", "longest_patient_name"),
        *("allowed_visits", "ids_are"),
    }
)
PATTERNS = ("patient_id_pattern", "patient_name_pattern")
# What a page may leave out, and is then as it was.
WITH_A_USUAL = ("identity_policy", "ids_are")


class LinesField(forms.CharField):
    """Browsers end lines with CR LF: an untouched field must not look changed for that."""

    def to_python(self, value: Any) -> str:
        return "\n".join(str(super().to_python(value)).splitlines())


def field_of(model: type[SourceDetails], name: str, **options: Any) -> Any:
    """Return the form field of a kind's column, dressed as the admin dresses its own."""
    column: Any = model._meta.get_field(name)
    dressed = {} if column.choices else FORMFIELD_FOR_DBFIELD_DEFAULTS.get(type(column), {})
    return column.formfield(**{**dressed, **options})


def help_texts_of(model: type[SourceDetails]) -> dict[str, Any]:
    """Return the help of a kind's columns, which stands beside them where they cannot be edited, too."""
    return {column.name: column.help_text for column in model._meta.concrete_fields}


def shown(model: type[SourceDetails], name: str) -> Any:
    """Return what the admin shows of a kind's column to who may not edit it."""
    column: Any = model._meta.get_field(name)

    @display(description=column.verbose_name, boolean=column.get_internal_type() == "BooleanField")
    def value(source: DataSource) -> Any:
        details = source.details
        if column.choices:
            return getattr(details, f"get_{name}_display")()
        found = getattr(details, name)
        return found if isinstance(found, bool) else display_for_value(found, "-")

    value.__name__ = name  # the page's style goes by it
    return value


class DataSourceForm(forms.ModelForm):
    """A kind derives its own form from it, and the admin another one for each request.

    The kind's form declares each field of `details_model` that people edit, by `field_of`. The source and its
    details are filled and checked together; `DataSource.save_with_details` saves both.
    """

    details_model: ClassVar[type[SourceDetails]]
    kind = ""  # of a source that is new
    actor = ""
    only_scanner = ""  # for a source that exists and names none
    mapping_plan: MappingPlan | None = None  # as it would be saved, once its rows are checked

    class Meta:
        model = DataSource
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose
        widgets = {
            "session_conditions": AdminTextareaWidget(attrs={"rows": 3}),
            targets.STATION: AdminTextInputWidget(attrs={"list": "scanners"}),
            "allowed_visits": AdminTextareaWidget(attrs={"rows": 3}),
        }
        field_classes = {"session_conditions": LinesField, "allowed_visits": LinesField}

    class Media:
        js = tuple(f"pylantir/{name}.js" for name in ("project_search", "pull_progress", "mapping_samples"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        source = kwargs.get("instance") or DataSource(kind=self.kind)
        if source.pk is None:
            source.details = self.details_model()
        self.details = source.details
        kept = model_to_dict(self.details, fields=self._columns())
        kwargs.update(instance=source, initial={**kept, **(kwargs.get("initial") or {})})
        super().__init__(*args, **kwargs)
        for name in WITH_A_USUAL:
            if name in self.fields:
                self.fields[name].required = False
        if self.only_scanner and targets.STATION in self.fields:
            only = _("The only scanner is %(scanner)s.") % {"scanner": self.only_scanner}
            self.tell(targets.STATION, f"{self.fields[targets.STATION].help_text} {only}")

    @classmethod
    def _columns(cls) -> list[str]:
        return [name for name in columns_of(cls.details_model) if name in cls.base_fields]

    def tell(self, name: str, text: str) -> None:
        """Put another help beside a field, where the page has it."""
        if name in self.fields:
            self.fields[name].help_text = format_html("{}", text)

    def clean_scheduled_station_aetitle(self) -> str:
        try:
            return texts.ae_titles(str(self.cleaned_data[targets.STATION]))
        except UnusableValue as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        super().clean()
        self._check_window()
        self._check_patterns()
        return self.cleaned_data

    def _check_patterns(self) -> None:
        """Refuse a pattern that a hostile text keeps busy; one from before keeps nobody from other changes.

        What is no expression at all the model refuses.
        """
        for name in (name for name in PATTERNS if name in self.changed_data):
            try:
                is_slow = Pattern(self.cleaned_data.get(name, "")).is_slow(on_whole=True)
            except InvalidPattern:
                continue
            if is_slow:
                self.add_error(name, check_patterns.SLOW)

    def _check_window(self) -> None:
        """Require both ends of the window or none; a time that cannot be read is told elsewhere."""
        for name, other in (("window_start", "window_end"), ("window_end", "window_start")):
            is_empty = name in self.cleaned_data and self.cleaned_data[name] is None
            if is_empty and self.cleaned_data.get(other) is not None:
                self.add_error(name, _("Give both times, or neither."))

    def _post_clean(self) -> None:
        """Fill and check the details as the form fills and checks the source."""
        super()._post_clean()  # type: ignore[misc]
        construct_instance(self, self.details, self._columns())
        left_out = {*columns_of(self.details_model), "source"} - set(self._columns()) | set(self.errors)
        try:
            self.details.full_clean(exclude=left_out, validate_unique=False)
        except ValidationError as error:
            self._update_errors(error)  # type: ignore[attr-defined]
