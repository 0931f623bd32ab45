"""This command starts all of Pylantir: it prepares the databases and runs every process until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.db import OperationalError, connections

from accounts.first_admin import create_first_admin
from pylantir_site.environment import program
from pylantir_site.processes.cores import serving_processes
from pylantir_site.processes.ports import why_not_free
from pylantir_site.processes.supervisor import Supervisor
from pylantir_site.processes.web import add_web_options, gunicorn, web_address
from sources.tasks import look_now
from worklist.management.tls import add_tls_options, refuse_without_certificate, tls_arguments


class Command(BaseCommand):
    help = "Runs the admin site, the worker and the DICOM worklist server until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        add_web_options(parser)
        parser.add_argument("--ip", default="127.0.0.1", help="address of the DICOM server")
        parser.add_argument("--port", type=int, default=4242, help="port of the DICOM server")
        parser.add_argument("--AEtitle", default=settings.MWL_AETITLE, help="AE title of the DICOM server")
        parser.add_argument(
            "--processes",
            type=int,
            default=serving_processes(),
            help="processes of the DICOM server; default: one for each core, at most 4",
        )
        add_tls_options(parser)
        parser.add_argument("--no-web", action="store_true", help="without the admin site")
        parser.add_argument("--no-worker", action="store_true", help="without the worker that pulls")
        parser.add_argument("--no-dicom", action="store_true", help="without the DICOM server")

    def handle(self, **options: Any) -> None:
        try:
            refuse_without_certificate(options)
            commands = chosen_commands(options)
            refuse_taken_ports(options)
            self.prepare()
            if "worker" in commands:
                look_now()
            if "dicom" in commands:
                port = options["tls_port" if options["no_plain"] else "port"]
                os.environ.setdefault("MWL_ADDRESS", reachable(options["ip"], port))
                os.environ["MWL_AETITLE"] = options["AEtitle"]  # the web server calls itself so, too
            self.stdout.write(where_to_go(options))
            self.stdout.flush()
            code = Supervisor(commands, self.tell).run()
        except KeyboardInterrupt:
            sys.exit(130)
        if code == 0:
            with contextlib.suppress(OSError):  # the terminal may be closed
                self.stdout.write("Stopped.")
        sys.exit(code)

    def prepare(self) -> None:
        try:
            self.check(databases=list(connections))
            for alias in connections:
                call_command("migrate", database=alias, interactive=False, verbosity=0)
        except OperationalError as error:
            raise CommandError(f"The database cannot be used: {error}") from error
        self.announce(create_first_admin())
        if settings.PYLANTIR_CONFIG:
            self.take_over_configuration()

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
            return
        username, password = first_admin
        if password:
            self.stdout.write(f"First admin: user name {username}, password {password} (shown only once).")
        else:
            self.stdout.write(f"First admin: user name {username}, password as in PYLANTIR_ADMIN_PASSWORD.")

    def tell(self, sentence: str) -> None:
        self.stderr.write(sentence)
        self.stderr.flush()


def chosen_commands(options: dict[str, Any]) -> dict[str, list[str]]:
    every = {
        "web": gunicorn(host=options["api_host"], port=options["api_port"]),
        "worker": program.to_start("qcluster"),
        "dicom": program.to_start(
            *("run_mwl", "--ip", options["ip"], "--port", str(options["port"])),
            *("--AEtitle", options["AEtitle"], "--processes", str(options["processes"])),
            *tls_arguments(options),
        ),
    }
    chosen = {name: command for name, command in every.items() if not options[f"no_{name}"]}
    if not chosen:
        raise CommandError("Nothing is left to start: drop one of the --no-… options.")
    return chosen


def reachable(ip: str, port: int) -> str:
    """Return where the web server finds the DICOM server, which may listen on every address."""
    return web_address({"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(ip, ip), port)


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
