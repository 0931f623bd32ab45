"""Other apps show their own on the admin's pages; these are the forms in which they do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import URLPattern

from worklist.models import WorklistItem
from worklist.timeline.entries import TimelineEntry

ItemPanel = Callable[[HttpRequest, WorklistItem], str]  # HTML that is safe; empty shows nothing
# An item's timeline, with what an app adds to it.
TimelinePart = Callable[[HttpRequest, WorklistItem, Sequence[TimelineEntry]], Sequence[TimelineEntry]]
ItemMarks = Callable[[HttpRequest, Sequence[int]], Mapping[int, str]]  # HTML by the items' keys
# What is known of whom a person misses: by what was written, and by the items that were found. HTML as above.
ParticipantPanel = Callable[[HttpRequest, str, Sequence[WorklistItem]], str]
# Where the source of an item is put right: a URL and its text. The last argument: is it about stations?
SourceRemedy = Callable[[HttpRequest, WorklistItem, bool], tuple[str, str] | None]
# Sentences, perhaps with a link, about what the source of an item still says of these of its fields.
SourceSaying = Callable[[WorklistItem, Collection[str]], Iterable[str]]
IndexSection = Callable[[HttpRequest], dict[str, Any]]  # what the index's template is given
# What sessions are called, by item, for the items of these keys; none for whoever may not know.
SessionNamesFor = Callable[[HttpRequest, Collection[int]], Mapping[int, str]]
PageUrls = Callable[[AdminSite], Sequence[URLPattern]]  # pages that no model has
