from django.db import migrations


def install(apps, schema_editor):
    from accounts.audit import append_only

    append_only.install(schema_editor.connection)


def remove(apps, schema_editor):
    from accounts.audit import append_only

    append_only.remove(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_requests_become_audit_events'),
    ]

    operations = [
        migrations.RunPython(install, remove),
    ]
