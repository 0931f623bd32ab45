"""Synced steps say whether their item was edited here; those that there are, are compared once."""

import datetime
import decimal

from django.db import migrations, models

_AT_ONCE = 1000


def mark(apps, schema_editor):
    steps = apps.get_model("sources", "SyncedStep").objects.using(schema_editor.connection.alias)
    with_item = steps.exclude(item=None).select_related("item").order_by("pk")
    edited = []
    for step in with_item.iterator(chunk_size=_AT_ONCE):
        if any(_value(step.item, name) != value for name, value in step.written.items()):
            edited.append(step.pk)
    for start in range(0, len(edited), _AT_ONCE):
        steps.filter(pk__in=edited[start : start + _AT_ONCE]).update(is_edited=True)


def _value(item, name):
    if name[:1].isupper():
        return item.extra_attributes.get(name, "")
    value = getattr(item, name)
    if value is None:
        return ""
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value) if isinstance(value, decimal.Decimal) else value


class Migration(migrations.Migration):
    dependencies = [("sources", "0008_words_and_what_people_looked_at"), ("worklist", "0010_participants_arrive")]

    operations = [
        migrations.AddField("syncedstep", "is_edited", models.BooleanField(default=False, editable=False)),
        migrations.RunPython(mark, migrations.RunPython.noop),
        migrations.AddIndex(
            "syncedstep",
            models.Index(
                condition=models.Q(("is_edited", True)), fields=["item"], name="synced_step_edited"
            ),
        ),
    ]
