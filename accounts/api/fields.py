"""These serializers write an account as JSON, and check what a client writes of one."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.models import User
from accounts.roles import Role

UNKNOWN = "There is no such field."
FIXED = "A username is given once; make another account."


class UserSerializer(serializers.ModelSerializer):
    created_at = serializers.DateTimeField(source="date_joined")
    role = serializers.ChoiceField(Role.choices)

    class Meta:
        model = User
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "username",
            "email",
            "full_name",
            "role",
            "is_active",
            "created_at",
            "last_login",
        )


class _AccountBody(serializers.Serializer):
    """A body may hold these fields; an answer's read-only fields may come back in it."""

    email = serializers.EmailField(required=False, allow_blank=True, allow_null=True, max_length=254)
    full_name = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=150)
    role = serializers.ChoiceField(Role.choices, required=False)
    is_active = serializers.BooleanField(required=False)

    def to_internal_value(self, data: Any) -> Any:
        known = self.fields.keys() | UserSerializer.Meta.fields
        unknown = [str(name) for name in data if name not in known] if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError({name: [UNKNOWN] for name in unknown})
        values = super().to_internal_value(data)
        return {name: "" if value is None else value for name, value in values.items()}


class NewUserSerializer(_AccountBody):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(trim_whitespace=False, max_length=4096)
    role = serializers.ChoiceField(Role.choices, default=Role.READ)


class UserChangeSerializer(_AccountBody):
    username = serializers.CharField(required=False, help_text="As it is: it cannot be changed.")
    password = serializers.CharField(trim_whitespace=False, max_length=4096, required=False)

    def validate_username(self, value: str) -> str:
        if self.instance is not None and value != self.instance.username:
            raise serializers.ValidationError(FIXED)
        return value
