"""Archives are listed with how they are asked and what came of their last test, without their secrets."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from archives.models import Archive
from pylantir_site.rest.views import ApiView


class ArchiveSerializer(serializers.ModelSerializer):
    stations = serializers.ListField(
        source="station_titles",
        child=serializers.CharField(),
        help_text="AE titles whose images it holds; none: of all.",
    )

    class Meta:
        model = Archive
        fields: ClassVar[Any] = (
            *("id", "name", "enabled", "kind", "stations"),
            *("host", "port", "called_ae_title", "calling_ae_title", "tls", "url"),
            *("first_after_minutes", "days", "settled_after_minutes", "questions_per_minute"),
            "has_pseudonyms",
            *("tested_at", "test_problem", "created_at", "updated_at"),
        )


class ArchiveList(ApiView, GenericAPIView):
    permissions = {"GET": "archives.view_archive"}
    queryset = Archive.objects.order_by("name")
    serializer_class = ArchiveSerializer
    filter_backends = ()

    @extend_schema(summary="List archives", responses=ArchiveSerializer(many=True))
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        self.note(archive.pk for archive in page)
        return self.get_paginated_response(ArchiveSerializer(page, many=True).data)
