"""A source that is a Calpendo has these fields, buttons and words of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sources.admin.buttons import page, patient, refused, to_page
from sources.admin.kinds import secret_form
from sources.admin.kinds.calpendo_form import ACCESS, MEANING, CalpendoForm
from sources.admin.kinds.fieldsets import APPOINTMENTS, CONSTANTS, GUARDS, NAMING, PRIVACY, WHEN
from sources.admin.kinds.page import Button, Connected, KindPage
from sources.admin.source_forms import DataSourceForm
from sources.admin.suggestion import take_plan
from sources.backends.calpendo.backend import resources_of
from sources.calpendo import bookings
from sources.calpendo.resources import listed
from sources.contract import SessionKey
from sources.dictionary import Dictionary
from sources.errors import SourceError
from sources.mapping import targets
from sources.mapping.rules import Rule
from sources.models import DataSource
from sources.sync import health

EXPERIMENTAL = gettext_lazy(
    "Experimental: it was tested against a stand-in made from Calpendo's documentation, never against a "
    "Calpendo itself. Look at Test connection and at Preview before you enable it."
)


FIRST_RULES = (
    Rule(targets.START, bookings.START),
    Rule("modality", bookings.MODALITY),
    Rule(targets.STATION, bookings.SCANNER),
    Rule("study_description", bookings.PROJECT),
)


def choose_resources(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Show the resources that Calpendo has, and keep those that are chosen."""
    try:
        known = resources_of(patient(source))
    except SourceError as error:
        return refused(request, source, error)
    if "choose" in request.POST:
        chosen = [name for name in request.POST.getlist("resource") if name in known]
        if not chosen:
            return refused(request, source, _("Choose one resource at least. Nothing was done."))
        source.calpendo.resources = "\n".join(chosen)
        source.save_with_details(request.user.get_username(), reason="Resources chosen")
        model_admin.log_change(request, source, "Chose its resources.")
        messages.success(request, _("The resources are chosen: say under Scanners what each of them is."))
        return to_page(source)
    return page(
        model_admin,
        request,
        source,
        "calpendo_resources",
        _("Resources of %(source)s") % {"source": source},
        known=known,
        chosen=listed(source.calpendo.resources),
    )


def begin_mapping(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Make the rows of what every booking says; who the participant is, no name of a path can tell."""
    if source.rules.exists():
        return refused(request, source, _("There is a mapping already. Nothing was done."))
    take_plan(source, replace(source.plan, rules=FIRST_RULES), actor=request.user.get_username())
    messages.success(
        request,
        _(
            "Rows are made for time, modality, scanner and study. Map patient_id and patient_name, such as "
            "the title with: pattern 1 ^([A-Z0-9]+)"
        ),
    )
    return to_page(source)


class CalpendoPage(KindPage):
    form = CalpendoForm
    described = gettext_lazy("Calpendo (experimental)")
    about = gettext_lazy("Bookings of scanners in a Calpendo: each is an appointment.")
    fieldsets = (
        (
            gettext_lazy("Connection"),
            {
                "fields": (("name", "kind"), "enabled", "url", "time_zone"),
                "description": EXPERIMENTAL,
            },
        ),
        (
            gettext_lazy("User"),
            {
                "fields": (
                    ("user_name", "user_variable"),
                    *("reads_too", "password", "password_is_kept", "forget_password"),
                    *("password_variable", "password_file"),
                ),
                "description": gettext_lazy(
                    "A local user of Calpendo's. Its password is one of three: stored here, in the worker's "
                    "environment, or in a file."
                ),
            },
        ),
        (
            gettext_lazy("Bookings"),
            {
                "fields": ("resources", "scanners", "states", "session_conditions", "without_time"),
                "description": gettext_lazy(
                    "Each booking is one appointment, and becomes one item of the worklist."
                ),
            },
        ),
        WHEN,
        APPOINTMENTS,
        PRIVACY,
        NAMING,
        CONSTANTS,
        GUARDS,
        (
            gettext_lazy("Advanced"),
            {
                "fields": (
                    ("booking_type", "date_literal"),
                    *("further_paths", "ca_bundle"),
                    ("read_timeout", "requests_per_minute"),
                ),
                "classes": ("collapse",),
            },
        ),
    )
    access = ACCESS
    meaning = MEANING
    hidden_from_viewers = frozenset({"password"})
    mapping_fields = ("position", "target", "field", "transforms", "default", "required")
    field_label = gettext_lazy("field of the booking")
    value_label = gettext_lazy("In Calpendo")
    no_records = gettext_lazy("Calpendo has no booking of these resources in these days.")
    link_label = gettext_lazy("Open Calpendo")
    link_in_cell = gettext_lazy("in Calpendo")
    buttons = {
        "choose_resources": Button("change_datasource", choose_resources),
        "begin_mapping": Button("change_datasource", begin_mapping),
    }
    # It goes by names and validations of a form's fields, and would take a booking's ID for a patient's.
    buttons_left_out = frozenset({"suggest"})
    state_template = "admin/sources/includes/calpendo_resources.html"

    def connected(self, source: DataSource) -> Connected:
        site, may = source.calpendo, not source.details.names_what_it_may_not()
        has_all = site.has_user and site.has_password
        why_not = "" if has_all else _("cannot yet: it has no user or password")
        return Connected(has_all and may, _user(source, may_read=may), why_not)

    def mapping_button(self, source: DataSource) -> tuple[str, str]:
        """Return what makes the first rows, until there are some."""
        return ("", "") if source.rules.exists() else ("begin_mapping", _("Begin the mapping"))

    def link(
        self, source: DataSource, dictionary: Dictionary, record: str, key: SessionKey, field: str
    ) -> str:
        """Return Calpendo's own address, for that of one booking's page is not documented."""
        return f"{source.calpendo.url}/"

    def prepare_form(self, form: Any, request: HttpRequest, source: DataSource | None) -> None:
        secret_form.prepare(form, request)

    def after_form(self, request: HttpRequest, form: DataSourceForm | None) -> None:
        secret_form.after(request, form)


def _user(source: DataSource, *, may_read: bool) -> str:
    """Say how the source comes by its password, which is never shown."""
    site = source.calpendo
    if not may_read:
        return _("what it names of this machine may not be read: see below")
    if not site.has_user:
        return _("enter its user below")
    if site.password_cipher:
        return _("done: password stored %(ago)s") % {"ago": health.ago(site.password_set_at)}
    if site.password_variable:
        return _("done: password from the environment")
    if site.password_file:
        return _("done: password from a file")
    return _("enter its password below")


PAGE = CalpendoPage()
