from django.db import migrations
from django.db.models import Count, Q

from worklist.dicom.patient_id import alphanumeric
from worklist.dicom.person_name import is_spelling

FOR_NOBODY = "CANCELLED"
BATCH = 1000


def fill_alphanumeric(apps, schema_editor):
    """Fill the column by plain statements: a CASE of a thousand items costs many times as much."""
    items = apps.get_model("worklist", "WorklistItem").objects.order_by("pk").values_list("patient_id", "pk")
    update = "UPDATE worklist_worklistitem SET patient_id_alphanumeric = %s WHERE id = %s"
    last = 0
    with schema_editor.connection.cursor() as cursor:
        while batch := list(items.filter(pk__gt=last)[:BATCH]):
            cursor.executemany(update, [(alphanumeric(patient_id), pk) for patient_id, pk in batch])
            last = batch[-1][1]


def open_points(apps, schema_editor):
    """Tell people of the doubtful pairs that were let in: such an item is not refused, but looked at."""
    Item, Attention = apps.get_model("worklist", "WorklistItem"), apps.get_model("worklist", "Attention")
    items = Item.objects.exclude(performed_procedure_step_status=FOR_NOBODY).order_by("-pk")
    points = [*_of_two_people(items, Attention), *_of_similar_ids(items, Attention)]
    Attention.objects.bulk_create(points, batch_size=BATCH)


def _of_two_people(items, Attention):
    written = {field: Count(field, distinct=True) for field in ("patient_name", "patient_birth_date", "patient_sex")}
    counts = items.order_by().values("patient_id").annotate(
        **{f"{field}s": count for field, count in written.items()}
    )
    several = counts.filter(Q(patient_names__gt=1) | Q(patient_birth_dates__gt=1) | Q(patient_sexs__gt=1))
    for patient_id in several.values_list("patient_id", flat=True):
        for item in _to_look_at(items.filter(patient_id=patient_id)):
            others = items.filter(patient_id=patient_id).exclude(pk=item.pk)
            others = [other for other in others if list(_differing(item, other))]
            if others:
                differing = dict.fromkeys(word for other in others for word in _differing(item, other))
                named = ", ".join(str(other.pk) for other in others[:20])
                verb = f"Items {named} carry" if len(others) > 1 else f"Item {named} carries"
                text = f"{verb} this patient ID with another {' and '.join(differing)}."
                yield Attention(kind="SHARED_ID", item=item, text=text)


def _of_similar_ids(items, Attention):
    counts = items.order_by().exclude(patient_id_alphanumeric="").values("patient_id_alphanumeric")
    several = counts.annotate(ids=Count("patient_id", distinct=True)).filter(ids__gt=1)
    for letters in several.values_list("patient_id_alphanumeric", flat=True):
        alike = items.filter(patient_id_alphanumeric=letters)
        item = alike.first()
        written = dict.fromkeys(alike.exclude(patient_id=item.patient_id).values_list("patient_id", flat=True)[:20])
        text = f"{item.patient_id} here, {', '.join(written)} elsewhere: tools make one subject of them."
        yield Attention(kind="SIMILAR_ID", item=item, text=text)


def _to_look_at(items):
    """Return the items that a scanner may still be offered; where there is none, the newest."""
    offered = items.exclude(performed_procedure_step_status="COMPLETED")
    return list(offered) or list(items[:1])


def _differing(item, other):
    if not is_spelling(item.patient_name, other.patient_name):
        yield "name"
    for field, word in (("patient_birth_date", "birth date"), ("patient_sex", "sex")):
        here, there = getattr(item, field), getattr(other, field)
        if here and there and here != there:
            yield word


class Migration(migrations.Migration):

    dependencies = [
        ('worklist', '0004_confirmed_people'),
    ]

    operations = [
        migrations.RunPython(fill_alphanumeric, migrations.RunPython.noop),
        migrations.RunPython(open_points, migrations.RunPython.noop),
    ]
