"""What is REDCap's own of a source moves into a row beside it, and so does its history, date by date."""

from copy import copy

import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.db import migrations, models
from django.db.migrations.operations.base import Operation, OperationCategory

import sources.validators

COLUMNS = (
    "batch_size",
    "ca_bundle",
    "overlap_minutes",
    "project_id",
    "read_timeout",
    "requests_per_minute",
    "server_timezone",
    "session_events",
    "session_instrument",
    "session_kind",
    "token_file",
    "token_set_at",
    "token_set_by",
    "token_variable",
    "trigger_enabled",
    "url",
)
SECRETS = ("token_cipher", "trigger_cipher")  # of which no history is kept
OF_HISTORY = ("history_date", "history_change_reason", "history_type", "history_user_id")


def copy_to_projects(apps, schema_editor):
    """Let the database copy whole tables, however large: nothing comes here."""
    source, project = _tables(apps, schema_editor, "DataSource", "RedcapProject")
    columns = _names(schema_editor, (*COLUMNS, *SECRETS))
    _run(
        schema_editor,
        f"INSERT INTO {project} (source_id, {', '.join(columns)}) "
        f"SELECT id, {', '.join(columns)} FROM {source} WHERE kind = 'redcap'",
    )
    past, past_project = _tables(apps, schema_editor, "HistoricalDataSource", "HistoricalRedcapProject")
    columns = _names(schema_editor, (*COLUMNS, *OF_HISTORY))
    _run(
        schema_editor,
        f"INSERT INTO {past_project} (source_id, {', '.join(columns)}) "
        f"SELECT id, {', '.join(columns)} FROM {past} WHERE kind = 'redcap' ORDER BY history_id",
    )


def copy_back(apps, schema_editor):
    """Give each source its project's values, and each moment of its history those that held then."""
    source, project = _tables(apps, schema_editor, "DataSource", "RedcapProject")
    _run(
        schema_editor,
        f"UPDATE {source} SET {_values(schema_editor, (*COLUMNS, *SECRETS))} "
        f"FROM {project} AS project WHERE project.source_id = {source}.id",
    )
    past, past_project = _tables(apps, schema_editor, "HistoricalDataSource", "HistoricalRedcapProject")
    _run(
        schema_editor,
        f"UPDATE {past} SET {_values(schema_editor, COLUMNS)} FROM {past_project} AS project "
        f"WHERE project.history_id = (SELECT earlier.history_id FROM {past_project} AS earlier "
        f"WHERE earlier.source_id = {past}.id AND earlier.history_date <= {past}.history_date "
        "ORDER BY earlier.history_date DESC, earlier.history_id DESC LIMIT 1)",
    )


def _tables(apps, schema_editor, *models):
    tables = (apps.get_model("sources", model)._meta.db_table for model in models)
    return [schema_editor.quote_name(table) for table in tables]


def _names(schema_editor, columns):
    return [schema_editor.quote_name(column) for column in columns]


def _values(schema_editor, columns):
    return ", ".join(f"{name} = project.{name}" for name in _names(schema_editor, columns))


def _run(schema_editor, statement):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(statement)


