"""What a person did is taken back by the button in the message that tells of it.

The button holds all that is needed, signed: keys, and values before and after, for the one person and a
quarter of an hour. It names nobody, and undoes nothing that somebody has changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

from django.contrib import messages
from django.core import signing
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from pylantir_site.returning import back
from worklist.admin import sentences
from worklist.attention import points
from worklist.examinations import performing
from worklist.items import lifecycle, moves
from worklist.items.moves import MadeChange, UndoRefused
from worklist.models import Attention, PerformedStep, WorklistItem

MINUTES = 15
SALT = "worklist.undo"
OF_TEXT: dict[str, Callable[[str], Any]] = {
    "scheduled_start_date": date.fromisoformat,
    "scheduled_start_time": time.fromisoformat,
    "arrived_at": datetime.fromisoformat,
    "updated_at": datetime.fromisoformat,
    "patient_weight_kg": Decimal,
}


class UndoFailed(Exception):
    """Nothing was undone; the text says why, for people."""


def of_items(request: HttpRequest, changes: Sequence[MadeChange]) -> str:
    """Return the token that undoes all of the changes, or "" where one has no way back."""
    if not changes or not all(change.can_be_undone for change in changes):
        return ""
    rows = [[each.item.pk, _as_texts(each.before), _as_texts(each.after)] for each in changes]
    return _signed(request, "items", rows)


def of_points(request: HttpRequest, resolved: Iterable[Attention]) -> str:
    """Return the token that opens the points again; each is as it was stored when it was resolved."""
    rows = [[each.pk, each.resolved_at.isoformat()] for each in resolved if each.resolved_at]
    return _signed(request, "points", rows) if rows else ""


def of_link(request: HttpRequest, step: PerformedStep, item: WorklistItem) -> str:
    return _signed(request, "link", [step.pk, item.pk])


def say(request: HttpRequest, sentence: str, token: str = "") -> None:
    """Tell the person what was done, with the button that takes it back where there is a way."""
    messages.success(request, _with_button(sentence, token) if token else sentence)


def urls(model_admin: Any) -> list[URLPattern]:
    view = model_admin.admin_site.admin_view(require_POST(undo_view))
    return [path("undo/", view, name="worklist_undo")]


def undo_view(request: HttpRequest) -> HttpResponse:
    """Take back what the token says, and return to where the person was."""
    try:
        kind, payload = _read(request)
        messages.success(request, _undone(request, kind, payload))
    except UndoFailed as failed:
        messages.error(request, str(failed))
    return back(request, reverse("admin:index"))


class UndoKind(NamedTuple):
    permission: str
    act: Callable[[Any, str], list[str]]  # payload and actor; whom it is about


def _undone(request: HttpRequest, kind: str, payload: Any) -> str:
    permission, act = KINDS[kind]
    if not request.user.has_perm(permission):
        raise PermissionDenied
    try:
        names = act(payload, request.user.get_username())
    except (lifecycle.StatusRefused, performing.StepChangeRefused) as refused:
        raise UndoFailed(_("Nothing was undone. %(why)s") % {"why": refused}) from refused
    except ValidationError as error:
        raise UndoFailed(_("Nothing was undone. %(why)s") % {"why": " ".join(error.messages)}) from error
    except ObjectDoesNotExist as error:
        raise UndoFailed(_("Nothing was undone: it was deleted meanwhile.")) from error
    return _("Undone for %(who)s.") % {"who": sentences.people(names)}


def _undo_items(payload: Any, actor: str) -> list[str]:
    changes = [(pk, _from_texts(before), _from_texts(after)) for pk, before, after in payload]
    try:
        items = moves.undo(changes, actor=actor)
    except UndoRefused as refused:
        raise UndoFailed(_in_the_way(refused.pks)) from refused
    return [sentences.name_of(item) for item in items]


def _in_the_way(pks: Sequence[int]) -> str:
    found = WorklistItem.objects.filter(pk__in=pks)
    names = [sentences.name_of(item) for item in found]
    if len(names) < len(pks):
        return _("Nothing was undone: an appointment was deleted meanwhile.")
    return ngettext(
        "Nothing was undone: %(who)s was changed by somebody meanwhile.",
        "Nothing was undone: %(who)s were changed by somebody meanwhile.",
        len(names),
    ) % {"who": sentences.people(names)}


def _undo_points(payload: Any, actor: str) -> list[str]:
    """Open all of the points again, or none."""
    names = []
    with transaction.atomic():
        for pk, resolved_at in payload:
            point = Attention.objects.select_related("item", "step").get(pk=pk)
            names.append(sentences.name_of(point))
            if not points.reopen(point, resolved_at=datetime.fromisoformat(resolved_at)):
                raise UndoFailed(
                    _("Nothing was undone: the point about %(who)s has changed meanwhile.")
                    % {"who": names[-1]}
                )
    return names


def _undo_link(payload: Any, actor: str) -> list[str]:
    step_pk, item_pk = payload
    step, item = PerformedStep.objects.get(pk=step_pk), WorklistItem.objects.get(pk=item_pk)
    performing.unlink(step, item, actor=actor, reason=moves.UNDONE)
    return [sentences.name_of(item)]


KINDS = {
    "items": UndoKind("worklist.change_worklistitem", _undo_items),
    "points": UndoKind("worklist.change_attention", _undo_points),
    "link": UndoKind("worklist.change_performedstep", _undo_link),
}


def _signed(request: HttpRequest, kind: str, payload: Any) -> str:
    return signing.dumps([request.user.pk, kind, payload], salt=SALT, compress=True)


def _read(request: HttpRequest) -> tuple[str, Any]:
    """Return kind and payload of the token that was sent. Raises UndoFailed."""
    try:
        user, kind, payload = signing.loads(request.POST.get("token", ""), salt=SALT, max_age=MINUTES * 60)
    except signing.SignatureExpired as error:
        text = ngettext(
            "Nothing was undone: that can be done for %(minutes)d minute.",
            "Nothing was undone: that can be done for %(minutes)d minutes.",
            MINUTES,
        )
        raise UndoFailed(text % {"minutes": MINUTES}) from error
    except signing.BadSignature as error:
        raise UndoFailed(_("Nothing was undone: the button is not one of ours.")) from error
    if user != request.user.pk:
        raise UndoFailed(_("Nothing was undone: somebody else did that."))
    return kind, payload


def _with_button(sentence: str, token: str) -> str:
    return format_html(
        '{} <button type="submit" form="undo-form" name="token" value="{}" class="button undo">{}</button>',
        sentence,
        token,
        _("Undo"),
    )


def _as_texts(fields: Any) -> dict[str, Any]:
    return {name: _as_text(value) for name, value in fields.items()}


def _as_text(value: Any) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _from_texts(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: OF_TEXT[name](value) if name in OF_TEXT and value is not None else value
        for name, value in fields.items()
    }
