"""Load balancers and monitors ask here whether the server lives, and whether it is ready."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from pylantir_site.overview import readiness
from pylantir_site.rest.views import ApiView


class HealthSerializer(serializers.Serializer):
    status = serializers.CharField()
    timestamp = serializers.DateTimeField()


class PartSerializer(serializers.Serializer):
    status = serializers.CharField(help_text="`ok`, `failed`, or why it was not asked.")
    message = serializers.CharField(required=False)
    ae_title = serializers.CharField(required=False, help_text="Of the DICOM server.")
    last_seen_seconds = serializers.IntegerField(required=False, allow_null=True)


class SourceHealthSerializer(serializers.Serializer):
    name = serializers.CharField()
    status = serializers.CharField()
    last_success_seconds = serializers.IntegerField(allow_null=True)


class PartsSerializer(serializers.Serializer):
    database = PartSerializer()
    migrations = PartSerializer()
    worker = PartSerializer()
    dicom = PartSerializer()
    sources = SourceHealthSerializer(many=True)


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


class Ready(ApiView):
    authentication_classes = ()
    permission_classes = ()
    audited = False

    @extend_schema(
        summary="Whether the server is ready",
        description="503 when the database, a migration, the DICOM port or a worker that is needed fails. "
        "A source that is late is told, and fails nothing.",
        responses={200: ReadySerializer, 503: OpenApiResponse(ReadySerializer, "Something needed fails.")},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        is_ready, found = readiness.checks()
        code = status.HTTP_200_OK if is_ready else status.HTTP_503_SERVICE_UNAVAILABLE
        said = "ready" if is_ready else "not ready"
        return Response({"status": said, "checks": found}, status=code)
