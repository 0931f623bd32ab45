from __future__ import annotations

import atexit
import os
import sys
from importlib import import_module

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import request_finished
from django.core.wsgi import get_wsgi_application

from pylantir_site import retention
from pylantir_site.atna import sources
from pylantir_site.counting import background as counting
from pylantir_site.database import fault_log, lock_waits
from pylantir_site.notices import background

APPLICATION = "Pylantir web server"
WORKER_BOOT_ERROR = 3  # at this exit code gunicorn stops instead of trying again

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    sys.stderr.write(f"pylantir: {error}\n")
    sys.exit(WORKER_BOOT_ERROR)
import_module(settings.ROOT_URLCONF)  # and with it the admins: nobody waits for them at the first page
lock_waits.bound()
request_finished.connect(lambda **about: fault_log.log.sweep(), weak=False)
counting.keep_in_background(process="web")
sources.tell_start(APPLICATION)
atexit.register(lambda: sources.tell_stop(APPLICATION))  # before what is queued is sent, which is older
retention.prune_in_background()
background.notify_in_background()
