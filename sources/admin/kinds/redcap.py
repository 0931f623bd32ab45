"""A source that is a REDCap project has these fields, buttons and words of its own."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sources.admin import writing
from sources.admin.buttons import to_page
from sources.admin.kinds import secret_form
from sources.admin.kinds.fieldsets import APPOINTMENTS, CONSTANTS, EACH_SESSION, GUARDS, NAMING, PRIVACY, WHEN
from sources.admin.kinds.page import Button, Connected, KindPage
from sources.admin.kinds.redcap_form import ACCESS, MEANING, RedcapForm, new_secret
from sources.admin.project_search import event_names
from sources.admin.source_forms import DataSourceForm
from sources.backends.redcap.links import record_link
from sources.contract import SessionKey
from sources.dictionary import Dictionary
from sources.models import DataSource
from sources.secrets import CannotDecrypt
from sources.sync import health


def make_secret(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    source.redcap.set_trigger_secret(new_secret())
    source.save_with_details(request.user.get_username(), reason="New secret for the Data Entry Trigger")
    messages.success(request, _("The URL has a new secret: enter it in REDCap. The old one is refused."))
    return to_page(source)


class RedcapPage(KindPage):
    form = RedcapForm
    described = gettext_lazy("REDCap project")
    about = gettext_lazy("Its records are read by REDCap's API, with a token.")
    fieldsets = (
        (
            gettext_lazy("Connection"),
            {"fields": (("name", "kind"), "enabled", "url", "project_id", "server_timezone")},
        ),
        (
            gettext_lazy("Token"),
            {
                "fields": (
                    *("reads_too", "token", "token_is_kept", "forget_token"),
                    *("token_variable", "token_file"),
                ),
                "description": gettext_lazy(
                    "One of three: stored here, in the worker's environment, or in a file."
                ),
            },
        ),
        WHEN,
        APPOINTMENTS,
        (
            gettext_lazy("Sessions"),
            {
                "fields": (
                    ("session_kind", "session_instrument"),
                    ("session_events", "session_conditions"),
                    "without_time",
                ),
                "description": EACH_SESSION,
            },
        ),
        PRIVACY,
        NAMING,
        CONSTANTS,
        GUARDS,
        (
            gettext_lazy("Advanced"),
            {
                "fields": (
                    "ca_bundle",
                    ("overlap_minutes", "read_timeout"),
                    ("requests_per_minute", "batch_size"),
                ),
                "classes": ("collapse",),
            },
        ),
        (gettext_lazy("Data Entry Trigger"), {"fields": ("trigger_enabled",)}),
        (
            gettext_lazy("Write back"),
            {
                "fields": ("writes_back", "write_token", "forget_write_token", "write_token_variable"),
                "description": gettext_lazy(
                    "The token is another user's: with API Import and API Export, and no other right. "
                    "The rows at the end of the page say what is written."
                ),
            },
        ),
    )
    access = ACCESS
    meaning = MEANING
    hidden_from_viewers = frozenset({"token", "trigger_enabled", "write_token"})
    session_fields = {
        "kind": "session_kind",
        "instrument": "session_instrument",
        "events": "session_events",
    }
    field_label = gettext_lazy("REDCap field")
    value_label = gettext_lazy("In REDCap")
    no_records = gettext_lazy("The project has no record that this token may read.")
    link_label = gettext_lazy("Open in REDCap")
    link_in_cell = gettext_lazy("in REDCap")
    buttons = {
        "new_secret": Button("change_datasource", make_secret),
        "written": Button("pull_datasource", writing.written, only_looks=True),
        "write_again": Button("change_datasource", writing.write_again),
    }
    state_template = "admin/sources/includes/redcap_state.html"

    def state_context(self, source: DataSource) -> dict[str, Any]:
        return writing.writing_of(source)

    def connected(self, source: DataSource) -> Connected:
        has_token, may = source.redcap.has_token, not source.details.names_what_it_may_not()
        why_not = "" if has_token else _("cannot yet: it has no token")
        return Connected(has_token and may, _token(source, may_read=may), why_not)

    def link(
        self, source: DataSource, dictionary: Dictionary, record: str, key: SessionKey, field: str
    ) -> str:
        return record_link(source, dictionary, record, key, field)

    def prepare_form(self, form: Any, request: HttpRequest, source: DataSource | None) -> None:
        secret_form.prepare(form, request)
        if source is not None:
            form.trigger_url = trigger_url(request, source)
            form.event_names = event_names(source)

    def after_form(self, request: HttpRequest, form: DataSourceForm | None) -> None:
        secret_form.after(request, form)


def _token(source: DataSource, *, may_read: bool) -> str:
    """Say how the source comes by its token, which is never shown."""
    project = source.redcap
    if not may_read:
        return _("what it names of this machine may not be read: see below")
    if project.token_cipher:
        return _("done: token stored %(ago)s") % {"ago": health.ago(project.token_set_at)}
    if project.token_variable:
        return _("done: token from the environment")
    if project.token_file:
        return _("done: token from a file")
    return _("enter its token below")


def trigger_url(request: HttpRequest, source: DataSource) -> str:
    """Return the URL for REDCap's project setup; it lets in whoever knows it."""
    if not source.redcap.trigger_cipher:
        return ""
    try:
        secret = source.redcap.trigger_secret()
    except CannotDecrypt:
        return _("It cannot be decrypted: make a new secret.")
    return request.build_absolute_uri(reverse("sources:trigger", args=[source.name, secret]))


PAGE = RedcapPage()
