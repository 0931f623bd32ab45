import itertools

import django.db.models.deletion
from django.db import migrations, models

from worklist.dicom import folding

BATCH = 1000  # rows whose words are written at once
NAMES = ("patient_name",)
OF_ITEMS = (
    "patient_id",
    "accession_number",
    "requested_procedure_id",
    "scheduled_procedure_step_id",
)
OF_STEPS = ("patient_id", "performed_procedure_step_id")


def fill(apps, schema_editor):
    """Give the rows that there are the words by which they are found."""
    for owner, words, ids in (
        ("WorklistItem", "ItemSearchWord", OF_ITEMS),
        ("PerformedStep", "StepSearchWord", OF_STEPS),
    ):
        _fill(schema_editor, apps.get_model("worklist", owner), apps.get_model("worklist", words), ids)


def _fill(schema_editor, owner, words, ids):
    connection = schema_editor.connection
    columns = [words._meta.get_field(name).column for name in ("owner", "word")]
    table = f"{words._meta.db_table} ({', '.join(columns)})"
    rows = owner._default_manager.using(connection.alias).order_by("pk").values_list("pk", *NAMES, *ids)
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        with connection.cursor() as cursor:
            _insert(connection.vendor, cursor, table, itertools.chain.from_iterable(map(_words, batch)))
        last = batch[-1][0]


def _insert(vendor, cursor, table, rows):
    if vendor != "postgresql":
        cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s)", list(rows))
        return
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _words(row):
    pk, *values = row
    found = folding.endings(names=values[: len(NAMES)], ids=values[len(NAMES) :])
    return [(pk, word) for word in sorted(found)]


class Migration(migrations.Migration):

    dependencies = [
        ('worklist', '0006_attention_names_for_people'),
    ]

    operations = [
        migrations.CreateModel(
            name='ItemSearchWord',
            fields=[
                ('word', models.CharField(max_length=64)),
                ('pk', models.CompositePrimaryKey('owner', 'word', blank=True, editable=False, primary_key=True, serialize=False)),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='search_words', to='worklist.worklistitem')),
            ],
            options={
                'indexes': [models.Index(fields=['word', 'owner'], name='item_search', opclasses=['varchar_pattern_ops', 'int8_ops'])],
            },
        ),
        migrations.CreateModel(
            name='StepSearchWord',
            fields=[
                ('word', models.CharField(max_length=64)),
                ('pk', models.CompositePrimaryKey('owner', 'word', blank=True, editable=False, primary_key=True, serialize=False)),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='search_words', to='worklist.performedstep')),
            ],
            options={
                'indexes': [models.Index(fields=['word', 'owner'], name='step_search', opclasses=['varchar_pattern_ops', 'int8_ops'])],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
