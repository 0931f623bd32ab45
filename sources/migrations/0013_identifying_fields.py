"""Identifying fields need a yes; what is mapped already has it by the upgrade, for no site may stop pulling."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


def agree_by_upgrade(apps, schema_editor):
    alias = schema_editor.connection.alias
    sources = apps.get_model("sources", "DataSource").objects.using(alias)
    agreements = apps.get_model("sources", "IdentifyingAgreement").objects.using(alias)
    mapped = sources.filter(rules__isnull=False).distinct()
    agreements.bulk_create(
        agreements.model(source=source, uses=None, how="UPGRADE", agreed_by="upgrade") for source in mapped
    )


def keep_marks(apps, schema_editor):
    """Keep what `sources.mapping.identifying.Marks` says of each project, for its page reads no whole one."""
    known = apps.get_model("sources", "KnownDictionary").objects.using(schema_editor.connection.alias)
    for row in known.iterator(chunk_size=1):
        fields = row.content.get("fields") or [{"name": ""}]
        marked = [field for field in fields if field.get("is_identifier")]
        names = {
            name: field["name"]
            for field in marked
            for name in (field["name"], *(field.get("columns") or {}).values())
        }
        marks = {"record_id": fields[0]["name"], "fields": names}
        known.filter(pk=row.pk).update(identifier_marks=marks)


class Migration(migrations.Migration):

    dependencies = [
        ('sources', '0012_what_a_source_names_of_its_machine'),
    ]

    operations = [
        migrations.AddField(
            model_name='datasource',
            name='identity_policy',
            field=models.CharField(choices=[('as_mapped', 'As mapped'), ('pseudonymous', 'Pseudonymous')], default='as_mapped', help_text='A pseudonymous source refuses true names, full birth dates and what else tells who somebody is.', max_length=20, verbose_name='identity'),
        ),
        migrations.AddField(
            model_name='historicaldatasource',
            name='identity_policy',
            field=models.CharField(choices=[('as_mapped', 'As mapped'), ('pseudonymous', 'Pseudonymous')], default='as_mapped', help_text='A pseudonymous source refuses true names, full birth dates and what else tells who somebody is.', max_length=20, verbose_name='identity'),
        ),
        migrations.CreateModel(
            name='IdentifyingAgreement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uses', models.JSONField(blank=True, null=True)),
                ('how', models.CharField(choices=[('PERSON', "On the source's page"), ('IMPORT', 'With a configuration'), ('UPGRADE', 'By the upgrade, to be confirmed')], max_length=10)),
                ('agreed_by', models.CharField(max_length=200)),
                ('agreed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identifying_agreements', to='sources.datasource')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.AddField(
            model_name='knowndictionary',
            name='identifier_marks',
            field=models.JSONField(blank=True, help_text='As sources.mapping.identifying has them.', null=True),
        ),
        migrations.RunPython(keep_marks, migrations.RunPython.noop),
        migrations.RunPython(agree_by_upgrade, migrations.RunPython.noop),
    ]
