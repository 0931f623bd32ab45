"""A page takes worklist files, shows what each would do, and does just that once a person says so.

Nothing is kept in between: the page itself carries the files, signed, and what was shown of each. Where one
would do something else by then, it is refused, to be looked at again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from worklist.items import file_batches, file_import, worklist_files
from worklist.items.file_import import OUTCOMES, FileImport, GivenFile, ImportedFile
from worklist.items.worklist_files import SUFFIXES
from worklist.models import WorklistItem

MOST_FILES = 200
MOST_BYTES_OF_A_FILE = 2**20
SALT = "worklist.admin.file_uploads"
SECONDS_TO_DECIDE = 3600
TOO_OLD = gettext_lazy(
    "What was shown is more than an hour old, or of another person: choose the files again."
)
TOO_MUCH = gettext_lazy(
    "These are too many bytes for one page: choose fewer files, or use the command import_worklist."
)
COUNTED = {
    "created": ngettext_lazy("%(count)s item created", "%(count)s items created", "count"),
    "updated": ngettext_lazy("%(count)s item updated", "%(count)s items updated", "count"),
    "unchanged": ngettext_lazy("%(count)s item unchanged", "%(count)s items unchanged", "count"),
}


class SeveralFilesInput(forms.FileInput):
    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Return one file, for Django's field judges one; the form has them all."""
        return files.get(name)


class FilesForm(forms.Form):
    chosen = forms.FileField(
        label=gettext_lazy("Worklist files"),
        allow_empty_file=True,  # it is refused by name, and the others are not
        widget=SeveralFilesInput(attrs={"accept": ",".join(sorted(SUFFIXES))}),
        help_text=gettext_lazy(
            "As wlmscpfs and Orthanc keep them, at most %(most)d at once. "
            "You see what each would do before anything is written."
        )
        % {"most": MOST_FILES},
    )

    def clean(self) -> None:
        if len(self.all_chosen) > MOST_FILES:
            text = _("Choose at most %(most)d files at once: nothing was done.")
            self.add_error("chosen", text % {"most": MOST_FILES})

    @property
    def all_chosen(self) -> list[Any]:
        """Return all files, of which the field itself has one."""
        return self.files.getlist("chosen")


@dataclass(frozen=True)
class _Upload:
    name: str
    data: bytes
    expected: str | None = None  # the digest of what was shown

    def given(self) -> GivenFile:
        if len(self.data) > MOST_BYTES_OF_A_FILE:
            text = _("It is larger than %(most)d MB, which is too much for this page.")
            return GivenFile(self.name, self.name, refusal=text % {"most": MOST_BYTES_OF_A_FILE // 2**20})
        return file_import.given(self.name, self.name, partial(worklist_files.parse, self.data))


def import_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    if not (model_admin.has_add_permission(request) and model_admin.has_change_permission(request)):
        raise PermissionDenied
    form = FilesForm()
    context: dict[str, Any] = {}
    if "shown" in request.POST:
        context = _import(request)
    elif request.method == "POST":
        form = FilesForm(request.POST, request.FILES)
        context = _rehearsed(request, form) if form.is_valid() else {}
    common = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts}
    page = {**common, "title": _("Import worklist files"), "form": form, **context}
    return TemplateResponse(request, "admin/worklist/worklistitem/import_files.html", page)


def _rehearsed(request: HttpRequest, form: FilesForm) -> dict[str, Any]:
    uploads = [_upload(file) for file in form.all_chosen]
    imported = file_batches.rehearse(_run(request), (upload.given() for upload in uploads))
    to_do = [
        replace(upload, expected=file.digest())
        for upload, file in zip(uploads, imported, strict=True)
        if file.does_something
    ]
    shown = _signed(request, to_do)
    if len(shown) > (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or len(shown)) * 0.9:
        form.add_error("chosen", TOO_MUCH)
        return {}
    return {**_table(imported), "shown": shown if to_do else ""}


def _import(request: HttpRequest) -> dict[str, Any]:
    try:
        uploads = _unsigned(request)
    except signing.BadSignature:
        messages.error(request, TOO_OLD)
        return {}
    run = _run(request)
    return {
        **_table([run.take(upload.given(), expected=upload.expected) for upload in uploads]),
        "done": True,
    }


def _run(request: HttpRequest) -> FileImport:
    return FileImport(request.user.get_username())


def _upload(file: UploadedFile) -> _Upload:
    return _Upload(str(file.name), file.read(MOST_BYTES_OF_A_FILE + 1))


def _signed(request: HttpRequest, uploads: Iterable[_Upload]) -> str:
    files = [[upload.name, upload.data.decode("latin-1"), upload.expected] for upload in uploads]
    return signing.dumps({"user": request.user.pk, "files": files}, salt=SALT, compress=True)


def _unsigned(request: HttpRequest) -> list[_Upload]:
    """Return the files that this person was shown. Raises BadSignature."""
    sent = signing.loads(request.POST["shown"], salt=SALT, max_age=SECONDS_TO_DECIDE)
    if sent["user"] != request.user.pk:
        raise signing.BadSignature
    return [_Upload(name, text.encode("latin-1"), expected) for name, text, expected in sent["files"]]


def _table(imported: list[ImportedFile]) -> dict[str, Any]:
    counts: Counter[str] = sum((file.outcomes() for file in imported), Counter())
    keys = [step.item.pk for file in imported for step in file.steps]
    refused = sum(bool(file.refusal) for file in imported)
    return {
        "imported": imported,
        "counts": [
            *(str(COUNTED[outcome] % {"count": counts[outcome]}) for outcome in OUTCOMES),
            ngettext("%(count)s file refused", "%(count)s files refused", refused) % {"count": refused},
        ],
        "stored": set(WorklistItem.objects.filter(pk__in=keys).values_list("pk", flat=True)),
    }
