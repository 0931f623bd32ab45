"""These models keep the people who use the admin and the API, and what they asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import connections, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

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
        _("user name"),
        max_length=150,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        help_text=_("What the person types to sign in: letters, digits and @ . + - _"),
        error_messages={"unique": _("Somebody has this user name already.")},
    )
    full_name = models.CharField(
        _("full name"), max_length=150, blank=True, help_text=_("As colleagues know the person.")
    )
    email = models.EmailField(_("email address"), blank=True)
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.READ)
    is_active = models.BooleanField(
        _("may sign in"),
        default=True,
        help_text=_("Take the mark away to close the account. What the person did stays in the history."),
    )
    date_joined = models.DateTimeField(_("made"), auto_now_add=True)
    must_change_password = models.BooleanField(
        _("must change the password"),
        default=False,
        editable=False,
        help_text=_("Nothing else is shown to the person until then."),
    )
    oidc_subject = models.CharField(
        _("identity at the provider"),
        max_length=600,
        unique=True,
        null=True,
        blank=True,
        editable=False,
        help_text=_("Who the person is where they sign in by OpenID Connect: issuer and subject."),
    )

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"

    is_staff = True  # every role may open the admin; what it shows follows from the role

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
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
    """A failed sign-in is kept as long as it counts against the user name, the address and the browser.

    The name is kept as a digest: people type passwords into the wrong field. An address stands for its
    network (`accounts.known_places`); `is_strange` says that nothing was known of where the try came from.
    """

    username_digest = models.CharField(max_length=64)
    address = models.CharField(max_length=64)
    browser = models.CharField(max_length=64, blank=True, default="")
    is_strange = models.BooleanField(default=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        indexes = [
            models.Index(fields=["username_digest", "at"], name="failures_of_a_name"),
            models.Index(fields=["address", "at"], name="failures_of_an_address"),
        ]

    def __str__(self) -> str:
        return f"{self.address} at {self.at}"


class KnownAddress(models.Model):
    """From this network somebody has signed in by this name; strangers' failures do not hold it up."""

    username_digest = models.CharField(max_length=64)
    address = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["username_digest", "address"], name="known_address_once"),
        ]

    def __str__(self) -> str:
        return f"{self.address} at {self.at}"


class AuditKind(models.TextChoices):
    REQUEST = "REQUEST", _("Request to the API")
    PAGE = "PAGE", _("Page of the admin")
    DOWNLOAD = "DOWNLOAD", _("Download")
    EXPORT = "EXPORT", _("Export by a command")
    SIGN_IN = "SIGN_IN", _("Sign-in")
    SIGN_IN_FAILED = "SIGN_IN_FAILED", _("Failed sign-in")
    HELD_UP = "HELD_UP", _("Sign-in held up")
    UNLOCKED = "UNLOCKED", _("Sign-in unlocked")
    SIGN_OUT = "SIGN_OUT", _("Sign-out")
    ACCOUNT_MADE = "ACCOUNT_MADE", _("Account made")
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED", _("Account closed")
    ACCOUNT_OPENED = "ACCOUNT_OPENED", _("Account opened")
    ACCOUNT_DELETED = "ACCOUNT_DELETED", _("Account deleted")
    PASSWORD = "PASSWORD", _("Password changed")
    ROLE = "ROLE", _("Role changed")
    PRUNED = "PRUNED", _("Old events deleted")


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def naming(self, key: int) -> models.QuerySet[AuditEvent]:
        """Return the events that name a row of this key, whatever it is a row of."""
        if connections[self.db].vendor == "postgresql":
            return self.filter(rows__contains=[key])
        rows = f"json_each({self.model._meta.db_table}.rows)"
        where = f"EXISTS (SELECT 1 FROM {rows} WHERE value = %s)"  # noqa: S608  (the model's own name)
        return self.extra(where=[where], params=[key])  # noqa: S610  (likewise)


class AuditEvent(models.Model):
    """Who did or saw what, when and from where is kept here, never a value of a participant.

    Rows are only ever added: see `accounts.audit`. `previous` and `digest` chain them.
    """

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    kind = models.CharField(_("kind"), max_length=16, choices=AuditKind.choices, default=AuditKind.REQUEST)
    username = models.CharField(
        _("user name"),
        max_length=150,
        blank=True,
        default="",
        help_text=_("Empty where nobody was signed in, or a command did it."),
    )
    address = models.CharField(_("address"), max_length=64, blank=True, default="")
    method = models.CharField(_("method"), max_length=10, blank=True, default="")
    path = models.CharField(
        _("page or endpoint"),
        max_length=300,
        blank=True,
        default="",
        help_text=_("The path of an endpoint or the name of a page, without what was asked for."),
    )
    parameters = models.JSONField(
        _("parameters"),
        default=list,
        help_text=_("The names of the query's parameters, without their values."),
    )
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    rows = models.JSONField(
        _("rows"), default=list, help_text=_("The keys of the rows that were read or written.")
    )
    subject = models.CharField(
        _("account"),
        max_length=150,
        blank=True,
        default="",
        help_text=_("The account that it was about, where that is another than who did it."),
    )
    detail = models.CharField(_("detail"), max_length=200, blank=True, default="")
    up_to = models.BigIntegerField(
        _("up to"), null=True, blank=True, help_text=_("The key of the last event that retention deleted.")
    )
    previous = models.CharField(_("digest before"), max_length=64, blank=True, default="")
    digest = models.CharField(_("digest"), max_length=64, blank=True, default="")

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["username", "-at"], name="events_of_a_user"),
            models.Index(fields=["kind", "-at"], name="events_of_a_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.path}".rstrip()
