"""REDCap's Data Entry Triggers arrive here; they are answered at once, and pulled later."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from sources import tasks, triggers
from sources.models import DataSource


@csrf_exempt  # REDCap has no session here: the secret in the path lets it in
@require_POST
def trigger(request: HttpRequest, name: str, secret: str) -> HttpResponse:
    source = DataSource.objects.select_related("state", "redcap").filter(name=name).first()
    if not triggers.lets_in(source, secret) or source is None:
        return _answer(404, "Not found.")
    if "HTTP_TRANSFER_ENCODING" in request.META:  # Django would read such a body as empty
        return _answer(411, "Its length must be given.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > triggers.MOST_BYTES:
        return _answer(413, "Too large.")
    return _take(source, request.read(triggers.MOST_BYTES), request.content_type or "")


def _take(source: DataSource, body: bytes, content_type: str) -> HttpResponse:
    if not body.strip():
        triggers.note_test(source)
        return _answer(200, "Pylantir received the test.")
    try:
        record = triggers.record_of(body, content_type=content_type, source=source)
    except triggers.NotATrigger as reason:
        return _answer(400, str(reason))
    if triggers.note(source, record):
        tasks.pull_soon(source.pk)
    return HttpResponse(status=204)


def _answer(status: int, text: str) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain")
