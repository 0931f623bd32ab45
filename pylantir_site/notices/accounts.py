"""A subscription keeps its owner's name, and follows what becomes of the account."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, pre_save

from accounts.models import User
from pylantir_site.notices.models import Subscription


def follow() -> None:
    """Have subscriptions go with a deleted account, and keep to a renamed one.

    Else whoever is given the name next would get the notices.
    """
    post_delete.connect(_delete, sender=User, dispatch_uid="notices_of_a_deleted_account")
    pre_save.connect(_rename, sender=User, dispatch_uid="notices_of_a_renamed_account")


def _delete(instance: User, **kwargs: Any) -> None:
    Subscription.objects.filter(username=instance.username).delete()


def _rename(instance: User, update_fields: Any = None, **kwargs: Any) -> None:
    if instance.pk is None or (update_fields is not None and "username" not in update_fields):
        return
    before = User.objects.filter(pk=instance.pk).values_list("username", flat=True).first()
    if before is not None and before != instance.username:
        Subscription.objects.filter(username=before).update(username=instance.username)
