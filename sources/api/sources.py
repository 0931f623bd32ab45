"""Sources are listed, made and pulled by REST here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from pylantir_site.rest.errors import GENERAL, Conflict, ErrorSerializer
from pylantir_site.rest.views import ApiView, actor
from sources import tasks
from sources.api.fields import (
    AskedSerializer,
    IssueSerializer,
    MadeSourceSerializer,
    NewSourceSerializer,
    RunSerializer,
    SourceSerializer,
    SyncSerializer,
)
from sources.config_import import ConfigError, import_config
from sources.kinds import with_details
from sources.models import DataSource, OutcomeWrite, RunOutcome, SyncIssue, SyncRun, WriteProgress
from sources.sync import claims, health

DISABLED = "The source is disabled: enable it first."
EXISTS = "There is a source of this name already."


def sources_with_counts() -> QuerySet[DataSource]:
    """Return the sources with state and number of open issues."""
    is_open = Count("issues", filter=Q(issues__closed_at=None))
    sources = DataSource.objects.select_related("state", *with_details())
    return sources.annotate(
        issue_count=is_open,
        waiting_count=_outcomes(WriteProgress.WAITING),
        held_count=_outcomes(WriteProgress.HELD),
    )


def _outcomes(state: WriteProgress) -> Coalesce:
    own = OutcomeWrite.objects.filter(step__source=OuterRef("pk"), state=state).order_by()
    return Coalesce(Subquery(own.values("step__source").annotate(count=Count("pk")).values("count")), 0)


def source_named(name: str) -> DataSource:
    source = None if "\0" in name else sources_with_counts().filter(name=name).first()
    if source is None:
        raise Http404
    return source


class SourceList(ApiView, GenericAPIView):
    permissions = {"GET": "sources.view_datasource", "POST": "sources.add_datasource"}
    queryset = DataSource.objects.all()
    serializer_class = SourceSerializer
    filter_backends = ()

    @extend_schema(summary="List sources, and how they fare", responses=SourceSerializer(many=True))
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(sources_with_counts().order_by("name")) or []
        self.note(source.pk for source in page)
        return self.get_paginated_response(SourceSerializer(page, many=True).data)

    @extend_schema(
        summary="Create a source",
        description="From one entry of the original's `data_sources`. `report` says what was decided of it.",
        request=NewSourceSerializer,
        responses={201: MadeSourceSerializer, 409: OpenApiResponse(ErrorSerializer, EXISTS)},
    )
    def post(self, request: Request) -> Response:
        entry = request.data
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            raise ValidationError({"name": ["This field is required."]})
        if DataSource.objects.filter(name=entry["name"]).exists():
            raise Conflict(EXISTS)
        source, report = _imported(entry, actor=actor(request))
        self.note([source.pk])
        made: Any = source_named(source.name)
        made.report = report
        return Response(MadeSourceSerializer(made).data, status=status.HTTP_201_CREATED)


class SourceOne(ApiView):
    permissions = {"GET": "sources.view_datasource"}

    @extend_schema(summary="Read a source, and how it fares", responses=SourceSerializer)
    def get(self, request: Request, name: str) -> Response:
        source = source_named(name)
        self.note([source.pk])
        return Response(SourceSerializer(source).data)


class Sync(ApiView):
    permissions = {"POST": "sources.pull_datasource"}

    @extend_schema(
        summary="Pull from a source",
        description="The worker begins in a moment, whatever the schedule says.",
        request=SyncSerializer,
        responses={202: AskedSerializer, 409: OpenApiResponse(ErrorSerializer, DISABLED)},
    )
    def post(self, request: Request, name: str) -> Response:
        source = source_named(name)
        self.note([source.pk])
        asked = SyncSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if not source.enabled:
            raise Conflict(DISABLED)
        full = asked.validated_data["full"]
        claims.request_pull(source, by=actor(request), full=full)
        tasks.look_now()
        is_pulling = claims.is_pulling(source.state)
        return Response(
            {
                "name": source.name,
                "message": _answer_text(full=full, is_pulling=is_pulling),
                "is_pulling": is_pulling,
                "worker": health.worker_trouble(),
            },
            status=status.HTTP_202_ACCEPTED,
        )


class RunFilter(filters.FilterSet):
    outcome = filters.MultipleChoiceFilter(choices=RunOutcome.choices, help_text="May be repeated.")

    class Meta:
        model = SyncRun
        fields: tuple[str, ...] = ()


class Runs(ApiView, GenericAPIView):
    permissions = {"GET": "sources.view_syncrun"}
    queryset = SyncRun.objects.all()
    serializer_class = RunSerializer
    filterset_class = RunFilter

    @extend_schema(
        summary="List the pulls of a source",
        description="The newest first.",
        responses=RunSerializer(many=True),
    )
    def get(self, request: Request, name: str) -> Response:
        runs = self.filter_queryset(self.get_queryset().filter(source=source_named(name)))
        page = self.paginate_queryset(runs) or []
        self.note(run.pk for run in page)
        return self.get_paginated_response(RunSerializer(page, many=True).data)


class Issues(ApiView, GenericAPIView):
    permissions = {"GET": "sources.view_syncissue"}
    queryset = SyncIssue.objects.all()
    serializer_class = IssueSerializer
    filter_backends = ()

    @extend_schema(
        summary="List what must be mended at a source",
        description="What is open. No text holds a value.",
        responses=IssueSerializer(many=True),
    )
    def get(self, request: Request, name: str) -> Response:
        page = self.paginate_queryset(SyncIssue.objects.open().filter(source=source_named(name))) or []
        self.note(issue.pk for issue in page)
        return self.get_paginated_response(IssueSerializer(page, many=True).data)


def _imported(entry: Mapping[str, Any], *, actor: str) -> tuple[DataSource, list[str]]:
    """Return the source and what was decided. Raises ValidationError with all that was said of a refusal."""
    known = set(DataSource.objects.values_list("pk", flat=True))
    try:
        report = import_config({"data_sources": [dict(entry)]}, actor=actor, update=False)
    except ConfigError as error:
        raise ValidationError({GENERAL: [str(error)]}) from error
    source = DataSource.objects.exclude(pk__in=known).order_by("-pk").first()
    if report.failed or source is None:
        raise ValidationError({GENERAL: report.lines})
    return source, report.lines


def _answer_text(*, full: bool, is_pulling: bool) -> str:
    what = "A full pull" if full else "A pull"
    return f"{what} {'follows the one that is running' if is_pulling else 'begins in a moment'}."
