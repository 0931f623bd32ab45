"""Pages of the admin speak the language of the browser; the API, logs and DICOM speak English."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.middleware.locale import LocaleMiddleware
from django.urls import reverse_lazy
from django.utils import translation
from django.utils.translation import ngettext_lazy

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

ADMIN = reverse_lazy("admin:index")
# Spans of time stand in sentences ("… ago"), which want another case in German than Django's own catalogue
# has: what ours says of these texts goes first.
IN_SENTENCES = (
    ngettext_lazy("%(num)d day", "%(num)d days", "num"),
    ngettext_lazy("%(num)d month", "%(num)d months", "num"),
    ngettext_lazy("%(num)d year", "%(num)d years", "num"),
)


class AdminLanguage(LocaleMiddleware):
    """It heeds Accept-Language below the admin's own address, and nowhere else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(str(ADMIN)):
            return cast("HttpResponseBase", super().__call__(request))
        with translation.override("en-us"):
            return self._answer(request)
