"""What has to be there before anybody signs in is connected here."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import first_password, idle, known_places
        from accounts.audit import accounts

        user_logged_in.connect(idle.count_sign_in, dispatch_uid="accounts.idle.count_sign_in")
        accounts.connect()
        first_password.connect()
        known_places.connect()
