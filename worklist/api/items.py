"""GET, POST, PUT, PATCH and DELETE of items, and their history, are answered here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.http import Http404
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from pylantir_site.rest.errors import ErrorSerializer
from pylantir_site.rest.paging import TOTAL
from pylantir_site.rest.views import ApiView, actor
from worklist.answering import previews
from worklist.api import bodies, item_rows, writing
from worklist.api.item_fields import (
    ConflictSerializer,
    DeletedSerializer,
    HistorySerializer,
    ItemChangeSerializer,
    ItemSerializer,
    NewItemSerializer,
)
from worklist.api.item_filters import ItemFilter
from worklist.api.renderers import CSVRenderer, DicomJSONRenderer, WrittenAnswers
from worklist.models import WorklistItem
from worklist.models.changes import history_entries

VIEW, ADD, CHANGE, DELETE = (f"worklist.{verb}_worklistitem" for verb in ("view", "add", "change", "delete"))
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag as it was read: 412 if the item has changed since.",
)
CONFLICT = {
    409: OpenApiResponse(ConflictSerializer, "It contradicts what is stored: `detail` says how."),
}
CHANGED_MEANWHILE = {412: OpenApiResponse(ErrorSerializer, "The item has changed since it was read.")}
DICOM_JSON = {"type": "array", "items": {"type": "object"}}


def item_answers(schema: Any) -> dict[Any, Any]:
    return {
        (200, "application/json"): schema,
        (200, DicomJSONRenderer.media_type): DICOM_JSON,
        (200, CSVRenderer.media_type): {"type": "string"},
    }


class ItemView(ApiView, GenericAPIView):
    queryset = WorklistItem.objects.all()
    serializer_class = ItemSerializer

    def get_renderers(self) -> list[BaseRenderer]:
        """Answer in JSON what was written."""
        forms = (JSONRenderer, DicomJSONRenderer, CSVRenderer)
        return [form() for form in forms] if self.request.method in {"GET", "HEAD"} else [JSONRenderer()]

    def answer(self, rows: Sequence[item_rows.Row], *, headers: dict[str, str]) -> Response:
        """Return several items, by their columns, in the form that the client accepts."""
        self.note(row[0] for row in rows)
        if isinstance(self.request.accepted_renderer, DicomJSONRenderer):
            data: Any = WrittenAnswers(previews.json_answers(map(item_rows.as_record, rows)))
        else:
            data = item_rows.as_json(rows)
        return Response(data, headers={**headers, "Vary": "Accept"})

    def one(self, item: WorklistItem, *, code: int = status.HTTP_200_OK) -> Response:
        self.note([item.pk])
        headers = {"ETag": etag(item)}
        if code == status.HTTP_201_CREATED:
            headers["Location"] = f"/worklist/{item.pk}"
        return Response(ItemSerializer(item).data, status=code, headers=headers)


class Items(ItemView):
    permissions = {"GET": VIEW, "POST": ADD}
    filterset_class = ItemFilter

    @extend_schema(
        summary="List items",
        description="By schedule. As `text/csv` all of them unless a limit is given, guarded for "
        "spreadsheets: an apostrophe stands before a text that begins with `=`, `+`, `-`, `@`, a tab or a "
        "carriage return. As `application/dicom+json` the data sets that a scanner gets.",
        responses=item_answers(ItemSerializer(many=True)),
    )
    def get(self, request: Request) -> Response:
        found = self.filter_queryset(self.get_queryset()).values_list(*item_rows.COLUMNS)
        if isinstance(request.accepted_renderer, CSVRenderer) and "limit" not in request.query_params:
            every = list(found)
            return self.answer(every, headers={TOTAL: str(len(every))})
        page = self.paginate_queryset(found)
        return self.answer(page or [], headers={TOTAL: str(self.paginator.total)})  # type: ignore[union-attr]

    @extend_schema(
        summary="Create an item, or several",
        description="What is not given is made: Study Instance UID, accession number and IDs; the day is "
        "today's. A list is taken as a whole or not at all, with errors by index.",
        request=NewItemSerializer,
        responses={201: ItemSerializer, **CONFLICT},
    )
    def post(self, request: Request) -> Response:
        if isinstance(request.data, list):
            items = writing.create_all(request.data, actor=actor(request))
            self.note(item.pk for item in items)
            data = item_rows.as_json(map(item_rows.of_item, items))
            return Response(data, status=status.HTTP_201_CREATED)
        return self.one(writing.create(request.data, actor=actor(request)), code=status.HTTP_201_CREATED)


class Item(ItemView):
    permissions = {"GET": VIEW, "PUT": CHANGE, "PATCH": CHANGE, "DELETE": DELETE}
    filter_backends = ()

    @extend_schema(summary="Read an item", responses=item_answers(ItemSerializer))
    def get(self, request: Request, pk: int) -> Response:
        item = self.get_object()
        if isinstance(request.accepted_renderer, JSONRenderer) and not isinstance(
            request.accepted_renderer, DicomJSONRenderer
        ):
            return self.one(item)
        return self.answer([item_rows.of_item(item)], headers={"ETag": etag(item)})

    @extend_schema(
        summary="Change an item",
        description="Only what is sent is changed, and only what differs is written. A status is moved as in "
        "the admin; one that an old copy would undo is refused.",
        request=ItemChangeSerializer,
        parameters=[IF_MATCH],
        responses={200: ItemSerializer, **CONFLICT, **CHANGED_MEANWHILE},
    )
    def put(self, request: Request, pk: int) -> Response:
        return self._change(request, pk)

    @extend_schema(
        summary="Change an item",
        description="The same as PUT.",
        request=ItemChangeSerializer,
        parameters=[IF_MATCH],
        responses={200: ItemSerializer, **CONFLICT, **CHANGED_MEANWHILE},
    )
    def patch(self, request: Request, pk: int) -> Response:
        return self._change(request, pk)

    @extend_schema(
        summary="Delete an item",
        description="Its history stays. What a scanner performed is not deleted.",
        parameters=[IF_MATCH],
        responses={200: DeletedSerializer, **CONFLICT, **CHANGED_MEANWHILE},
    )
    def delete(self, request: Request, pk: int) -> Response:
        self.note([pk])
        try:
            writing.delete(pk, actor=actor(request), seen=if_match(request))
        except WorklistItem.DoesNotExist as error:
            raise Http404 from error
        return Response({"message": f"Worklist item {pk} deleted successfully"})

    def _change(self, request: Request, pk: int) -> Response:
        self.note([pk])
        self.get_object()
        item = writing.change(
            pk,
            bodies.read(request.data),
            actor=actor(request),
            corrects=request.user.has_perm("worklist.correct_worklistitem"),
            seen=if_match(request),
        )
        return self.one(item)


class ItemHistory(ApiView, GenericAPIView):
    """A deleted item keeps its history."""

    permissions = {"GET": "worklist.view_historicalworklistitem"}
    serializer_class = HistorySerializer
    queryset = WorklistItem.objects.all()
    filter_backends = ()

    @extend_schema(summary="Who changed an item, and what", responses=HistorySerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        self.note([pk])
        records = list(WorklistItem.history.filter(id=pk))
        if not records:
            raise Http404
        page = self.paginate_queryset(list(history_entries(records)))
        return self.get_paginated_response(HistorySerializer(page, many=True).data)


def etag(item: WorklistItem) -> str:
    """Return the item's tag: each save has a moment of its own."""
    return f'"{item.pk}-{item.updated_at:%Y%m%d%H%M%S%f}"'


def if_match(request: Request) -> Callable[[WorklistItem], bool | None]:
    """Return whether an item is as If-Match says; None where the request has none."""
    if "If-Match" not in request.headers:
        return lambda item: None
    # A proxy that compresses makes a tag weak: what it stands for is the same.
    given = [tag.removeprefix("W/") for tag in parse_etags(request.headers["If-Match"])]
    return lambda item: "*" in given or etag(item) in given
