"""Load balancers and monitors ask here whether the server lives, and whether it is ready."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import Any

from django.contrib.auth import get_user
from django.db import Error
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import idle
from accounts.authentication import BearerAuthentication
from pylantir_site.overview import readiness
from pylantir_site.rest.views import ApiView


class HealthSerializer(serializers.Serializer):
    status = serializers.CharField()
    timestamp = serializers.DateTimeField()


class LiveSerializer(serializers.Serializer):
    status = serializers.CharField(help_text="`live`.")


class PartSerializer(serializers.Serializer):
    status = serializers.CharField(help_text="`ok`, `failed`, or why it was not asked.")
    message = serializers.CharField(required=False)
    ae_title = serializers.CharField(required=False, help_text="Of the DICOM server.")
    free_mb = serializers.IntegerField(required=False, help_text="On the fullest disk of the site.")
    last_seen_seconds = serializers.IntegerField(required=False, allow_null=True)


class SourceHealthSerializer(serializers.Serializer):
    name = serializers.CharField()
    status = serializers.CharField()
    last_success_seconds = serializers.IntegerField(allow_null=True)


class PartsSerializer(serializers.Serializer):
    database = PartSerializer()
    migrations = PartSerializer()
    disk = PartSerializer()
    worker = PartSerializer()
    dicom = PartSerializer()
    sources = SourceHealthSerializer(many=True, required=False)


class ReadySerializer(serializers.Serializer):
    status = serializers.CharField(help_text="`ready` or `not ready`.")
    checks = PartsSerializer()


class Health(ApiView):
    authentication_classes = ()
    permission_classes = ()
    audited = False

    @extend_schema(
        summary="Whether the server lives",
        description="Asks nothing, not even the database.",
        responses=HealthSerializer,
        auth=[],
    )
    def get(self, request: Request) -> Response:
        return Response({"status": "healthy", "timestamp": timezone.now()})


class Live(ApiView):
    """What `start` runs answers this before any thread has the request (`processes.web_worker`)."""

    authentication_classes = ()
    permission_classes = ()
    audited = False

    @extend_schema(
        summary="Whether the web server's process lives",
        description="Is answered even when everything else waits, say for the database.",
        responses=LiveSerializer,
        auth=[],
    )
    def get(self, request: Request) -> Response:
        return Response({"status": "live"})


class Ready(ApiView):
    authentication_classes = ()
    permission_classes = ()
    audited = False

    @extend_schema(
        summary="Whether the server is ready",
        description="503 when the database does not take a row, a migration is pending, the disk is nearly "
        "full, the DICOM server does not answer C-ECHO, or a worker that is needed fails. "
        "Who is signed in, by a token or in the admin, is told why, and of the sources, too; "
        "one that is late fails nothing. An answer may be two seconds old.",
        responses={200: ReadySerializer, 503: OpenApiResponse(ReadySerializer, "Something needed fails.")},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        is_ready, found = recent.checks()
        code = status.HTTP_200_OK if is_ready else status.HTTP_503_SERVICE_UNAVAILABLE
        said = "ready" if is_ready else "not ready"
        shown = found if may_read_details(request) else for_strangers(found)
        return Response({"status": said, "checks": shown}, status=code)


class RecentChecks:
    """All who ask within two seconds share one look: it writes to the disk, and strangers may ask."""

    def __init__(self, *, seconds: float = 2.0) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._until = 0.0
        self._found: tuple[bool, dict[str, Any]] = False, {}

    def checks(self) -> tuple[bool, dict[str, Any]]:
        with self._lock:
            if monotonic() >= self._until:
                self._found = readiness.checks()
                self._until = monotonic() + self._seconds
            return self._found


recent = RecentChecks()


def for_strangers(found: dict[str, Any]) -> dict[str, Any]:
    """Return the status of each part alone: whoever asks may not even be of this hospital."""
    return {name: {"status": part["status"]} for name, part in found.items() if name != "sources"}


def may_read_details(request: Request) -> bool:
    """Tell whether somebody is signed in; whoever cannot be looked up is a stranger."""
    try:
        if BearerAuthentication().authenticate(request):
            return True
        session = request._request  # whose user Django REST framework has replaced by nobody
        return get_user(session).is_authenticated and not idle.is_over(session)
    except (APIException, Error):
        return False
