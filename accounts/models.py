"""These models keep the people who use the admin and the API, and what they asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.utils import timezone

from accounts import roles
from accounts.roles import Role


class UserManager(BaseUserManager["User"]):
    def create_user(
        self, username: str, *, password: str | None = None, role: str = Role.READ, **fields: Any
    ) -> User:
        user = self.model(username=self.model.normalize_username(username), role=role, **fields)
        user.set_password(password)
        user.full_clean()
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, *, password: str | None = None, **fields: Any) -> User:
        return self.create_user(username, password=password, role=Role.ADMIN, **fields)


class User(AbstractBaseUser):
    """A person has one role. Permissions follow from it alone: there are no groups."""

    username = models.CharField(
        max_length=150,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": "A user with that username already exists."},
    )
    full_name = models.CharField(max_length=150, blank=True)
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.READ)
    is_active = models.BooleanField(
        "active", default=True, help_text="Unset this to close an account; its history stays."
    )
    date_joined = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"

    is_staff = True  # every role may open the admin; what it shows follows from the role

    class Meta:
        ordering = ["username"]
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
        ]

    @property
    def is_superuser(self) -> bool:
        return self.is_active and self.role == Role.ADMIN

    def is_last_active_admin(self) -> bool:
        """Tell it inside a transaction: the rows are locked, so that two admins cannot close each other."""
        admins = type(self).objects.filter(role=Role.ADMIN, is_active=True)
        return list(admins.select_for_update().values_list("pk", flat=True)) == [self.pk]

    def get_full_name(self) -> str:
        return self.full_name or self.username

    def get_short_name(self) -> str:
        return self.username

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_active and roles.allows(self.role, perm)

    def has_perms(self, perm_list: Iterable[str], obj: object = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and roles.allows_any(self.role, app_label)


class SignInFailure(models.Model):
    """A failed sign-in is kept as long as it counts against the user name and the address.

    The name is kept as a digest: people type passwords into the wrong field.
    """

    username_digest = models.CharField(max_length=64)
    address = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        indexes = [
            models.Index(fields=["username_digest", "at"], name="failures_of_a_name"),
            models.Index(fields=["address", "at"], name="failures_of_an_address"),
        ]

    def __str__(self) -> str:
        return f"{self.address} at {self.at}"


class ApiRequest(models.Model):
    """One request to the API is kept: who, what, when and from where, never a value of a participant."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    username = models.CharField(max_length=150, blank=True, default="", help_text="Empty: nobody signed in.")
    address = models.CharField(max_length=64)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=300, help_text="Without what was asked for.")
    parameters = models.JSONField(default=list, help_text="The names of the query's, without their values.")
    status = models.PositiveSmallIntegerField()
    rows = models.JSONField(default=list, help_text="The keys of the rows that were read or written.")

    class Meta:
        verbose_name = "API request"
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["username", "-at"], name="requests_of_a_user")]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
