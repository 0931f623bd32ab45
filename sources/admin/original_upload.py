"""A page takes the original's worklist.db and users.db, shows what each row would do, and does just that.

Nothing is kept in between: the page itself carries the rows that were read, encrypted, for they hold
participants and the hashes of passwords. Where they would do something else by then, they are refused.
"""

from __future__ import annotations

import base64
import json
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pylantir_site.environment.originals import USERS_TABLE
from sources import secrets
from sources.original import options as meaning
from sources.original import reading
from sources.original.importing import ChangedSince, OriginalImport
from sources.original.options import Options, Unmarked
from sources.original.reading import OriginalFile, OriginalRefused
from sources.original.reports import OriginalReport, RowOutcome
from worklist.admin.file_uploads import SeveralFilesInput

MOST_BYTES_OF_A_FILE = 32 * 2**20
MOST_ROWS = 500  # a page imports all in one transaction: on SQLite nobody else can write meanwhile
MOST_PEOPLE = 50  # each password takes a quarter of a second to be tried for the original's default
SECONDS_TO_DECIDE = 3600
PURPOSE = "sources.admin.original_upload"
TOO_OLD = gettext_lazy(
    "What was shown is more than an hour old, or of another person: choose the files again."
)
TOO_MUCH = gettext_lazy("This is too much for one page: use the command import_original.")
MAY_HAVE_A_LOG = gettext_lazy(
    "%(name)s is of the kind whose newest rows may stand in a file beside it, %(name)s-wal. "
    "Where there is one and it "
    "is not empty, stop the original, or use the command import_original, which reads both."
)
COLOURS = {
    RowOutcome.ITEM: "created",
    RowOutcome.STEP: "updated",
    RowOutcome.EXAMINED: "updated",
    RowOutcome.ACCOUNT: "created",
    RowOutcome.KNOWN: "unchanged",
    RowOutcome.LEFT: "left-out",
}


class _Meaning(forms.CharField):
    """It reads what codes stand for; what is none is told at the field."""

    def __init__(self, read: Callable[[str], dict[str, str]], **options: Any) -> None:
        super().__init__(required=False, max_length=500, **options)
        self.read = read

    def clean(self, value: Any) -> Any:
        try:
            return self.read(super().clean(value))
        except ValueError as error:
            raise ValidationError(str(error)) from error


class OriginalForm(forms.Form):
    chosen = forms.FileField(
        label=gettext_lazy("Files"),
        allow_empty_file=True,  # it is refused by name
        widget=SeveralFilesInput(),
        help_text=gettext_lazy(
            "worklist.db, users.db, or both. Stop the original first: what it has not written into the "
            "file itself yet stands in a file beside it. You see what each row would do before anything is "
            "written."
        ),
    )
    sex_codes = _Meaning(
        meaning.sex_codes,
        label=gettext_lazy("Sex codes"),
        help_text=gettext_lazy("Where the sex is a code: 1=M, 2=F"),
    )
    modalities = _Meaning(
        meaning.modalities,
        label=gettext_lazy("Modalities"),
        help_text=gettext_lazy(
            "Where a modality is a resource's name: 7T Terra=MR; =MR for rows without one"
        ),
    )
    unmarked = forms.TypedChoiceField(
        label=gettext_lazy("Unmarked"),
        coerce=Unmarked,
        choices=[
            (Unmarked.BY_FILE, gettext_lazy("as the file's version suggests")),
            (Unmarked.PEOPLE, gettext_lazy("people")),
            (Unmarked.SOURCES, gettext_lazy("sources")),
        ],
        help_text=gettext_lazy("Who made scheduled rows that do not say it."),
    )

    def options(self) -> Options:
        return Options(**{name: self.cleaned_data[name] for name in ("sex_codes", "modalities", "unmarked")})


def import_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("sources.add_originaldatabase"):
        raise PermissionDenied
    form = OriginalForm()
    context: dict[str, Any] = {}
    if "shown" in request.POST:
        context = _import(request)
    elif request.method == "POST":
        form = OriginalForm(request.POST, request.FILES)
        context = _rehearsed(request, form) if form.is_valid() else {}
    common = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts}
    page = {**common, "title": _("Import the original's databases"), "form": form, **context}
    return TemplateResponse(request, "admin/sources/originaldatabase/import.html", page)


