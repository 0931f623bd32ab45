"""A data set may come as JSON already; no table changes, and SQLite would copy both."""

from django.db import migrations, models

import worklist.models.serialised


class Migration(migrations.Migration):
    dependencies = [("worklist", "0017_erased_participants")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    name,
                    "dataset",
                    models.JSONField(
                        encoder=worklist.models.serialised.SerialisedEncoder, verbose_name="data set"
                    ),
                )
                for name in ("performedstep", "historicalperformedstep")
            ]
        )
    ]
