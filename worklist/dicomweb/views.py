"""Both services share this: whose device it is, what is accepted, what is warned of, what is recorded.

A device has a base URI of its own, `/dicomweb/devices/{AE title}`: what is asked there is answered by its
rules, as its C-FIND would be. At `/dicomweb` nobody's rules hold but those of the row `*`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError as Invalid
from django.db import Error
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAcceptable, PermissionDenied
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from accounts.addresses import client_address
from pylantir_site.database import fault_log
from pylantir_site.rest.views import ApiView
from worklist import validators
from worklist.dicomweb import media_types
from worklist.dicomweb.keys import ACCEPT, ACCEPT_CHARSET
from worklist.dicomweb.media_types import CHARSETS, Form
from worklist.models import Device, DeviceActivity

logger = logging.getLogger(__name__)

ROOT = "/dicomweb"
LONGEST_COMMENT = 255


class DicomwebView(ApiView):
    """An endpoint of a DICOM Web Service; errors are JSON with `detail`, as everywhere."""

    parameters: ClassVar[frozenset[str]] = frozenset({ACCEPT, ACCEPT_CHARSET})
    filter_backends: ClassVar[tuple[Any, ...]] = ()
    pagination_class = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.began = time.monotonic()
        super().initial(request, *args, **kwargs)
        self.ae_title = _listed(kwargs["ae_title"]) if "ae_title" in kwargs else ""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:  # noqa: FBT001, FBT002  (its signature)
        """Leave the choice to `form`: this is for errors, which are JSON whatever is accepted."""
        return JSONRenderer(), JSONRenderer.media_type

    @property
    def service(self) -> str:
        """Return the base URI, which warnings name as their agent."""
        path = f"{ROOT}/devices/{self.ae_title}" if self.ae_title else ROOT
        return str(self.request.build_absolute_uri(path))

    def form(self) -> Form:
        """Return the response's form; the query parameter goes before the header (PS3.18 8.3.3.1).

        Raises NotAcceptable.
        """
        query, headers = self.request.query_params, self.request.headers
        found = media_types.negotiated(query.get(ACCEPT, headers.get("Accept", "")))
        charsets = query.get(ACCEPT_CHARSET, headers.get("Accept-Charset", "utf-8"))
        if found is None or not _takes_utf_8(charsets):
            raise NotAcceptable(NOT_OFFERED)
        return found

    def answer(
        self, body: bytes, content_type: str, *, status: int = 200, warnings: Iterable[str] = ()
    ) -> HttpResponse:
        response = HttpResponse(body, status=status, content_type=content_type)
        response["Vary"] = "Accept, Accept-Charset"
        self.warn(response, warnings)
        return response

    def warn(self, response: Any, warnings: Iterable[str]) -> None:
        """Give the response a Warning header in the form of PS3.18 8.3.4.2, where there is any."""
        told = [f"299 {self.service}: {text}" for text in warnings]
        if told:
            response["Warning"] = ", ".join(told)

    def record(self, kind: DeviceActivity.Kind, *, status: int, comment: str = "", **more: Any) -> None:
        """Keep what the device did beside what it does by DICOM; what has no device is only audited.

        An answer never fails by it: a report that was committed must not be told to be sent again.
        """
        if not self.ae_title or not settings.DEVICE_ACTIVITY_KEPT_DAYS:
            return
        try:
            self._write_record(kind, status=status, comment=comment, **more)
        except Error as error:
            fault_log.log.tell(logger, "What devices do cannot be recorded", error)

    def _write_record(self, kind: DeviceActivity.Kind, *, status: int, comment: str, **more: Any) -> None:
        DeviceActivity.objects.create(
            kind=kind,
            ae_title=self.ae_title,
            address=client_address(self.request._request)[:64],
            status=status,
            comment="; ".join(filter(None, ("DICOMweb", comment)))[:LONGEST_COMMENT],
            milliseconds=(time.monotonic() - self.began) * 1000,
            implicit_vr=False,
            **more,
        )


NOT_OFFERED = (
    "Offered are application/dicom+json, application/dicom+xml, and multipart/related with one of them as "
    "its type, in UTF-8."
)


def _listed(ae_title: str) -> str:
    """Return the AE title of a device of its own row: a slip in it must not get another device's rules."""
    try:
        validators.ae_title(ae_title)
    except Invalid as error:
        raise Http404 from error
    enabled = Device.objects.filter(ae_title=ae_title).exclude(ae_title=Device.ANY).values_list("enabled")
    found = enabled.first()
    if found is None:
        raise Http404
    if not found[0]:
        raise PermissionDenied(_("This device is disabled: enable it under Scanners."))
    return ae_title


def _takes_utf_8(accepted: str) -> bool:
    """Tell whether UTF-8 is among the character sets that are accepted (RFC 9110 12.5.2)."""
    weights = {}
    for part in filter(None, (each.strip() for each in accepted.split(","))):
        name, parameters = media_types.of_header(f"charset/{part}")
        weights[name.removeprefix("charset/")] = parameters.get("q", "1").strip("0.") != ""
    named = [takes for name, takes in weights.items() if name in CHARSETS - {"*", "us-ascii"}]
    return any(named) if named else not weights or weights.get("*", False)
