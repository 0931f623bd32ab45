"""This command runs the worker alone, in place of django-q2's own of this name, of some more processes."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from pylantir_site.processes.child import share_memory
from pylantir_site.processes.supervisor import Supervisor
from sources.worker.process import services


class Command(BaseCommand):
    help = "Runs the worker that pulls from sources, WORKERS processes of it, until Ctrl-C."

    def handle(self, **options: Any) -> None:
        seconds = settings.WORKER_STUCK_SECONDS
        workers = services(count=settings.WORKERS, seconds=seconds, essential=True)
        share_memory()
        sys.exit(Supervisor(workers, self.tell).run())

    def tell(self, sentence: str) -> None:
        self.stderr.write(sentence)
        self.stderr.flush()
