from __future__ import annotations

from django.urls import path

from accounts.oidc import views

app_name = "oidc"
urlpatterns = [
    path("sign-in/", views.begin, name="begin"),
    path("sign-in/return/", views.finish, name="finish"),
]
