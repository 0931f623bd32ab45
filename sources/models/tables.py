"""A table says where its file comes from and how it is laid out; what was uploaded is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sources import secrets
from sources.errors import ConfigurationError
from sources.mapping.rules import SessionKind, SessionLayout, WithoutTime
from sources.models.data_sources import DataSource
from sources.models.details import SourceDetails
from sources.table_files import folder, names
from sources.tables.content import TableContent
from sources.tables.layout import DateOrder, TableLayout
from worklist.models.history import actor_history

NO_UPLOAD = "No file was uploaded yet: choose one on the source's page."
LONGEST_HEADER = 200
LONGEST_NAME = 255


class FilePlace(models.TextChoices):
    UPLOAD = "upload", _("A file that is uploaded here")
    FOLDER = "folder", _("A file in a folder, which is watched")


class Encoding(models.TextChoices):
    FOUND = "", _("UTF-8, or UTF-16 with its mark")
    LATIN_1 = "latin-1", _("Latin-1 (ISO 8859-1)")
    WINDOWS = "cp1252", _("Windows-1252")


class Delimiter(models.TextChoices):
    FOUND = "", _("found by itself")
    COMMA = ",", _("comma")
    SEMICOLON = ";", _("semicolon")
    TAB = "\t", _("tab")
    BAR = "|", _("vertical bar")


def validate_file_name(text: str) -> None:
    """Let through what may be asked for in the folder of tables; migrations name it."""
    try:
        names.parts_of(text)
    except names.NameRefused as error:
        raise ValidationError(str(error), code="name") from error


def validate_date_orders(value: object) -> None:
    """Let through a JSON object from headers to DMY, MDY or YMD; migrations name it."""
    orders = set(DateOrder)
    if not isinstance(value, dict) or not set(value.values()) <= orders:
        raise ValidationError(_("An object from headers to DMY, MDY or YMD."), code="orders")


def _header(label: Any, help_text: Any) -> Any:
    return models.CharField(
        label, max_length=LONGEST_HEADER, blank=True, default="", help_text=help_text, editable=False
    )


class TableFile(SourceDetails):
    """A source's file is uploaded, or lies in a folder that the worker watches.

    Columns are named by their headers, and chosen on a page of their own.
    """

    may_slip = True

    source = models.OneToOneField(DataSource, models.CASCADE, related_name="table_file", primary_key=True)
    place = models.CharField(
        _("where the file is"), max_length=10, choices=FilePlace.choices, default=FilePlace.UPLOAD
    )
    file_name = models.CharField(
        _("file in the folder"),
        max_length=LONGEST_NAME,
        blank=True,
        default="",
        validators=[validate_file_name],
        help_text=_(
            "As it stands below SOURCE_TABLES_FOLDER: mri/bookings.xlsx, or mri/bookings_*.csv for the "
            "newest of these."
        ),
    )
    record_column = _header(_("participant's ID"), _("The column that says whose row it is."))
    session_column = _header(
        _("session"), _("The column that tells a participant's rows apart, as a visit's name does.")
    )
    instance_column = _header(_("number of the session"), _("A column with a whole number, for the same."))
    sheet = models.CharField(
        _("sheet"),
        max_length=31,
        blank=True,
        default="",
        help_text=_("Of a workbook; empty is the first."),
        editable=False,
    )
    header_row = models.PositiveIntegerField(
        _("row of the headers"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        editable=False,
    )
    encoding = models.CharField(
        _("encoding"),
        max_length=10,
        choices=Encoding.choices,
        blank=True,
        default=Encoding.FOUND,
        editable=False,
    )
    delimiter = models.CharField(
        _("columns are separated by"),
        max_length=1,
        choices=Delimiter.choices,
        blank=True,
        default=Delimiter.FOUND,
        editable=False,
    )
    date_orders = models.JSONField(
        _("dates typed as text"), default=dict, blank=True, validators=[validate_date_orders], editable=False
    )
    history = actor_history()

    class Meta:
        verbose_name = _("table")
        verbose_name_plural = _("tables")

    def __str__(self) -> str:
        return f"{self.source}: its table"

    def layout(self) -> TableLayout:
        """Return how the file is read, as `sources.tables` takes it."""
        return TableLayout(
            record=self.record_column,
            session=self.session_column,
            instance=self.instance_column,
            sheet=self.sheet,
            header_row=self.header_row,
            encoding=self.encoding,
            delimiter=self.delimiter,
            date_order={header: DateOrder(order) for header, order in self.date_orders.items()},
        )

    def upload(self) -> UploadedTable | None:
        """Return what was uploaded, without its content, or None."""
        return UploadedTable.objects.filter(source=self.source_id).defer("cipher").first()

    def take_layout(self, layout: TableLayout) -> None:
        """Let `layout` return this one. The caller saves."""
        for name in ("sheet", "header_row", "encoding", "delimiter"):
            setattr(self, name, getattr(layout, name))
        for name in ("record", "session", "instance"):
            setattr(self, f"{name}_column", getattr(layout, name))
        self.date_orders = {header: order.value for header, order in layout.date_order.items()}

    def forget_columns(self) -> None:
        """Let a person choose anew, of another file's headers. The caller saves."""
        self.take_layout(TableLayout(encoding=self.encoding, delimiter=self.delimiter))

    def content(self) -> TableContent:
        """Return the whole file as it is now.

        Raises TransientError while it is written or out of reach, else ConfigurationError.
        """
        if self.place == FilePlace.FOLDER:
            found = folder.read(self.file_name)
            return TableContent(found.name, found.content)
        kept = UploadedTable.objects.filter(source=self.source_id).first()
        if kept is None:
            raise ConfigurationError(NO_UPLOAD)
        return kept.content()

    def seen_since(self, fingerprint: str) -> datetime:
        """Return when the fingerprint of content and layout was first met; a new one is kept."""
        met = SeenTable.objects.filter(source=self.source_id, fingerprint=fingerprint).first()
        if met is None:
            now = {"fingerprint": fingerprint, "at": timezone.now()}
            met, _is_new = SeenTable.objects.update_or_create(source_id=self.source_id, defaults=now)
        return met.at

    def session_layout(self, *, conditions: str, without_time: WithoutTime) -> SessionLayout:
        return SessionLayout(kind=SessionKind.ROW, conditions=conditions, without_time=without_time)

    def take_sessions(self, sessions: SessionLayout) -> None:
        """Leave it as it is: whatever is suggested, each row is a session."""

    def access(self) -> tuple[Any, ...]:
        columns = (self.record_column, self.session_column, self.instance_column)
        return (self.source.kind, self.place, self.file_name, self.sheet, self.header_row, *columns)

    def others(self) -> list[DataSource]:
        """Return other sources that read the same file of the folder, or the same pattern."""
        if self.place != FilePlace.FOLDER or not self.file_name:
            return []
        same = DataSource.objects.filter(
            table_file__place=FilePlace.FOLDER, table_file__file_name=self.file_name
        )
        return list(same.exclude(pk=self.source.pk).order_by("name"))

    def wait_at_most(self, seconds: int) -> None:
        """Leave it as it is: a file is read at once."""


