"""An archive is called by these words in errors of its address and of HTTP."""

from __future__ import annotations

from sources.http.words import ServerWords

ARCHIVE = ServerWords(
    name="The archive",
    address="base URL",
    example="https://pacs.example.org/dicom-web",
    secret="identity of patients",  # noqa: S106  (what travels, in words)
    less="Ask for fewer studies",
    moved="write that address here if it is the archive's.",
)
