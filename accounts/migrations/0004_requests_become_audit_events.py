import django.utils.timezone
from django.db import migrations, models

KINDS = [
    ('REQUEST', 'Request to the API'), ('PAGE', 'Page of the admin'), ('DOWNLOAD', 'Download'),
    ('EXPORT', 'Export by a command'), ('SIGN_IN', 'Sign-in'), ('SIGN_IN_FAILED', 'Failed sign-in'),
    ('HELD_UP', 'Sign-in held up'), ('UNLOCKED', 'Sign-in unlocked'), ('SIGN_OUT', 'Sign-out'),
    ('ACCOUNT_MADE', 'Account made'), ('ACCOUNT_CLOSED', 'Account closed'),
    ('ACCOUNT_OPENED', 'Account opened'), ('ACCOUNT_DELETED', 'Account deleted'),
    ('PASSWORD', 'Password changed'), ('ROLE', 'Role changed'), ('PRUNED', 'Old events deleted'),
]


STEP = '/performed-steps/<str:sop_instance_uid>'


def without_uids(apps, schema_editor):
    events = apps.get_model('accounts', 'AuditEvent').objects.using(schema_editor.connection.alias)
    events.filter(path__startswith='/performed-steps/').exclude(path='/performed-steps/').update(path=STEP)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_roles_are_called_what_people_are'),
    ]

    operations = [
        migrations.RenameModel(old_name='ApiRequest', new_name='AuditEvent'),
        migrations.AlterModelOptions(
            name='auditevent',
            options={'ordering': ['-at', '-pk'], 'verbose_name': 'audit event', 'verbose_name_plural': 'audit events'},
        ),
        migrations.RenameIndex(model_name='auditevent', new_name='events_of_a_user', old_name='requests_of_a_user'),
        migrations.AddField(
            model_name='auditevent',
            name='kind',
            field=models.CharField(choices=KINDS, default='REQUEST', max_length=16, verbose_name='kind'),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='subject',
            field=models.CharField(blank=True, default='', help_text='The account that it was about, where that is another than who did it.', max_length=150, verbose_name='account'),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='detail',
            field=models.CharField(blank=True, default='', max_length=200, verbose_name='detail'),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='up_to',
            field=models.BigIntegerField(blank=True, help_text='The key of the last event that retention deleted.', null=True, verbose_name='up to'),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='previous',
            field=models.CharField(blank=True, default='', max_length=64, verbose_name='digest before'),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='digest',
            field=models.CharField(blank=True, default='', max_length=64, verbose_name='digest'),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='username',
            field=models.CharField(blank=True, default='', help_text='Empty where nobody was signed in, or a command did it.', max_length=150, verbose_name='user name'),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='address',
            field=models.CharField(blank=True, default='', max_length=64, verbose_name='address'),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='method',
            field=models.CharField(blank=True, default='', max_length=10, verbose_name='method'),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='path',
            field=models.CharField(blank=True, default='', help_text='The path of an endpoint or the name of a page, without what was asked for.', max_length=300, verbose_name='page or endpoint'),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='status',
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='status'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['kind', '-at'], name='events_of_a_kind'),
        ),
        migrations.CreateModel(
            name='KnownAddress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('username_digest', models.CharField(max_length=64)),
                ('address', models.CharField(max_length=64)),
                ('at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('username_digest', 'address'), name='known_address_once')],
            },
        ),
        migrations.AddField(
            model_name='signinfailure',
            name='browser',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
        migrations.AddField(
            model_name='signinfailure',
            name='is_strange',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='user',
            name='must_change_password',
            field=models.BooleanField(default=False, editable=False, help_text='Nothing else is shown to the person until then.', verbose_name='must change the password'),
        ),
        migrations.RunPython(without_uids, migrations.RunPython.noop),
    ]
