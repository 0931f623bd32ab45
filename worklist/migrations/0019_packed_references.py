"""References to images are packed in what is stored already; no table changes.

A row is read, packed and written by itself, and fifty of them make a transaction: a large report takes
much memory while it is unpacked.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import migrations, models, transaction
from django.db.models.functions import Cast, Length

import worklist.models.serialised
from worklist.dicom import image_references
from worklist.models.serialised import SerialisedObject

MODELS = ("performedstep", "historicalperformedstep")
SHORTEST = 100  # characters of a data set that may have packed references, which take few
AT_ONCE = 50  # rows


def pack(apps: Any, schema_editor: Any) -> None:
    _rewrite(apps, schema_editor, image_references.packed)


def unpack(apps: Any, schema_editor: Any) -> None:
    _rewrite(apps, schema_editor, image_references.unpacked)


def _rewrite(apps: Any, schema_editor: Any, change: Callable[[Any], Any]) -> None:
    alias = schema_editor.connection.alias
    for name in MODELS:
        rows = apps.get_model("worklist", name).objects.using(alias)
        for keys in _keys(rows):
            with transaction.atomic(using=alias):
                for key in keys:
                    dataset = rows.values_list("dataset", flat=True).get(pk=key)
                    rows.filter(pk=key).update(dataset=SerialisedObject(change(dataset)))


def _keys(rows: Any) -> Iterator[list[int]]:
    text = Cast("dataset", models.TextField())
    long = rows.annotate(characters=Length(text)).filter(characters__gte=SHORTEST)
    keys = list(long.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("worklist", "0018_data_sets_that_are_json_already")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    name, "dataset", worklist.models.serialised.PackedDataSetField(verbose_name="data set")
                )
                for name in MODELS
            ]
        ),
        migrations.RunPython(pack, unpack),
    ]