def _rehearsed(request: HttpRequest, form: OriginalForm) -> dict[str, Any]:
    try:
        files = [file for upload in request.FILES.getlist("chosen") for file in _read(request, upload)]
        _refuse_too_many(files)
        report = OriginalImport(request.user.get_username(), form.options()).rehearse(files)
        shown = _sealed(request, files, form, report) if report.does_something else ""
    except OriginalRefused as refusal:
        form.add_error("chosen", str(refusal))
        return {}
    return {**_table(report), "shown": shown}


def _import(request: HttpRequest) -> dict[str, Any]:
    try:
        files, options, expected = _unsealed(request)
        report = OriginalImport(request.user.get_username(), options).take_as_shown(files, expected)
    except (secrets.CannotDecrypt, ChangedSince) as error:
        messages.error(request, str(error) if isinstance(error, ChangedSince) else str(TOO_OLD))
        return {}
    return {**_table(report), "done": True}


def _read(request: HttpRequest, upload: UploadedFile) -> list[OriginalFile]:
    """Read the file from a folder of its own, which is gone afterwards. Raises OriginalRefused."""
    name = str(upload.name)
    if (upload.size or 0) > MOST_BYTES_OF_A_FILE:
        too_large = _("%(name)s: it is larger than %(most)s MB.")
        told = too_large % {"name": name, "most": MOST_BYTES_OF_A_FILE // 2**20}
        raise OriginalRefused(f"{told} {TOO_MUCH}")
    with tempfile.TemporaryDirectory(prefix="pylantir-upload-") as folder:
        path = Path(folder) / "upload.db"
        with path.open("wb") as kept:
            for chunk in upload.chunks():
                kept.write(chunk)
        files = reading.read(path, name=name)
        if reading.may_have_a_log(path):
            messages.warning(request, MAY_HAVE_A_LOG % {"name": name})
        return files


def _refuse_too_many(files: Sequence[OriginalFile]) -> None:
    people = sum(len(file.rows) for file in files if file.table == USERS_TABLE)
    if people > MOST_PEOPLE or sum(len(file.rows) for file in files) > MOST_ROWS:
        raise OriginalRefused(str(TOO_MUCH))


def _sealed(
    request: HttpRequest, files: Sequence[OriginalFile], form: OriginalForm, report: OriginalReport
) -> str:
    """Return all that the import needs, for this page and this person alone. Raises OriginalRefused."""
    options = form.options()
    kept = {
        "purpose": PURPOSE,
        "user": request.user.pk,
        "at": time.time(),
        "files": [[file.name, file.table, file.rows, sorted(file.lacks)] for file in files],
        "options": [dict(options.sex_codes), dict(options.modalities), options.unmarked],
        "digest": report.digest(),
    }
    packed = base64.b64encode(zlib.compress(json.dumps(kept).encode(), 9)).decode("ascii")
    sealed = secrets.encrypt(packed)
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if most is not None and len(sealed) > most * 0.9:
        raise OriginalRefused(str(TOO_MUCH))
    return sealed


def _unsealed(request: HttpRequest) -> tuple[list[OriginalFile], Options, str]:
    """Return what this person was shown. Raises CannotDecrypt."""
    packed = secrets.decrypt(request.POST["shown"])
    try:
        kept = json.loads(zlib.decompress(base64.b64decode(packed)))
        is_fresh = 0 <= time.time() - kept["at"] <= SECONDS_TO_DECIDE
        if kept["purpose"] != PURPOSE or kept["user"] != request.user.pk or not is_fresh:
            raise secrets.CannotDecrypt
    except (ValueError, zlib.error, KeyError, TypeError) as error:  # another page's secret
        raise secrets.CannotDecrypt from error
    files = [
        OriginalFile(name, table, tuple(rows), frozenset(lacks)) for name, table, rows, lacks in kept["files"]
    ]
    sexes, modalities, unmarked = kept["options"]
    return files, Options(sexes, modalities, Unmarked(unmarked)), str(kept["digest"])


def _table(report: OriginalReport) -> dict[str, Any]:
    return {
        "files": [
            {
                "file": file,
                "counts": list(file.counts.items()),
                "rows": [(row, COLOURS[row.outcome]) for row in file.rows],
            }
            for file in report.files
        ]
    }
