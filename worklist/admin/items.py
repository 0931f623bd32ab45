"""Coordinators see and keep the worklist here."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.formats import date_format, time_format
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from worklist.admin import (
    actions,
    choices,
    dataset,
    exports,
    file_uploads,
    item_head,
    missing,
    moves,
    oddities,
    quick_add,
    quick_weight,
    readable_names,
    saving,
    undo,
    whose_id,
)
from worklist.admin.badges import status_badge
from worklist.admin.filters import DayFilter, ItemModalityFilter, ItemStationFilter, QaFilter, SourceFilter
from worklist.admin.forms import WorklistItemForm
from worklist.admin.history import ActorHistoryAdmin
from worklist.admin.item_list import ItemChangeList
from worklist.admin.readable_names import ReadableNames
from worklist.admin.saving import ReturningAdmin
from worklist.answering import previews
from worklist.attention import identity
from worklist.items import intake, lifecycle
from worklist.models import PERSON_NAMES, Attention, ItemSearchWord, Status, WorklistItem
from worklist.timeline import readable

# The fields of the form that say who is examined.
# The status that an action of the list gives.
GIVEN_BY = {
    "schedule_again": Status.SCHEDULED,
    "cancel_items": Status.CANCELLED,
    "did_not_come": Status.CANCELLED,
}
IDENTITY = (*sorted(identity.IDENTITY_FIELDS), "patient_weight_lb")


@admin.register(WorklistItem)
class WorklistItemAdmin(ReturningAdmin, ReadableNames, ActorHistoryAdmin):
    form = WorklistItemForm
    list_title = gettext_lazy("Worklist")
    # On a phone the first four are shown: items.css hides the others.
    list_display = (
        *("when", "patient", "badge", "marks"),
        *("patient_id", "weight", "protocol_name", "station", "modality", "source"),
    )
    list_display_links = ("patient", "patient_id")
    list_filter = (
        DayFilter,
        ("performed_procedure_step_status", admin.ChoicesFieldListFilter),
        ItemModalityFilter,
        ItemStationFilter,
        SourceFilter,
        QaFilter,
    )
    date_hierarchy = "scheduled_start_date"
    ordering = ("-scheduled_start_date", "scheduled_start_time", "pk")
    search_fields = (*WorklistItem.searched_names, *WorklistItem.searched_ids)
    search_help_text = gettext_lazy(
        "Any part of a name, patient ID, accession number, procedure or step ID, without regard to accents "
        "and punctuation, or a whole Study Instance UID."
    )
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    actions = (
        actions.cancel_items,
        actions.reschedule_items,
        actions.duplicate_items,
        actions.schedule_again,
        actions.mark_performed,
        actions.did_not_come,
    )
    readonly_fields = (
        "as_the_scanner_sees_it",
        *ReadableNames.readable_fields,
    )
    fieldsets = (
        (
            gettext_lazy("Patient"),
            {
                "fields": (
                    "patient_name",
                    "patient_id",
                    ("patient_birth_date", "patient_sex"),
                    ("patient_weight_kg", "patient_weight_lb"),
                    "is_qa",
                )
            },
        ),
        (
            gettext_lazy("Schedule"),
            {
                "fields": (
                    ("scheduled_start_date", "scheduled_start_time"),
                    ("modality", "scheduled_station_aetitle"),
                    ("station_name", "scheduled_procedure_step_location"),
                )
            },
        ),
        (
            gettext_lazy("Procedure"),
            {
                "fields": (
                    ("protocol_name", "hisris_coding_designator"),
                    ("study_description", "procedure_description"),
                )
            },
        ),
        (
            gettext_lazy("Identifiers"),
            {
                "fields": (
                    ("accession_number", "requested_procedure_id"),
                    ("scheduled_procedure_step_id", "study_instance_uid"),
                ),
                "description": gettext_lazy(
                    "Made when left empty. Step ID and study UID never change afterwards."
                ),
            },
        ),
        (
            gettext_lazy("Physicians"),
            {
                "fields": ("performing_physician", "referring_physician_name", "requesting_physician"),
                "classes": ("collapse",),
            },
        ),
        (
            gettext_lazy("More DICOM attributes"),
            {"fields": ("extra_attributes",), "classes": ("collapse",)},
        ),
    )
    why = (gettext_lazy("This change"), {"fields": ("reason",)})
    as_seen = (
        gettext_lazy("As the scanner sees it"),
        {"fields": ("as_the_scanner_sees_it",), "classes": ("collapse",)},
    )

    def get_urls(self) -> list[URLPattern]:
        views = self.admin_site.admin_view
        return [
            path("import/", views(partial(file_uploads.import_view, self)), name="worklist_import_files"),
            path("export/", views(partial(exports.export_view, self)), name="worklist_worklistitem_export"),
            path("known/", views(partial(whose_id.known_view, self)), name="worklist_known"),
            *undo.urls(self),
            *moves.urls(self),
            *quick_add.urls(self),
            *quick_weight.urls(self),
            path("missing/", views(partial(missing.participant_view, self)), name="worklist_missing"),
            path(
                "<int:pk>/missing/",
                views(partial(missing.item_view, self)),
                name="worklist_worklistitem_missing",
            ),
            *super().get_urls(),
        ]

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Return the filters, with those that other apps add."""
        return (*super().get_list_filter(request), *getattr(self.admin_site, "item_filters", ()))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ItemChangeList]:
        return ItemChangeList

    @admin.display(description=gettext_lazy("patient"), ordering="patient_name")
    def patient(self, item: WorklistItem) -> str:
        return item.readable_patient_name

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return (queryset.search(search_term) if search_term else queryset), False

    @admin.display(description=gettext_lazy("status"), ordering="performed_procedure_step_status")
    def badge(self, item: WorklistItem) -> str:
        return status_badge(item.performed_procedure_step_status)

    @admin.display(description=gettext_lazy("when"), ordering="scheduled_start_date")
    def when(self, item: WorklistItem) -> str:
        day, at = date_format(item.scheduled_start_date), item.scheduled_start_time
        if at == readable.UNKNOWN_TIME:
            return format_html('{} <span class="quiet">{}</span>', day, _("time not known"))
        return format_html('{} <strong class="num">{}</strong>', day, time_format(at))

    @admin.display(description=gettext_lazy("weight"), ordering="patient_weight_kg")
    def weight(self, item: WorklistItem) -> str:
        if item.patient_weight_kg is None:
            return format_html('<span class="quiet">{}</span>', _("none"))
        return readable.value("patient_weight_kg", item.patient_weight_kg)

    @admin.display(description=gettext_lazy("to look at"))
    def marks(self, item: WorklistItem) -> str:
        """Return what the list's rows are marked with: open points, and what other apps say."""
        return format_html_join(" ", "{}", ((mark,) for mark in getattr(item, "marks", ())))

    def page_title(self, obj: WorklistItem) -> str:
        return obj.readable_patient_name  # the ID and the day are the first facts below it

    @admin.display(description=gettext_lazy("scanner"), ordering="scheduled_station_aetitle")
    def station(self, item: WorklistItem) -> str:
        return ", ".join(item.stations) or _("any")

    @admin.display(description=gettext_lazy("source"), ordering="data_source")
    def source(self, item: WorklistItem) -> str:
        return item.data_source or _("made by hand")

    @admin.display(description=gettext_lazy("or in pounds"))
    def patient_weight_lb(self, item: WorklistItem) -> str:
        """Return the weight in pounds, for a page on which it cannot be changed."""
        return str(item.patient_weight_lb or "-")

    @admin.display(description=gettext_lazy("answer"))
    def as_the_scanner_sees_it(self, item: WorklistItem) -> str:
        return dataset.shown(previews.as_the_scanner_sees_it(item))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody change the item of an erased participant."""
        is_erased = obj is not None and obj.erased_at is not None
        return not is_erased and super().has_change_permission(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        if not obj.is_qa:  # on nearly every page it would say no
            fieldsets = _without_field("is_qa", fieldsets)
        if not self.has_change_permission(request, obj):
            fieldsets = readable_names.in_place_of(PERSON_NAMES, fieldsets)
        else:
            fieldsets = readable_names.in_place_of(self._frozen_fields(request, obj), fieldsets)
        why = [self.why] if self.has_change_permission(request, obj) else []
        return (*fieldsets, self.as_seen, *why)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return (*fields, *intake.SAID_ONCE, *self._frozen_fields(request, obj)) if obj else fields

    def _frozen_fields(self, request: HttpRequest, item: WorklistItem) -> list[str]:
        """Return what this person may not correct now.

        A field that was sent from a page shown before the examination began stays one of the form: intake
        refuses it by name, where leaving it out would drop the change in silence.
        """
        if self._corrects(request) or not identity.is_frozen(item):
            return []
        return [field for field in IDENTITY if not _was_sent(request, field)]

    def _corrects(self, request: HttpRequest) -> bool:
        return request.user.has_perm("worklist.correct_worklistitem")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.corrects = self._corrects(request)  # a class of this request's own
        return form

    def get_actions(self, request: HttpRequest) -> Any:
        """Leave deletion to an item's own page: items are cancelled, which people can see and undo."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        actor = request.user.get_username()
        if change:
            changed = intake.change(
                obj,
                form.values(),
                actor=actor,
                reason=form.reason_given(),
                seen=form.seen(),
                corrects=form.corrects,
                answer=form.answer_given(),
            )
        else:
            made = intake.create(
                form.values(), actor=actor, reason=form.reason_given(), answer=form.answer_given()
            )
            # The admin goes on with the object that it holds: the log and the redirect need its key.
            vars(obj).update(vars(made))
        self._tell(request, obj, changed if change else None)
        for oddity in oddities.of(form.values()):
            messages.warning(request, oddity)

    def _tell(self, request: HttpRequest, item: WorklistItem, changed: frozenset[str] | None) -> None:
        """Say who was added, or which fields were changed; other apps say what follows from that."""
        if changed is None:
            saving.say_added(request, item)
            return
        saving.say_saved(request, item, changed)
        for saying in getattr(self.admin_site, "source_sayings", ()):
            for sentence in saying(item, changed):
                messages.info(request, sentence)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = {
            "datalists": choices.datalists,  # where the page has a form
            "no_device": oddities.NO_DEVICE,
            "came_from": self.origin(request, object_id),
            **self._about(request, object_id),
        }
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def _about(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        """Return what was done of the item, what is the matter with it, and what other apps know of it."""
        item = self.get_object(request, object_id) if object_id else None
        if item is None:
            return {}
        return {
            "item_actions": self._item_actions(request, item),
            "status_badge": status_badge(item.performed_procedure_step_status),
            "points": item.attention.open().worst_first(),
            **item_head.context_of(request, item, getattr(self.admin_site, "timeline_parts", ())),
            "is_frozen": identity.is_frozen(item),
            "corrects": self._corrects(request),
            "panels": [panel(request, item) for panel in getattr(self.admin_site, "item_panels", ())],
        }

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return quick_add.typed(request) or super().get_changeform_initial_data(request)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Let points of attention go with their item. One that was performed is not deleted at all.

        The words by which it is found go, too, and are nothing to tell anybody of.
        """
        to_delete, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        perms_needed.discard(Attention._meta.verbose_name)
        words = ItemSearchWord._meta
        counts.pop(str(words.verbose_name_plural), None)
        shown = _without(to_delete, f"{capfirst(str(words.verbose_name))}: ")
        return shown, counts, perms_needed, protected

    def _item_actions(self, request: HttpRequest, item: WorklistItem) -> list[tuple[str, Any]]:
        """Return the list's actions that this person may use and that the item's status allows."""
        allowed = lifecycle.TRANSITIONS[item.performed_procedure_step_status]
        offered = [(name, title) for _act, name, title in self.get_actions(request).values()]
        passed_over = set() if moves.may_be_performed(item) else {"mark_performed"}
        return [
            each
            for each in offered
            if GIVEN_BY.get(each[0]) in {None, *allowed} and each[0] not in passed_over
        ]


def _was_sent(request: HttpRequest, field: str) -> bool:
    """Return whether the form that was sent had the field, or those of the name's parts."""
    return field in request.POST or f"{field}_family" in request.POST


def _without_field(name: str, fieldsets: Any) -> Any:
    """Return the fieldsets without a field that has a row of its own."""
    return tuple(
        (title, {**options, "fields": tuple(each for each in options["fields"] if each != name)})
        for title, options in fieldsets
    )


def _without(to_delete: list[Any], beginning: str) -> list[Any]:
    """Return the nested list of what would be deleted without the lines that begin so."""
    return [
        _without(each, beginning) if isinstance(each, list) else each
        for each in to_delete
        if isinstance(each, list) or not str(each).startswith(beginning)
    ]
