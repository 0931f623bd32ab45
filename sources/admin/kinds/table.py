"""A source that is a table has these fields, buttons and words of its own."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sources.admin.kinds.fieldsets import APPOINTMENTS, CONSTANTS, EACH_SESSION, GUARDS, NAMING, PRIVACY, WHEN
from sources.admin.kinds.page import Button, Connected, KindPage
from sources.admin.kinds.table_columns import lay_out
from sources.admin.kinds.table_form import ACCESS, TableForm
from sources.dictionary import Dictionary
from sources.mapping.rules import SessionLayout
from sources.models import DataSource, TableFile
from sources.models.tables import FilePlace
from sources.sync import health
from sources.tables.described import described
from sources.tables.reading import read_table


class TablePage(KindPage):
    form = TableForm
    described = gettext_lazy("Table")
    about = gettext_lazy(
        "A CSV file or an Excel workbook with a row for each appointment, uploaded or in a watched folder."
    )
    fieldsets = (
        (
            gettext_lazy("File"),
            {
                "fields": (("name", "kind"), "enabled", "place", "upload", "file_name"),
                "description": gettext_lazy("Which column is what is asked next, from the file's headers."),
            },
        ),
        WHEN,
        APPOINTMENTS,
        (
            gettext_lazy("Sessions"),
            {"fields": ("session_conditions", "without_time"), "description": EACH_SESSION},
        ),
        PRIVACY,
        NAMING,
        CONSTANTS,
        GUARDS,
    )
    access = ACCESS
    mapping_fields = ("position", "target", "field", "level", "transforms", "default", "required")
    field_label = gettext_lazy("column")
    value_label = gettext_lazy("In the file")
    no_records = gettext_lazy("The file has no row of a participant.")
    buttons = {"columns": Button("change_datasource", lay_out)}
    state_template = "admin/sources/includes/table_file.html"

    def dictionary_to_suggest(self, source: DataSource, *, fresh: bool) -> Dictionary:
        content = source.table_file.content()
        return described(read_table(content.data, content.name, source.table_file.layout()))

    def only_sessions(self, source: DataSource) -> SessionLayout:
        return source.sessions

    def connected(self, source: DataSource) -> Connected:
        details = source.table_file
        if _lacks_a_file(details):
            return Connected(
                is_connected=False, words=_("give it a file below"), why_not=_("cannot yet: it has no file")
            )
        if not details.record_column:
            return Connected(
                is_connected=False,
                words=_("choose its columns"),
                why_not=_("cannot yet: its columns are not chosen"),
                button="columns",
                label=_("Choose its columns"),
            )
        return Connected(is_connected=True, words=_where_from(details))


def _lacks_a_file(details: TableFile) -> bool:
    if details.place == FilePlace.FOLDER:
        return not details.file_name
    return details.upload() is None


def _where_from(details: TableFile) -> str:
    if details.place == FilePlace.FOLDER:
        return _("done: %(name)s in the watched folder") % {"name": details.file_name}
    kept = details.upload()
    return _("done: uploaded %(ago)s") % {"ago": health.ago(kept.uploaded_at if kept else None)}


PAGE = TablePage()
