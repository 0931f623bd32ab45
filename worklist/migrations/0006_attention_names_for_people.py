"""Points of attention that name a person say the name as people read it, as new ones do.

A point that a person has resolved is not opened again for the same text: so the texts must agree.
"""

import re

from django.db import migrations

from worklist.dicom import name_parts

_DIFFERENCE = re.compile(r"^Name: (.*) in the worklist, (.*) at the scanner\.$", re.MULTILINE)
_AT_ONCE = 1000


def name_for_people(apps, schema_editor):
    points = apps.get_model("worklist", "Attention").objects.using(schema_editor.connection.alias)
    named = points.filter(kind__in=("IDENTITY", "UNSCHEDULED"), text__regex=r"[\^=]").order_by("pk")
    pks = list(named.values_list("pk", flat=True))
    for start in range(0, len(pks), _AT_ONCE):
        some = named.filter(pk__in=pks[start : start + _AT_ONCE]).select_related("step")
        some = list(some.defer("step__dataset"))
        for point in some:
            point.text = _readable(point)
        points.bulk_update(some, ["text"])


def _readable(point):
    if point.kind == "IDENTITY":
        return _DIFFERENCE.sub(_difference, point.text)
    name = point.step.patient_name if point.step else ""
    return point.text.replace(f", for {name}", f", for {name_parts.readable(name)}", 1) if name else point.text


def _difference(match):
    ours, theirs = name_parts.readable_beside(*match.groups())
    return f"Name: {ours} in the worklist, {theirs} at the scanner."


class Migration(migrations.Migration):
    dependencies = [("worklist", "0005_doubtful_ids")]

    operations = [migrations.RunPython(name_for_people, migrations.RunPython.noop)]
