"""What nobody reports is marked here: that an item was performed, or that the participant did not come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError as ModelError
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from pylantir_site.rest.errors import Conflict, PreconditionFailed
from pylantir_site.rest.views import actor
from worklist.api.item_fields import ItemSerializer
from worklist.api.items import CHANGE, CHANGED_MEANWHILE, CONFLICT, IF_MATCH, ItemView, if_match
from worklist.items import lifecycle, moves
from worklist.items.lifecycle import LONGEST_REASON
from worklist.items.moves import MadeChange
from worklist.models import Status, WorklistItem

ANSWERS = {200: ItemSerializer, **CONFLICT, **CHANGED_MEANWHILE}


class MarkSerializer(serializers.Serializer):
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_REASON, help_text="Kept in the history."
    )


class PerformedMarkSerializer(MarkSerializer):
    confirmed = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Mark it although its scanner reports by itself (MPPS), or is not known: 409 without it.",
    )


class _MarkView(ItemView):
    filter_backends = ()

    def mark(self, request: Request, pk: int, act: Callable[[WorklistItem], MadeChange]) -> Response:
        self.note([pk])
        item = self.get_object()
        if if_match(request)(item) is False:
            raise PreconditionFailed
        try:
            act(item)
        except lifecycle.StatusRefused as refused:
            raise Conflict(str(refused)) from refused
        except WorklistItem.DoesNotExist as error:
            raise Http404 from error
        except ModelError as error:  # it was changed between the tag and the lock
            raise PreconditionFailed from error
        item.refresh_from_db()
        return self.one(item)


class PerformedMark(_MarkView):
    permissions = {"POST": CHANGE, "DELETE": CHANGE}

    @extend_schema(
        summary="Mark an item as performed",
        description="For scanners that report nothing. What is scheduled, in progress or discontinued "
        "becomes completed; a report of the scanner that comes all the same counts more.",
        request=PerformedMarkSerializer,
        parameters=[IF_MATCH],
        responses=ANSWERS,
    )
    def post(self, request: Request, pk: int) -> Response:
        sent = _checked(PerformedMarkSerializer(data=request.data))
        reason, confirmed = sent.get("reason", ""), sent["confirmed"]

        def act(item: WorklistItem) -> MadeChange:
            seen = _as_tagged(request, item)
            by = actor(request)
            return moves.mark_performed(item, actor=by, confirmed=confirmed, reason=reason, seen=seen)

        return self.mark(request, pk, act)

    @extend_schema(
        summary="Take back that an item was performed",
        description="By whoever marked it, or may correct who was examined, and only while nothing else was "
        "written of it: the item has its status from before. What an archive showed is taken back "
        "so, too, by who may correct; what was in the archive by then completes the item no more.",
        request=None,
        parameters=[IF_MATCH],
        responses=ANSWERS,
    )
    def delete(self, request: Request, pk: int) -> Response:
        corrects = request.user.has_perm("worklist.correct_worklistitem")
        by = actor(request)
        return self.mark(request, pk, lambda item: moves.take_back_mark(item, actor=by, may_correct=corrects))


class AbsenceMark(_MarkView):
    permissions = {"POST": CHANGE}

    @extend_schema(
        summary="Mark that the participant did not come",
        description="The item is cancelled, with that as its reason. PATCH its status to SCHEDULED to take "
        "it back.",
        request=MarkSerializer,
        parameters=[IF_MATCH],
        responses=ANSWERS,
    )
    def post(self, request: Request, pk: int) -> Response:
        reason = _checked(MarkSerializer(data=request.data)).get("reason") or moves.NOT_COME

        def act(item: WorklistItem) -> MadeChange:
            seen = _as_tagged(request, item)
            by = actor(request)
            return moves.give_status(item, Status.CANCELLED, actor=by, reason=reason, seen=seen)

        return self.mark(request, pk, act)


def _checked(serializer: serializers.Serializer) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    sent: dict[str, Any] = serializer.validated_data
    return sent


def _as_tagged(request: Request, item: WorklistItem) -> dict[str, Any] | None:
    """Return what must still be so of the item whose tag the client gave, None where it gave none."""
    return {moves.UPDATED: item.updated_at} if "If-Match" in request.headers else None
