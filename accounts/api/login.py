"""A client exchanges a user name and a password for a token here."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import update_last_login
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import users
from accounts.api.fields import UserSerializer
from accounts.audit.events import note
from accounts.models import AuditKind, User
from accounts.sign_in import SignInRefused, TooManyFailures, sign_in
from accounts.tokens import access_token
from pylantir_site.rest.errors import ErrorSerializer
from pylantir_site.rest.views import ApiView

WRONG = "Invalid username or password"
FURTHEST = 10**9
TOO_MANY = "Too many failures: Retry-After says how many seconds to wait."
WAIT = {429: OpenApiResponse(ErrorSerializer, TOO_MANY)}


class LoginSerializer(serializers.Serializer):
    username = serializers.CharField(max_length=1000, trim_whitespace=False)
    password = serializers.CharField(trim_whitespace=False)
    access_token_expire_minutes = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=FURTHEST,
        help_text="30 when not given; the site's setting is the most.",
    )


class TokenSerializer(serializers.Serializer):
    access_token = serializers.CharField()
    token_type = serializers.CharField()


class PasswordSerializer(serializers.Serializer):
    current_password = serializers.CharField(trim_whitespace=False)
    new_password = serializers.CharField(trim_whitespace=False)


class MessageSerializer(serializers.Serializer):
    message = serializers.CharField()


class Login(ApiView):
    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        summary="Sign in",
        request=LoginSerializer,
        responses={
            200: TokenSerializer,
            401: OpenApiResponse(ErrorSerializer, "The user name or the password is wrong."),
            **WAIT,
        },
        auth=[],
    )
    def post(self, request: Request) -> Response:
        asked = _valid_data(LoginSerializer, request)
        user = _signed_in(request, asked["username"], asked["password"])
        if isinstance(user, Response):
            return user
        update_last_login(User, user)
        note(request._request, AuditKind.SIGN_IN, username=user.username)
        token = access_token(user, minutes=_capped_minutes(asked.get("access_token_expire_minutes")))
        return Response({"access_token": token, "token_type": "bearer"})


class Me(ApiView):
    permissions = {"GET": None}

    @extend_schema(summary="Who is signed in", responses=UserSerializer)
    def get(self, request: Request) -> Response:
        return Response(UserSerializer(request.user).data)


class Password(ApiView):
    permissions = {"POST": None}

    @extend_schema(
        summary="Change one's own password",
        description="All one's tokens die, this one too.",
        request=PasswordSerializer,
        responses={200: MessageSerializer, **WAIT},
    )
    def post(self, request: Request) -> Response:
        asked = _valid_data(PasswordSerializer, request)
        user = _signed_in(request, request.user.get_username(), asked["current_password"])
        if isinstance(user, Response):
            return user
        users.change(user, {"password": asked["new_password"]})
        return Response({"message": "The password was changed. Sign in again."})


def _valid_data(serializer_class: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _signed_in(request: Request, username: str, password: str) -> User | Response:
    """Return the user, or the answer to someone who is not let in."""
    try:
        return sign_in(request._request, username=username, password=password)
    except SignInRefused:
        headers = {"WWW-Authenticate": "Bearer"}
        return Response({"detail": WRONG}, status=status.HTTP_401_UNAUTHORIZED, headers=headers)
    except TooManyFailures as error:
        headers = {"Retry-After": str(error.seconds)}
        return Response({"detail": str(error)}, status=status.HTTP_429_TOO_MANY_REQUESTS, headers=headers)


def _capped_minutes(minutes: int | None) -> int | None:
    return None if minutes is None else min(minutes, settings.ACCESS_TOKEN_MOST_MINUTES)
