"""Run the DICOM server."""

from __future__ import annotations

import logging
import os
import socket
import ssl
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from pylantir_site.environment.databases import prepare_for_threads
from pylantir_site.processes.cores import serving_processes
from worklist import validators
from worklist.devices import from_config
from worklist.management.tls import add_tls_options, refuse_without_certificate, tls_context
from worklist.models import Device
from worklist.scp import processes, server
from worklist.scp.door import Endpoint

logger = logging.getLogger(__name__)


def ae_title(text: str) -> str:
    try:
        validators.ae_title(text)
    except ValidationError as error:
        raise ArgumentTypeError(f"{text!r}: {' '.join(error.messages)}") from error
    return text


def number_within(least: int, most: int) -> Any:
    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}.")
        return int(text)

    return number


class Command(BaseCommand):
    help = "Serve the worklist to scanners and hear back from them: Modality Worklist and MPPS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--ip",
            default="127.0.0.1",
            help="The address to listen at. Default %(default)s: this machine only. "
            "0.0.0.0 listens at all addresses, which scanners need.",
        )
        parser.add_argument("--port", type=number_within(1, 65535), default=4242, help="Default %(default)s.")
        parser.add_argument(
            "--AEtitle",
            type=ae_title,
            default=settings.MWL_AETITLE,
            help="Its AE title. Default MWL_AETITLE, now %(default)s.",
        )
        parser.add_argument(
            "--processes",
            type=number_within(1, 64),
            default=serving_processes(),
            help="How many processes share the port. Default: one for each core, at most 4; "
            "here %(default)s.",
        )
        add_tls_options(parser, port=number_within(1, 65535))

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_without_certificate(options)
        serve(options, lambda: open_listeners(options))


class Listeners(NamedTuple):
    """The sockets at which scanners connect, in clear and with TLS."""

    plain: socket.socket | None
    secured: socket.socket | None

    def close(self) -> None:
        for listener in self:
            if listener is not None:
                listener.close()


def open_listeners(options: Mapping[str, Any]) -> Listeners:
    """Listen where the options say. Raises CommandError."""
    ip, title = options["ip"], options["AEtitle"]
    plain = secured = None
    if not options["no_plain"]:
        plain = _listen(ip, options["port"], title=title)
    if options["tls_cert"]:
        secured = _listen(ip, options["tls_port"], title=title, how=" with TLS")
    return Listeners(plain, secured)


def serve(options: Mapping[str, Any], listeners: Callable[[], Listeners]) -> None:
    """Serve at the listeners until SIGTERM or SIGINT. Raises CommandError."""
    context = tls_context(options)
    _apply_config()
    with processes.signals_held():
        endpoints = _endpoints(listeners(), context)
        _tell_who_may_associate()
        title, count = options["AEtitle"], options["processes"]
        if not processes.run(endpoints, ae_title=title, processes=count, prepare=prepare_for_threads):
            raise StoppedByItself("The DICOM server stopped by itself.")


class StoppedByItself(CommandError):
    """Nobody asked it to stop, and its set-up is right."""


def _endpoints(listeners: Listeners, context: ssl.SSLContext | None) -> list[Endpoint]:
    endpoints = [] if listeners.plain is None else [Endpoint(listeners.plain)]
    if listeners.secured is not None and context is not None:
        endpoints.append(Endpoint(listeners.secured, context))
    return endpoints


def _listen(ip: str, port: int, *, title: str, how: str = "") -> socket.socket:
    try:
        listener = server.listen(ip, port)
    except OSError as error:
        # Python adds the address to the reason, except where it looks up a name.
        reason = str(error.strerror or error).partition(" (while")[0]
        raise CommandError(f"Cannot listen at {ip}:{port}: {reason}.") from error
    logger.info("%s listens at %s:%d%s, process %d.", title, ip, port, how, os.getpid())
    return listener


def _apply_config() -> None:
    try:
        from_config.apply(settings.CONFIG)
    except ValidationError as error:
        raise CommandError(f"{Path(settings.PYLANTIR_CONFIG).name}: {' '.join(error.messages)}") from error


def _tell_who_may_associate() -> None:
    if Device.objects.filter(ae_title=Device.ANY, enabled=True).exists():
        logger.warning(
            "The device * is enabled: any AE title may associate. "
            "List the scanners under Scanners in the admin, and disable it."
        )
    if not Device.objects.exists():
        logger.warning(
            "No device is known, so associations are accepted from this machine only. "
            "Add the scanners' AE titles under Scanners in the admin."
        )
