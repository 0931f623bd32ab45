"""A source's page says which identifying fields its mapping brings into the worklist, and takes a yes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sources import tasks
from sources.admin.buttons import refused, to_page
from sources.contract import IdentifyingUse
from sources.mapping import identifying
from sources.mapping.identifying import Marks
from sources.models import DataSource, HowAgreed, IdentifyingAgreement, KnownDictionary
from sources.models.identifying import agree, latest, not_covered
from sources.sync import claims

OTHERS_BY_NOW = gettext_lazy("These are other fields than were shown: look again. Nothing was done.")


@dataclass(frozen=True)
class IdentifyingFields:
    """`missing` is what nobody has agreed to; `agreement` may be one that a person has to confirm."""

    uses: frozenset[IdentifyingUse]
    missing: frozenset[IdentifyingUse]
    agreement: IdentifyingAgreement | None

    @property
    def in_words(self) -> str:
        return identifying.in_words(self.uses)

    @property
    def missing_in_words(self) -> str:
        return identifying.in_words(self.missing)

    @property
    def waits_for_a_person(self) -> bool:
        is_confirmed = self.agreement is not None and self.agreement.is_of_a_person
        return bool(self.missing) or (bool(self.uses) and not is_confirmed)

    @property
    def seen(self) -> str:
        """Return what tells these uses from others."""
        return hashlib.sha256(repr(sorted(self.uses)).encode()).hexdigest()


def of_source(source: DataSource) -> IdentifyingFields:
    """Return them by the project as it was last read; none while it is not known."""
    kept = KnownDictionary.objects.filter(source=source).values_list("identifier_marks", flat=True).first()
    uses = identifying.uses(source.plan, Marks(**(kept or {"record_id": "", "fields": {}})))
    agreement = latest(source)
    return IdentifyingFields(uses, not_covered(agreement, uses), agreement)


def agree_to_identifying(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Keep an administrator's yes to the fields that the page has shown, and to no others."""
    found = of_source(source)
    if not constant_time_compare(request.POST.get("seen", ""), found.seen):
        return refused(request, source, OTHERS_BY_NOW)
    actor = request.user.get_username()
    agree(source, found.uses, how=HowAgreed.PERSON, by=actor)
    model_admin.log_change(request, source, f"Agreed to identifying fields: {found.in_words}.")
    messages.success(request, _("It is kept that you agreed: %(fields)s.") % {"fields": found.in_words})
    if found.missing and source.enabled:
        claims.request_pull(source, by=actor, full=True)
        tasks.look_now()
    return to_page(source)