class RemoveFields(Operation):
    """Remove fields of one model, as RemoveField would one by one.

    A state of all models is made for the last of them alone: there are many, and tests migrate often.
    """

    reversible = True
    category = OperationCategory.REMOVAL

    def __init__(self, model_name, names):
        self.model_name, self.names = model_name, names

    def state_forwards(self, app_label, state):
        for name in self.names:
            state.models[app_label, self.model_name].fields.pop(name)
        state.reload_model(app_label, self.model_name, delay=True)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if not self.allow_migrate_model(
            schema_editor.connection.alias, from_state.apps.get_model(app_label, self.model_name)
        ):
            return  # accounts may be in a database of their own, which has no such table
        if not getattr(schema_editor.connection.features, "can_alter_table_drop_column", True):
            self._one_by_one(app_label, schema_editor, from_state)
            return
        model = from_state.apps.get_model(app_label, self.model_name)
        for name in self.names:
            schema_editor.remove_field(model, model._meta.get_field(name))

    def _one_by_one(self, app_label, schema_editor, state):
        """SQLite before 3.35 makes a new table of the fields that are left, each time."""
        for name in self.names:
            operation, before = migrations.RemoveField(self.model_name, name), state.clone()
            state = state.clone()
            operation.state_forwards(app_label, state)
            operation.database_forwards(app_label, schema_editor, before, state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Add the columns again; those that must have a value are empty until `copy_back`."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        for name in self.names:
            field = copy(model._meta.get_field(name))
            if not field.null and not field.has_default():
                field.default = ""
            _add(schema_editor, model, field)

    def describe(self):
        return f"Remove {len(self.names)} fields from {self.model_name}"


def _add(schema_editor, model, field):
    """Add a column; Django would make the whole table anew for each on SQLite, which need not be."""
    if schema_editor.connection.vendor != "sqlite":
        schema_editor.add_field(model, field)
        return
    of_database = field.db_parameters(connection=schema_editor.connection)
    default = schema_editor.quote_value(schema_editor.effective_default(field))
    rule = "NULL" if field.null else f"NOT NULL DEFAULT {default}"
    check = f" CHECK ({of_database['check']})" if of_database["check"] else ""
    table, column = map(schema_editor.quote_name, (model._meta.db_table, field.column))
    schema_editor.execute(f"ALTER TABLE {table} ADD COLUMN {column} {of_database['type']} {rule}{check}")


class Migration(migrations.Migration):
    dependencies = [
        ("sources", "0013_identifying_fields"),
    ]

    operations = [
        migrations.CreateModel(
            name="RedcapProject",
            fields=[
                (
                    "ca_bundle",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The path of the certificates to trust, where the institution has its own: below the folder that SOURCE_FILES_FOLDER names.",
                        max_length=500,
                        validators=[sources.validators.existing_file],
                        verbose_name="CA bundle",
                    ),
                ),
                (
                    "read_timeout",
                    models.PositiveIntegerField(
                        default=120,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(240),
                        ],
                        verbose_name="time-out (seconds)",
                    ),
                ),
                (
                    "source",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="redcap",
                        serialize=False,
                        to="sources.datasource",
                    ),
                ),
                (
                    "url",
                    models.CharField(
                        help_text="https://redcap.example.org/api/",
                        max_length=500,
                        validators=[sources.validators.api_url],
                        verbose_name="API URL",
                    ),
                ),
                ("token_cipher", models.TextField(blank=True, default="", editable=False)),
                ("token_set_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("token_set_by", models.CharField(blank=True, default="", editable=False, max_length=200)),
                (
                    "token_variable",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The name of the environment variable that holds the token, instead of storing it: it begins with REDCAP_ or PYLANTIR_TOKEN_, unless SOURCE_TOKEN_VARIABLES says otherwise.",
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z_][A-Za-z0-9_]*$", "The name of an environment variable."
                            ),
                            sources.validators.token_variable,
                        ],
                        verbose_name="token from the environment",
                    ),
                ),
                (
                    "token_file",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The path of a file that holds the token, instead of storing it: below the folder that SOURCE_FILES_FOLDER names.",
                        max_length=500,
                        validators=[sources.validators.token_file],
                        verbose_name="token from a file",
                    ),
                ),
                (
                    "project_id",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="The project that the token must open: guards against another project's token.",
                        null=True,
                        verbose_name="project ID",
                    ),
                ),
                (
                    "server_timezone",
                    models.CharField(
                        help_text="Of REDCap's own clock, such as America/Edmonton. Test connection tells its offset.",
                        max_length=64,
                        validators=[sources.validators.time_zone],
                        verbose_name="server's time zone",
                    ),
                ),
                (
                    "overlap_minutes",
                    models.PositiveIntegerField(
                        default=60,
                        help_text="How far each pull looks back before the last one, for clocks that differ.",
                        validators=[
                            django.core.validators.MinValueValidator(10),
                            django.core.validators.MaxValueValidator(10080),
                        ],
                        verbose_name="overlap (minutes)",
                    ),
                ),
                (
                    "requests_per_minute",
                    models.PositiveIntegerField(
                        default=300,
                        help_text="REDCap bans addresses that ask more than 600 times a minute, unless set otherwise.",
                        validators=[
                            django.core.validators.MinValueValidator(6),
                            django.core.validators.MaxValueValidator(6000),
                        ],
                        verbose_name="requests per minute",
                    ),
                ),
                (
                    "batch_size",
                    models.PositiveIntegerField(
                        default=100,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5000),
                        ],
                        verbose_name="records at once",
                    ),
                ),
                (
                    "session_kind",
                    models.CharField(
                        choices=[
                            ("repeating_instrument", "Repeating instrument"),
                            ("repeating_event", "Repeating event"),
                            ("event", "Event"),
                            ("record", "Record"),
                        ],
                        default="repeating_instrument",
                        max_length=30,
                        verbose_name="a session is",
                    ),
                ),
                (
                    "session_instrument",
                    models.CharField(blank=True, default="", max_length=100, verbose_name="instrument"),
                ),
                (
                    "session_events",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Unique event names, one a line; empty is all that can hold one.",
                        verbose_name="events",
                    ),
                ),
                (
                    "trigger_enabled",
                    models.BooleanField(
                        default=False,
                        help_text="REDCap tells at once which record was saved.",
                        verbose_name="accept Data Entry Triggers",
                    ),
                ),
                ("trigger_cipher", models.TextField(blank=True, default="", editable=False)),
            ],
            options={
                "verbose_name": "REDCap project",
                "verbose_name_plural": "REDCap projects",
            },
        ),
        migrations.CreateModel(
            name="HistoricalRedcapProject",
            fields=[
                (
                    "ca_bundle",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The path of the certificates to trust, where the institution has its own: below the folder that SOURCE_FILES_FOLDER names.",
                        max_length=500,
                        validators=[sources.validators.existing_file],
                        verbose_name="CA bundle",
                    ),
                ),
                (
                    "read_timeout",
                    models.PositiveIntegerField(
                        default=120,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(240),
                        ],
                        verbose_name="time-out (seconds)",
                    ),
                ),
                (
                    "url",
                    models.CharField(
                        help_text="https://redcap.example.org/api/",
                        max_length=500,
                        validators=[sources.validators.api_url],
                        verbose_name="API URL",
                    ),
                ),
                ("token_set_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("token_set_by", models.CharField(blank=True, default="", editable=False, max_length=200)),
                (
                    "token_variable",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The name of the environment variable that holds the token, instead of storing it: it begins with REDCAP_ or PYLANTIR_TOKEN_, unless SOURCE_TOKEN_VARIABLES says otherwise.",
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z_][A-Za-z0-9_]*$", "The name of an environment variable."
                            ),
                            sources.validators.token_variable,
                        ],
                        verbose_name="token from the environment",
                    ),
                ),
                (
                    "token_file",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The path of a file that holds the token, instead of storing it: below the folder that SOURCE_FILES_FOLDER names.",
                        max_length=500,
                        validators=[sources.validators.token_file],
                        verbose_name="token from a file",
                    ),
                ),
                (
                    "project_id",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="The project that the token must open: guards against another project's token.",
                        null=True,
                        verbose_name="project ID",
                    ),
                ),
                (
                    "server_timezone",
                    models.CharField(
                        help_text="Of REDCap's own clock, such as America/Edmonton. Test connection tells its offset.",
                        max_length=64,
                        validators=[sources.validators.time_zone],
                        verbose_name="server's time zone",
                    ),
                ),
                (
                    "overlap_minutes",
                    models.PositiveIntegerField(
                        default=60,
                        help_text="How far each pull looks back before the last one, for clocks that differ.",
                        validators=[
                            django.core.validators.MinValueValidator(10),
                            django.core.validators.MaxValueValidator(10080),
                        ],
                        verbose_name="overlap (minutes)",
                    ),
                ),
                (
                    "requests_per_minute",
                    models.PositiveIntegerField(
                        default=300,
                        help_text="REDCap bans addresses that ask more than 600 times a minute, unless set otherwise.",
                        validators=[
                            django.core.validators.MinValueValidator(6),
                            django.core.validators.MaxValueValidator(6000),
                        ],
                        verbose_name="requests per minute",
                    ),
                ),
                (
                    "batch_size",
                    models.PositiveIntegerField(
                        default=100,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5000),
                        ],
                        verbose_name="records at once",
                    ),
                ),
                (
                    "session_kind",
                    models.CharField(
                        choices=[
                            ("repeating_instrument", "Repeating instrument"),
                            ("repeating_event", "Repeating event"),
                            ("event", "Event"),
                            ("record", "Record"),
                        ],
                        default="repeating_instrument",
                        max_length=30,
                        verbose_name="a session is",
                    ),
                ),
                (
                    "session_instrument",
                    models.CharField(blank=True, default="", max_length=100, verbose_name="instrument"),
                ),
                (
                    "session_events",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Unique event names, one a line; empty is all that can hold one.",
                        verbose_name="events",
                    ),
                ),
                (
                    "trigger_enabled",
                    models.BooleanField(
                        default=False,
                        help_text="REDCap tells at once which record was saved.",
                        verbose_name="accept Data Entry Triggers",
                    ),
                ),
                ("history_user_id", models.CharField(max_length=200, null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="sources.datasource",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical REDCap project",
                "verbose_name_plural": "historical REDCap projects",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.RunPython(copy_to_projects, copy_back, elidable=False),
        RemoveFields("datasource", (*COLUMNS, *SECRETS)),
        RemoveFields("historicaldatasource", COLUMNS),
        migrations.AlterField(
            model_name="historicalmappingrule",
            name="field",
            field=models.CharField(blank=True, default="", max_length=100, verbose_name="field"),
        ),
        migrations.AlterField(
            model_name="mappingrule",
            name="field",
            field=models.CharField(blank=True, default="", max_length=100, verbose_name="field"),
        ),
        migrations.AlterField(
            model_name="syncissue",
            name="field",
            field=models.CharField(blank=True, default="", max_length=100, verbose_name="field"),
        ),
    ]
