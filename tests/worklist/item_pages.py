"""These helpers lead to the admin's pages of items, and choose an action in their list."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from worklist.models import WorklistItem

LIST = "admin:worklist_worklistitem_changelist"
CHANGE = "admin:worklist_worklistitem_change"


def change_url(item: WorklistItem) -> str:
    return reverse(CHANGE, args=[item.pk])


def act(client: Client, action: str, items: list[WorklistItem], **form: Any) -> Any:
    chosen = {"action": action, "_selected_action": [item.pk for item in items]}
    return client.post(reverse(LIST), {**chosen, **form}, follow=True)
