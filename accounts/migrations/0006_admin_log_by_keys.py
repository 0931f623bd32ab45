"""Entries of the admin's log keep the keys of what was changed, and no text that may name a participant.

The log lies beside the accounts, wherever these are. What was written there cannot be brought back, so the
way back changes nothing.
"""

import json

from django.db import migrations
from django.db.models import CharField, F
from django.db.models.functions import Cast

NO_KEY = "-"
AT_ONCE = 500


def by_keys(apps, schema_editor):
    entries = apps.get_model("admin", "LogEntry").objects.using(schema_editor.connection.alias).order_by("pk")
    of_rows = entries.exclude(object_id=None).exclude(object_id="")
    of_rows.update(object_repr=Cast(F("object_id"), CharField(max_length=200)))
    last = 0
    while some := list(entries.filter(pk__gt=last, change_message__contains='"object"')[:AT_ONCE]):
        for entry in some:
            entry.change_message = without_objects(entry.change_message)
            entry.save(update_fields=["change_message"])
        last = some[-1].pk


def without_objects(message):
    """Return a message of Django's with no text of an object; any other was written by us, and names none."""
    try:
        parts = json.loads(message)
        told = [details for part in parts for details in part.values()]
    except (ValueError, AttributeError, TypeError):
        return message
    for details in told:
        if "object" in details:
            details["object"] = NO_KEY
    return json.dumps(parts)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_audit_events_are_only_added'),
        ('admin', '0003_logentry_add_action_flag_choices'),
    ]

    operations = [migrations.RunPython(by_keys, migrations.RunPython.noop)]
