"""A list of items becomes a BIDS data set as a .zip, of those that were performed."""

from __future__ import annotations

import tempfile
from typing import Any

from django.forms import Form
from django.http import FileResponse, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.audit import pages
from accounts.audit.events import MOST_ROWS
from worklist.bids import folder
from worklist.bids.making import data_set
from worklist.bids.visits import BidsRefused
from worklist.exporting import reading
from worklist.exporting.telling import Telling

NAME = "bids"
CHOICE = (
    NAME,
    gettext_lazy("BIDS, zipped: participants and the sessions that were performed, never a name"),
)
IN_MEMORY = 2**20  # bytes, and the rest on disk


def answer(request: HttpRequest, form: Form, rows: Any, telling: Telling) -> FileResponse | None:
    """Answer the data set, or None where the form then says what keeps it from being made."""
    try:
        data = data_set(rows, telling)
    except BidsRefused as refused:
        form.add_error("form", list(refused.problems))
        pages.show(request, reading.keys(rows)[:MOST_ROWS])  # problems name patient IDs
        return None
    how = "-pseudonymous" if telling.pseudonyms else ""
    name = f"bids{how}-{timezone.localdate():%Y-%m-%d}"
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the answer closes it
    folder.write_zip(data.files, file, folder=name)
    file.seek(0)
    said = f"participants: {len(data.participants)}, sessions: {len(data.sessions)}"
    labels = "labels of patient IDs" if telling.pseudonyms is None else telling.in_words
    pages.show(request, data.keys[:MOST_ROWS], detail=f"bids, {said}, {labels}")
    return FileResponse(file, as_attachment=True, filename=f"{name}.zip", content_type="application/zip")
