import django.db.models.deletion
from django.db import migrations, models

from sources.mapping import field_search
from sources.redcap.dictionary import Dictionary


def move(apps, schema_editor):
    """Give what was known of each project a row of its own, with the lines by which its fields are found."""
    alias = schema_editor.connection.alias
    known = apps.get_model("sources", "KnownDictionary")._default_manager.using(alias)
    states = apps.get_model("sources", "SourceState")._default_manager.using(alias)
    for state in states.exclude(dictionary=None).exclude(dictionary_at=None).iterator(chunk_size=1):
        dictionary = Dictionary.from_json(state.dictionary["dictionary"])
        known.create(
            source_id=state.source_id,
            access=state.dictionary["access"],
            read_at=state.dictionary_at,
            content=state.dictionary["dictionary"],
            event_names=[event.name for event in dictionary.events],
            field_lines=field_search.field_lines(dictionary),
            instrument_lines=field_search.instrument_lines(dictionary),
        )


class Migration(migrations.Migration):

    dependencies = [
        ('sources', '0005_what_came_from_the_original'),
    ]

    operations = [
        migrations.CreateModel(
            name='KnownDictionary',
            fields=[
                ('source', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='known_dictionary', serialize=False, to='sources.datasource')),
                ('access', models.CharField(blank=True, default='', max_length=64)),
                ('read_at', models.DateTimeField()),
                ('content', models.JSONField()),
                ('event_names', models.JSONField(default=list)),
                ('field_lines', models.TextField(default='', help_text='As sources.mapping.field_search reads them.')),
                ('instrument_lines', models.TextField(default='')),
            ],
            options={
                'verbose_name_plural': 'known dictionaries',
            },
        ),
        migrations.RunPython(move, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField(
            model_name='sourcestate',
            name='dictionary',
        ),
        migrations.RemoveField(
            model_name='sourcestate',
            name='dictionary_at',
        ),
    ]
