"""An archive has its page in the admin: where it is, how it is asked, and a test of that."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from archives.admin.forms import ArchiveForm
from archives.models import Archive, ArchiveCheck, ArchivedStudy, ArchiveKind
from pylantir_site import elapsed
from worklist.admin.history import ActorHistoryAdmin

SECRETS = frozenset({"user_name", "secret", "forget_secret", "secret_variable", "secret_file", "client_key"})
TEST_SHOWN = 120  # characters, in the list
_WHEN = (
    _lazy("How often"),
    {
        "fields": (
            ("first_after_minutes", "days"),
            ("settled_after_minutes", "missing_after_hours"),
            "tells_stray_studies",
            ("questions_per_minute", "read_timeout"),
        )
    },
)
_NAMED = (None, {"fields": (("name", "enabled"), "stations", "kind", "has_pseudonyms")})
FIELDSETS = {
    ArchiveKind.DICOM: (
        _NAMED,
        (
            _lazy("Where it is"),
            {"fields": (("host", "port"), ("called_ae_title", "calling_ae_title"))},
        ),
        (
            _lazy("DICOM over TLS"),
            {"fields": ("tls", "tls_host_name", "ca_bundle", "client_certificate", "client_key")},
        ),
        _WHEN,
    ),
    ArchiveKind.DICOMWEB: (
        _NAMED,
        (_lazy("Where it is"), {"fields": ("url", "ca_bundle")}),
        (
            _lazy("Who asks"),
            {
                "fields": (
                    *("authentication", "user_name", ("secret", "forget_secret")),
                    *("secret_variable", "secret_file"),
                ),
                "description": _lazy(
                    "A user of the archive's own who may search, and nothing else. The password or token is "
                    "one of three: stored here, in the worker's environment, or in a file."
                ),
            },
        ),
        _WHEN,
    ),
}


@admin.register(Archive)
class ArchiveAdmin(ActorHistoryAdmin):
    list_title = _lazy("Archives")
    form = ArchiveForm
    change_form_template = "admin/archives/archive/change_form.html"
    list_display = ("name", "kind", "place", "enabled", "last_answer", "last_test")
    list_select_related = ("state",)
    search_fields = ("name",)
    show_facets = admin.ShowFacets.NEVER
    actions = None  # each is deleted on its own page, with all that it has answered
    not_in_history = ("secret_variable", "secret_file", "client_key", "user_name")

    @admin.display(description=_lazy("where"))
    def place(self, archive: Archive) -> str:
        if archive.kind == ArchiveKind.DICOMWEB:
            return archive.url
        return f"{archive.called_ae_title} · {archive.host}:{archive.port}"

    @admin.display(description=_lazy("last answer"), ordering="state__answered_at")
    def last_answer(self, archive: Archive) -> str:
        """Say when it answered last, or what is wrong since."""
        state = getattr(archive, "state", None)
        if state is None or not archive.enabled:
            return "-"
        if state.failing_since:
            words = {"time": elapsed.lasting(state.failing_since), "problem": state.problem}
            return _("Fails for %(time)s: %(problem)s") % words
        if state.answered_at is None:
            return "-"
        return f"{elapsed.ago(state.answered_at)}. {state.days_problem}".removesuffix(". ")

    @admin.display(description=_lazy("last test"), ordering="tested_at")
    def last_test(self, archive: Archive) -> str:
        return in_words(archive, most=TEST_SHOWN)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = FIELDSETS[ArchiveKind(kind_of(request, obj))]
        return fieldsets if self._edits(request, obj) else [_for_viewers(each) for each in fieldsets]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "kind") if obj else fields

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().get_changeform_initial_data(request), "kind": kind_of(request, None)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.actor = request.user.get_username()  # a class of this request's own
        return form

    @method_decorator(sensitive_post_parameters("secret"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        archive = kwargs.get("obj")
        context.update(
            kinds=ArchiveKind.choices if archive is None else (),
            chosen_kind=kind_of(request, archive),
            last_test=in_words(archive) if archive else "",
            is_failing=bool(archive and archive.test_problem),
        )
        return super().render_change_form(request, context, *args, **kwargs)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return how much goes with them, by number: an archive has answered of thousands of studies."""
        kinds: tuple[Any, ...] = (ArchivedStudy, ArchiveCheck)
        counts = {
            kind._meta.verbose_name_plural: kind.objects.filter(archive__in=objs).count() for kind in kinds
        }
        return [str(archive) for archive in objs], counts, set(), []

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.test_view)
        return [path("<int:pk>/test/", view, name="archives_archive_test"), *super().get_urls()]

    @method_decorator(require_POST)
    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask the archive as its row says, and nothing else."""
        archive = Archive.objects.filter(pk=pk).first()
        if archive is None:
            raise Http404
        if not self.has_change_permission(request, archive):
            raise PermissionDenied
        from archives.trying import tried  # pynetdicom is for those who press the button

        if problem := tried(archive):
            messages.error(request, problem)
        else:
            messages.success(request, _("%(archive)s answers.") % {"archive": archive})
        return HttpResponseRedirect(reverse("admin:archives_archive_change", args=[pk]))

    def _edits(self, request: HttpRequest, archive: Archive | None) -> bool:
        return self.has_change_permission(request, archive) if archive else self.has_add_permission(request)


def kind_of(request: HttpRequest, archive: Archive | None) -> str:
    """Return the archive's kind, or the one that was chosen for a new one."""
    if archive is not None:
        return archive.kind
    chosen = request.POST.get("kind") or request.GET.get("kind", "")
    return chosen if chosen in ArchiveKind.values else ArchiveKind.DICOM.value


def in_words(archive: Archive, most: int | None = None) -> str:
    """Return when it was tested and what came of it; a long problem is cut in lists."""
    if archive.tested_at is None:
        return _("never")
    ago = elapsed.ago(archive.tested_at)
    if not archive.test_problem:
        return _("%(ago)s: it answered") % {"ago": ago}
    problem = archive.test_problem
    return f"{ago}: {problem if most is None or len(problem) <= most else problem[:most] + '…'}"


def _for_viewers(fieldset: Any) -> Any:
    """Return what may be seen by who may not change it: nothing of secrets, nor where they are kept."""
    name, options = fieldset
    rows = [row if isinstance(row, tuple) else (row,) for row in options["fields"]]
    kept = [tuple(field for field in row if field not in SECRETS) for row in rows]
    return name, {"fields": tuple(row for row in kept if row)}
