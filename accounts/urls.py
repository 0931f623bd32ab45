from __future__ import annotations

from accounts.api.login import Login, Me, Password
from accounts.api.users import UserList, UserOne
from pylantir_site.rest.routes import route

urlpatterns = [
    *route("auth/login", Login.as_view(), "login"),
    *route("auth/me", Me.as_view(), "me"),
    *route("auth/password", Password.as_view(), "password"),
    *route("users", UserList.as_view(), "users"),
    *route("users/<int:pk>", UserOne.as_view(), "user"),
]