class UploadedTable(models.Model):
    """The file that was uploaded last is kept encrypted, and no other: a worker on any host reads it."""

    source = models.OneToOneField(DataSource, models.CASCADE, related_name="uploaded_table", primary_key=True)
    name = models.CharField(max_length=LONGEST_NAME)
    size = models.PositiveIntegerField()  # bytes
    cipher = models.BinaryField()
    uploaded_at = models.DateTimeField(default=timezone.now)
    uploaded_by = models.CharField(max_length=200)

    class Meta:
        verbose_name = _("uploaded table")
        verbose_name_plural = _("uploaded tables")

    def __str__(self) -> str:
        return f"{self.source}: {self.name}"

    @classmethod
    def keep(cls, source: DataSource, given: TableContent, *, by: str) -> None:
        """Keep the file in place of the one before; the history of the source's table says who did it."""
        kept = {
            "name": given.name[-LONGEST_NAME:],
            "size": len(given.data),
            "cipher": secrets.encrypt_bytes(given.data),
            "uploaded_at": timezone.now(),
            "uploaded_by": by,
        }
        with transaction.atomic():
            cls.objects.update_or_create(source=source, defaults=kept)
            TableFile.objects.select_for_update().get(source=source).save_as(
                by, reason=f"A file was uploaded: {kept['name']}"
            )

    def content(self) -> TableContent:
        """Return the file. Raises ConfigurationError where no key decrypts it."""
        try:
            return TableContent(self.name, secrets.decrypt_bytes(bytes(self.cipher)))
        except secrets.CannotDecrypt:
            raise ConfigurationError(
                "The uploaded file cannot be decrypted: FIELD_ENCRYPTION_KEYS lacks its key. "
                "Give that key back, or upload the file again."
            ) from None

    def replace_content(self, data: bytes) -> None:
        """Keep other bytes under the same name, as an erasure leaves them."""
        self.size, self.cipher = len(data), secrets.encrypt_bytes(data)
        self.save(update_fields=["size", "cipher"])


class SeenTable(models.Model):
    """It says which content and layout of a source's file were met last, and since when."""

    source = models.OneToOneField(DataSource, models.CASCADE, related_name="seen_table", primary_key=True)
    fingerprint = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("seen table")
        verbose_name_plural = _("seen tables")

    def __str__(self) -> str:
        return f"{self.source}: {self.at:%Y-%m-%d %H:%M}"
