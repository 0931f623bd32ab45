from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from pylantir_site import retention

WORKER_BOOT_ERROR = 3  # at this exit code gunicorn stops instead of trying again

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    sys.stderr.write(f"pylantir: {error}\n")
    sys.exit(WORKER_BOOT_ERROR)
retention.prune_in_background()
