"""This command starts all of Pylantir: it prepares the databases and runs every process until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.core.management.base import OutputWrapper
from django.db import OperationalError, connections

from accounts import first_password
from accounts.first_admin import create_first_admin
from pylantir_site.environment import env
from pylantir_site.management.checked import NEED_ROUTES, without_routes
from pylantir_site.processes import migrations, web
from pylantir_site.processes.child import share_memory
from pylantir_site.processes.migrating import alone
from pylantir_site.processes.ports import why_not_free
from pylantir_site.processes.supervisor import Service, Supervisor
from pylantir_site.processes.web import add_web_options, web_address, why_exposed
from worklist.management.commands import run_mwl
from worklist.management.tls import add_tls_options, refuse_without_certificate


class Command(BaseCommand):
    """The DICOM server is begun as soon as the databases are ready: scanners do not wait for the admin."""

    help = "Runs the admin site, the worker and the DICOM worklist server until Ctrl-C."
    requires_system_checks = ()  # `handle` makes them, each where what it looks at is loaded

    def add_arguments(self, parser: CommandParser) -> None:
        add_web_options(parser)
        parser.add_argument("--ip", default="127.0.0.1", help="address of the DICOM server")
        parser.add_argument("--port", type=int, default=4242, help="port of the DICOM server")
        parser.add_argument(
            "--AEtitle",
            type=run_mwl.ae_title,
            default=settings.MWL_AETITLE,
            help="AE title of the DICOM server",
        )
        parser.add_argument(
            "--processes",
            type=run_mwl.number_within(1, 64),
            default=1,
            help="processes of the DICOM server; default: %(default)s, which is enough for most sites",
        )
        add_tls_options(parser)
        parser.add_argument("--no-web", action="store_true", help="without the admin site")
        parser.add_argument("--no-worker", action="store_true", help="without the worker that pulls")
        parser.add_argument("--no-dicom", action="store_true", help="without the DICOM server")

    def handle(self, **options: Any) -> None:
        try:
            refuse_without_certificate(options)
            refuse_nothing(options)
            web.processes()  # refuses a wrong number now
            refuse_taken_ports(options)
            self.prepare()
            code = self.run(options)
        except KeyboardInterrupt:
            sys.exit(130)
        if code == 0:
            with contextlib.suppress(OSError):  # the terminal may be closed
                self.stdout.write("Stopped.")
        sys.exit(code)

    def prepare(self) -> None:
        try:
            # Of several hosts one makes the first account and sources, too. What the checks ask of a database
            # is answered wrongly while another changes it: a lock of SQLite's passes for a lack of JSON.
            with alone(self.tell):
                self.check(databases=list(connections), tags=without_routes())
                self.fill()
        except OperationalError as error:
            raise CommandError(f"The database cannot be used: {error}") from error

    def fill(self) -> None:
        for alias in connections:
            migrations.migrate(alias)
        self.announce(create_first_admin())
        if settings.PYLANTIR_CONFIG:
            self.take_over_configuration()
        self.stdout.flush()  # before what the processes say, and not once more by each

    def run(self, options: dict[str, Any]) -> int:
        """Run all that was chosen, and return the exit code."""
        first, closing = [], (lambda: None)
        if not options["no_dicom"]:
            port = options["tls_port" if options["no_plain"] else "port"]
            os.environ.setdefault("MWL_ADDRESS", reachable(options["ip"], port))
            # The web server asks it there, and calls itself so, too.
            settings.MWL_ADDRESS = env.address("MWL_ADDRESS")
            os.environ.setdefault("MWL_ADDRESS_TLS", "true" if options["no_plain"] else "false")
            settings.MWL_ADDRESS_TLS = env.boolean("MWL_ADDRESS_TLS", default=False)
            settings.MWL_AETITLE = options["AEtitle"]
            # This process listens, too: while the DICOM server is restarted, scanners wait unrefused.
            listeners = run_mwl.open_listeners(options)
            first, closing = [dicom(options, listeners)], listeners.close
        share_memory()

        def the_others() -> Sequence[Service]:
            import_module(settings.ROOT_URLCONF)  # and with it the apps' admins, which the checks look at
            self.check(tags=sorted(NEED_ROUTES))
            others = beside_dicom(options)
            share_memory()
            if not options["no_web"] and not settings.BEHIND_TLS_PROXY:
                self.warn_of(why_exposed(options["api_host"]))
            self.stdout.write(where_to_go(options))
            self.stdout.flush()
            return others

        return Supervisor(first, self.tell, closing=closing).run(the_others)

    def take_over_configuration(self) -> None:
        from sources.config_import import PatientIds, at_start
        from sources.config_import.patient_ids import IdQuestion
        from sources.management import terminal

        def ask(question: IdQuestion) -> PatientIds | None:
            return terminal.ask_for_ids(question, self.stdout.write) if terminal.is_there() else None

        for line in at_start(settings.CONFIG, choose=ask):
            self.stdout.write(line)

    def announce(self, first_admin: tuple[str, str | None] | None) -> None:
        if not first_admin:
            first_password.clean()
            return
        username, password = first_admin
        if password and not self.stdout.isatty():
            kept = first_password.keep(password)
            self.stdout.write(
                f"First admin: user name {username}, password in {kept}, "
                "which its owner alone may read and which goes when the password is changed."
            )
        elif password:
            # Beside the log, which says no password and may be sent elsewhere.
            stdout = self.stdout if settings.LOG_FORMAT == "text" else OutputWrapper(sys.stdout)
            stdout.write(f"First admin: user name {username}, password {password} (shown only once).")
        else:
            self.stdout.write(f"First admin: user name {username}, password as in PYLANTIR_ADMIN_PASSWORD.")

    def warn_of(self, sentence: str) -> None:
        if sentence:
            self.tell(sentence)

    def tell(self, sentence: str) -> None:
        self.stderr.write(sentence)
        self.stderr.flush()


def refuse_nothing(options: dict[str, Any]) -> None:
    if all(options[f"no_{name}"] for name in ("web", "worker", "dicom")):
        raise CommandError("Nothing is left to start: drop one of the --no-… options.")


def dicom(options: dict[str, Any], listeners: run_mwl.Listeners) -> Service:
    def work() -> int:
        try:
            run_mwl.serve(options, lambda: listeners)
        except run_mwl.StoppedByItself as error:
            sys.stderr.write(f"{error}\n")
            return 1
        return 0

    return Service("dicom", work, essential=True)


def beside_dicom(options: dict[str, Any]) -> list[Service]:
    """Return the web server and the worker. Without a DICOM server, either ends all if it cannot run."""
    essential, found = options["no_dicom"], []
    if not options["no_web"]:
        host, port = options["api_host"], options["api_port"]
        found.append(Service("web", lambda: web.serve(host=host, port=port), essential=essential))
    if not options["no_worker"]:
        from sources.tasks import look_now
        from sources.worker.process import services

        look_now()
        seconds = settings.WORKER_STUCK_SECONDS
        found += services(count=settings.WORKERS, seconds=seconds, essential=essential)
    return found


def reachable(ip: str, port: int) -> str:
    """Return where the web server finds the DICOM server, which may listen on every address."""
    return web_address({"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(ip, ip), port)  # noqa: S104  (read)


def refuse_taken_ports(options: dict[str, Any]) -> None:
    servers = [("web", "api_host", "api_port")]
    if not options["no_plain"]:
        servers.append(("dicom", "ip", "port"))
    if options["tls_cert"]:
        servers.append(("dicom", "ip", "tls_port"))
    for name, host, port in servers:
        reason = "" if options[f"no_{name}"] else why_not_free(options[host], options[port])
        if reason:
            choices = " or ".join(f"--{option.replace('_', '-')}" for option in (host, port))
            raise CommandError(f"{reason}: choose another with {choices}.")


def where_to_go(options: dict[str, Any]) -> str:
    lines = []
    if not options["no_web"]:
        web = web_address(options["api_host"], options["api_port"])
        lines += [f"Admin: http://{web}/admin/", f"API: http://{web}/docs"]
    if not options["no_worker"]:
        lines.append("Worker: looks every 30 seconds which sources are due.")
    if not options["no_dicom"]:
        plain = [] if options["no_plain"] else [f"{options['ip']}:{options['port']}"]
        secured = [f"{options['ip']}:{options['tls_port']} with TLS"] if options["tls_cert"] else []
        lines.append(f"DICOM worklist: {' and '.join(plain + secured)}, AE title {options['AEtitle']}")
    return "\n".join([*lines, "Ctrl-C stops all."])
