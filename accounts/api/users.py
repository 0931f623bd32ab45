"""Admins list, make, change and delete accounts by REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import users
from accounts.api.fields import NewUserSerializer, UserChangeSerializer, UserSerializer
from accounts.api.login import MessageSerializer
from accounts.models import User
from accounts.users import LastAdmin
from pylantir_site.rest.errors import GENERAL, Conflict, ErrorSerializer
from pylantir_site.rest.views import ApiView

OWN = "Cannot delete your own account"
LAST = {409: OpenApiResponse(ErrorSerializer, "It is the last administrator who may sign in.")}


class UserView(ApiView, GenericAPIView):
    queryset = User.objects.all()
    serializer_class = UserSerializer
    filter_backends = ()


class UserList(UserView):
    permissions = {"GET": "accounts.view_user", "POST": "accounts.add_user"}

    @extend_schema(summary="List users", responses=UserSerializer(many=True))
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        self.note(user.pk for user in page)
        return self.get_paginated_response(UserSerializer(page, many=True).data)

    @extend_schema(summary="Create a user", request=NewUserSerializer, responses={201: UserSerializer})
    def post(self, request: Request) -> Response:
        serializer = NewUserSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = users.create(**serializer.validated_data)
        self.note([user.pk])
        return Response(UserSerializer(user).data, status=status.HTTP_201_CREATED)


class UserOne(UserView):
    permissions = {
        "GET": "accounts.view_user",
        "PUT": "accounts.change_user",
        "PATCH": "accounts.change_user",
        "DELETE": "accounts.delete_user",
    }

    @extend_schema(summary="Read a user", responses=UserSerializer)
    def get(self, request: Request, pk: int) -> Response:
        user = self.get_object()
        self.note([user.pk])
        return Response(UserSerializer(user).data)

    @extend_schema(
        summary="Change a user",
        description="Only what is sent. A new password ends the user's tokens.",
        request=UserChangeSerializer,
        responses={200: UserSerializer, **LAST},
    )
    def put(self, request: Request, pk: int) -> Response:
        return self._change(request)

    @extend_schema(
        summary="Change a user",
        description="The same as PUT.",
        request=UserChangeSerializer,
        responses={200: UserSerializer, **LAST},
    )
    def patch(self, request: Request, pk: int) -> Response:
        return self._change(request)

    @extend_schema(
        summary="Delete a user",
        description="What they did stays in the history.",
        responses={
            200: MessageSerializer,
            400: OpenApiResponse(ErrorSerializer, "It is one's own account."),
            **LAST,
        },
    )
    def delete(self, request: Request, pk: int) -> Response:
        user = self.get_object()
        self.note([user.pk])
        if user == request.user:
            raise ValidationError({GENERAL: [OWN]})
        try:
            users.delete(user)
        except LastAdmin as error:
            raise Conflict(str(error)) from error
        return Response({"message": f"User {user.username} deleted successfully"})

    def _change(self, request: Request) -> Response:
        user: Any = self.get_object()
        self.note([user.pk])
        serializer = UserChangeSerializer(user, data=request.data)
        serializer.is_valid(raise_exception=True)
        values = {name: value for name, value in serializer.validated_data.items() if name != "username"}
        try:
            return Response(UserSerializer(users.change(user, values)).data)
        except LastAdmin as error:
            raise Conflict(str(error)) from error
