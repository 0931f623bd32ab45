"""A request that is refused is one line of the log, and a failure of the server's keeps its traceback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.site.fresh import script

PROCESS = re.compile(r"\[\d+\] ")
ASK = """
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import path
from pylantir_site import urls

def refuse(request, name):
    raise PermissionDenied

def fail(request):
    raise RuntimeError

urls.urlpatterns[:0] = [path("refuse/<str:name>/", refuse), path("fail/", fail)]
client = Client(enforce_csrf_checks=True, raise_request_exception=False, headers={'host': 'localhost'})
"""
DISALLOWED = 'client.get("/health", headers={"host": "evil.example"})'
FORGED = 'client.post("/admin/login/")'
FORBIDDEN = "client.get('/refuse/it/')"
MISSING = 'client.get("/none")'
SECRET = 'client.post("/calendar/a-secret.ics")'


@pytest.mark.acceptance("H129")
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (DISALLOWED, "ERROR django.security.DisallowedHost: Invalid HTTP_HOST header: 'evil.example'"),
        (FORGED, "WARNING django.security.csrf: Forbidden (CSRF cookie not set.): /admin/login/"),
        (FORBIDDEN, "WARNING django.request: Forbidden (Permission denied): /refuse/it/"),
        (MISSING, "WARNING django.request: Not Found: /none"),
        (SECRET, ": /calendar/…"),
    ],
    ids=["DisallowedHost", "CSRF", "403", "404", "a secret path"],
)
def test_a_refused_request_is_one_line(asked: str, told: str, migrated: Path) -> None:
    done = script(migrated, ASK + asked, DJANGO_SETTINGS_MODULE="pylantir_site.settings")

    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert told in PROCESS.sub("", line)


@pytest.mark.acceptance("H129")
def test_a_failure_keeps_its_traceback(migrated: Path) -> None:
    done = script(migrated, f"{ASK}client.get('/fail/')", DJANGO_SETTINGS_MODULE="pylantir_site.settings")

    assert "ERROR django.request: Internal Server Error: /fail/" in PROCESS.sub("", done.stderr)
    assert re.search(r"RuntimeError\n  File .* in fail", done.stderr, re.DOTALL)


@pytest.mark.slow
@pytest.mark.acceptance("H129")
def test_a_warning_of_a_library_comes_once(tmp_path: Path) -> None:
    warn = "from pydicom.misc import warn_and_log; warn_and_log('once')"
    done = script(tmp_path, warn, DJANGO_SETTINGS_MODULE="pylantir_site.settings")

    assert done.stderr.count(" once") == 1
