"""Somebody asks for a QA scan now: an item by the rule, for this minute."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from worklist.models import QaRule, WorklistItem
from worklist.quality import planning

NOW = "QA scan now."


def scan_now(rule_pk: int, *, actor: str, now: datetime | None = None) -> WorklistItem:
    """Make the item, for the present second, by the site's clock.

    Raises QaRule.DoesNotExist, and ValidationError, whose text says why there is none.
    """
    moment = timezone.localtime(now, timezone.get_default_timezone()).replace(microsecond=0)
    with transaction.atomic():
        rule = QaRule.objects.select_for_update(of=("self",)).select_related("device").get(pk=rule_pk)
        if not (rule.enabled and rule.device.enabled):
            raise ValidationError(_("The rule or its scanner is disabled."))
        return planning.make(rule, moment, day=None, actor=actor, reason=NOW)
