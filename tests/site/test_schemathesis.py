"""Requests made from the schema: none breaks the server, and every answer is one that the schema promises.

SCHEMATHESIS_EXAMPLES asks for more of them than the few of each run.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig

from accounts.models import User
from accounts.tokens import access_token
from pylantir_site.wsgi import application
from sources.models import DataSource
from tests.conftest import PASSWORD
from tests.worklist.reported import point
from worklist.models import Kind

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900)]
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "12"))


def schema() -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", application)


print(dir(schemathesis))
