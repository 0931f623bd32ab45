"""The form of a table takes a file, which is read first, or names one in the watched folder."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sources.admin.source_forms import DataSourceForm, field_of
from sources.errors import ConfigurationError
from sources.models import TableFile, UploadedTable
from sources.models.tables import FilePlace
from sources.sync import claims
from sources.table_files import steady
from sources.tables.content import TableContent
from sources.tables.reading import read_head, read_table

SUFFIXES = ".csv,.tsv,.txt,.xlsx"
ACCESS = frozenset({"place", "file_name"})
CHOOSE = gettext_lazy("Choose the file, or say that it lies in the watched folder.")
NAME_IT = gettext_lazy("Name the file in the folder, such as mri/bookings.xlsx.")
LEFT_AS_IT_WAS = gettext_lazy("Nothing was kept of this file, and what was there stays: %(why)s")
OTHER_COLUMNS = gettext_lazy(
    "%(why)s Where the columns are others now, disable the source first: then the file is taken, and its "
    "columns are chosen anew."
)


class TableForm(DataSourceForm):
    details_model = TableFile

    place = field_of(TableFile, "place", widget=forms.RadioSelect)
    upload = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        allow_empty_file=True,  # it is refused in our own words
        widget=forms.FileInput(attrs={"accept": SUFFIXES}),
        help_text=gettext_lazy("CSV or Excel (.xlsx). It is read before anything is kept of it."),
    )
    file_name = field_of(TableFile, "file_name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table: TableFile = self.instance.table_file
        self.given: TableContent | None = None
        self.kept = self.table.upload() if self.instance.pk else None
        if self.kept is not None:
            now = _("Now it is %(name)s. Another one replaces it, once it was read.")
            self.tell("upload", now % {"name": self.kept.name})

    def clean_upload(self) -> Any:
        """Read the file as a pull would, before anything is kept of it."""
        upload: UploadedFile | None = self.cleaned_data.get("upload")
        if upload is None:
            return None
        try:
            self.given = read_upload(upload)
            self._check(self.given)
        except ConfigurationError as error:
            raise ValidationError(LEFT_AS_IT_WAS % {"why": str(error)}) from error
        return upload

    def _check(self, given: TableContent) -> None:
        """Raise ConfigurationError where it cannot be read, or lacks columns that a pull needs."""
        layout = self.table.layout()
        if not layout.record:
            read_head(given.data, given.name, layout)
            return
        try:
            read_table(given.data, given.name, layout)
        except ConfigurationError as error:
            if self.instance.enabled:
                raise ConfigurationError(OTHER_COLUMNS % {"why": str(error)}) from None
            read_head(given.data, given.name, type(layout)())
            self.table.forget_columns()

    def clean(self) -> dict[str, Any]:
        super().clean()
        place = self.cleaned_data.get("place")
        has_file = self.given is not None or self.kept is not None
        if place == FilePlace.UPLOAD and not has_file and "upload" not in self.errors:
            self.add_error("upload", CHOOSE)
        if (
            place == FilePlace.FOLDER
            and not self.cleaned_data.get("file_name")
            and "file_name" not in self.errors
        ):
            self.add_error("file_name", NAME_IT)
        if place == FilePlace.FOLDER and self.given is not None:
            self.add_error("upload", _("Leave this empty: the file in the folder is read."))
        return self.cleaned_data

    def _save_m2m(self) -> None:
        """Keep the file once its source is stored, in the same transaction."""
        super()._save_m2m()  # type: ignore[misc]
        if self.table.place == FilePlace.FOLDER:
            UploadedTable.objects.filter(source=self.instance).delete()
        elif self.given is not None:
            UploadedTable.keep(self.instance, self.given, by=self.actor)
            if self.instance.enabled:
                claims.request_pull(self.instance, by=self.actor, full=False)


def read_upload(upload: UploadedFile) -> TableContent:
    """Return what was sent, no more than a table may have. Raises ConfigurationError."""
    name, most = str(upload.name), settings.SOURCE_TABLE_MEGABYTES
    data = upload.read(most * steady.MEGABYTE + 1)
    if len(data) > most * steady.MEGABYTE:
        raise steady.too_large(name, most)
    if not data:
        raise ConfigurationError(f"{name} is empty.")
    return TableContent(name, data)
